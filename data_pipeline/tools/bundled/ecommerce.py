"""Online shop tools: cart totals, parcel weight, pricing, returns, barcodes and stock."""

import math
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_billable_weight",
    "check_return_eligibility",
    "compare_pack_prices",
    "plan_stock_reorder",
    "recommend_selling_price",
    "total_shopping_cart",
    "verify_product_barcode",
]


class CartItem(TypedDict):
    """A line of a shopping cart."""

    name: Annotated[str, Field(description="Name of the product")]
    unit_price: Annotated[float, Field(ge=0, description="Price of one piece")]
    quantity: Annotated[int, Field(ge=1, description="Number of pieces")]


def _money(amount: float) -> float:
    """Round to cents, half up as on an invoice."""
    return float(Decimal(str(round(amount, 6))).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _parse_date(text: str) -> date:
    """Return a date far enough from the end of the calendar to count from."""
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"{text!r} is not a date as YYYY-MM-DD.") from None
    if not 1600 <= day.year <= 9000:
        raise ValueError("The year must be between 1600 and 9000.")
    return day


def calculate_billable_weight(
    weight_kg: float, length_cm: float, width_cm: float, height_cm: float, volumetric_divisor: int = 5000
) -> dict[str, float]:
    """Calculate the weight a carrier bills for a parcel from its size and weight.

    Queries:
        What weight is billed for a box of {weight_kg} that is {length_cm} long, {width_cm} wide and {height_cm} high?
        I'm mailing a box of {weight_kg}, {length_cm} long, {width_cm} wide and {height_cm} tall. What weight is billed?
        Work out the weight I pay for if a parcel is {height_cm} high, {width_cm} wide and {length_cm} long and weighs {weight_kg}[, at a volumetric divisor of {volumetric_divisor}].
        Billable weight of a package {length_cm} long, {width_cm} wide, {height_cm} high and {weight_kg} heavy[, with a volumetric divisor of {volumetric_divisor}]?

    Args:
        weight_kg: Weight on the scale in kilograms
        length_cm: Length of the parcel in centimeters
        width_cm: Width of the parcel in centimeters
        height_cm: Height of the parcel in centimeters
        volumetric_divisor: Cubic centimeters the carrier counts as one kilogram

    Returns:
        The volumetric weight, and the billable weight: the larger one, rounded up to half a kilogram.

    Raises:
        ValueError: If a weight, a side or the divisor is not positive.
    """
    if min(weight_kg, length_cm, width_cm, height_cm, volumetric_divisor) <= 0:
        raise ValueError("The weight, the sides and the divisor must be greater than zero.")
    volumetric = length_cm * width_cm * height_cm / volumetric_divisor
    billable = math.ceil(round(max(weight_kg, volumetric) * 2, 6)) / 2
    return {"volumetric_kg": round(volumetric, 3), "billable_kg": max(billable, 0.5)}


def check_return_eligibility(
    purchase_date: str,
    return_date: str,
    item_price: float,
    window_days: Annotated[int, Field(ge=0, le=3650)] = 30,
    restocking_fee_percent: Annotated[float, Field(ge=0, le=100)] = 0,
) -> dict[str, bool | str | int | float]:
    """Check whether a purchase can still be returned and what is refunded.

    Queries:
        Can I still return something on {return_date} that I bought for {item_price} dollars on {purchase_date}[, if the shop takes returns for {window_days}]?
        I paid ${item_price#} for this on {purchase_date}. If I bring it back on {return_date}, how much do I get[ after a restocking fee of {restocking_fee_percent}]?
        Check if I can take back on {return_date} what I bought for {item_price} on {purchase_date}[, with {window_days} allowed][ and {restocking_fee_percent} kept as a fee].
        I bought this on {purchase_date} for {item_price} euros and I'm taking it back on {return_date}. Will they refund me?

    Args:
        purchase_date: Date of the purchase as YYYY-MM-DD
        return_date: Date of the return as YYYY-MM-DD
        item_price: Price paid for the item
        window_days: Number of days the shop accepts returns
        restocking_fee_percent: Part of the price the shop keeps in percent

    Returns:
        Whether the return is accepted, the last return date, the days left and the refund.

    Raises:
        ValueError: If a date is not valid or a number is out of range.
    """
    bought, returned = _parse_date(purchase_date), _parse_date(return_date)
    if item_price < 0 or not 0 <= window_days <= 3650 or not 0 <= restocking_fee_percent <= 100:
        raise ValueError("The price must not be negative, the window 0 to 3650 days, the fee 0 to 100.")
    deadline = bought + timedelta(days=window_days)
    eligible = bought <= returned <= deadline
    return {
        "eligible": eligible,
        "last_return_date": deadline.isoformat(),
        "days_left": (deadline - returned).days if eligible else 0,
        "refund": _money(item_price * (1 - restocking_fee_percent / 100)) if eligible else 0.0,
    }


