"""Goals of culture, language, communication and computing; how a line is read: see `domains`."""

CULTURE = """
# books
@ book ? author
get a summary of a book; ? max_length
get reviews of a book; ? limit
check the availability of a book; home_city
reserve a book; user_id ? date
get the publication year of a book
recommend books similar to a book; ? limit
@ author
list books by an author; ? sort_by limit
get the biography of an author; ? max_length
@ genre_book ? min_rating limit
recommend books of a genre; ? language
recommend books of several genres; genres_list - genre_book
list bestsellers of a genre; ? year
@ isbn
get details of a book by ISBN
@ pages minutes
estimate the reading time of a book
# history
@ historical_event ? detail
get the date of a historical event
get causes of a historical event; ? limit
get consequences of a historical event
@ historical_figure ? detail
get the biography of a historical figure
list achievements of a historical figure; ? limit
@ country hist_year
get the ruler of a country in a year
get the population of a country in a year
list events in a country in a year; ? limit
@ empire ? century
get the territory of an empire
list the rulers of an empire; ? limit
get the timeline of an empire
@ century ? region limit
list inventions of a century
list wars of a century
# art
@ artwork ? include_images
get details of an artwork
estimate the value of an artwork; ? artist
find the location of an artwork
@ artist ? period_art
list works of an artist; ? medium limit
get the biography of an artist
search exhibitions of an artist; home_city ? limit
@ period_art ? medium
search artworks of a movement; ? start_year end_year limit
explain an art movement; ? detail
# museums
@ museum ? date
get opening hours of a museum; ? day
get ticket prices of a museum; ? age
list current exhibitions of a museum; ? limit
book tickets for a museum; people
book a guided tour of a museum; language people
@ home_city ? category open_now
find museums in a city; ? max_price
# languages
@ text target_language ? source_language style
translate a text into a language
check a translation of a text
@ word language
translate a word into a language; ? source_language
get synonyms of a word; ? limit
get the pronunciation of a word
get the etymology of a word; ? detail
conjugate a verb
find example sentences for a word; ? limit difficulty
@ text
detect the language of a text
check the grammar of a text; language
# text_tools
@ text ? case_sensitive
count words in a text
count characters in a text
calculate the readability of a text; ? language
analyze the sentiment of a text; ? language
summarize a text; ? max_length style
extract keywords from a text; ? limit
rewrite a text in another tone; style
convert the letter case of a text; case_style
count occurrences of a word in a text; word
find names in a text; ? language
@ words ? sort_order
sort a list of words
find the longest word in a list
@ text algorithm
calculate the hash of a text
@ length ? seed
generate a random password; ? count
# email
@ recipients message ? email_subject
send an email; ? files urgent
schedule an email; date time
save an email draft
@ query ? start_date end_date
search emails in a folder; folder ? limit
count unread emails in a folder; folder - query
@ email ? message
add a contact to the address book; person ? phone
set an automatic reply; message start_date end_date
block a sender
forward emails to an address
# messaging
@ recipient message ? urgent
send a text message to a person; ? time
send a voice message to a person
@ phone ? message
block a phone number
look up the owner of a phone number; ? country
@ playlist attendees
create a chat group; ? private
# social_media
@ platform message ? hashtag
publish a post on a platform; ? tags
schedule a post on a platform; date time
@ username platform
get the follower count of a user; ? include_history
get recent posts of a user; ? limit
follow a user
get the engagement rate of a user
@ hashtag ? platform limit
search posts by hashtag
get trending topics; country - hashtag
@ likes comments followers
calculate the engagement rate of a post
@ query platform ? start_date end_date
analyze the sentiment of posts
# files
@ file_path ? overwrite
move a file; target_folder
copy a file; target_folder
delete a file
rename a file; title
compress a file; ? algorithm
get the size of a file
split a file into parts; size_mb
convert a file to another format; file_format
@ folder ? recursive
list files in a folder; ? sort_order limit
search files in a folder; query ? case_sensitive limit
delete old files in a folder; days
calculate the size of a folder
# images
@ image_path ? quality
resize an image; pixels_wide pixels_high
rotate an image; angle_degrees
convert an image to another format; image_format
flip an image; flip_axis
crop an image; pixels_wide pixels_high
add a caption to an image; text
@ text ? image_format
generate a QR code; url - text
generate an image from a description; ? pixels_wide pixels_high
extract text from an image; image_path - text ? language
# databases
@ table ? database
query rows of a table; columns ? sort_order limit
count rows of a table; ? column
delete rows of a table; column value
create an index on a table; column
export a table to a file; file_format
update a column of a table; column value
describe the columns of a table
copy a database to a server; database server - table
# devops
@ server ? port
check the status of a server
restart a server; ? urgent
get the load of a server; ? hours
get log entries of a server; ? limit start_date
@ repository ? branch
list commits of a repository; ? limit page
create a branch in a repository; branch
open an issue in a repository; title message ? priority
deploy a repository; environment
run tests of a repository; ? environment
@ url ? detail
check the availability of a website
measure the loading time of a website; ? city
shorten a link
# projects
@ project ? status
list tasks of a project; ? priority
add a task to a project; title ? due_date priority
get the progress of a project
assign a task to an employee; employee title
assign several employees to a project; employees ? hours
estimate the cost of a project; hours hourly_wage
record working hours on a project; employee hours
# customer_service
@ customer message ? priority
open a support ticket for a customer; title
@ case_id ? notify
get the status of a support ticket
close a support ticket
escalate a support ticket; ? message
@ customer ? email phone
create a customer profile; email
get the order history of a customer; ? limit
update the phone number of a customer; phone
# news
@ topic ? country language
get news on a topic; ? start_date limit
search articles on a topic; ? sort_by limit
summarize news on a topic; ? max_length
@ company ? limit
get news on a company
# events
@ occasion people ? budget
plan an event; date home_city
recommend activities for an event; hobby
estimate the cost of an event
find venues for an event; home_city ? max_price
@ title people ? date
send invitations to an event; attendees - people
register guests for an event
@ charity amount ? currency
donate to a charity; ? period
"""
