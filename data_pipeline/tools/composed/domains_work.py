"""Goals of trades, offices and public life; how a line is read: see `domains`."""

WORK = """
# warehouse
@ product store ? in_stock
get the stock level of a product
move stock to another store; quantity
update the reorder level of a product; quantity
count damaged items of a product; ? start_date
@ product quantity ? unit_cost
calculate the storage cost of a product; months unit_cost
calculate the reorder point of a product; days
predict the demand for a product; weeks - quantity ? season
record a delivery of a product; date
# manufacturing
@ material mass_kg ? quantity
estimate the cost of a casting
calculate the volume of a workpiece
compare materials for a part; budget - mass_kg
@ count hours ? employees
calculate the output rate of a machine
estimate the duration of a production run
@ successes trials ? confidence
calculate the defect rate of a production line
@ device_id ? urgent
schedule maintenance of a machine; date
get the running hours of a machine; ? start_date end_date
get the error log of a machine; ? limit
# construction
@ room_length_m room_width_m wall_height ? units
calculate the concrete volume of a slab; thickness_cm - wall_height
calculate the number of bricks of a wall; thickness_cm - room_width_m
estimate the weight of a wall; thickness_cm material - room_width_m
calculate the air volume of a room
@ area_sqm ? material budget
estimate the cost of a roof
estimate the construction time of a house; employees
@ home_city property_type ? due_date
check building permit rules in a city
apply for a building permit; person
# elections
@ country year ? region
get election results of a country
get the voter turnout of a country
get the head of state of a country
list political parties of a country; ? limit
compare election results of several countries; countries - country
@ state year
get the governor of a state
get the number of seats of a state
@ home_city ? date
find polling places in a city
get the mayor of a city
# demography
@ country start_year end_year
get the birth rate of a country
get the migration balance of a country
get the median age of a country
get the unemployment rate of a country
@ countries year
compare the life expectancy of several countries
compare the birth rates of several countries
@ region year ? gender
get the age distribution of a region
get the average household size of a region
# government
@ person birth_date ? urgent
apply for a passport
renew a driving license; home_city
register a change of residence; city
@ case_id ? email
get the status of an application
withdraw an application
@ home_city date ? time
book an appointment at a city office
get waste collection dates of a city
report a broken street light; road
# security
@ url ? detail
check a website for security problems
check the certificate of a website
scan a link for malware
@ email ? start_date
check an email address for data leaks
@ server ? port
scan open ports of a server
block access to a server; user_id
list failed logins on a server; ? limit hours
@ user_id ? notify
reset the password of a user
suspend the account of a user; ? message
grant a user access to a folder; folder
# machine_learning
@ table column ? sample
train a classifier on a table; ? seed
train a regression model on a table; ? degree
evaluate a model on a table; ? alpha
@ numbers ? bins
normalize a list of numbers
predict the next value of a series; ? period
smooth a series of numbers; count
@ sample_a sample_b
calculate the mean squared error of predictions
calculate the distance between two samples
@ text ? language
classify the topic of a text
detect spam in a text
# telephony
@ phone ? months
get the data usage of a phone number
get the balance of a phone number
change the plan of a phone number; insurance_type
@ phone amount
recharge the credit of a phone number; ? payment_method
@ country minutes
calculate the cost of a call abroad
@ device ? detail
run a connection test on a device
# fashion
@ product color size ? brand
search clothes in a store; store
check the availability of clothes; ? home_city
@ height_cm weight_kg ? gender
recommend a clothing size
find the shoe size of a person; country
@ occasion season ? gender color
recommend an outfit for an occasion; ? budget
@ color ? count
find matching colors; ? style
# photography
@ focal_length distance_m
calculate the depth of field of a photo
calculate the field of view of a lens
@ city date ? timezone
get the golden hour in a city
@ image_path ? quality
adjust the brightness of a photo; level_percent
remove the background of a photo
detect faces in a photo; ? limit
@ brand budget ? min_rating
recommend a camera; ? difficulty
# parenting
@ child_age gender ? detail
get the growth percentile of a child; child_cm child_kg
@ child_age ? interests budget
recommend toys for a child; ? limit
recommend bedtime routines for a child
@ child_age home_city ? max_price
find day care in a city
find playgroups in a city; day
@ gender ? country
suggest names for a baby; ? limit
get the popularity of a baby name; year
# sailing
@ latitude longitude date ? units
get the wave height at coordinates
get the sea temperature at coordinates
get the wind forecast at coordinates; hours
@ wind_speed velocity
estimate the speed of a sailing boat
@ home_city date ? passengers
rent a boat in a city; hours
find free berths in a harbor; nights
# volunteering
@ home_city interests ? date remote
find volunteer work in a city
@ charity ? year
get the spending of a charity
get the mission of a charity
@ charity date
register as a volunteer for a charity; person
"""