def compare_pack_prices(
    first_price: float, first_quantity: float, second_price: float, second_quantity: float
) -> dict[str, float | str]:
    """Compare two pack sizes of a product to see which is cheaper per unit.

    Queries:
        Which is cheaper per gram, {first_quantity} g for ${first_price#} or {second_quantity} g for ${second_price#}?
        I can get {first_quantity} g for {first_price} euros or {second_quantity} g for {second_price} euros. Which is the better buy?
        Compare the price per piece: a pack of {first_quantity} at {first_price} euros against a pack of {second_quantity} at {second_price} euros.
        Is paying {first_price} dollars for {first_quantity} ml a better deal than paying {second_price} dollars for {second_quantity} ml?

    Args:
        first_price: Price of the first pack
        first_quantity: Content of the first pack, such as grams or pieces
        second_price: Price of the second pack
        second_quantity: Content of the second pack, in the same unit

    Returns:
        Both unit prices, the cheaper pack (first, second or equal) and its saving in percent.

    Raises:
        ValueError: If a price or a quantity is not positive.
    """
    if min(first_price, first_quantity, second_price, second_quantity) <= 0:
        raise ValueError("Prices and quantities must be greater than zero.")
    first, second = first_price / first_quantity, second_price / second_quantity
    cheaper = "equal" if math.isclose(first, second) else "first" if first < second else "second"
    return {
        "first_unit_price": float(f"{first:.6g}"),
        "second_unit_price": float(f"{second:.6g}"),
        "cheaper_pack": cheaper,
        "saving_percent": round(100 * (1 - min(first, second) / max(first, second)), 2),
    }


def plan_stock_reorder(
    current_stock: Annotated[int, Field(ge=0)],
    average_daily_sales: float,
    lead_time_days: Annotated[int, Field(ge=0)],
    safety_stock: Annotated[int, Field(ge=0)] = 0,
) -> dict[str, float | bool]:
    """Plan when to reorder a product before it runs out of stock.

    Queries:
        When do I have to reorder if I have {current_stock} left, sell {average_daily_sales} a day and delivery takes {lead_time_days}[, keeping {safety_stock} in reserve]?
        My mugs sell at {average_daily_sales} a day, I have {current_stock} left and new ones take {lead_time_days} to arrive. Should I order now?
        Tell me when to restock, with a delivery time of {lead_time_days}, a stock of {current_stock} and average sales of {average_daily_sales} a day.
        Our stock is down to {current_stock}, we sell {average_daily_sales} a day and the supplier needs {lead_time_days}[; {safety_stock} must stay in reserve]. Is it time to reorder?

    Args:
        current_stock: Pieces in stock now
        average_daily_sales: Pieces sold a day on average
        lead_time_days: Days the supplier needs to deliver
        safety_stock: Pieces that should always stay in reserve

    Returns:
        The stock level to reorder at, whether that is now, the days until then and the days of stock.

    Raises:
        ValueError: If the sales are below 0.001 a day or another number is negative.
    """
    if average_daily_sales < 0.001 or min(current_stock, lead_time_days, safety_stock) < 0:
        raise ValueError("Daily sales must be at least 0.001 and the other numbers not negative.")
    reorder_point = math.ceil(round(average_daily_sales * lead_time_days + safety_stock, 6))
    return {
        "reorder_point": reorder_point,
        "reorder_now": current_stock <= reorder_point,
        "days_until_reorder": round(max(0, current_stock - reorder_point) / average_daily_sales, 1),
        "days_of_stock": round(current_stock / average_daily_sales, 1),
    }


