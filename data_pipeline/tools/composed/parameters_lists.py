"""Parameters that hold objects and lists of them, and their entries; how a line is read: see `parameters`."""

ENTRIES = """
item_name=product/item/name | str product | Name of the product; What is ordered; Product name
item_price=price/unit_price/price_each | num 1..400 | Price of one in dollars; Price in dollars
service/description/item | str service | Work that was done; What is charged for; Name of the service
line_amount=amount/price/cost | num 15..4000 | Amount in dollars; Price in dollars
tax_percent=tax_rate/vat | int 1..25 | Tax rate in percent; Tax on it in percent
clock=time/time_of_day/clock_time | str - | Time of day (HH:MM); Time in the format HH:MM
reading/value/measurement | num 0.5..90 | Value measured; The value that was read
offset_s=seconds/time_s/time_seconds | num 0.5..90 | Time since the start in seconds; Time in seconds
stop_city=city/stop/place | str city | City to stay in; Name of the city
food_name=name/ingredient/food | str food | Name of the ingredient; The ingredient
grams/amount_g/weight_g | int 5..900 | Amount in grams; Weight in grams
kcal/calories/energy_kcal | int 20..900 | Energy of it in kcal; Calories in kcal
member_name=name/person/full_name | str person | Name of the person; Full name
mail=email/email_address/mail | str - | Email address; The person's email address
paid=amount_paid/amount/contribution | num 5..900 | Amount paid in dollars; Contribution in dollars
owed_rate=rate/interest_rate/apr | num 1..24 | Interest rate in percent; Yearly rate in percent
balance/amount_owed/remaining_balance | int 500..60000 | Balance in dollars; Amount owed in dollars
min_payment/minimum_payment | int 20..490 | Smallest monthly payment in dollars; Payment due each month, in dollars
paid_on=date/payment_date/day | str - | Date of the payment (YYYY-MM-DD); Day of payment, YYYY-MM-DD
task_title=title/task/name | str task | Title of the task; What is to be done
task_hours=hours/effort_hours/work_hours | int 1..60 | Hours of work; Estimate in hours
task_due=due_date/deadline | str - | Day by which it is due (YYYY-MM-DD); Due date, YYYY-MM-DD
points/score/points_scored | int 0..99 | Points of the player; Points reached
starts=start_time/start/from_time | str - | Time at which it starts (HH:MM); Start, in the form HH:MM
ends=end_time/end/to_time | str - | Time at which it ends (HH:MM); End, in the form HH:MM
exercise_name=name/exercise/activity | str exercise | Name of the exercise; Activity that was done
active_minutes=minutes/duration_minutes | int 5..120 | Duration in minutes; Minutes spent on it
parcel_label=label/package/reference | str code | Label of the package; Reference on the package
load_kg=weight_kg/weight/mass_kg | num 0.3..40 | Weight in kilograms; Mass in kg
share_percent=share/percentage/allocation | int 1..60 | Share in percent; Part of the whole, in percent
asset/asset_class/fund | str asset | Kind of investment; Name of the asset
vote_count=votes/num_votes | int 100..90000 | Number of votes; Votes received
party/candidate/list_name | str party | Name of the party; Who was voted for
sample_id=sample/sample_id/specimen | str code | Identifier of the sample; Name of the specimen
symptom_name=symptom/name/complaint | str symptom | The symptom; What the patient feels
lasting_days=days/duration_days | int 1..21 | Days it has lasted; Number of days
drug=medicine/name/drug_name | str medicine | Name of the medicine; The medicine
stock=ticker/symbol/stock_symbol | str ticker | Ticker symbol; Symbol of the stock
bought_at=buy_price/purchase_price/price_paid | num 2..600 | Price of a share in dollars; Price paid, in dollars
coin_name=coin/name/cryptocurrency | str coin | Name of the coin; The cryptocurrency
coin_amount=amount/units/holding | num 0.01..40 | Amount held; Number of coins
room_kind=room/room_name/name | str room | Name of the room; The room
wall_height=height_m/height/wall_height | num 2..6 | Height in meters; Height of the walls in meters
part_name=part/component/name | str part | Name of the part; The component
defects/num_defects/faulty_parts | int 0..40 | Number of defects; Defects found
crop_name=crop/plant/name | str crop | What is grown; Name of the crop
hectares/area_hectares/area | num 0.5..60 | Area in hectares; Size of the field in hectares
plant_name=plant/name/species | str plant | Name of the plant; The plant
spacing_cm/gap_cm | int 5..120 | Space between two plants in centimeters; Spacing in cm
animal_name=species/animal/name | str animal | Species seen; Name of the animal
sightings/count/number_seen | int 1..60 | Number of animals seen; Number of animals
field_name=name/column/field | str column | Name of the column; The column
field_type=type/data_type | enum text,integer,float,date,boolean | Type of the values; What the column holds
host_name=host/server/hostname | str host | Name of the server; The server
open_port=port/port_number | int 1024..9999 | Port to use; Number of the port
pet_kind=breed/dog_breed | str breed | Breed of the dog; The breed
pet_weight=weight_kg/weight | num 1..70 | Weight in kilograms; Weight of the animal in kg
weight_factor=weight/factor | num 0.1..5 | Weight of the value; Factor of the value
substance/compound/name | str compound | Name of the substance; The compound
molar=concentration/molarity | num 0.01..6 | Concentration in moles per liter; Molar concentration in mol/L
milliliters/volume_ml | int 5..900 | Volume in milliliters; Amount in ml
meal_dish=dish/dish_name/item | str dish | Name of the dish; What is ordered
dish_count=quantity/count/portions | int 1..8 | Number of portions; Quantity of the dish
guest_age=age/guest_age | int 1..85 | Age in years; Age of the guest in years
role/position/job | str job | Role of the person; Job to fill
openings/headcount/positions | int 1..20 | Number of people wanted; People to hire
wage/hourly_wage/pay_per_hour | num 11..90 | Wage per hour in dollars; Hourly wage in dollars
worked=hours_worked/hours | int 4..60 | Time worked, in hours; Working time in hours
term/word/source_word | str word | The word; Word to learn
meaning/translation | str meaning | Meaning of the word; What it means
team_name=team/club/name | str team | Name of the team; The club
wins/matches_won | int 0..30 | Matches won; Number of wins
losses/matches_lost | int 0..30 | Matches lost; Number of losses
fuel_day=date/day/refuel_date | str - | Date (YYYY-MM-DD); Day of the refuel, YYYY-MM-DD
liters/volume_liters/amount_liters | num 3..80 | Amount in liters; Liters filled in
force_size=force/newtons/magnitude | num 1..400 | Size of the force in newtons; Force in newtons
direction_degrees/angle_degrees | int 0..359 | Direction in degrees; Angle to the x axis in degrees
body_mass=mass_kg/mass | num 0.5..90 | Mass in kilograms; Mass in kg
body_speed=velocity/speed | num 0.5..40 | Speed in meters per second; Velocity in m/s
expense_type=category/expense_type/kind | enum rent,food,transport,clothing,health,travel,gifts | Kind of expense
spent=amount/amount_spent/cost | num 5..2500 | Amount spent in dollars; Amount in dollars
department_name=department/unit/name | str department | Name of the department; The department
planned=budget/planned_budget/planned_spending | int 1000..90000 | Planned spending in dollars; Budget in dollars
risk_name=risk/hazard/name | str hazard | What may go wrong; The risk
chance_percent=likelihood/chance | int 1..95 | Likelihood in percent; Chance in percent
store_name=store/shop/seller | str store | Name of the store; The shop
visited=country/country_name | str country | Name of the country; The country
"""

