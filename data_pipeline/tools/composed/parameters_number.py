"""Parameters that hold numbers; how a line is read: see `parameters`."""

GENERAL = """
limit/max_results/num_results/top_n | int 1..50 | Maximum number of results; How many results to return | 10
count/n/number_of_items | int 2..40 | How many are wanted; Number of items
precision/decimals/decimal_places | int 0..5 | Number of decimal places; Digits after the decimal point | 2
quantity/qty/amount_of_items | int 1..30 | Quantity of the item; How many pieces | 1
days/num_days/number_of_days | int 1..30 | Number of days; How many days | 5
nights/num_nights | int 1..21 | Number of nights; How many nights to stay | 2
weeks/num_weeks | int 1..26 | Number of weeks; How many weeks | 4
months/num_months/duration_months | int 1..60 | Number of months; How many months | 12
years/num_years/term_years | int 1..40 | Number of years; Term in years
year | int 1950..2030 | The year; Year of interest, four digits
start_year/from_year | int 1900..1990 | First year; Year in which the period starts
end_year/to_year | int 1991..2025 | Last year; Year in which the period ends
hist_year=year | int 1200..1990 | The year; Year in history
century | int 10..20 | Century as a number; The century
month_number=month | int 1..12 | Month as a number from 1 to 12; The month
hours/duration_hours/num_hours | num 0.5..24 | Number of hours; Duration in hours
minutes/duration_minutes/duration | int 5..240 | Duration in minutes; Time in minutes | 30
age/person_age | int 1..95 | Age in years; The person's age in years
child_age=age/child_age | int 1..14 | Age in years; Age of the child in years
pet_age=age/current_age | int 1..15 | Age in years; Age of the animal in years
adult_age=age/current_age | int 18..54 | Age in years; Current age in years
retirement_age/target_age | int 55..75 | Age at retirement; Age to retire at | 67
people/num_people/party_size | int 1..16 | Number of people; How many people
guests/num_guests/adults | int 1..10 | Number of guests; How many people stay | 2
passengers/num_passengers/travelers | int 1..9 | Number of passengers; How many people travel | 1
servings/num_servings/portions | int 1..16 | Number of servings; How many portions | 4
rooms_count=num_rooms/room_count | int 1..6 | Number of rooms; How many rooms | 1
bedrooms/num_bedrooms/min_bedrooms | int 1..7 | Number of bedrooms; How many bedrooms
bathrooms/num_bathrooms | int 1..5 | Number of bathrooms; How many bathrooms
min_price/lowest_price | num 5..200 | Lowest price in dollars; Minimum price, in dollars
max_price/price_limit/highest_price | num 201..2000 | Highest price in dollars; Maximum price, in dollars
budget/max_budget | num 100..5000 | Budget in dollars; How much may be spent, in dollars
min_rating/rating | num 1..5 | Lowest rating from 1 to 5; Minimum rating
radius_km/search_radius_km | num 1..100 | Search radius in kilometers; How far to look, in km | 10
level_percent=level/percentage | int 1..100 | Level in percent; Level in percent, from 0 to 100
page/page_number | int 1..20 | Page of the results; Number of the page | 1
length/password_length | int 8..64 | Number of characters; Length wanted | 16
max_length/max_words | int 20..500 | Greatest number of words; Maximum length in words | 100
seed/random_seed | int 1..9999 | Seed of the random numbers; Random seed
x/x_coordinate | num -50..50 | The x coordinate; Position along x
y/y_coordinate | num -50..50 | The y coordinate; Position along y
x_value=x/at_x | num -10..10 | Point at which to evaluate; Value of x
lower_bound/lower/a_limit | num -10..0 | Lower bound of the interval; Where the interval starts
upper_bound/upper/b_limit | num 1..20 | Upper bound of the interval; Where the interval ends
latitude/lat | num -60..70 | Latitude in degrees; Latitude of the place in degrees
longitude/lon/lng | num -170..170 | Longitude in degrees; Longitude of the place in degrees
value/number/num | num 1..500 | Value to use; The number; Number to work on
first_number/a/num1 | int 2..500 | First number; The first of the two numbers
second_number/b/num2 | int 2..500 | Second number; The second of the two numbers
whole_number=n/number | int 2..60 | Whole number; A positive integer
chosen=k/r | int 1..10 | Number of elements chosen; How many are chosen
coefficient_a=a | int 1..9 | Coefficient of x squared; The leading coefficient
coefficient_b=b | int -20..20 | Coefficient of x; The linear coefficient
coefficient_c=c | int -30..30 | Constant term; The constant coefficient
base/number_base | int 2..16 | Base of the numeral system; Base to use | 10
degree/polynomial_degree | int 1..5 | Degree of the polynomial | 1
radius/r | num 0.5..60 | Radius; The radius of the shape; Radius in the given unit
height/h | num 1..80 | Height; The height of the shape
width/w | num 1..80 | Width; The width of the shape
side_length=length/l | num 1..90 | Length; The length of the longer side
side_a/a/side1 | int 3..30 | Length of the first side; Side a
side_b/b/side2 | int 3..30 | Length of the second side; Side b
side_c/c/side3 | int 3..30 | Length of the third side; Side c
side/side_length/edge | num 1..50 | Length of one side; Edge length
base_length=base/base_width | num 1..60 | Length of the base; The base
sides/num_sides/n_sides | int 3..14 | Number of sides; How many sides
launch_angle=angle/launch_angle/theta | num 5..85 | Angle of launch in degrees; Angle above the horizontal, in degrees
angle_degrees/angle/theta | num 5..170 | Angle in degrees; The angle, in degrees
diameter_cm/diameter | num 1..60 | Diameter in centimeters; The diameter in cm
length_cm/length | num 5..150 | Length in centimeters; The length in cm
height_cm/height/body_height | num 120..205 | Height in centimeters; Body height in cm
weight_kg/weight/body_weight | num 40..130 | Weight in kilograms; Body weight in kg
child_cm=height_cm/height | num 50..150 | Height in centimeters; Height of the child in cm
child_kg=weight_kg/weight | num 3..45 | Weight in kilograms; Weight of the child in kg
parcel_kg=weight_kg/weight | num 0.2..30 | Weight of the parcel in kilograms; Weight in kg
room_length_m/length_m | num 2..15 | Length of the room in meters; Length in m
room_width_m/width_m | num 2..12 | Width of the room in meters; Width in m
room_sqm=area_sqm/area/room_area | num 5..60 | Area in square meters; Area of the room in square meters
area_sqm/area/floor_area | num 20..400 | Area in square meters; Floor area in square meters
thickness_cm/thickness | int 10..60 | Thickness in centimeters; How thick it is, in cm
tile_cm=tile_size_cm/tile_size | int 10..90 | Side of a tile in centimeters; Edge of one tile in cm
soil_cm=depth_cm/depth | int 5..80 | Depth of the soil in centimeters; How deep the soil is, in cm
field_hectares/area_hectares/field_size | num 0.5..120 | Area of the field in hectares; Field size in hectares
"""

