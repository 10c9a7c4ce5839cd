"""Goals of the sciences; how a line is read: see `domains`."""

SCIENCE = """
# geometry
@ radius ? length_unit precision
calculate the area of a circle
calculate the circumference of a circle
calculate the volume of a sphere
calculate the surface area of a sphere
calculate the area of a circular sector; angle_degrees
calculate the length of a circular arc; angle_degrees
calculate the volume of a cylinder; height
calculate the surface area of a cylinder; height
calculate the volume of a cone; height
@ side_length width ? length_unit precision
calculate the area of a rectangle
calculate the area of a trapezoid; base_length
calculate the perimeter of a rectangle
calculate the diagonal of a rectangle
calculate the volume of a box; height
calculate the surface area of a box; height
@ side_a side_b ? precision length_unit
calculate the hypotenuse of a right triangle
calculate the area of a triangle; side_c
calculate the perimeter of a triangle; side_c
classify a triangle by its sides; side_c
calculate the angles of a triangle; side_c
@ side ? precision length_unit
calculate the area of a regular polygon; sides
calculate the perimeter of a regular polygon; sides
calculate the volume of a cube
calculate the area of a square
@ x y radius
check whether a point lies in a circle
@ diameter_cm length_cm ? precision
calculate the capacity of a pipe
@ point_a point_b ? precision
calculate the midpoint of a line segment
calculate the slope of a line through two points
calculate the length of a line segment
# algebra
@ coefficient_a coefficient_b coefficient_c ? precision
solve a quadratic equation
calculate the discriminant of a quadratic equation
find the vertex of a parabola
@ matrix ? precision include_steps
calculate the determinant of a matrix
calculate the inverse of a matrix
calculate the rank of a matrix
transpose a matrix
@ vector_a vector_b ? precision
calculate the dot product of two vectors
calculate the cross product of two vectors
calculate the angle between two vectors
add two vectors
@ expression ? include_steps
simplify an algebraic expression
factor a polynomial
solve an equation for x
@ function ? precision include_steps
calculate the derivative of a function at a point; x_value
calculate the definite integral of a function; lower_bound upper_bound
find the roots of a function in an interval; lower_bound upper_bound
calculate the limit of a function at a point; x_value
# number_theory
@ first_number second_number
calculate the greatest common divisor of two numbers
calculate the least common multiple of two numbers
check whether two numbers are coprime
calculate the remainder of a division
@ whole_number
calculate the factorial of a number
check whether a number is prime
list the prime factors of a number
list the divisors of a number
find the largest of several whole numbers; integers - whole_number
sort a list of whole numbers; integers ? sort_order - whole_number
generate the first Fibonacci numbers
list the prime numbers up to a limit
@ whole_number chosen
calculate the number of combinations
calculate the number of permutations
@ value ? precision rounding
calculate the square root of a number
round a number to a number of digits
convert a number to another base; base
# statistics
@ numbers ? precision
calculate the mean of a list of numbers
calculate the median of a list of numbers
calculate the mode of a list of numbers
calculate the variance of a list of numbers; ? sample
calculate the standard deviation of a list of numbers; ? sample
calculate the range of a list of numbers
calculate the weighted average of a list of numbers; weights
generate a histogram of a list of numbers; ? bins
detect outliers in a list of numbers; ? alpha
calculate the percentile of a score; scores_list value - numbers
@ sample_a sample_b ? precision alpha test_type
perform a t-test on two samples
calculate the correlation of two samples; ? correlation
fit a linear regression to two samples; ? degree
calculate the covariance of two samples
@ mean std_dev ? precision
calculate the probability of a value in a normal distribution; value
calculate the confidence interval of a mean; sample_size ? confidence
calculate the z-score of a value; value
calculate the probability of a z-score; z_score - mean std_dev
generate random numbers from a normal distribution; count ? seed
@ trials probability ? precision
calculate the binomial probability of a number of successes; successes
calculate the expected value of a binomial distribution
@ rate_lambda events
calculate the Poisson probability of a number of events
# physics
@ mass_kg velocity ? precision
calculate the kinetic energy of a moving body
calculate the momentum of a moving body
calculate the centripetal force on a body; radius
@ mass_kg acceleration
calculate the force on a body
@ mass_kg height_m ? gravity
calculate the potential energy of a body
calculate the speed of a falling body at impact
calculate the fall time of a body
@ initial_velocity acceleration time_seconds
calculate the final velocity of an accelerated body
calculate the acceleration of a body; final_velocity - acceleration
calculate the displacement of an accelerated body
@ initial_velocity launch_angle ? gravity
calculate the range of a projectile
calculate the maximum height of a projectile
calculate the flight time of a projectile
@ force_newtons distance_m ? angle_degrees
calculate the work done by a force
@ mass_kg friction_coefficient ? gravity angle_degrees
calculate the friction force on a body
@ spring_constant mass_kg
calculate the oscillation period of a spring
@ mass_kg mass_b distance_m
calculate the gravitational force between two bodies
@ frequency_hz ? phase temperature_celsius
calculate the wavelength of a sound wave
@ focal_length object_distance
calculate the image distance of a thin lens
calculate the magnification of a thin lens
@ refractive_index refractive_index_b angle_degrees
calculate the angle of refraction of a light ray
calculate the photon energy of a wavelength; wavelength_nm - refractive_index refractive_index_b angle_degrees
@ depth_m ? density gravity
calculate the pressure at a depth in a fluid
@ volume_liters ? density gravity phase
calculate the buoyant force on a submerged body
# chemistry
@ formula ? precision
calculate the molar mass of a compound
calculate the number of moles in a sample; mass_grams
get the elements of a chemical formula
@ compound ? detail units
get the boiling point of a compound
get the melting point of a compound
get the density of a compound; ? temperature_celsius
get safety information on a compound
get the molecular formula of a compound
@ element ? include_details
get the atomic number of an element
get the atomic weight of an element
get the electron configuration of an element
list the isotopes of an element
compare the properties of several elements; elements - element
@ moles volume_liters
calculate the molarity of a solution
@ concentration volume_liters final_concentration
calculate the dilution of a solution
@ moles temperature_celsius volume_liters ? gas
calculate the pressure of an ideal gas
calculate the volume of an ideal gas; pressure_kpa - volume_liters
@ ph_value ? temperature_celsius
calculate the hydrogen ion concentration of a solution
classify a solution as acidic or basic
@ pka concentration
calculate the pH of a weak acid
# biology
@ species ? include_images detail
get the conservation status of a species
get the scientific name of a species
get the habitat of an animal
get the average lifespan of an animal
get the diet of an animal
@ plant ? detail season
get the scientific classification of a plant
get the flowering time of a plant; ? region
identify diseases of a plant
@ dna ? case_sensitive
transcribe a DNA sequence into RNA
calculate the GC content of a DNA sequence
translate a DNA sequence into protein
find the complement of a DNA strand
@ gene ? species detail
get the function of a gene
get the chromosome location of a gene
list the known variants of a gene; ? limit
@ protein ? detail
get the structure of a protein
get the amino acid sequence of a protein
@ population growth_rate years ? capacity
predict the size of a population
simulate the logistic growth of a population; capacity
@ allele_frequency ? population
calculate genotype frequencies in a population
@ breed ? detail
get care tips for a dog breed
# astronomy
@ planet ? units
get the surface gravity of a planet
get the orbital period of a planet
get the average temperature of a planet; ? temp_unit
list the moons of a planet; ? limit
get the position of a planet in the sky; date ? time
compare the sizes of several planets; planets - planet
calculate the weight of a person on a planet; weight_kg
@ star ? include_details
get the spectral class of a star
get the distance of a star
get the luminosity of a star
@ city date ? timezone
get the moon phase on a date
get the times of sunrise and sunset in a city
find visible constellations in a city; ? time limit
predict passes of a space station over a city; ? days
@ constellation ? season
list the brightest stars of a constellation; ? limit
@ magnitude distance_ly
calculate the absolute magnitude of a star
@ orbit_au
calculate the orbital period of an asteroid
@ aperture_mm focal_length
calculate the magnification of a telescope
# geology
@ half_life initial_amount elapsed_years ? precision
calculate the remaining amount of a radioactive isotope
calculate the activity of a radioactive sample
@ elapsed_years material
estimate the decomposition of a material
@ region ? magnitude_min start_date end_date limit
list recent earthquakes in a region
list active volcanoes in a region; - magnitude_min
get the rock types of a region; - magnitude_min start_date end_date
# conversion
@ temp_value from_temp to_temp ? precision
convert a temperature between units
@ value from_length to_length ? precision
convert a length between units
@ value from_mass to_mass ? precision
convert a mass between units
@ value from_volume to_volume ? precision
convert a volume between units
@ value from_speed to_speed ? precision
convert a speed between units
# weather
@ city ? units temp_unit
get the current weather in a city
get the weather forecast for a city; days ? include_hourly
get the humidity in a city; ? date
get the wind speed in a city; ? date
get the chance of rain in a city; date
get the air quality in a city; ? pollutant
get weather alerts for a city; ? alert_type
get the pollen level in a city; ? date
get historical weather in a city; date
compare the weather in several cities; cities - city
@ latitude longitude ? units temp_unit
get the current weather at coordinates
get the weather forecast for coordinates; days ? include_hourly
get the tide times at coordinates; date
@ temperature_celsius humidity ? precision
calculate the heat index
calculate the dew point
@ temperature_celsius wind_speed
calculate the wind chill
@ altitude
estimate the air pressure at an altitude
# geography
@ country ? year
get the population of a country
get the capital of a country
get the land area of a country; ? units
get the official languages of a country
list the neighbors of a country
get the life expectancy in a country
compare the population of several countries; countries - country
@ mountain ? units
get the height of a mountain
get the first ascent of a mountain
@ river ? units
get the length of a river
list the countries along a river
@ region
list the largest lakes in a region; ? limit
list the highest mountains in a region; ? limit
get the climate of a region; ? season
@ city ? year
get the population of a city
get the population density of a city
# ecology
@ species region ? year
estimate the population of a species in a region
map the migration of a species; ? season
list threats to a species; ? limit
@ distance_km transport ? passengers
calculate the carbon footprint of a trip
@ country ? year period
get the deforestation rate of a country
get the recycling rate of a country
get the carbon emissions of a country
@ river ? date
get the water quality of a river
"""
