"""Parameters that hold text, choices, switches, lists and objects; how a line is read: see `parameters`."""

TEXTS = """
city/location/place | str city | Name of the city; The city, e.g. Ljubljana; City and country, e.g. Ljubljana, Slovenia
home_city=city/hometown/base_city | str city | City of residence; The city to search in; Name of the city
country/country_name/nation | str country | Name of the country; The country, e.g. Bolivia; Country in English
region/area | str region | Region to look in; Name of the region; The region of interest
state/province | str state | Name of the state; The US state; State in full, e.g. Vermont
person/name/full_name | str person | Full name of the person; The person's full name; First and last name
customer/customer_name/client_name | str person | Full name of the customer; Name of the client
guest=guest_name/booked_by | str person | Name the booking is made under; Full name of the guest
employee/employee_name/staff_member | str person | Full name of the employee; The employee's name
patient/patient_name | str person | Full name of the patient; The patient's name
athlete=athlete_name/player/player_name | str person | Full name of the athlete; Name of the player
author/author_name/writer | str person | Name of the author; Full name of the author
recipient/recipient_name/send_to | str person | Name of the person to send to; Recipient's full name
company/company_name/firm | str company | Name of the company; The company's name; Company to look up
employer/employer_name | str company | Name of the employer; Company that employs the person
brand/brand_name/manufacturer | str brand | Name of the brand; The manufacturer; Brand to look for
ticker/symbol/stock_symbol | str ticker | Ticker symbol of the stock; The stock's ticker, e.g. ABCD; Stock symbol
coin/cryptocurrency/coin_name | str coin | Name of the cryptocurrency; The coin to look up
commodity/commodity_name | str commodity | Name of the commodity; Commodity traded
currency/currency_code | str currency | Three-letter currency code; Currency of the amount, e.g. NZD
from_currency/source_currency/base_currency | str currency | Currency to convert from; Code of the source currency
to_currency/target_currency | str currency | Currency to convert to; Code of the target currency
date/day/on_date | str - | Date in the format YYYY-MM-DD; The date (YYYY-MM-DD); Day, in the form YYYY-MM-DD
start_date/from_date/date_from | str - | First date in the format YYYY-MM-DD; Start of the period (YYYY-MM-DD)
end_date/to_date/date_to | str - | Last date in the format YYYY-MM-DD; End of the period (YYYY-MM-DD)
check_in/check_in_date/checkin_date | str - | Date of arrival (YYYY-MM-DD); Check-in date in the format YYYY-MM-DD
check_out/check_out_date/checkout_date | str - | Date of departure (YYYY-MM-DD); Check-out date, YYYY-MM-DD
due_date/deadline | str - | Date by which it is due (YYYY-MM-DD); Due date in the format YYYY-MM-DD
birth_date/date_of_birth | str - | Date of birth in the format YYYY-MM-DD; Birth date (YYYY-MM-DD)
time/start_time/at_time | str - | Time of day in the format HH:MM; Time in 24-hour format (HH:MM)
end_time/until_time | str - | Time at which it ends, HH:MM; End time in the format HH:MM
timezone/time_zone/tz | str - | Time zone name of the IANA database; IANA time zone
from_timezone/source_timezone | str - | Time zone to convert from; IANA time zone of the given time
to_timezone/target_timezone | str - | Time zone to convert to; IANA time zone wanted
email/email_address | str email | Email address; The person's email address; Address of the mailbox
url/link/page_url | str - | URL of the page; Web address to use; Link to the page
phone/phone_number | str - | Phone number with country code; Telephone number
order_id/order_number | str code | Identifier of the order; Order number; ID of the order
booking_id/booking_reference/reservation_id | str code | Reference of the booking; Booking identifier
account_id/account_number | str code | Identifier of the account; Account number
user_id/member_id | str code | Identifier of the user; ID of the member
device_id/sensor_id | str code | Identifier of the device; ID of the device
case_id/case_number/docket | str code | Number of the case; Identifier of the case
tracking_id/tracking_number | str code | Tracking number of the parcel; Tracking code
flight_number/flight | str flight | Flight number; Flight number with airline code, e.g. ZQ418
isbn | str isbn | ISBN of the book; ISBN-13 without hyphens
username/handle | str - | User name of the account; Account handle without the @
file_path/path/filename | str file | Path of the file; Name of the file; File to work on
image_path=image/image_file/file_path | str imagefile | Path of the image; Image file to work on
folder/directory | str folder | Folder to work in; Directory path
target_folder/destination_folder | str folder | Folder to put it into; Target directory
table/table_name | str table | Name of the table; Database table
column/column_name/field | str column | Name of the column; Column to use
database/database_name/db | str dbname | Name of the database; Database to use
text/input_text/content | str sentence | Text to work on; The text to process; Input text
message/body/message_text | str message | Text of the message; Message to send
email_subject=subject/subject_line | str mailsubject | Subject line; Subject of the email
title/event_title/heading | str eventtitle | Title of the entry; Short title
word/term | str word | Word to look up; The word in question
query/search_query/keywords | str searchtopic | Search words; What to search for; Keywords to search for
topic/theme | str searchtopic | Topic of interest; The topic to look at
language/lang | str language | Name of the language; Language, e.g. Icelandic
source_language/from_language | str language | Language of the text; Language to translate from
target_language/to_language | str language | Language to translate into; Target language
book/book_title | str book | Title of the book; The book's title
historical_event=event/event_name | str histevent | Name of the historical event; The event in question
historical_figure=figure/person_name | str histperson | Name of the historical figure; The historical person
empire/dynasty/civilization | str empire | Name of the empire or dynasty; The civilization
law_area=practice_area/area_of_law | str lawarea | Area of law; Field of law, such as tax law
statute/law_name/act | str statute | Name of the statute; The act to look up
animal/animal_name | str animal | Name of the animal; Common name of the animal
species/species_name | str animal | Common name of the species; The species
breed/dog_breed | str breed | Breed of the dog; Name of the dog breed
plant/plant_name | str plant | Name of the plant; Common name of the plant
crop/crop_type/crop_name | str crop | Name of the crop; Crop that is grown
soil/soil_type | enum clay,loam,sandy,silty,peaty | Type of the soil; Kind of soil | loam
gene/gene_name | str gene | Symbol of the gene; Gene to look up, e.g. ABC1
protein/protein_name | str protein | Name of the protein; Protein to look up
dna/dna_sequence/sequence | str dna | DNA sequence of the letters A, C, G and T; DNA strand
compound/substance/chemical | str compound | Name of the compound; The chemical substance
formula/chemical_formula | str formula | Chemical formula; Molecular formula, e.g. C2H4
element/element_name | str element | Name of the chemical element; The element
material/material_name | str material | Name of the material; The material used
planet/planet_name | str planet | Name of the planet; Planet of the solar system
star/star_name | str star | Name of the star; The star to look up
constellation | str constellation | Name of the constellation; Constellation to look for
mountain/peak | str mountain | Name of the mountain; Mountain to look up
river/river_name | str river | Name of the river; River to look up
team/team_name/club | str team | Name of the team; The team, e.g. Harbour Rovers; Club name
team_a/home_team/first_team | str team | Name of the first team; Team that plays at home
team_b/away_team/second_team | str team | Name of the second team; Team that plays away
league/competition/tournament | str league | Name of the league; Competition to look in
sport/sport_name | str sport | Name of the sport; The sport
exercise/exercise_name/workout | str exercise | Name of the exercise; Exercise performed
muscle_group/body_part | enum chest,back,legs,shoulders,arms,core,glutes | Muscle group to train; Target body part
medicine/drug_name/medication | str medicine | Name of the medicine; Medication to look up
medicine_b=second_medicine/other_drug | str medicine | Name of the second medicine; The other medication
disease/condition/diagnosis | str disease | Name of the disease; Medical condition
symptom/main_symptom | str symptom | Main symptom; The symptom described
specialty/doctor_type | str specialty | Medical specialty; Kind of doctor
vaccine/vaccine_name | str vaccine | Name of the vaccine; Vaccine to look up
food/food_name/food_item | str food | Name of the food; Food item to look up
ingredient/main_ingredient | str food | Main ingredient; Ingredient to use
replaced=ingredient/ingredient_name | str food | Ingredient to replace; Ingredient that is missing
dish/recipe_name/dish_name | str dish | Name of the dish; The dish to cook
cuisine/cuisine_type | str cuisine | Type of cuisine; Cuisine, e.g. Peruvian
diet/dietary_preference/diet_type | enum vegetarian,vegan,gluten_free,keto,halal,any | Diet to follow; Diet type | any
nutrient/nutrient_name | enum protein,fiber,iron,calcium,sodium,vitamin_c,potassium,sugar | Nutrient to report
product/product_name/item | str product | Name of the product; Product to look for
category/product_category | str prodcategory | Category of products; Product category
store/shop/store_name | str store | Name of the store; Store to look in
coupon/promo_code/discount_code | str coupon | Coupon code; Discount code to apply
size/item_size | enum XS,S,M,L,XL,XXL | Size of the item; Clothing size | M
color/colour | str color | Color of the item; Preferred color
hotel/hotel_name | str hotel | Name of the hotel; The hotel to use
restaurant/restaurant_name | str restaurant | Name of the restaurant; The restaurant
airline/carrier | str airline | Name of the airline; Preferred airline
origin/departure_city/from_city | str city | City of departure; Where the trip starts
destination/arrival_city/to_city | str city | City of arrival; Where the trip ends
station/station_name/stop | str station | Name of the station; The station or stop
road/road_name/highway | str road | Name of the road; Road or highway
vehicle=vehicle_model/car_model/model | str car | Model of the vehicle; Car model
plate/license_plate | str plate | License plate; Registration plate of the vehicle
neighborhood/district | str district | Name of the neighborhood; Part of the city
job_title/position/role | str job | Title of the job; Job title, e.g. glazier; Position
department/team_department | str department | Name of the department; Department of the company
skill/required_skill | str skill | Skill required; Skill to look for
artwork/artwork_title/painting | str artwork | Title of the artwork; Name of the painting
artist/artist_name/painter | str artist | Name of the artist; The painter or sculptor
museum/museum_name | str museum | Name of the museum; Museum to look up
room/room_name | str room | Room of the house; Name of the room
device/device_name/appliance_name | str smartdevice | Name of the device; Device to control
scene/scene_name | str scene | Name of the scene; Scene to start
hashtag/tag | str hashtag | Hashtag without the #; Tag to look for
playlist=list_name/collection | str listname | Name of the list; Name of the collection
project/project_name | str projectname | Name of the project; The project
repository/repo/repo_name | str repo | Name of the repository; Repository to use
branch/branch_name | str branch | Name of the branch; Git branch | main
server/host/hostname | str host | Name of the server; Host to use
expression/equation/math_expression | str expression | Expression in x; Mathematical expression, e.g. 7*x - 4
function=function/f | str expression | Function of x; The function, written in x
occasion/event_type | str occasion | Occasion it is for; Kind of event
hobby/interest | str hobby | Interest of the person; Hobby
policy_id=policy_number/policy | str code | Identifier of the policy; Insurance policy number
charity/organization | str charity | Name of the organization; Charity to give to
landmark/attraction/sight | str landmark | Name of the sight; Landmark to visit
"""

