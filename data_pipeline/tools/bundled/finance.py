"""Personal and small-business finance: loans, savings, taxes and costs."""

import math
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "apply_exchange_rate",
    "calculate_loan_installment",
    "compute_progressive_tax",
    "find_break_even_volume",
    "list_asset_depreciation",
    "plan_card_payoff",
    "project_savings_balance",
]

_NO_MINOR_UNIT = ("JPY", "KRW")  # currencies without cents


class TaxBracket(TypedDict):
    """One step of a progressive tax scale."""

    starts_at: Annotated[float, Field(description="Income above which the rate applies")]
    rate_percent: Annotated[float, Field(ge=0, le=100, description="Tax rate in percent")]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _money(value: float | Fraction, digits: int = 2) -> float:
    _require(-1e300 < value < 1e300, "the amounts are too large to compute with")
    return round(float(value), digits) + 0.0


def _annuity_value(rate: float, periods: int) -> float:
    """Return the future value of one unit paid at the end of each period: ((1 + r)^n - 1) / r."""
    return periods if rate == 0 else math.expm1(periods * math.log1p(rate)) / rate


def apply_exchange_rate(
    amount: float,
    exchange_rate: float,
    from_currency: Literal["USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "INR", "KRW"],
    to_currency: Literal["USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "INR", "KRW"],
    fee_percent: Annotated[float, Field(ge=0, le=100)] = 0.0,
) -> dict[str, float | str]:
    """Convert an amount of money to another currency at a known exchange rate.

    Queries:
        What is {amount} {from_currency} in {to_currency} at a rate of {exchange_rate}[, less {fee_percent} commission]?
        I'm changing {amount} {from_currency}. What do I get in {to_currency} at a rate of {exchange_rate}[ if the bank keeps {fee_percent}]?
        Convert {amount} {from_currency} to {to_currency} at the rate {exchange_rate}[ with {fee_percent} in fees].
        One {from_currency} buys {exchange_rate} {to_currency} today. What do I get for {amount}[ after a fee of {fee_percent}]?

    Args:
        amount: Amount of money to convert
        exchange_rate: Units of the target currency for one unit of the source
        from_currency: Currency of the amount
        to_currency: Currency to obtain
        fee_percent: Commission taken on the amount, in percent

    Returns:
        The amount received, its currency, the fee and the currency of the fee.

    Raises:
        ValueError: If the currencies are the same or a number is out of range.
    """
    _require(from_currency != to_currency, "from_currency and to_currency must differ")
    _require(amount >= 0, "amount must not be negative")
    _require(exchange_rate > 0, "exchange_rate must be positive")
    _require(0 <= fee_percent <= 100, "fee_percent must be between 0 and 100")
    fee = amount * fee_percent / 100
    return {
        "received": _money((amount - fee) * exchange_rate, 0 if to_currency in _NO_MINOR_UNIT else 2),
        "received_currency": to_currency,
        "fee": _money(fee, 0 if from_currency in _NO_MINOR_UNIT else 2),
        "fee_currency": from_currency,
    }


def calculate_loan_installment(
    principal: float,
    annual_rate: Annotated[float, Field(ge=0, le=100)],
    term_months: Annotated[int, Field(ge=1, le=600)],
) -> dict[str, float]:
    """Calculate the monthly payment of a fixed-rate loan.

    Queries:
        What would I pay a month on a loan of {principal} at {annual_rate#} percent over {term_months}?
        I'm borrowing {principal} for a car, to be paid back over {term_months} at {annual_rate#}%. What's that monthly?
        Work out the monthly payment on {principal} borrowed for {term_months} at {annual_rate#} percent a year.
        The bank wants {annual_rate#}% a year. What's the installment if I take out {principal} for {term_months}?

    Args:
        principal: Amount borrowed
        annual_rate: Yearly interest rate in percent
        term_months: Duration of the loan in months

    Returns:
        The monthly payment, the total paid and the total interest.

    Raises:
        ValueError: If the principal is not positive, or the rate or the term is out of range.
    """
    _require(principal > 0, "principal must be positive")
    _require(0 <= annual_rate <= 100, "annual_rate must be between 0 and 100 percent")
    _require(1 <= term_months <= 600, "term_months must be between 1 and 600")
    rate = annual_rate / 1200
    # Annuity formula: P * r / (1 - (1 + r)^-n).
    payment = principal * (1 + rate) ** term_months / _annuity_value(rate, term_months)
    total = payment * term_months
    return {
        "monthly_payment": _money(payment),
        "total_paid": _money(total),
        "total_interest": _money(total - principal),
    }


def compute_progressive_tax(
    gross_income: float, brackets: list[TaxBracket], deduction: float = 0.0
) -> dict[str, float]:
    """Compute the income tax due under a scale of tax brackets.

    Queries:
        How much income tax is due on {gross_income}[ with {deduction} of it tax free] under these brackets: {brackets}
        I earned {gross_income} this year[ and can deduct {deduction}]. What's my tax on this scale: {brackets}
        Compute the tax on a yearly income of {gross_income}[, {deduction} of it exempt], by these brackets: {brackets}
        My pay will be {gross_income} a year[, less {deduction} I can write off]. Find my tax by these steps: {brackets}

    Args:
        gross_income: Yearly income before the deduction
        brackets: Brackets of the tax scale
        deduction: Amount of income that is not taxed

    Returns:
        The taxable income, the tax and the effective and marginal rates in percent.

    Raises:
        ValueError: If there is no bracket, or an amount or a rate is out of range.
    """
    _require(bool(brackets), "brackets must hold at least one bracket")
    _require(gross_income >= 0, "gross_income must not be negative")
    _require(deduction >= 0, "deduction must not be negative")
    scale = sorted((bracket["starts_at"], bracket["rate_percent"]) for bracket in brackets)
    _require(scale[0][0] >= 0, "no starts_at may be negative")
    _require(all(0 <= rate <= 100 for _, rate in scale), "each rate_percent must be between 0 and 100")
    taxable = max(gross_income - deduction, 0.0)
    ceilings = [start for start, _ in scale[1:]] + [math.inf]
    tax = marginal = 0.0
    for (start, rate), ceiling in zip(scale, ceilings, strict=True):
        if taxable > start:
            tax += (min(taxable, ceiling) - start) * rate / 100
            marginal = rate
    return {
        "taxable_income": _money(taxable),
        "tax": _money(tax),
        "effective_rate_percent": _money(100 * tax / gross_income if gross_income else 0.0),
        "marginal_rate_percent": _money(marginal),
    }


def find_break_even_volume(
    fixed_costs: float, unit_price: float, unit_cost: float, target_profit: float = 0.0
) -> dict[str, float]:
    """Find how many units a business must sell to break even.

    Queries:
        How many must I sell at {unit_price} to cover {fixed_costs} of overhead[ and make a profit of {target_profit}], if each costs {unit_cost} to make?
        I sell mugs at {unit_price} that cost me {unit_cost} each to make. How many pay my rent of {fixed_costs}[ and leave a profit of {target_profit}]?
        Work out how many units we have to sell to break even[ plus a profit of {target_profit}]: fixed costs are {fixed_costs}, one unit costs {unit_cost} to make and sells at {unit_price}.
        My fixed costs are {fixed_costs}. If I make a candle for {unit_cost} and sell it at {unit_price}, how many does it take to break even[ and earn {target_profit} on top]?

    Args:
        fixed_costs: Costs that do not depend on the units sold
        unit_price: Selling price of one unit
        unit_cost: Cost of making one unit
        target_profit: Profit wanted beyond breaking even

    Returns:
        The number of units to sell and the revenue they bring.

    Raises:
        ValueError: If a number is negative or the price does not exceed the unit cost.
    """
    _require(min(fixed_costs, unit_cost, target_profit) >= 0, "costs and profit must not be negative")
    _require(unit_price > unit_cost, "unit_price must be higher than unit_cost")
    # Exact decimals, so that 0.3 - 0.1 does not add a unit by rounding.
    fixed, price, cost, profit = (Fraction(str(value)) for value in (fixed_costs, unit_price, unit_cost, target_profit))
    units = math.ceil((fixed + profit) / (price - cost))
    _require(units < 10**15, "the number of units is too large to be of use")
    return {"units": units, "revenue": _money(units * price)}


def list_asset_depreciation(
    purchase_cost: float,
    useful_life_years: Annotated[int, Field(ge=1, le=50)],
    salvage_value: float = 0.0,
    method: Literal["straight_line", "double_declining"] = "straight_line",
) -> list[dict[str, float]]:
    """List the yearly depreciation of a business asset.

    Queries:
        How does a machine bought for {purchase_cost} lose value over {useful_life_years}[ down to {salvage_value}]?
        I bought a van for {purchase_cost} to use for {useful_life_years}. What can I write off each year[ by the {method} method]?
        List the yearly depreciation over {useful_life_years} of equipment costing {purchase_cost}[, using the {method} method].
        Make me a yearly write-off table for a machine that costs {purchase_cost} and lasts {useful_life_years}[, worth {salvage_value} at the end][, with {method} depreciation].

    Args:
        purchase_cost: Price paid for the asset
        useful_life_years: Number of years the asset is used
        salvage_value: Value of the asset at the end of its life
        method: Depreciation method

    Returns:
        One entry a year with the depreciation and the remaining book value.

    Raises:
        ValueError: If the cost, the life or the salvage value is out of range.
    """
    _require(purchase_cost > 0, "purchase_cost must be positive")
    _require(1 <= useful_life_years <= 50, "useful_life_years must be between 1 and 50")
    _require(0 <= salvage_value <= purchase_cost, "salvage_value must be between 0 and purchase_cost")
    book = purchase_cost
    schedule: list[dict[str, float]] = []
    for year in range(1, useful_life_years + 1):
        if method == "straight_line":
            expense = (purchase_cost - salvage_value) / useful_life_years
        else:
            expense = min(book * 2 / useful_life_years, book - salvage_value)
        book -= expense
        schedule.append({"year": year, "depreciation": _money(expense), "book_value": _money(book)})
    return schedule


def plan_card_payoff(
    balance: float, annual_rate: Annotated[float, Field(ge=0, le=100)], monthly_payment: float
) -> dict[str, float]:
    """Plan how long it takes to pay off a credit card balance.

    Queries:
        How long until my card is paid off if I owe {balance} at {annual_rate#}% and pay {monthly_payment} a month?
        I can put {monthly_payment} a month toward my card debt of {balance} at {annual_rate#}%. When will I be done?
        Plan the payoff of {balance} on my credit card at {annual_rate#} percent a year if I pay {monthly_payment} monthly.
        My card charges {annual_rate#}% a year and I owe {balance}. When am I rid of it at {monthly_payment} a month?

    Args:
        balance: Amount owed on the card
        annual_rate: Yearly interest rate of the card in percent
        monthly_payment: Amount paid back each month

    Returns:
        The number of months, the last payment and the total interest.

    Raises:
        ValueError: If a number is out of range or the payment does not cover the interest.
    """
    _require(balance > 0, "balance must be positive")
    _require(monthly_payment > 0, "monthly_payment must be positive")
    _require(0 <= annual_rate <= 100, "annual_rate must be between 0 and 100 percent")
    rate = annual_rate / 1200
    _require(monthly_payment > balance * rate, "monthly_payment does not cover the monthly interest")
    # Number of payments of an annuity: -ln(1 - r * B / P) / ln(1 + r).
    exact = (
        balance / monthly_payment if rate == 0 else -math.log1p(-rate * balance / monthly_payment) / math.log1p(rate)
    )
    months = max(math.ceil(exact - 1e-9), 1)
    paid_before = monthly_payment * _annuity_value(rate, months - 1)
    last_payment = (balance * (1 + rate) ** (months - 1) - paid_before) * (1 + rate)
    return {
        "months": months,
        "last_payment": _money(last_payment),
        "total_interest": _money(monthly_payment * (months - 1) + last_payment - balance),
    }


def project_savings_balance(
    monthly_deposit: float,
    annual_rate: Annotated[float, Field(ge=0, le=100)],
    years: Annotated[int, Field(ge=1, le=60)],
    initial_balance: float = 0.0,
) -> dict[str, float]:
    """Project the future balance of a savings account with monthly deposits.

    Queries:
        How much will I have after {years} of saving {monthly_deposit} a month at {annual_rate#}%[ if I start with {initial_balance}]?
        I put aside {monthly_deposit} a month for my son at {annual_rate#} percent interest[, and he has {initial_balance} already]. How much will there be after {years}?
        Project my savings over {years} at {annual_rate#}% a year, putting in {monthly_deposit} a month[ on top of the {initial_balance} I have now].
        My account pays {annual_rate#}% a year[ and holds {initial_balance} now]. What does it grow to if I add {monthly_deposit} a month for {years}?

    Args:
        monthly_deposit: Amount deposited at the end of each month
        annual_rate: Yearly interest rate in percent, compounded monthly
        years: Number of years of saving
        initial_balance: Amount already in the account

    Returns:
        The final balance, the money put in and the interest earned.

    Raises:
        ValueError: If an amount is negative, or the rate or the duration is out of range.
    """
    _require(monthly_deposit >= 0, "monthly_deposit must not be negative")
    _require(initial_balance >= 0, "initial_balance must not be negative")
    _require(0 <= annual_rate <= 100, "annual_rate must be between 0 and 100 percent")
    _require(1 <= years <= 60, "years must be between 1 and 60")
    months, rate = years * 12, annual_rate / 1200
    balance = initial_balance * (1 + rate) ** months + monthly_deposit * _annuity_value(rate, months)
    deposited = initial_balance + monthly_deposit * months
    return {
        "final_balance": _money(balance),
        "total_deposited": _money(deposited),
        "interest_earned": _money(balance - deposited),
    }