SCIENCE = """
mass_kg/mass/m | num 0.5..500 | Mass in kilograms; Mass of the body in kg
mass_b=second_mass_kg/mass2 | num 0.5..500 | Mass of the second body in kilograms; Second mass in kg
velocity/speed/v | num 1..90 | Velocity in meters per second; Speed in m/s
initial_velocity/v0/initial_speed | num 0..60 | Initial velocity in m/s; Velocity at the start, in meters per second
final_velocity/v1/final_speed | num 1..90 | Final velocity in m/s; Velocity at the end, in meters per second
acceleration/a | num 0.5..20 | Acceleration in m/s^2; Constant acceleration in m/s^2
time_seconds/time_s/t | num 0.5..120 | Time in seconds; Elapsed time in seconds
force_newtons/force | num 1..900 | Force in newtons; The force applied, in newtons
distance_m/distance/d | num 1..500 | Distance in meters; Distance covered in m
height_m/drop_height | num 1..300 | Height in meters; Height above the ground in meters
gravity/g | num 1..25 | Acceleration of gravity in m/s^2; Gravity in m/s^2 | 9.81
friction_coefficient/mu | num 0.05..0.9 | Coefficient of friction; Friction coefficient
spring_constant/k | num 5..900 | Spring constant in N/m; Stiffness of the spring in N/m
frequency_hz/frequency | num 20..9000 | Frequency in hertz; Frequency of the wave in Hz
wavelength_nm/wavelength | int 380..750 | Wavelength in nanometers; The wavelength in nm
density/fluid_density | num 500..2000 | Density in kg per cubic meter; Density of the fluid in kg/m^3 | 1000
volume_liters/volume | num 0.5..80 | Volume in liters; The volume in liters
pressure_kpa/pressure | num 50..500 | Pressure in kilopascals; The pressure in kPa
temperature_celsius/temperature/temp | num -20..90 | Temperature in degrees Celsius; The temperature in Celsius
temp_value=temperature/value | num -40..120 | Temperature to convert; Temperature value
moles/n_moles | num 0.1..12 | Amount of substance in moles; Number of moles
mass_grams/grams | num 1..400 | Mass in grams; Mass of the sample in g
concentration/molarity | num 0.01..6 | Concentration in moles per liter; Molar concentration in mol/L
final_concentration/target_molarity | num 0.01..2 | Concentration wanted, in mol/L; Final concentration in mol/L
ph_value=ph/pH | num 1..13 | The pH value; pH of the solution
pka/pKa | num 2..11 | The pKa of the acid; Acid constant as pKa
half_life/half_life_years | num 1..6000 | Half-life in years; Half-life of the isotope in years
initial_amount/start_amount | num 1..900 | Amount at the start; Initial amount
elapsed_years/years_passed | num 1..9000 | Time that has passed, in years; Elapsed time in years
focal_length/focal_length_cm | num 2..60 | Focal length in centimeters; Focal length of the lens in cm
object_distance/object_distance_cm | num 5..200 | Distance of the object in centimeters; Object distance in cm
refractive_index/n1 | num 1..2.6 | Refractive index of the first medium; Index of refraction
refractive_index_b=second_index/n2 | num 1..2.6 | Refractive index of the second medium
growth_rate_decimal=growth_rate/rate_of_growth | num 0.001..0.12 | Growth rate as a decimal; Rate as a fraction
growth_rate/rate_of_growth | num 0.1..12 | Growth rate in percent per year; Rate of growth in percent per year
population/initial_population/pop_size | int 100..900000 | Size of the population; Population at the start
capacity/carrying_capacity | int 1000..900000 | Carrying capacity; Greatest population
allele_frequency/p | num 0.01..0.99 | Frequency of the allele, between 0 and 1; Allele frequency
probability/prob/p_success | num 0.01..0.99 | Probability of success, between 0 and 1; The probability
trials/num_trials | int 5..60 | Number of trials; How many trials
successes/num_successes | int 1..20 | Number of successes; How many successes
mean/average/mu | num 1..100 | Mean of the distribution; The mean
std_dev/sigma/standard_deviation | num 0.5..25 | Standard deviation; Sigma of the distribution
sample_size/n | int 10..2000 | Size of the sample; Number of observations
confidence/confidence_level | num 0.8..0.99 | Confidence level between 0 and 1; Confidence level | 0.95
alpha/significance_level | num 0.01..0.1 | Significance level; Alpha of the test | 0.05
bins/num_bins | int 3..40 | Number of bins; How many bins | 10
z_score/z | num -3..3 | The z-score; Standardized value
rate_lambda=rate/lam | num 0.5..20 | Mean number of events; Rate of the distribution
events/k | int 0..20 | Number of events; How many events
distance_ly/star_distance/distance | num 1..4000 | Distance in light years; Light years to the star
magnitude/apparent_magnitude | num -1..15 | Apparent magnitude; Brightness as a magnitude
orbit_au=semi_major_axis/distance_au | num 0.3..40 | Semi-major axis in astronomical units; Distance in AU
aperture_mm/telescope_aperture | int 60..400 | Aperture in millimeters; Aperture of the telescope in mm
wind_speed/wind_kmh | num 1..110 | Wind speed in km/h; Speed of the wind in km/h
humidity/relative_humidity | int 10..98 | Relative humidity in percent; Humidity in percent
altitude/altitude_m | int 10..4500 | Altitude in meters; Altitude above sea level in meters
depth_m/depth | num 1..90 | Depth in meters; Depth below the surface in meters
magnitude_min=min_magnitude/magnitude | num 2..8 | Smallest magnitude; Minimum magnitude on the Richter scale
"""

