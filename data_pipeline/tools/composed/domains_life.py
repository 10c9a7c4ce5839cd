"""Goals of everyday life; how a line is read: see `domains`."""

LIFE = """
# sports
@ team ? league
get the last result of a team
get the schedule of a team; ? season limit
get the roster of a team; ? year
get the win rate of a team; year
compare two teams; team_a team_b - team
predict the winner of a match; team_a team_b - team
compare the form of several teams; teams - team
@ athlete ? league
get statistics of an athlete; year ? sport
get the career history of an athlete
get the ranking of an athlete; sport
list injuries of an athlete; ? limit
@ league ? year
get the standings of a league
list the top scorers of a league; ? limit
get results of a league; date
@ hits at_bats ? precision
calculate the batting average of a player
@ goals games
calculate the scoring average of a player
@ sport home_city ? date max_price
find sports events in a city
book a sports court in a city; time hours
# fitness
@ weight_kg height_cm ? units
calculate the body mass index of a person
calculate the basal metabolic rate of a person; age gender
calculate the daily calorie need of a person; age gender ? activity_level
estimate the body fat of a person; age gender
@ exercise minutes ? weight_kg
calculate calories burned in a workout; weight_kg
record a workout; ? date
@ muscle_group ? difficulty
recommend exercises for a muscle group; ? limit
create a workout plan; weeks ? days
@ distance_km minutes
calculate the running pace of a runner
calculate the average speed of a run
predict the finish time of a race
@ age ? heart_rate
calculate target heart rate zones
@ weight_lifted_kg reps ? sets
estimate the one-repetition maximum
@ steps ? height_cm weight_kg
convert steps into distance
# medicine
@ medicine ? adult_age
get side effects of a medicine
check interactions of two medicines; medicine_b
check interactions of several medicines; medicines - medicine
get the usual dose of a medicine; ? weight_kg
find generic alternatives to a medicine; ? country
@ medicine dose_mg ? times_daily
set a reminder for a medicine; time
record a dose of a medicine; ? date
calculate the dose of a medicine for a child; child_kg ? child_age - dose_mg
@ symptoms ? adult_age gender
suggest possible causes of symptoms
assess the urgency of symptoms; ? severity
@ disease ? detail
get treatments for a disease
get risk factors of a disease; ? gender
get the incidence of a disease; country ? year
@ specialty home_city ? insurance_type min_rating
find doctors in a city
book an appointment with a doctor; patient date ? time
@ patient
get the medical history of a patient; ? limit
get lab results of a patient; ? start_date limit
record the blood pressure of a patient; systolic diastolic
@ vaccine ? age
get the schedule of a vaccine
check vaccine requirements of a country; country - vaccine
@ glucose ? adult_age
assess a blood sugar level
@ blood_type
list compatible blood donors
# nutrition
@ food ? portion_g
get the calories of a food
get the nutrients of a food; ? nutrient
compare the nutrients of two foods; ingredient
suggest healthier alternatives to a food; ? diet
@ protein_g carbs_g fat_g
calculate the calories of a meal
@ calories ? diet allergies
create a daily meal plan; ? days
calculate macronutrients of a diet
@ weight_kg ? activity_level
calculate the daily water need of a person
calculate the daily protein need of a person
@ food meal ? portion_g date
record a food in a diary
# cooking
@ dish ? servings diet
get the recipe of a dish
get the cooking time of a dish; ? oven_temp
scale the recipe of a dish; servings
create a shopping list for a dish; servings
calculate the total calories of a dish; servings
suggest wines for a dish; ? max_price
@ ingredients ? cuisine max_time diet allergies
find recipes by ingredients; ? limit
suggest a meal from ingredients; ? meal
@ replaced ? diet
find a substitute for an ingredient
get the shelf life of an ingredient
@ cuisine ? difficulty max_time limit
find recipes of a cuisine; ? meal
recommend dishes of a cuisine
# restaurants
@ home_city cuisine ? min_rating max_price open_now
find restaurants in a city; ? limit sort_by
recommend restaurants for an occasion; occasion
@ restaurant ? home_city
get the menu of a restaurant
get opening hours of a restaurant; ? day
get reviews of a restaurant; ? limit
@ restaurant date time people ? guest
book a table at a restaurant; ? message
check free tables at a restaurant
@ restaurant dish ? quantity
order food from a restaurant; ? payment_method
# hotels
@ home_city check_in check_out ? guests max_price amenities
search hotels in a city; ? min_rating sort_by rooms_count
search hotels in a price range; price_range
find hotels near a sight; landmark ? radius_km
@ hotel check_in nights ? room_type guests
book a room in a hotel; ? guest free_cancellation
get the room price of a hotel
check room availability in a hotel
@ hotel ? limit
get reviews of a hotel
list amenities of a hotel
@ booking_id ? notify
cancel a hotel booking
change the dates of a hotel booking; check_in check_out
request late check-out for a hotel booking; time
# flights
@ origin destination date ? cabin passengers nonstop
search flights between two cities; ? airline max_price sort_by
book a flight between two cities; ? payment_method
estimate the price of a flight
@ flight_number date
get the status of a flight
get the gate of a flight
check in for a flight; booking_id
choose a seat on a flight; cabin
@ airline ? cabin
get the baggage rules of an airline
get the on-time rate of an airline; ? year
@ booking_id
cancel a flight booking; ? message
add baggage to a flight booking; quantity
# travel
@ destination days ? budget interests
plan a trip to a city; ? season
estimate the cost of a trip; people
create a packing list for a trip; ? season
@ city
list sights in a city; ? interests limit
plan a walking tour in a city; sights hours
find guided tours in a city; date ? language limit
get safety advice for a city; ? language
find events in a city; date ? category limit
@ country ? days
get travel advice for a country
check entry requirements of a country; visa_type
@ origin destination date ? passengers
search trains between two cities; time
search buses between two cities; ? max_price
book a train ticket; ? cabin
@ home_city start_date end_date ? vehicle_type
rent a car in a city; ? insurance_type
rent a bicycle in a city
# traffic
@ road ? date time
get traffic conditions on a road
list roadworks on a road; ? region
report an accident on a road; severity
@ station ? time limit
get departures from a station
get delays at a station
@ origin destination ? transport avoid_tolls
estimate the travel time between two cities; ? time
estimate the arrival time of a trip; time speed_kmh
calculate toll costs between two cities; ? vehicle_type
@ city time ? hours
find parking in a city; ? max_price
predict traffic in a city; date
# cars
@ vehicle ? year
get technical data of a car
estimate the resale value of a car; mileage
find dealers of a car model; home_city ? radius_km
compare fuel use of car models; ? fuel_type
@ distance_km fuel_liters
calculate the fuel consumption of a car
@ distance_km fuel_price ? people
calculate the fuel cost of a trip
@ plate ? date
book a car inspection; date
check the insurance of a vehicle
pay a parking fee; hours
# gardening
@ plant ? season
get watering instructions for a plant
get planting time of a plant; region
identify pests of a plant; ? symptom
recommend companion plants; ? soil
@ room_length_m room_width_m ? seeds_per_sqm
calculate the number of plants for a bed
calculate the amount of soil for a bed; soil_cm
# agriculture
@ crop field_hectares ? region
predict the yield of a crop; ? rainfall_mm soil
calculate the fertilizer need of a crop; fertilizer_rate
calculate the seed need of a crop; seeds_per_sqm
estimate the revenue of a harvest; yield_per_hectare ? price
plan the irrigation of a field; rainfall_mm
@ crop ? region season
get the market price of a crop
get the planting calendar of a crop
get pest warnings for a crop
recommend a crop rotation; ? soil years
@ livestock ? days
calculate the feed need of a herd; animal
# home_improvement
@ room_length_m room_width_m ? price
calculate the paint need of a room; ? wall_height
calculate the tile need of a floor; ? tile_cm
estimate the cost of a new floor; material
@ room ? budget style
suggest a color scheme for a room; ? color
estimate the cost of a room renovation; room_sqm
@ job_title home_city ? date min_rating
find craftsmen in a city
book a craftsman; date time
# smart_home
@ room level_percent ? minutes
set the color of lights in a room; color - level_percent
set the brightness of lights in a room
set the position of blinds in a room
set the volume of speakers in a room; volume_level - level_percent
@ device ? minutes
switch a device on or off; state_on
get the status of a device
set the mode of a device; fan_mode
schedule a device; time ? days
restart a device; ? urgent
get the battery level of a sensor; device_id - device
link a device to a room; device_id room - device
@ scene ? time
start a scene in the house; ? rooms
@ room ? temp_unit
get the temperature in a room
get the humidity in a room
lock the doors of a house; rooms - room temp_unit
# calendar
@ title date time ? minutes attendees
create a calendar event; ? all_day notify
create a meeting; attendees ? timezone
block working time in a calendar; end_time
@ attendees minutes ? date_range timezone
find a free slot for a meeting
@ title ? due_date priority
create a reminder; date time - due_date
add a task to a list; ? playlist
delete a calendar event; date
@ date ? timezone limit
list calendar events on a date
@ start_date end_date
calculate the number of days between two dates
calculate the number of working days between two dates; country
@ time from_timezone to_timezone ? date
convert a time between time zones
@ city
get the current time in a city
@ country year
list public holidays of a country
@ birth_date ? date
calculate the age of a person
# pets
@ animal ? pet_age
get vaccination advice for a pet
calculate the feed portion of a pet; pet_weight
find veterinarians in a city; home_city ? open_now
@ breed ? pet_age
get the temperament of a dog breed
find puppies of a dog breed; home_city ? max_price
estimate the adult weight of a dog; pet_weight
"""