CHOICES = """
sort_by/order_by/sort | enum price,rating,distance,newest,popularity | Order of the results; How to sort | rating
sort_order/order | enum asc,desc | Sort order; Direction of sorting | asc
temp_unit=unit/units/temperature_unit | enum celsius,fahrenheit,kelvin | Unit of temperature; Unit to use | celsius
from_temp=from_unit/source_unit | enum celsius,fahrenheit,kelvin,rankine | Unit to convert from; Unit of the given value
to_temp=to_unit/target_unit | enum celsius,fahrenheit,kelvin,rankine | Unit to convert to; Unit wanted
units=units/unit_system/system | enum metric,imperial | System of units; Units of the result | metric
length_unit=unit/units | enum cm,m,mm,km,inches,feet | Unit of length; Unit of the given lengths | cm
from_length=from_unit/source_unit | enum meters,kilometers,miles,feet,yards,inches | Unit to convert from
to_length=to_unit/target_unit | enum meters,kilometers,miles,feet,yards,inches | Unit to convert to
from_mass=from_unit/source_unit | enum grams,kilograms,pounds,ounces,stones,tonnes | Unit to convert from
to_mass=to_unit/target_unit | enum grams,kilograms,pounds,ounces,stones,tonnes | Unit to convert to
from_volume=from_unit/source_unit | enum liters,milliliters,gallons,pints,cups,tablespoons | Unit to convert from
to_volume=to_unit/target_unit | enum liters,milliliters,gallons,pints,cups,tablespoons | Unit to convert to
from_speed=from_unit/source_unit | enum kmh,mph,knots,meters_per_second | Unit to convert from
to_speed=to_unit/target_unit | enum kmh,mph,knots,meters_per_second | Unit to convert to
period/interval/timeframe | enum daily,weekly,monthly,quarterly,yearly | Period of the report; One step | monthly
compounding/frequency | enum monthly,quarterly,semiannually,annually | How often interest is added | annually
gender/sex | enum male,female | Sex of the person; Gender used in the formula
activity_level/activity | enum sedentary,light,moderate,active,very_active | Level of daily activity | moderate
difficulty/level/skill_level | enum beginner,intermediate,advanced | Level of difficulty; Skill level | beginner
severity | enum mild,moderate,severe | Severity of the symptom; How strong it is | moderate
priority/importance | enum low,normal,high,urgent | Priority of the task; How urgent it is | normal
status/state_filter | enum open,pending,closed,cancelled | Status to filter by; Only entries in this status
cabin/travel_class/seat_class | enum economy,premium_economy,business,first | Cabin class; Class of travel | economy
room_type | enum single,double,twin,suite,family | Type of room; Kind of room wanted | double
transport=mode/transport_mode | enum car,bus,train,bicycle,walking | Mode of transport; How to travel | car
vehicle_type | enum car,motorcycle,van,truck,suv | Type of vehicle; Kind of vehicle | car
fuel_type/fuel | enum petrol,diesel,hybrid,electric,lpg | Fuel of the vehicle; Type of fuel | petrol
property_type/home_type | enum house,apartment,condo,townhouse,land | Type of property; Kind of home | house
filing_status/tax_status | enum single,married_joint,married_separate,head_of_household | Filing status | single
risk/risk_level/risk_tolerance | enum low,medium,high | Appetite for risk; Risk level accepted | medium
file_format/format/output_format | enum json,csv,xml,xlsx,pdf | Format of the output; File format | json
image_format/format | enum png,jpg,webp,gif,svg | Format of the image; Image format | png
style/tone | enum formal,casual,friendly,neutral | Tone of the text; Style of writing | neutral
genre_book=genre/book_genre | enum fantasy,mystery,romance,biography,science_fiction,history,poetry | Genre of the book
period_art=art_period/movement | enum renaissance,baroque,impressionism,cubism,surrealism,romanticism | Art movement
medium/art_medium | enum oil,watercolor,acrylic,sculpture,photography,print | Medium of the artwork
season | enum spring,summer,autumn,winter | Season of the year; Season
meal/meal_type | enum breakfast,lunch,dinner,snack,dessert | Meal of the day; Type of meal | dinner
day=weekday/day_of_week | enum Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday | Day of the week
fan_mode=mode | enum auto,cool,dry,fan,quiet | Operating mode; Mode of the device | auto
state_on=state/power | enum on,off | Whether to switch on or off; State to set
alert_type/kind | enum storm,flood,heat,frost,wind,fire | Type of alert; Alert wanted
pollutant | enum pm25,pm10,ozone,no2,so2,co | Pollutant to report; The pollutant measured | pm25
algorithm/hash_algorithm | enum md5,sha1,sha256,sha512 | Hash algorithm; Algorithm to use | sha256
test_type=alternative/tail | enum two_sided,less,greater | Alternative hypothesis | two_sided
correlation=method | enum pearson,spearman,kendall | Method of correlation | pearson
rounding=method/rounding_mode | enum nearest,up,down | Way of rounding; How to round | nearest
platform/network | enum instagram,youtube,tiktok,linkedin,mastodon,reddit | Platform to use; Social network
blood_type | enum A+,A-,B+,B-,AB+,AB-,O+,O- | Blood type of the person; Blood group
court/court_level | enum district,appellate,supreme,family,tax | Court to search; Level of court
shipping/shipping_method | enum standard,express,overnight,pickup | Way of shipping; Shipping method | standard
payment_method/pay_with | enum card,cash,bank_transfer,paypal | Way of paying; Payment method | card
case_style=case/style | enum upper,lower,title,sentence,snake | Letter case wanted; How to write it
phase=fluid/medium | enum water,air,oil,glycerin | Fluid around the body; The medium | water
gas | enum helium,nitrogen,oxygen,argon,methane | Gas in question; The gas
flip_axis=axis/direction | enum horizontal,vertical | Axis to use; Direction | horizontal
detail/detail_level | enum brief,standard,full | How much detail is wanted; Level of detail | standard
environment/env | enum development,staging,production | Environment to use; Target environment | staging
visa_type/purpose | enum tourist,business,student,work,transit | Purpose of the stay; Type of visa | tourist
insurance_type/coverage | enum basic,standard,premium | Level of cover; Coverage wanted | standard
"""