LIFE = """
principal/loan_amount/amount_borrowed | int 1000..600000 | Loan in dollars; Sum lent in dollars; Principal in dollars
annual_rate_decimal=annual_rate/interest_rate | num 0.005..0.14 | Rate as a decimal, e.g. 0.045; Rate as a fraction
annual_rate/interest_rate/rate | num 0.5..14 | Annual interest rate in percent, e.g. 4.5; Yearly rate in percent
amount/sum/total | num 5..9000 | Amount of money; The amount
deposit/initial_deposit/starting_balance | int 50..50000 | Deposit at the start, in dollars; Initial deposit in dollars
monthly_payment/payment/contribution | int 20..3000 | Amount paid each month, in dollars; Monthly payment in dollars
investment/invested_amount/initial_investment | int 500..90000 | Sum invested in dollars; Initial investment in dollars
final_value/end_value | int 1000..200000 | Value at the end in dollars; Final value in dollars
income/annual_income/gross_income | int 12000..250000 | Yearly income in dollars; Annual income before tax, in dollars
monthly_income/income_per_month | int 1200..20000 | Monthly income in dollars; Income a month, in dollars
monthly_debt/debt_payments | int 100..5000 | Monthly debt payments in dollars; Debts paid a month, in dollars
expenses/total_expenses/costs | int 200..40000 | Expenses in dollars; Total costs in dollars
revenue/sales/turnover | int 2000..900000 | Revenue in dollars; Total sales in dollars
fixed_costs/fixed_cost | int 500..90000 | Fixed costs in dollars; Costs that do not change, in dollars
unit_price/price_per_unit | num 1..300 | Price of one unit in dollars; Unit price in dollars
unit_cost/cost_per_unit | num 1..200 | Cost of one unit in dollars; Unit cost in dollars
shares/num_shares | int 1..900 | Number of shares; How many shares
share_price/price_per_share | num 2..600 | Price of one share in dollars; Share price in dollars
buy_price/purchase_price | num 2..600 | Price at purchase in dollars; Buying price in dollars
sell_price/sale_price | num 2..900 | Price at sale in dollars; Selling price in dollars
earnings/earnings_per_share/eps | num 0.2..30 | Earnings per share in dollars
dividend/dividend_per_share | num 0.1..12 | Dividend of one share in dollars; Yearly dividend of a share, in dollars
face_value/par_value | int 100..10000 | Face value of the bond in dollars; Par value in dollars | 1000
coupon_rate | num 0.5..9 | Coupon rate in percent; Yearly coupon in percent
discount_rate_decimal=discount_rate | num 0.01..0.15 | Discount rate as a decimal, e.g. 0.08; Rate as a fraction
discount_rate | num 1..15 | Discount rate in percent; Rate used for discounting, in percent
inflation_rate_decimal=inflation_rate/inflation | num 0.005..0.12 | Inflation as a decimal; Rate as a fraction | 0.02
inflation_rate/inflation | num 0.5..12 | Inflation rate in percent; Yearly inflation in percent | 2
tax_rate_decimal=tax_rate/vat_rate | num 0.01..0.35 | Tax rate as a decimal, e.g. 0.19; Tax as a fraction
tax_rate/tax_percent/vat_rate | num 1..35 | Tax rate in percent; Rate of tax in percent
tip_percent/tip_rate | num 5..25 | Tip in percent; Tip in percent of the bill | 15
discount_percent/discount | num 5..70 | Discount in percent; What is taken off, in percent
deductions/total_deductions | int 0..30000 | Deductions in dollars; Sum of deductions in dollars | 0
dependents/num_children/children | int 0..6 | Number of dependents; How many children | 0
home_price/property_price/house_price | int 60000..900000 | Price of the home in dollars; Property price in dollars
down_payment/down_payment_percent | num 3..40 | Down payment in percent of the price; Down payment in percent | 20
monthly_rent/rent | int 400..5000 | Monthly rent in dollars; Rent a month, in dollars
property_tax/property_tax_rate | num 0.2..3 | Property tax in percent a year | 1.2
price/item_price/original_price | num 2..900 | Price in dollars; Price of the item in dollars
asset_cost/purchase_cost | int 800..90000 | Cost of the asset in dollars; Price paid for the asset, in dollars
salvage_value/residual_value | int 0..700 | Value at the end of use in dollars; Salvage value in dollars | 0
useful_life/life_years | int 2..20 | Useful life in years; Time of use in years
credit_score | int 350..850 | Credit score; The applicant's credit score
salary/annual_salary/base_salary | int 18000..220000 | Yearly salary in dollars; Annual salary in dollars
hourly_wage/hourly_rate/wage | num 9..120 | Hourly wage in dollars; Pay per hour in dollars
hours_worked/weekly_hours | num 5..60 | Hours worked; Hours worked in the week
raise_percent/increase_percent | num 1..20 | Raise in percent; Increase in percent
experience/years_of_experience | int 0..30 | Experience in years; Professional experience in years
distance_km/distance/km | num 1..900 | Distance in kilometers; Distance covered in km
speed_kmh/speed/average_speed | num 5..180 | Speed in kilometers per hour; Average speed in km/h
steps/step_count | int 500..25000 | Number of steps; Steps walked
heart_rate/resting_heart_rate | int 45..110 | Heart rate in beats per minute; Resting heart rate in beats per minute
systolic/systolic_pressure | int 91..180 | Systolic blood pressure in mmHg; Upper value in mmHg
diastolic/diastolic_pressure | int 50..90 | Diastolic blood pressure in mmHg; Lower value in mmHg
glucose/blood_sugar | int 60..260 | Blood sugar in mg/dL; Glucose level in mg/dL
dose_mg/dosage_mg/dose | int 5..900 | Dose in milligrams; Dose of the medicine in mg
times_daily/doses_per_day | int 1..6 | Times a day; Doses a day | 2
calories/daily_calories/calorie_target | int 1000..3800 | Calories a day; Target in calories a day
protein_g/protein_grams | int 5..220 | Protein in grams; Grams of protein
carbs_g/carb_grams | int 5..400 | Carbohydrates in grams; Grams of carbohydrates
fat_g/fat_grams | int 2..150 | Fat in grams; Grams of fat
portion_g/portion_grams/serving_size_g | int 20..600 | Size of the portion in grams; Portion in g | 100
sets/num_sets | int 1..8 | Number of sets; How many sets
reps/repetitions | int 1..20 | Repetitions per set; Number of repetitions
weight_lifted_kg/load_kg | num 5..200 | Weight lifted in kilograms; Load on the bar in kg
goals/goals_scored | int 0..90 | Number of goals; Goals scored
games/games_played/matches | int 91..300 | Number of games; Games played
at_bats/attempts | int 51..600 | Number of attempts; Attempts at bat
hits/successful_attempts | int 5..50 | Number of hits; Successful attempts
pages/num_pages | int 40..900 | Number of pages; Pages of the book
oven_temp=oven_temperature/temperature | int 120..250 | Oven temperature in degrees Celsius | 180
max_time=max_minutes/max_prep_time | int 10..180 | Greatest preparation time in minutes; Time limit in minutes
bill/bill_amount/total_bill | num 8..600 | Amount of the bill in dollars; Total of the bill in dollars
mileage/mileage_km | int 1000..250000 | Mileage of the vehicle in kilometers; Distance driven in km
fuel_liters/fuel_used | num 3..80 | Fuel used in liters; Amount of fuel in liters
fuel_price/price_per_liter | num 0.9..2.6 | Price of fuel in dollars per liter; Fuel price in dollars per liter
seeds_per_sqm/plant_density | int 1..400 | Plants per square meter; Number of plants per square meter
yield_per_hectare/expected_yield | num 0.5..12 | Yield in tonnes per hectare; Expected yield in tonnes per hectare
rainfall_mm/rainfall | int 1..300 | Rainfall in millimeters; Amount of rain in mm
fertilizer_rate/kg_per_hectare | int 10..250 | Fertilizer in kilograms per hectare; Rate of fertilizer in kg per hectare
livestock/herd_size/num_animals | int 2..400 | Number of animals; Size of the herd
volume_level=volume | int 1..100 | Volume in percent; Loudness in percent, from 0 to 100
port | int 1024..9999 | Port number; Port of the server
size_mb/max_size_mb | int 1..900 | Size in megabytes; File size limit in MB
pixels_wide=width_px/width | int 100..4000 | Width in pixels; Image width in pixels
pixels_high=height_px/height | int 100..3000 | Height in pixels; Image height in pixels
quality | int 10..100 | Quality from 1 to 100; Image quality | 85
followers/follower_count | int 200..90000 | Number of followers; Followers of the account
likes/like_count | int 10..900 | Number of likes; Likes of the post
comments/comment_count | int 1..300 | Number of comments; Comments on the post
damages/claim_amount | int 500..90000 | Amount claimed in dollars; Claim in dollars
"""