LISTS = """
order_items=items/order_items/products | objs item_name,quantity | Items of the order; Products with their quantities
cart=cart_items/items/basket | objs item_name,quantity,item_price | Items in the cart; What is bought, with prices
invoice_lines=lines/line_items/positions | objs service,line_amount | Lines of the invoice; What is charged
taxed_lines=lines/invoice_lines/entries | objs service,line_amount,tax_percent | Lines with tax; What is charged
measurements/readings/time_series | objs clock,reading | Measured values; Readings through the day
samples_timed=samples/measurements/data_points | objs offset_s,reading | Samples of the signal; Values over time
points_list=points/vertices/coordinates | objs x,y | The points; Points in order; Corners, one after the other
itinerary/stops/cities | objs stop_city,nights | Stops of the trip; Cities with the nights to stay
recipe_items=ingredients/components/foods | objs food_name,grams | Ingredients with their amounts; What goes into it
meal_items=foods/items/meal_items | objs food_name,kcal | Foods eaten; Foods with their calories
participants_list=participants/guests/members | objs member_name,mail | Who takes part; People with their emails
guests_aged=guests/travelers/people | objs member_name,guest_age | Guests with their ages; Who comes along
payers=payers/people/contributions | objs member_name,paid | Who paid how much; What each person paid
debts/loans/credits | objs balance,owed_rate | Loans to pay back; Debts with their interest rates
card_debts=cards/debts/accounts | objs balance,owed_rate,min_payment | Debts with their smallest payments; What is owed
payments_list=payments/installments/transactions | objs paid_on,paid | Payments made; Payments with their dates
task_list=tasks/todos/work_items | objs task_title,task_due | Tasks with their due dates; What is to be done
work_packages=tasks/work_packages/activities | objs task_title,task_hours | Tasks with their effort; Work to plan
ranked_tasks=tasks/todos/backlog | objs task_title,priority | Tasks with their priorities; What is to be done
players_scored=players/results/scores | objs member_name,points | Players with their points; Results of the players
standings/teams/table | objs team_name,wins,losses | Teams with wins and losses; Records of the teams
shifts/shift_list/schedule | objs member_name,starts,ends | Shifts of the staff; Who works from when to when
workouts/exercises/activities | objs exercise_name,active_minutes | Exercises done; Activities and their duration
lifts/exercises/strength_sets | objs exercise_name,sets,reps | Exercises with sets and repetitions; Strength training
packages/parcels/shipments | objs parcel_label,load_kg | Packages with their weights; What is to be sent
allocations/portfolio/holdings | objs asset,share_percent | Parts of the portfolio; Assets with their shares
positions/holdings/stocks | objs stock,shares,bought_at | Stocks held; Positions with shares and prices
wallet/coins/holdings | objs coin_name,coin_amount | Coins held; Contents of the wallet
votes_cast=results/votes/tally | objs party,vote_count | Votes of each party; Result of the vote
specimens/samples/weighings | objs sample_id,load_kg | Samples that were weighed; Samples with their weights
complaints/symptoms/symptom_list | objs symptom_name,lasting_days | Symptoms with their duration; All complaints
prescriptions/medicines/medications | objs drug,dose_mg,times_daily | Medicines to take; Medicines with their doses
room_sizes=rooms/room_sizes/spaces | objs room_kind,room_length_m,room_width_m | Rooms with their sizes; The rooms
parts/components/part_list | objs part_name,quantity | Parts needed; Parts with their quantities
inspections/batches/parts_checked | objs part_name,defects | Parts with defects found; Results of the inspection
fields_grown=fields/plots/parcels | objs crop_name,hectares | Fields with their crops; What is grown on how much land
bed_plants=plants/seedlings/plantings | objs plant_name,spacing_cm | Plants with their spacing; What is planted
sightings_list=sightings/observations/records | objs animal_name,sightings | Animals seen; Counts of each species
table_fields=columns/fields/schema | objs field_name,field_type | Columns of the table; Columns with their types
endpoints/servers/targets | objs host_name,open_port | Servers with their ports; Where to connect to
weighted_values=values/entries/data | objs reading,weight_factor | Values with their weights; What is averaged
solutions/mixture/components | objs substance,molar,milliliters | Solutions to mix; Parts of the mixture
dishes_ordered=dishes/items/order | objs meal_dish,dish_count | Dishes ordered; What is to be brought
vacancies/roles/openings | objs role,openings | Roles to fill; Jobs with the number of people wanted
timesheet/workers/entries | objs member_name,worked,wage | Hours and wages of the workers; Who worked how long
vocabulary/cards/word_pairs | objs term,meaning | Words with their meanings; Cards to learn
refuels/fill_ups/fuel_log | objs fuel_day,liters | Times the tank was filled; Fuel bought
forces/force_list/loads | objs force_size,direction_degrees | Forces that act; Forces with their directions
bodies/masses/objects | objs body_mass,body_speed | Moving bodies; Masses with their speeds
spending/expenses/entries | objs expense_type,spent | What was spent; Expenses by category
budgets/departments/budget_lines | objs department_name,planned | Budgets of the departments; Who may spend how much
risks/hazards/risk_list | objs risk_name,chance_percent | Risks with their likelihood; What may go wrong
offers/quotes/price_quotes | objs store_name,item_price | Prices of the stores; Offers to compare
visits/stays/travel_history | objs visited,lasting_days | Countries with the days spent there; Past stays
"""