SWITCHES = """
include_details/detailed/with_details | bool | Whether to include details; Return details too | false
include_tax/with_tax | bool | Whether tax is included; Whether to add tax | true
include_history/with_history | bool | Whether to include past values; Return the history too | false
include_images/with_images | bool | Whether to include pictures; Return image links too | false
include_hourly/hourly | bool | Whether to include hourly values; Break the result down by hour | false
include_steps/show_steps | bool | Whether to show the steps; Return the intermediate steps | false
open_now | bool | Whether only places open now are returned; Only what is open now | false
in_stock/in_stock_only/available_only | bool | Whether only available items are returned; Only items in stock | true
free_cancellation/refundable | bool | Whether free cancellation is needed; Only refundable offers | false
nonstop/direct_only | bool | Whether only direct connections are returned; Without a change | false
pet_friendly/pets_allowed | bool | Whether pets must be allowed; Only where pets are welcome | false
notify/send_reminder/send_notification | bool | Whether to send a notification; Notify those concerned | true
all_day/full_day | bool | Whether it lasts the whole day; All-day entry | false
recursive/include_subfolders | bool | Whether to include subfolders; Work through subfolders too | false
overwrite/replace_existing | bool | Whether existing files are overwritten; Replace what exists | false
case_sensitive/match_case | bool | Whether upper and lower case differ; Match the case | false
is_smoker/smoker | bool | Whether the person smokes; Smoker or not | false
sample/is_sample | bool | Whether the data are a sample; Sample rather than population | true
gift_wrap | bool | Whether to wrap it as a gift; Gift wrapping | false
avoid_tolls/no_tolls | bool | Whether to avoid toll roads; Keep off toll roads | false
urgent/is_urgent | bool | Whether it is urgent; Treat it as urgent | false
private/is_private | bool | Whether it is visible to the owner only; Keep it private | false
remote/remote_only | bool | Whether only remote jobs are returned; Remote work only | false
first_time_buyer/first_time | bool | Whether the buyer buys for the first time; First-time buyer | false
"""

