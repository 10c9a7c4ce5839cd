"""Goals that need an object or a list of objects; how a line is read: see `domains`."""

LISTS = """
# shopping
@ order_items ? shipping
place an order for several products; ? coupon gift_wrap
check the stock of all products of an order; ? store
@ cart ? tax_rate coupon
calculate the total of a shopping cart
calculate the discount on a shopping cart; discount_percent - coupon
@ offers ? currency
find the cheapest of several offers
compare offers of several stores; product
@ customer_details ? notify
register a customer; ? phone
# shipping
@ packages ? shipping
calculate the shipping cost of several packages; destination
schedule the pickup of several packages; date ? time
@ parcel destination ? shipping
create a shipping label for a package
insure a package; amount
# warehouse
@ order_items store ? urgent
request a delivery of several products
record the arrival of several products; ? date
create a pick list for an order; - store
# accounting
@ invoice_lines customer ? due_date currency
create an invoice with several lines
create a cost estimate for a customer; - due_date
@ taxed_lines ? currency
calculate the total of an invoice with tax
@ payments_list ? currency
record several payments; customer
calculate the open amount after payments; amount
@ budgets ? year
set the budgets of departments; year
# budgeting
@ payers ? currency
settle shared costs among friends
calculate who owes whom after a trip; ? tip_percent
@ spending ? monthly_income
summarize the spending of a month; month_number
# loans
@ debts ? monthly_payment
calculate the total interest of several loans; years
plan the payoff of several loans; monthly_payment
@ card_debts monthly_payment ? period
create a payoff plan for credit cards
@ loan_terms ? start_date
calculate the installment of a loan offer
compare a loan with current market rates
estimate the interest saved by an extra payment; amount
# investing
@ allocations investment ? risk
split an investment over several assets
simulate a portfolio of several assets; years
# stocks
@ positions ? currency
calculate the value of a stock portfolio
calculate the average purchase price of a portfolio
@ position ? currency
add a position to a portfolio
calculate the gain of a position; sell_price
# crypto
@ wallet ? currency
calculate the value of a crypto wallet
rebalance a crypto wallet; coin
# insurance
@ risks ? insurance_type
estimate the premium for several risks; revenue
@ vehicle_details ? insurance_type
get an insurance quote for a vehicle; adult_age
report damage to a vehicle; date damages
# statistics
@ weighted_values ? precision
calculate the weighted mean of values
@ points_list ? precision
fit a straight line to points
calculate the correlation of points
fit a polynomial to points; degree
# geometry
@ points_list ? precision
calculate the area of a polygon from its corners
calculate the centroid of points
find the convex hull of points
@ triangle ? precision
calculate the area of a triangle from its sides
check whether a triangle is right-angled
# physics
@ forces ? precision
calculate the resultant of several forces
@ bodies ? precision
calculate the total momentum of several bodies
@ samples_timed ? precision
calculate the rate of change of a signal
calculate the area under a signal; ? units
# chemistry
@ solutions ? precision
calculate the concentration of a mixture
# biology
@ specimens ? precision
calculate the mean weight of several samples
# ecology
@ sightings_list ? precision
calculate the biodiversity index of a site
report animal sightings; region date
# weather
@ measurements ? units
calculate the daily mean of temperature readings
find the peak of several readings
# travel
@ itinerary ? budget transport
plan a trip through several cities
estimate the cost of a trip through several cities; people
book hotels for a trip through several cities; start_date guests
@ visits ? visa_type
check the visa days left after several stays; country
@ traveler destination ? visa_type
apply for a visa for a traveler; days
check the passport rules for a traveler
# flights
@ guests_aged origin destination ? date cabin
calculate the fare of a group
# hotels
@ guests_aged hotel ? room_type
register several guests at a hotel; check_in
@ stay hotel ? room_type
book a stay at a hotel; guests
request a quote for a stay at a hotel
# restaurants
@ dishes_ordered restaurant ? payment_method
place a food order for several dishes
@ dishes_ordered people
check whether the food is enough for a party
# cooking
@ recipe_items ? servings
calculate the calories of a recipe
scale the ingredients of a recipe; servings
estimate the cost of a recipe; ? currency
# nutrition
@ meal_items ? date
record several foods in a diary
calculate the calories eaten in a day
@ macros ? diet
calculate the calories from macronutrients
check whether a meal fits a diet; diet
# fitness
@ workouts ? weight_kg
calculate the calories burned by several exercises; weight_kg
record several exercises; date
@ lifts ? difficulty
create a strength training plan; days
calculate the training volume of a workout
@ body_measures ? activity_level
calculate the ideal weight of a person; gender
estimate the body surface of a person
# sports
@ players_scored ? league
rank players by points
@ standings ? league
update the standings of a league
calculate the winning percentage of several teams
# medicine
@ complaints ? adult_age
assess several symptoms of a patient; ? gender
@ prescriptions ? adult_age
create a medicine schedule for a patient; patient
@ pressure ? adult_age
assess a blood pressure reading
record a blood pressure reading; date
# pets
@ pet
calculate the daily food of a dog
register a dog with a veterinarian; date
# calendar
@ participants_list ? timezone
invite people to a meeting; title date time
@ shift attendees ? date
block a time slot for several people
check a time slot for conflicts; date
# projects
@ task_list ? project
add several tasks to a project; project
@ work_packages ? start_date
estimate the effort of a project
plan the work of a week; hours
@ ranked_tasks ? project
sort tasks by priority
# hr
@ shifts ? date
create a duty roster; department
calculate the hours of several shifts
@ timesheet ? period
calculate the payroll of a team
@ vacancies ? department
post several job openings; department
plan the hiring for a project; project months
@ job_offer ? home_city
evaluate a job offer; experience
send a job offer to a candidate; email
# events
@ participants_list ? notify
send invitations to several guests; title date
# elections
@ votes_cast ? precision
calculate the seats of each party; count
find the winner of an election
# home_improvement
@ room_sizes ? material
calculate the floor area of several rooms
estimate the cost of flooring several rooms; unit_price
@ room_size ? material
calculate the wall area of a room
estimate the wallpaper for a room
calculate the air exchange of a room
# manufacturing
@ parts ? urgent
order several parts; due_date
@ inspections ? confidence
calculate the defect rate of several parts
record the results of an inspection; date
# agriculture
@ fields_grown ? region
estimate the harvest of several fields; year
calculate the fertilizer for several fields; fertilizer_rate
# gardening
@ bed_plants ? soil
plan a flower bed; area_sqm
create a planting calendar; region
# databases
@ table_fields table ? database
create a table with several columns
# devops
@ endpoints ? urgent
check the reachability of several servers; ? minutes
# languages
@ vocabulary language ? difficulty
create a deck of vocabulary cards
# cars
@ refuels ? currency
calculate the average fuel use from refuels; distance_km
record several refuels; plate
@ vehicle_details ? fuel_type
estimate the value of a used car
schedule the next service of a car; ? date
# images
@ image_size image_path ? image_format
resize an image to a size
create a thumbnail of an image
"""
