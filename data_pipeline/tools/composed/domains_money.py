"""Goals of money, work, law and trade; how a line is read: see `domains`."""

MONEY = """
# loans
@ principal annual_rate years ? precision
calculate the monthly payment of a loan
calculate the total interest of a loan
generate an amortization schedule for a loan; ? start_date
calculate the savings of early loan repayment; monthly_payment
compare loan offers; ? credit_score
@ income credit_score ? monthly_debt
check eligibility for a loan; principal
estimate the credit limit of a customer
@ monthly_income monthly_debt
calculate the debt-to-income ratio
# mortgages
@ home_price annual_rate years ? down_payment property_tax
calculate the monthly payment of a mortgage
calculate the total cost of a mortgage
estimate closing costs of a home purchase; ? state first_time_buyer
@ income monthly_debt ? annual_rate down_payment
estimate the affordable price of a home
@ principal annual_rate ? years state
get current mortgage rates
calculate the savings of refinancing a mortgage
# investing
@ investment annual_rate years ? compounding inflation_rate
calculate the compound interest of an investment
calculate the future value of an investment; ? monthly_payment
calculate the present value of a future sum; - investment final_value
estimate the doubling time of an investment; - years
@ investment final_value years ? precision
calculate the annual growth rate of an investment
calculate the return on an investment
@ cash_flows discount_rate ? investment
calculate the net present value of cash flows
calculate the internal rate of return of cash flows
@ face_value coupon_rate years ? annual_rate
calculate the price of a bond
calculate the yield of a bond
@ risk investment ? years
recommend a portfolio for an investor; ? adult_age
simulate the growth of a portfolio; years
@ adult_age retirement_age monthly_payment ? annual_rate inflation_rate
calculate the savings at retirement
# stocks
@ ticker ? currency
get the current price of a stock
get historical prices of a stock; start_date end_date ? period
get the dividend history of a stock; ? years
get the trading volume of a stock; ? date
get analyst ratings of a stock; ? limit
get news on a stock; ? limit
predict the price of a stock; days
@ tickers ? period
compare the performance of stocks
get current prices of several stocks
@ buy_price sell_price shares ? tax_rate
calculate the profit of a stock sale
calculate capital gains on a stock sale
@ share_price earnings
calculate the price-earnings ratio of a stock
@ share_price dividend
calculate the dividend yield of a stock
@ ticker shares ? price
place a buy order for a stock
place a sell order for a stock
set a price alert for a stock; share_price - shares
# crypto
@ coin ? currency
get the current price of a cryptocurrency
get the market value of a cryptocurrency
get historical prices of a cryptocurrency; start_date end_date
convert an amount of a cryptocurrency; amount
@ commodity ? currency date
get the current price of a commodity
get the price history of a commodity; years
# currency
@ amount from_currency to_currency ? date precision
convert an amount between currencies
@ from_currency to_currency ? date
get the exchange rate between two currencies
get historical exchange rates between two currencies; start_date end_date
predict the exchange rate between two currencies; days
@ country
get the currency of a country
# tax
@ income filing_status ? deductions state
calculate the income tax of a person
estimate the tax refund of a person; ? dependents
get the tax bracket of a person; ? year
@ amount tax_rate ? include_tax
calculate the sales tax on a purchase
calculate the price without tax
@ home_price ? property_tax state
estimate the property tax on a home
@ country ? year
get the value-added tax rate of a country
get the corporate tax rate of a country
@ state year
get tax filing deadlines in a state
# banking
@ account_id ? currency
get the balance of an account
list transactions of an account; ? start_date end_date limit
close an account; ? urgent
get the statement of an account; month_number year
@ account_id amount ? currency date
transfer money to a person; recipient
deposit money into an account
withdraw money from an account
schedule a payment from an account; due_date
set a spending limit on an account; ? period
@ deposit annual_rate ? months compounding
calculate the interest on a savings account
estimate the time to a savings goal; final_value ? monthly_payment
# budgeting
@ monthly_income ? expenses
create a monthly budget
calculate the savings rate of a household; expenses
@ category amount ? date
record an expense in a category
set a budget for a category; ? period
@ bill people ? tip_percent
split a bill among people
@ bill tip_percent
calculate the tip on a bill
# accounting
@ revenue expenses ? tax_rate
calculate the net profit of a business
calculate the profit margin of a business
@ fixed_costs unit_price unit_cost
calculate the break-even point of a product
@ asset_cost useful_life ? salvage_value
calculate the yearly depreciation of an asset
calculate the book value of an asset; years
@ customer amount ? due_date currency
create an invoice for a customer
send a payment reminder to a customer
@ company year ? period currency
get the revenue of a company
get the balance sheet of a company
get the number of employees of a company
# insurance
@ adult_age insurance_type ? is_smoker gender
estimate the premium of a life insurance; final_value
estimate the premium of a health insurance; ? dependents
@ vehicle year ? mileage insurance_type
estimate the premium of a car insurance; adult_age
@ policy_id ? include_details
get the coverage of a policy
renew an insurance policy; years
file an insurance claim; damages date
# real_estate
@ home_city ? property_type bedrooms bathrooms max_price
search homes for sale in a city; ? filters min_price
search apartments for rent in a city; ? pet_friendly
get the average home price in a city; ? year
compare home prices in several cities; cities - home_city
@ neighborhood home_city
get the crime rate of a neighborhood; ? year
get recent sales in a neighborhood; ? limit
@ home_price monthly_rent ? expenses
calculate the rental yield of a property
compare renting and buying a home; years
@ area_sqm home_city ? bedrooms property_type
estimate the value of a home
estimate the rent of a home
estimate the running costs of a home; home - area_sqm bedrooms
schedule a viewing of a home; - area_sqm date time ? contact
# hr
@ employee ? department
get the vacation balance of an employee; ? year
request vacation for an employee; start_date end_date
record sick leave of an employee; date
get the performance review of an employee; year
calculate the bonus of an employee; salary ? raise_percent
update the job title of an employee; job_title
@ hourly_wage hours_worked ? weeks
calculate the weekly pay of a worker
calculate overtime pay of a worker
@ salary ? raise_percent
calculate the new salary after a raise; raise_percent
calculate the hourly rate from a salary; ? hours_worked
@ job_title home_city ? experience remote
search jobs in a city; ? salary
get the average salary for a job
post a job opening; skills ? department
list job openings of an employer; employer - home_city
@ skills ? experience limit
find candidates with skills; ? home_city
match a candidate to jobs
recommend training for a skill; skill - skills
@ department ? date
list the employees of a department
get the turnover rate of a department; year
# law
@ case_id ? court
get details of a court case; ? include_history
get the hearing date of a court case
list documents of a court case; ? limit
@ law_area home_city ? min_rating
find lawyers in a city
estimate legal fees of a case; hours
@ topic ? court start_year end_year limit
search court decisions on a topic
search precedents on a topic; ? country
@ statute ? country
get the text of a statute
get amendments of a statute; ? start_year
explain a statute in plain words; ? detail
@ damages ? annual_rate
calculate interest on a legal claim; start_date
estimate the settlement of a claim; severity
@ country visa_type ? days
check visa requirements of a country
# shopping
@ product ? brand max_price min_rating in_stock sort_by
search products in a store; store
get the price of a product; ? store
compare prices of a product; ? limit
compare prices of several products; products - product
search products by price; price_range - product
check the stock of a product; store
get reviews of a product; ? limit
set a price alert for a product; max_price
recommend products similar to a product; ? limit
@ product quantity ? size color gift_wrap
add a product to the cart
order a product; ? shipping payment_method
add a product to a wish list; - quantity
@ order_id ? notify
get the status of an order
cancel an order; ? message
return an order; product
change the shipping method of an order; shipping
@ price discount_percent ? tax_rate coupon
calculate the sale price of an item
calculate savings on an item
calculate the total of several prices; prices - price discount_percent
@ coupon order_id
apply a coupon to an order
@ occasion ? age budget interests
recommend gifts for an occasion
# shipping
@ tracking_id ? include_history
track a parcel
get the delivery date of a parcel
redirect a parcel; city
@ parcel_kg origin destination ? shipping dimensions
calculate the shipping cost of a parcel
estimate the delivery time of a parcel
schedule a parcel pickup; date ? time
compare carriers for a parcel; ? sort_by
"""