def recommend_selling_price(
    unit_cost: float,
    target_margin_percent: Annotated[float, Field(ge=0, le=70)],
    marketplace_fee_percent: Annotated[float, Field(ge=0, le=25)] = 0,
    end_with_99: bool = False,
) -> dict[str, float]:
    """Recommend a selling price that reaches a target profit margin.

    Queries:
        What price gives me a margin of {target_margin_percent} on something that costs me {unit_cost} dollars?
        My mugs cost me ${unit_cost#} each and I want a margin of {target_margin_percent}. What should I charge[?end_with_99:, with a price ending in .99]?
        Set a price for a margin of {target_margin_percent} on an item that costs me {unit_cost}[, when the site takes {marketplace_fee_percent}][?end_with_99:, ending in .99].
        At a cost of {unit_cost} euros apiece[ and a marketplace fee of {marketplace_fee_percent}], what do I sell for to keep a margin of {target_margin_percent}?

    Args:
        unit_cost: Cost of one piece
        target_margin_percent: Profit wanted in percent of the selling price
        marketplace_fee_percent: Marketplace fee in percent of the selling price
        end_with_99: Whether to raise the price to the next one ending in .99

    Returns:
        The price, the marketplace fee, the profit a piece and the margin reached in percent.

    Raises:
        ValueError: If the cost is not positive, the margin above 70 or the fee above 25 percent.
    """
    if unit_cost <= 0:
        raise ValueError("The cost must be greater than zero.")
    if not 0 <= target_margin_percent <= 70 or not 0 <= marketplace_fee_percent <= 25:
        raise ValueError("The margin must be 0 to 70 percent and the fee 0 to 25 percent.")
    cost_share = 1 - (target_margin_percent + marketplace_fee_percent) / 100
    price = math.ceil(round(unit_cost / cost_share * 100, 6)) / 100  # a full cent, never below the target
    if end_with_99:
        price = math.ceil(round(price + 0.01, 2)) - 0.01
    fee = _money(price * marketplace_fee_percent / 100)
    profit = price - fee - unit_cost
    return {
        "price": _money(price),
        "fee": fee,
        "profit": _money(profit),
        "margin_percent": round(100 * profit / price, 2),
    }


def total_shopping_cart(
    items: list[CartItem],
    discount_percent: Annotated[float, Field(ge=0, le=100)] = 0,
    tax_percent: Annotated[float, Field(ge=0, le=100)] = 0,
    shipping_fee: float = 0,
) -> dict[str, float]:
    """Add up a shopping cart with discount, tax and shipping.

    Queries:
        What do I pay in all[ with {discount_percent} off][ plus {tax_percent} sales tax][ plus {shipping_fee} for shipping] for these items: {items}
        I'm about to order[, with {tax_percent} sales tax on top][ and a delivery fee of {shipping_fee}]. What will it all cost me: {items}
        Add up my basket[, taking {discount_percent} off][, adding {tax_percent} tax][, adding {shipping_fee} for shipping]: {items}
        Grand total for this cart[, with delivery at {shipping_fee}][, with sales tax of {tax_percent}][, with {discount_percent} off]: {items}

    Args:
        items: Products in the cart
        discount_percent: Discount on all products in percent
        tax_percent: Sales tax on the discounted products in percent
        shipping_fee: Untaxed shipping fee to add at the end

    Returns:
        The subtotal, discount, tax, shipping and total.

    Raises:
        ValueError: If a price or the fee is negative, a quantity below 1, or a percentage not 0 to 100.
    """
    if any(item["unit_price"] < 0 or item["quantity"] < 1 for item in items):
        raise ValueError("Each item needs a price that is not negative and a quantity of at least 1.")
    if shipping_fee < 0 or not 0 <= discount_percent <= 100 or not 0 <= tax_percent <= 100:
        raise ValueError("The shipping fee must not be negative, and percentages must be 0 to 100.")
    subtotal = _money(math.fsum(_money(item["unit_price"] * item["quantity"]) for item in items))
    discount = _money(subtotal * discount_percent / 100)
    tax = _money((subtotal - discount) * tax_percent / 100)
    shipping = _money(shipping_fee)
    return {
        "subtotal": subtotal,
        "discount": discount,
        "tax": tax,
        "shipping": shipping,
        "total": _money(subtotal - discount + tax + shipping),
    }


def verify_product_barcode(barcode: str) -> dict[str, str | bool | int | None]:
    """Verify the check digit of a product barcode such as an EAN or UPC.

    Queries:
        Is {barcode} a valid barcode?
        I typed {barcode} off a box and the register won't take it. Is the check digit right?
        Check whether the product code {barcode} is correct.
        What should the last digit of the EAN or UPC {barcode} be, and does it match?

    Args:
        barcode: Barcode digits; spaces and hyphens are ignored

    Returns:
        The barcode format by its length, the check digit expected, and whether the code is valid.
    """
    digits = barcode.replace(" ", "").replace("-", "")
    formats = {8: "EAN-8", 12: "UPC-A", 13: "EAN-13", 14: "GTIN-14"}
    if not (digits.isascii() and digits.isdigit() and len(digits) in formats):
        return {"format": "unknown", "expected_check_digit": None, "valid": False}
    # GS1 check digit: weights 3, 1, 3, ... from the right, next to the check digit.
    weighted = sum(int(digit) * (3, 1)[index % 2] for index, digit in enumerate(digits[-2::-1]))
    expected = -weighted % 10
    return {
        "format": formats[len(digits)],
        "expected_check_digit": expected,
        "valid": int(digits[-1]) == expected,
    }
