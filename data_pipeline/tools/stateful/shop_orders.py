"""The order desk of a camping shop: catalog, orders, deliveries, returns and loyalty points."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from data_pipeline.tools.stateful.common import look_up, money, parse_day, require
from data_pipeline.tools.stateful.state import reads, writes
from data_pipeline.tools.stateful.worlds.shop_orders import (
    Address,
    Country,
    Line,
    Order,
    Points,
    Quantity,
    Reason,
    Return,
    goods_total,
    shipping_cost,
)
from data_pipeline.tools.stateful.worlds.shop_orders import State as State
from data_pipeline.tools.stateful.worlds.shop_orders import initial_state as initial_state

__all__ = [
    "adjust_order_line",
    "list_customer_orders",
    "open_return",
    "redirect_parcel",
    "search_catalog",
    "settle_return",
    "submit_order",
    "view_order",
    "withdraw_order",
]

POLICY = """Order desk of Tinderbox Outfitters. The tools refuse what is [enforced]; the rest is yours to keep.
1. [yours] Read an order back with its total, and get a yes, before you submit, adjust or withdraw it.
2. [yours] Tell nobody about the orders or the address of another customer.
3. [enforced] The lines of an order can be adjusted only while it is placed, not once it is packed.
4. [enforced] An order can be withdrawn or sent to another address of the same country until it is shipped.
5. [enforced] An order holds at most 10 pieces of a product, and never more than are in stock.
6. [enforced] Shipping costs 4.90, and nothing for goods of 40 or more.
7. [enforced] One point pays 0.01, and points pay at most a quarter of the goods.
8. [enforced] Goods can be returned for 21 days after delivery, goods that arrived damaged for 7 days.
9. [enforced] Clearance goods can be returned only if they arrived damaged.
10. [enforced] Of what was paid, unopened and damaged goods return 100 percent and opened goods 85 percent.
11. [enforced] Only unopened goods go back into stock.
12. [yours] Promise no day of delivery."""

OrderId = Annotated[str, Field(examples=["O7001", "O7005"])]
ProductId = Annotated[str, Field(examples=["P101", "P112"])]
CustomerId = Annotated[str, Field(examples=["C31", "C34"])]
ReturnId = Annotated[str, Field(examples=["R901"])]

_MAX_PIECES = 10


class OrderLine(TypedDict):
    """A product to order."""

    product_id: Annotated[str, Field(description="Id of the product", examples=["P104"])]
    quantity: Annotated[int, Field(ge=1, le=10, description="Number of pieces")]


class DeliveryAddress(TypedDict):
    """Where a parcel goes."""

    street: Annotated[str, Field(min_length=3, description="Street and house number", examples=["Lindenlaan 12"])]
    postcode: Annotated[str, Field(min_length=4, description="Postcode", examples=["8011 AB"])]
    city: Annotated[str, Field(min_length=2, description="City or village", examples=["Zwolle"])]
    country: Annotated[Country, Field(description="Country code")]


def _shown(order_id: str, order: Order) -> dict[str, Any]:
    total = money(goods_total(order) - order.points_used / 100 + order.shipping)
    lines = {product_id: line.model_dump() for product_id, line in sorted(order.lines.items())}
    shown = {"order_id": order_id, **order.model_dump(), "lines": lines}
    return {**shown, "goods": goods_total(order), "total": total}


def _order(state: State, order_id: str, *stages: str) -> Order:
    """An order that is in one of the stages."""
    order = look_up(state.orders, order_id, "order", "list_customer_orders")
    allowed = f"Order {order_id} is {order.status}; this is possible only while it is {' or '.join(stages)}."
    require(not stages or order.status in stages, allowed)
    return order


def _put_line(state: State, order: Order, product_id: str, quantity: int) -> None:
    """Set the pieces of a product, at most 10, taking from the stock or giving back."""
    product = look_up(state.products, product_id, "product", "search_catalog")
    held = order.lines.pop(product_id, None)
    missing = quantity - (held.quantity if held else 0)
    require(0 <= quantity <= _MAX_PIECES, f"An order can hold {_MAX_PIECES} pieces of a product at most.")
    require(missing <= product.stock, f"The stock of {product_id} has {product.stock} left.")
    product.stock -= missing
    if quantity:
        order.lines[product_id] = Line(quantity=quantity, unit_price=held.unit_price if held else product.price)
    order.shipping = shipping_cost(order)


@writes
def adjust_order_line(
    state: State, order_id: OrderId, product_id: ProductId, quantity: Annotated[int, Field(ge=0, le=10)]
) -> dict[str, Any]:
    """Set how many pieces of a product an order holds.

    Args:
        order_id: Id of the order
        product_id: Id of the product, in the order or not
        quantity: Number of pieces from now on, 0 to take the product out

    Returns:
        The order with its new total.

    Raises:
        ValueError: If the order is packed, stock is short, or the order would be empty or paid by points too far.
    """
    order = _order(state, order_id, "placed")
    _put_line(state, order, product_id, quantity)
    require(bool(order.lines), f"Order {order_id} would be empty; use withdraw_order.")
    require(
        order.points_used <= goods_total(order) * 25, f"The points used would pay over a quarter of order {order_id}."
    )
    return _shown(order_id, order)


@reads
def list_customer_orders(state: State, customer_id: CustomerId) -> dict[str, Any]:
    """List the orders of a customer with their totals.

    Args:
        customer_id: Id of the customer

    Returns:
        The name and points of the customer, and the id, day, status and total of each order.

    Raises:
        ValueError: If there is no such customer.
    """
    require(customer_id in state.customers, f"There is no customer '{customer_id}'; ask for the customer number.")
    customer = state.customers[customer_id]
    found = [_shown(key, order) for key, order in sorted(state.orders.items()) if order.customer_id == customer_id]
    orders = [{key: order[key] for key in ("order_id", "placed_on", "status", "total")} for order in found]
    return {"name": customer.name, "points": customer.points, "orders": orders}


@writes
def open_return(
    state: State, order_id: OrderId, product_id: ProductId, quantity: Quantity, reason: Reason
) -> dict[str, Any]:
    """Open a return of goods that were delivered.

    Args:
        order_id: Id of the order
        product_id: Id of the product to send back
        quantity: Number of pieces to send back
        reason: Reason the customer gives

    Returns:
        The id of the return, to be settled when the goods arrive.

    Raises:
        ValueError: If the goods were not delivered, it is too late, or they cannot be returned.
    """
    order = _order(state, order_id, "delivered")
    require(product_id in order.lines, f"Order {order_id} holds no {product_id}.")
    days, damaged = (parse_day(state.today) - parse_day(order.delivered_on or "")).days, reason == "arrived_damaged"
    require(damaged or not state.products[product_id].clearance, f"{product_id} is clearance and cannot be returned.")
    limit = 7 if damaged else 21
    require(days <= limit, f"Order {order_id} arrived {days} days ago; returns for this reason end after {limit}.")
    sent = [item for item in state.returns.values() if (item.order_id, item.product_id) == (order_id, product_id)]
    left = order.lines[product_id].quantity - sum(item.quantity for item in sent)
    require(quantity <= left, f"Order {order_id} has {left} of {product_id} left to return.")
    return_id, state.next_return = f"R{state.next_return}", state.next_return + 1
    state.returns[return_id] = Return(order_id=order_id, product_id=product_id, quantity=quantity, reason=reason)
    return {"return_id": return_id, "product_id": product_id, "quantity": quantity}


@writes
def redirect_parcel(state: State, order_id: OrderId, address: DeliveryAddress) -> dict[str, Any]:
    """Send an order to another address.

    Args:
        order_id: Id of the order
        address: Address to deliver to

    Returns:
        The order with its new address.

    Raises:
        ValueError: If the order is shipped or the address is in another country.
    """
    order = _order(state, order_id, "placed", "packed")
    same = address["country"] == order.address.country
    require(same, f"Order {order_id} can only go to an address in {order.address.country}.")
    order.address = Address(**address)
    return _shown(order_id, order)


@reads
def search_catalog(
    state: State, text: Annotated[str, Field(examples=["tent"])], max_price: Annotated[float, Field(gt=0)] | None = None
) -> list[dict[str, Any]]:
    """Search the catalog for products by name and price.

    Args:
        text: Part of the name of the product, empty for every product
        max_price: Highest price of one piece

    Returns:
        The id, name, price, stock and clearance of each product found.
    """
    return [
        {"product_id": product_id, **product.model_dump()}
        for product_id, product in sorted(state.products.items())
        if text.casefold() in product.name and (max_price is None or product.price <= max_price)
    ]


@writes
def settle_return(state: State, return_id: ReturnId, condition: Literal["opened", "unopened"]) -> dict[str, Any]:
    """Settle a return whose goods have arrived and refund the customer.

    Args:
        return_id: Id of the return
        condition: Condition of the goods as they came back

    Returns:
        The amount refunded and whether the goods went back into stock.

    Raises:
        ValueError: If there is no such return or it is settled.
    """
    require(return_id in state.returns, f"There is no return '{return_id}'; open one with open_return.")
    back = state.returns[return_id]
    require(back.refund is None, f"Return {return_id} is settled.")
    order, damaged = state.orders[back.order_id], back.reason == "arrived_damaged"
    paid = back.quantity * order.lines[back.product_id].unit_price * (1 - order.points_used / 100 / goods_total(order))
    back.refund = money(paid if damaged or condition == "unopened" else paid * 0.85)
    restocked = condition == "unopened" and not damaged
    state.products[back.product_id].stock += back.quantity if restocked else 0
    return {"return_id": return_id, "refund": back.refund, "restocked": restocked}


@writes
def submit_order(state: State, customer_id: CustomerId, lines: list[OrderLine], points: Points = 0) -> dict[str, Any]:
    """Submit an order to the address of the customer.

    Args:
        customer_id: Id of the customer
        lines: Products to order, each once
        points: Loyalty points to pay with

    Returns:
        The new order with its total.

    Raises:
        ValueError: If a product or the customer is unknown, stock is short, or there are too many points.
    """
    require(customer_id in state.customers, f"There is no customer '{customer_id}'; ask for the customer number.")
    customer, order_id = state.customers[customer_id], f"O{state.next_order}"
    order = Order(
        customer_id=customer_id,
        placed_on=state.today,
        lines={},
        points_used=points,
        shipping=0.0,
        address=customer.address.model_copy(),
        status="placed",
    )
    require(bool(lines), "An order needs at least one line.")
    for line in lines:
        require(line["product_id"] not in order.lines, f"{line['product_id']} stands in two lines; add them up.")
        _put_line(state, order, line["product_id"], line["quantity"])
    require(points <= customer.points, f"Customer {customer_id} has only {customer.points} points.")
    require(points <= goods_total(order) * 25, "Points can pay at most a quarter of the goods.")
    customer.points -= points
    state.orders[order_id], state.next_order = order, state.next_order + 1
    return _shown(order_id, order)


@reads
def view_order(state: State, order_id: OrderId) -> dict[str, Any]:
    """View an order with its lines, total and returns.

    Args:
        order_id: Id of the order

    Returns:
        The order and its returns by id.

    Raises:
        ValueError: If there is no such order.
    """
    found = {key: item.model_dump() for key, item in sorted(state.returns.items()) if item.order_id == order_id}
    return {**_shown(order_id, _order(state, order_id)), "returns": found}


@writes
def withdraw_order(state: State, order_id: OrderId) -> dict[str, Any]:
    """Withdraw an order that is not shipped, give its goods back to the stock and its points to the customer.

    Args:
        order_id: Id of the order

    Returns:
        The amount refunded and the points given back.

    Raises:
        ValueError: If the order is shipped or withdrawn.
    """
    order = _order(state, order_id, "placed", "packed")
    for product_id, line in order.lines.items():
        state.products[product_id].stock += line.quantity
    state.customers[order.customer_id].points += order.points_used
    order.status = "withdrawn"
    return {"order_id": order_id, "refund": _shown(order_id, order)["total"], "points": order.points_used}