COMPOUND = """
numbers/values/data | nums 1..100 | Numbers to work on; List of numbers; The values
sample_a=group_a/x/first_sample | nums 1..80 | Values of the first sample; First list of numbers
sample_b=group_b/y/second_sample | nums 1..80 | Values of the second sample; Second list of numbers
weights | nums 0.1..5 | Weights of the values; Weight of each value
cash_flows/cashflows | nums 500..20000 | Cash flows by period, in dollars; Yearly cash flows in dollars
prices/price_list | nums 5..400 | Prices in dollars; List of prices in dollars
integers/int_list | ints 1..100 | Integers to work on; List of whole numbers
scores_list=scores/results | ints 0..100 | Scores reached; List of scores
vector_a/vector1 | nums -9..9 | First vector; Components of the first vector
vector_b/vector2 | nums -9..9 | Second vector; Components of the second vector
matrix/matrix_a | matrix -9..9 | Matrix as a list of rows; Rows of the matrix
ingredients/ingredient_list | strs food | Ingredients at hand; List of ingredients
allergies/allergens | strs allergen | Allergies to respect; Foods to avoid
symptoms/symptom_list | strs symptom | Symptoms of the patient; List of symptoms
medicines/medications | strs medicine | Medicines taken; List of medications
tickers/symbols/stocks | strs ticker | Ticker symbols; Stocks to look up
cities/locations/places | strs city | Cities to include; List of cities
countries/country_list | strs country | Countries to compare; List of countries
teams/team_names | strs team | Names of the teams; Teams to compare
products/items/product_names | strs product | Products to include; Names of the products
words/word_list | strs word | Words to work on; List of words
tags/labels | strs hashtag | Tags to add; Labels of the entry
attendees/participants/invitees | strs person | People to invite; Names of the participants
employees/staff | strs person | Names of the employees; Employees to include
recipients/to | strs email | Email addresses of the recipients; Addresses to send to
columns/fields/column_names | strs column | Columns to return; Names of the columns
files/file_names | strs file | Files to work on; Names of the files
amenities/features | strs amenity | Amenities wanted; Features it must have
interests/hobbies/preferences | strs hobby | Interests of the traveler; What the person likes
skills/required_skills | strs skill | Skills required; Skills of the candidate
genres_list=genres | strs bookgenre | Genres liked; Genres to choose from
sights/attractions/stops | strs landmark | Sights to include; Places to see
rooms/room_list | strs room | Rooms to include; Rooms of the house
elements/element_list | strs element | Chemical elements; Elements to compare
planets | strs planet | Planets to compare; Names of the planets
price_range/price_filter | obj min_price,max_price | Range of prices; Price limits
date_range/dates | obj start_date,end_date | Range of dates; Period to look at
dimensions/package_size | obj length_cm,diameter_cm | Dimensions of the roll; Size of the parcel, a tube
contact/contact_details | obj person,email | Contact details; Person to contact
filters/search_filters | obj max_price,min_rating | Filters to apply; Limits on the results
point_a/start_point/p1 | obj x,y | First point; The first point's coordinates
point_b/end_point/p2 | obj x,y | Second point; The second point's coordinates
home/home_details | obj bedrooms,area_sqm | Details of the home; Size of the home
"""
