"""Business: invoices, pay, customers, investments, stock and meetings."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_customer_churn",
    "calculate_inventory_turnover",
    "calculate_invoice_total",
    "calculate_meeting_cost",
    "calculate_net_promoter_score",
    "calculate_return_on_investment",
    "calculate_shift_pay",
    "estimate_customer_lifetime_value",
]


class InvoiceLine(TypedDict):
    """One line of an invoice."""

    item: Annotated[str, Field(description="Product or service", examples=["consulting", "web hosting", "desk lamp"])]
    quantity: Annotated[float, Field(gt=0, le=100_000, description="Quantity, such as pieces or hours")]
    unit_price: Annotated[
        float, Field(ge=0, le=1_000_000, description="Net price of one unit", examples=[12.5, 80, 149.9])
    ]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _cents(value: float | Decimal) -> Decimal:
    """Round to cents, half up as on an invoice."""
    return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _decimal(value: float) -> Decimal:
    """Return the number as it is written, so that 0.1 is one tenth."""
    return Decimal(str(value))


def calculate_customer_churn(
    lost_customers: Annotated[int, Field(ge=0, le=1_000_000_000)],
    remaining_customers: Annotated[int, Field(ge=0, le=1_000_000_000)],
    months: Annotated[int, Field(ge=1, le=24)] = 1,
) -> dict[str, float | None]:
    """Calculate the churn rate of a business from the customers it lost and kept.

    Queries:
        What's our churn rate if {lost_customers} customers left and {remaining_customers} stayed[ over {months}]?
        We had {lost_customers} cancellations and kept {remaining_customers} users[ in {months}]. How high is churn?
        Work out our churn[ over {months}]: {remaining_customers} customers are still with us and {lost_customers} are gone.
        With {remaining_customers} clients kept and {lost_customers} lost[ within {months}], what share is leaving?

    Args:
        lost_customers: Customers who left during the period
        remaining_customers: Customers who stayed through the whole period
        months: Length of the period in months

    Returns:
        The churn of the period and a month in percent, and the months a customer stays on average.

    Raises:
        ValueError: If a number is negative, nobody or too many were customers, or the months are not 1 to 24.
    """
    start = lost_customers + remaining_customers
    _require(min(lost_customers, remaining_customers) >= 0, "A number of customers cannot be negative.")
    _require(0 < start <= 2_000_000_000, "There must have been 1 to 2000000000 customers at the start.")
    _require(1 <= months <= 24, "The period must be 1 to 24 months long.")
    kept = remaining_customers / start
    monthly = 1 - kept ** (1 / months)
    return {
        "churn_percent": round(100 * (1 - kept), 2),
        "monthly_churn_percent": round(100 * monthly, 2),
        "average_stay_months": round(1 / monthly, 1) if lost_customers else None,
    }


def calculate_inventory_turnover(
    cost_of_goods_sold: Annotated[float, Field(ge=1, le=1e12)],
    opening_inventory: Annotated[float, Field(ge=0, le=1e12)],
    closing_inventory: Annotated[float, Field(ge=0, le=1e12)],
    period_days: Annotated[int, Field(ge=1, le=366, examples=[30, 90, 182])] = 365,
) -> dict[str, float]:
    """Calculate the inventory turnover of a business and the days its stock lasts.

    Queries:
        How fast did our stock turn[ in {period_days}] if it was worth {opening_inventory} at the start and {closing_inventory} at the end, and what we sold cost us {cost_of_goods_sold}?
        My stock was worth {opening_inventory} at first and {closing_inventory} now. What I sold[ in these {period_days}] had cost me {cost_of_goods_sold}. How fast does it turn over?
        Tell me how long our stock lasts: it went from {opening_inventory} to {closing_inventory}[ in {period_days}] while we sold goods that had cost us {cost_of_goods_sold}.
        We sold goods that cost us {cost_of_goods_sold}[ within {period_days}] and ended with {closing_inventory} of stock after starting with {opening_inventory}. How fast does it turn?

    Args:
        cost_of_goods_sold: Cost of the goods sold in the period
        opening_inventory: Value of the inventory at the start of the period
        closing_inventory: Value of the inventory at the end of the period
        period_days: Length of the period in days

    Returns:
        The average inventory, how often it was sold and how many days it lasts.

    Raises:
        ValueError: If an amount is out of range, there is no inventory, or the days are not 1 to 366.
    """
    _require(1 <= cost_of_goods_sold <= 1e12, "The cost of the goods sold must be between 1 and 1e12.")
    ends = (opening_inventory, closing_inventory)
    _require(min(ends) >= 0 and max(ends) <= 1e12, "Each inventory must be between 0 and 1e12.")
    _require(max(ends) >= 1, "The inventory cannot be zero at both ends of the period.")
    _require(1 <= period_days <= 366, "The period must be 1 to 366 days long.")
    average = sum(ends) / 2
    return {
        "average_inventory": round(average, 2),
        "turnover": round(cost_of_goods_sold / average, 2),
        "days_of_stock": round(period_days * average / cost_of_goods_sold, 1),
    }


def calculate_invoice_total(
    invoice_lines: Annotated[list[InvoiceLine], Field(min_length=1)],
    vat_percent: Annotated[float, Field(ge=0, le=50, examples=[5, 7, 19, 20])],
    discount_percent: Annotated[float, Field(ge=0, le=100)] = 0.0,
) -> dict[str, float]:
    """Calculate the total of an invoice with value added tax.

    Queries:
        What does this invoice come to with {vat_percent} VAT[ and {discount_percent} off]: {invoice_lines}
        I'm billing a client at {vat_percent} tax[ after {discount_percent} off]. What's due for: {invoice_lines}
        Add up the following bill[, take off {discount_percent}] and put {vat_percent} VAT on top: {invoice_lines}
        Invoice total please, VAT at {vat_percent}[, discount of {discount_percent}]: {invoice_lines}

    Args:
        invoice_lines: Lines of the invoice
        vat_percent: Rate of the value added tax in percent
        discount_percent: Discount on the net amount in percent

    Returns:
        The net amount before the discount, the discount, the tax and the total.

    Raises:
        ValueError: If there is no line, or a quantity, a price or a percentage is out of range.
    """
    _require(bool(invoice_lines), "An invoice needs at least one line.")
    _require(0 <= vat_percent <= 50, "The value added tax must be between 0 and 50 percent.")
    _require(0 <= discount_percent <= 100, "The discount must be between 0 and 100 percent.")
    for line in invoice_lines:
        _require(0 < line["quantity"] <= 100_000, f"The quantity of {line['item']!r} must be above 0, at most 100000.")
        _require(0 <= line["unit_price"] <= 1_000_000, f"The price of {line['item']!r} must be 0 to 1000000.")
    net = sum((_cents(_decimal(line["quantity"]) * _decimal(line["unit_price"])) for line in invoice_lines), Decimal(0))
    discount = _cents(net * _decimal(discount_percent) / 100)
    vat = _cents((net - discount) * _decimal(vat_percent) / 100)
    amounts = {"net": net, "discount": discount, "vat": vat, "total": net - discount + vat}
    return {name: float(amount) for name, amount in amounts.items()}


def calculate_meeting_cost(
    attendees: Annotated[int, Field(ge=1, le=1000)],
    duration_minutes: Annotated[int, Field(ge=1, le=1440)],
    hourly_cost: Annotated[float, Field(ge=0, le=1000, examples=[35, 48.5, 60, 95])],
    meetings_per_year: Annotated[int, Field(ge=1, le=366, examples=[12, 48, 220])] = 1,
) -> dict[str, float]:
    """Calculate the cost of a meeting from the time of those who attend.

    Queries:
        What does a meeting of {duration_minutes} cost with {attendees} in the room at ${hourly_cost#} an hour each?
        We meet for {duration_minutes}, {attendees} of us, at {hourly_cost} euros an hour each. What does it cost?
        Price a call that keeps {attendees} of us busy for {duration_minutes} at {hourly_cost} an hour each[ and takes place {meetings_per_year#} times a year].
        Each of us costs ${hourly_cost#} an hour. What's the price of {attendees} of us meeting for {duration_minutes}[, {meetings_per_year#} times a year]?

    Args:
        attendees: Number of people in the meeting
        duration_minutes: Duration of the meeting in minutes
        hourly_cost: Average cost of one attendee for an hour
        meetings_per_year: Times the meeting takes place in a year

    Returns:
        The cost of one meeting, and the hours of work and the cost in a year.

    Raises:
        ValueError: If a number is out of range.
    """
    _require(1 <= attendees <= 1000, "A meeting has 1 to 1000 attendees.")
    _require(1 <= duration_minutes <= 1440, "The duration must be 1 to 1440 minutes.")
    _require(0 <= hourly_cost <= 1000, "The hourly cost must be between 0 and 1000.")
    _require(1 <= meetings_per_year <= 366, "The meetings per year must be between 1 and 366.")
    hours = attendees * duration_minutes / 60
    return {
        "meeting_cost": round(hours * hourly_cost, 2),
        "yearly_hours": round(hours * meetings_per_year, 1),
        "yearly_cost": round(hours * hourly_cost * meetings_per_year, 2),
    }


def calculate_net_promoter_score(
    answers: Annotated[
        list[Annotated[int, Field(ge=0, le=10)]], Field(min_length=1, examples=[[10, 9, 8, 6, 10, 7, 9], [3, 8, 9, 10]])
    ],
) -> dict[str, float]:
    """Calculate the net promoter score of a customer survey.

    Queries:
        What's our net promoter score from these survey answers: {answers}
        We asked customers how likely they are to recommend us. Work out the NPS from what they said: {answers}
        Tell me the score and the shares of promoters and detractors in these ratings: {answers}
        NPS for these replies: {answers}

    Args:
        answers: Answers to how likely a recommendation is, each from 0 to 10

    Returns:
        The score from -100 to 100 and the percentages of promoters, passives and detractors.

    Raises:
        ValueError: If there is no answer or one is not between 0 and 10.
    """
    _require(bool(answers), "At least one answer is needed.")
    _require(all(0 <= answer <= 10 for answer in answers), "Each answer must be between 0 and 10.")
    promoters = sum(answer >= 9 for answer in answers)
    detractors = sum(answer <= 6 for answer in answers)
    counts = {"promoters": promoters, "passives": len(answers) - promoters - detractors, "detractors": detractors}
    score = {"score": round(100 * (promoters - detractors) / len(answers), 1)}
    return score | {f"{name}_percent": round(100 * count / len(answers), 1) for name, count in counts.items()}


def calculate_return_on_investment(
    invested_amount: Annotated[float, Field(ge=1, le=1e12)],
    returned_amount: Annotated[float, Field(ge=0, le=1e12)],
    years: Annotated[float, Field(ge=0.25, le=50, examples=[1.5, 3, 5])] = 1.0,
) -> dict[str, float]:
    """Calculate the return on an investment and its yearly rate.

    Queries:
        What's my return if I put in {invested_amount} dollars and got back {returned_amount} dollars[ after {years}]?
        I bought art for ${invested_amount#} and sold it for ${returned_amount#}[, {years} later]. What's my return?
        Get profit and return for {returned_amount} euros back on {invested_amount} euros invested[ over {years}].
        Got {returned_amount} back from {invested_amount} invested[, held for {years}]. What's the ROI?

    Args:
        invested_amount: Amount of money put in
        returned_amount: Amount of money got back
        years: Duration of the investment in years

    Returns:
        The profit, negative for a loss, and the return in all and a year in percent.

    Raises:
        ValueError: If an amount is out of range or the duration is not 0.25 to 50 years.
    """
    _require(1 <= invested_amount <= 1e12, "The amount invested must be between 1 and 1e12.")
    _require(0 <= returned_amount <= 1e12, "The amount returned must be between 0 and 1e12.")
    _require(0.25 <= years <= 50, "The duration must be between 0.25 and 50 years.")
    growth = returned_amount / invested_amount
    return {
        "profit": round(returned_amount - invested_amount, 2) + 0.0,
        "return_percent": round(100 * (growth - 1), 2) + 0.0,
        "yearly_return_percent": round(100 * (growth ** (1 / years) - 1), 2) + 0.0,
    }


def calculate_shift_pay(
    hourly_wage: Annotated[float, Field(ge=1, le=200, examples=[14.5, 18, 22.75, 31])],
    shift_hours: Annotated[float, Field(ge=0, le=24, examples=[7.5, 9, 10.5, 12])],
    regular_hours: Annotated[float, Field(ge=0, le=24)] = 8.0,
    overtime_factor: Annotated[float, Field(ge=1, le=3, examples=[1.25, 1.5, 2])] = 1.5,
) -> dict[str, float]:
    """Calculate the pay for a work shift with overtime.

    Queries:
        What's a shift of {shift_hours} worth at {hourly_wage} dollars an hour[ if overtime starts after {regular_hours#} hours]?
        I get ${hourly_wage#} an hour and worked {shift_hours} today. What's my pay[ if overtime counts {overtime_factor#} times]?
        Work out my wages for {shift_hours} on duty at {hourly_wage} euros an hour[, with overtime after {regular_hours#} hours].
        How much do I earn in {shift_hours} at {hourly_wage} an hour[ when a normal day has {regular_hours#} hours][, with overtime paid at {overtime_factor#} times the wage]?

    Args:
        hourly_wage: Wage before any overtime
        shift_hours: Length of the shift in hours
        regular_hours: Hours of the shift before overtime begins
        overtime_factor: Factor by which the wage rises in overtime

    Returns:
        The overtime hours, the regular pay, the overtime pay and the total.

    Raises:
        ValueError: If the wage, the hours or the factor are out of range.
    """
    _require(1 <= hourly_wage <= 200, "The hourly wage must be between 1 and 200.")
    _require(min(shift_hours, regular_hours) >= 0, "Hours cannot be negative.")
    _require(max(shift_hours, regular_hours) <= 24, "A day has no more than 24 hours.")
    _require(1 <= overtime_factor <= 3, "The overtime factor must be between 1 and 3.")
    overtime = max(_decimal(shift_hours) - _decimal(regular_hours), Decimal(0))
    regular_pay = _cents((_decimal(shift_hours) - overtime) * _decimal(hourly_wage))
    overtime_pay = _cents(overtime * _decimal(hourly_wage) * _decimal(overtime_factor))
    amounts = {"regular_pay": regular_pay, "overtime_pay": overtime_pay, "total_pay": regular_pay + overtime_pay}
    return {"overtime_hours": float(overtime), **{name: float(amount) for name, amount in amounts.items()}}


def estimate_customer_lifetime_value(
    average_order_value: Annotated[float, Field(gt=0, le=5000, examples=[35, 60, 120.5])],
    orders_per_year: Annotated[float, Field(gt=0, le=52, examples=[2, 4, 6, 12])],
    margin_percent: Annotated[float, Field(ge=0, le=100, examples=[25, 40, 55])],
    retention_years: Annotated[float, Field(gt=0, le=50)],
    acquisition_cost: Annotated[float, Field(ge=0, le=1_000_000, examples=[15, 40, 75])] = 0.0,
) -> dict[str, float]:
    """Estimate the lifetime value of a customer.

    Queries:
        What is a customer worth who spends {average_order_value} an order, orders {orders_per_year} times a year and stays for {retention_years}, at a margin of {margin_percent}?
        Clients buy {orders_per_year} times a year for {average_order_value} and stay {retention_years}. At a margin of {margin_percent}[ and {acquisition_cost} to win], what is one worth?
        Estimate a customer's lifetime value: {orders_per_year} orders a year at {average_order_value} each over {retention_years}, {margin_percent} margin[, {acquisition_cost} to win them].
        We keep {margin_percent} of an order of {average_order_value}. What is a client worth over {retention_years}, at {orders_per_year} orders a year[ and {acquisition_cost} to win]?

    Args:
        average_order_value: Value of an average order
        orders_per_year: Orders a customer places per year
        margin_percent: Gross margin of the orders in percent
        retention_years: Years that a customer stays
        acquisition_cost: Cost of winning the customer

    Returns:
        The revenue, the margin and the value left of it after the cost of winning the customer.

    Raises:
        ValueError: If a value is out of range.
    """
    _require(0 < average_order_value <= 5000, "The order value must be above 0 and at most 5000.")
    _require(0 < orders_per_year <= 52, "The orders per year must be above 0 and at most 52.")
    _require(0 <= margin_percent <= 100, "The margin must be between 0 and 100 percent.")
    _require(0 < retention_years <= 50, "The retention must be above 0 and at most 50 years.")
    _require(0 <= acquisition_cost <= 1_000_000, "The acquisition cost must be between 0 and 1000000.")
    revenue = average_order_value * orders_per_year * retention_years
    margin = revenue * margin_percent / 100
    amounts = {"revenue": revenue, "gross_margin": margin, "lifetime_value": margin - acquisition_cost}
    return {name: round(amount, 2) + 0.0 for name, amount in amounts.items()}