OBJECTS = """
traveler=traveler/passenger/guest_details | obj member_name,guest_age | The traveler; Who travels
customer_details=customer/buyer/client | obj member_name,mail | The customer; Who buys
stay=stay/period/dates | obj check_in,nights | Time of the stay; When and how long
loan_terms=loan/loan_terms/terms | obj principal,owed_rate,years | Terms of the loan; The loan
body_measures=measurements/body/person | obj weight_kg,height_cm | Measures of the body; The person's body
room_size=room/room_size/dimensions | obj room_length_m,room_width_m,wall_height | Size of the room; The room
shift/time_slot/slot | obj starts,ends | From when to when; The time slot
parcel/package/shipment | obj parcel_label,load_kg | The package; What is sent
macros/nutrients/macronutrients | obj protein_g,carbs_g,fat_g | Nutrients of the meal; Macronutrients in grams
job_offer=offer/job/position | obj role,salary | The job offered; Offer to look at
vehicle_details=vehicle/car/vehicle_details | obj vehicle,mileage | The vehicle; Car in question
triangle/triangle_sides/sides | obj side_a,side_b,side_c | Sides of the triangle; The three sides
pressure/blood_pressure/reading_mmhg | obj systolic,diastolic | Blood pressure; The two values in mmHg
pet/dog/pet_details | obj pet_kind,pet_weight | The dog; Pet in question
image_size=size/image_size/target_size | obj pixels_wide,pixels_high | Size of the image; Size wanted
position/holding/trade | obj stock,shares,bought_at | The stock position; Stock held
"""
