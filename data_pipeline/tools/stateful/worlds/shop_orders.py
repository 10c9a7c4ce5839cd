"""The world of a camping shop: goods, customers, orders and returns."""

from datetime import timedelta
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import Day, Money, money, parse_day, people
from data_pipeline.tools.stateful.state import DomainState, Record

Country = Literal["BE", "DE", "FR", "NL"]
Reason = Literal["arrived_damaged", "not_wanted", "wrong_size"]
Quantity = Annotated[int, Field(ge=1, le=10)]
Points = Annotated[int, Field(ge=0)]

_GOODS = (
    *("two-person tent", "down sleeping bag", "folding stove", "steel water bottle", "head torch", "trail poncho"),
    *("inflatable mat", "enamel mug", "dry sack", "trekking poles", "camp chair", "tarp", "cool box", "first aid kit"),
)
_CITIES: dict[Country, str] = {"BE": "Ghent", "DE": "Kassel", "FR": "Annecy", "NL": "Zwolle"}
_SHIPPING, _FREE_SHIPPING = 4.90, 40.0


class Address(Record):
    """Where a parcel goes, as it is kept."""

    street: str
    postcode: str
    city: str
    country: Country


class Product(Record):
    """Something the shop sells; `clearance` goods are sold off."""

    name: str
    price: Money
    stock: Annotated[int, Field(ge=0)]
    clearance: bool


class Customer(Record):
    """Someone who orders."""

    name: str
    points: Points
    address: Address


class Line(Record):
    """Pieces of a product in an order, at the price of the day of the order."""

    quantity: Quantity
    unit_price: Money


class Order(Record):
    """What a customer bought, the lines by product."""

    customer_id: str
    placed_on: Day
    lines: dict[str, Line]
    points_used: Points
    shipping: Money
    address: Address
    status: Literal["placed", "packed", "shipped", "delivered", "withdrawn"]
    delivered_on: Day | None = None


class Return(Record):
    """Goods on their way back; `refund` is set once it is settled."""

    order_id: str
    product_id: str
    quantity: Quantity
    reason: Reason
    refund: Money | None = None


class State(DomainState):
    """The shop's goods, customers, orders and returns."""

    today: Day
    products: dict[str, Product]
    customers: dict[str, Customer]
    orders: dict[str, Order]
    returns: dict[str, Return] = {}
    next_order: int = 7013
    next_return: int = 901


def initial_state(seed: int) -> State:
    """Fourteen products, five customers, and twelve orders of which each stage has some.

    Args:
        seed: what the world is drawn from.

    Returns:
        The world, the same for the same seed.
    """
    rng = Random(seed)
    state = State(today="2026-05-18", products={}, customers={}, orders={})
    for number, name in enumerate(_GOODS):
        price, stock = rng.randrange(590, 14000, 50) / 100, rng.choice([0, 2, 5, 9, 14, 30])
        state.products[f"P{101 + number}"] = Product(name=name, price=price, stock=stock, clearance=rng.random() < 0.2)
    for number, name in enumerate(people(rng, 5)):
        country = rng.choice(sorted(_CITIES))
        street, postcode = f"Mill Lane {rng.randint(1, 90)}", str(rng.randint(1000, 9999))
        address = Address(street=street, postcode=postcode, city=_CITIES[country], country=country)
        state.customers[f"C{31 + number}"] = Customer(name=name, points=rng.randrange(0, 2500, 50), address=address)
    for number in range(12):
        state.orders[f"O{7001 + number}"] = _initial_order(rng, state, f"C{31 + number % 5}", number)
    return state


def _initial_order(rng: Random, state: State, customer_id: str, number: int) -> Order:
    placed = parse_day(state.today) - timedelta(days=(1, 2, 3, 6, 8, 40, 1, 2, 4, 7, 18, 25)[number])
    chosen = rng.sample(sorted(state.products), rng.randint(1, 3))
    order = Order(
        customer_id=customer_id,
        placed_on=placed.isoformat(),
        lines={key: Line(quantity=rng.randint(1, 3), unit_price=state.products[key].price) for key in chosen},
        points_used=0,
        shipping=0.0,
        address=state.customers[customer_id].address.model_copy(),
        status=("placed", "placed", "packed", "shipped", "delivered", "delivered")[number % 6],
    )
    order.shipping = shipping_cost(order)
    if order.status == "delivered":
        order.delivered_on = (placed + timedelta(days=rng.randint(2, 5))).isoformat()
    return order


def goods_total(order: Order) -> float:
    """What the goods of an order cost.

    Args:
        order: the order.

    Returns:
        The sum of its lines, without points and shipping.
    """
    return money(sum(line.quantity * line.unit_price for line in order.lines.values()))


def shipping_cost(order: Order) -> float:
    """What sending an order costs.

    Args:
        order: the order.

    Returns:
        The cost, nothing for goods of 40 or more.
    """
    return 0.0 if goods_total(order) >= _FREE_SHIPPING else _SHIPPING
