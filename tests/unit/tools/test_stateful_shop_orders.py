"""What the tools of the order desk do to its state, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.tools.stateful import shop_orders as shop
from data_pipeline.tools.stateful.state import diff
from data_pipeline.tools.stateful.worlds.shop_orders import Address, Customer, Line, Order, Product

ELM: dict[str, Any] = {"street": "Elm 1", "postcode": "9000", "city": "Ghent", "country": "BE"}


def order(status: Any, lines: dict[str, tuple[int, float]], points: int = 0, **more: Any) -> Order:
    fields: dict[str, Any] = {"customer_id": "C1", "placed_on": "2026-05-01", "address": Address(**ELM), **more}
    held = {key: Line(quantity=quantity, unit_price=price) for key, (quantity, price) in lines.items()}
    return Order(status=status, lines=held, points_used=points, **{"shipping": 0, **fields})


def world() -> shop.State:
    """Today is 18 May; the tent was marked up since it was ordered."""
    products = {
        "P1": Product(name="trail tent", price=120, stock=5, clearance=False),
        "P2": Product(name="enamel mug", price=7.5, stock=30, clearance=False),
        "P3": Product(name="old tarp", price=20, stock=2, clearance=True),
    }
    customers = {
        "C1": Customer(name="Bram Okonjo", points=2000, address=Address(**ELM)),
        "C2": Customer(name="Sanna Juhl", points=0, address=Address(**ELM)),
    }
    orders = {
        "O1": order("placed", {"P1": (1, 100.0), "P2": (2, 7.5)}, points=2875),
        "O2": order("packed", {"P2": (2, 7.5)}, shipping=4.9),
        "O3": order("shipped", {"P1": (1, 100.0)}),
        "O4": order("delivered", {"P1": (2, 100.0), "P3": (1, 20.0)}, points=2200, delivered_on="2026-04-27"),
        "O5": order("delivered", {"P2": (3, 7.5)}, shipping=4.9, delivered_on="2026-04-26"),
        "O6": order("delivered", {"P3": (2, 20.0)}, delivered_on="2026-05-11"),
        "O7": order("delivered", {"P3": (2, 20.0)}, delivered_on="2026-05-10", customer_id="C2"),
    }
    return shop.State(today="2026-05-18", products=products, customers=customers, orders=orders)


def effects(state: shop.State) -> list[str]:
    return [str(change) for change in diff(world(), state)]


def test_more_pieces_at_the_old_price() -> None:
    state = world()
    changed = shop.adjust_order_line(state, "O1", "P1", 3)
    assert (changed["goods"], changed["total"]) == (315.0, 286.25)
    assert effects(state) == ["changed orders.O1.lines.P1.quantity: 1 -> 3", "changed products.P1.stock: 5 -> 3"]


def test_another_product_at_the_price_of_today() -> None:
    state = world()
    assert shop.adjust_order_line(state, "O1", "P3", 2)["goods"] == 155.0
    assert effects(state) == [
        'added orders.O1.lines.P3: {"quantity": 2, "unit_price": 20.0}',
        "changed products.P3.stock: 2 -> 0",
    ]


def test_a_product_is_taken_out_and_shipping_returns() -> None:
    state = world()
    state.orders["O1"].points_used = 0
    changed = shop.adjust_order_line(state, "O1", "P1", 0)
    assert (changed["goods"], changed["shipping"], changed["total"]) == (15.0, 4.9, 19.9)
    assert effects(state) == [
        'removed orders.O1.lines.P1: {"quantity": 1, "unit_price": 100.0}',
        "changed orders.O1.points_used: 2875 -> 0",
        "changed orders.O1.shipping: 0.0 -> 4.9",
        "changed products.P1.stock: 5 -> 6",
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("O2", "P2", 1), "Order O2 is packed; this is possible only while it is placed"),
        (("O1", "P1", 7), "The stock of P1 has 5 left"),
        (("O1", "P2", 11), "10 pieces of a product at most"),
        (("O1", "P2", 1), "points used would pay over a quarter of order O1"),  # 2875 points pay 115 * 25 exactly
        (("O1", "P9", 1), "no product 'P9'; use search_catalog"),
        (("O9", "P1", 1), "no order 'O9'; use list_customer_orders"),
    ],
)
def test_an_adjustment_is_refused(args: tuple[str, str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shop.adjust_order_line(world(), *args)


def test_an_adjustment_goes_to_the_limits() -> None:
    state = world()
    assert shop.adjust_order_line(state, "O1", "P2", 10)["goods"] == 175.0
    assert shop.adjust_order_line(state, "O1", "P2", 2)["goods"] == 115.0  # 2875 points pay a quarter of it


def test_an_order_is_not_emptied() -> None:
    state = world()
    shop.adjust_order_line(state, "O1", "P1", 10 - 4)
    state.orders["O1"].points_used = 0
    shop.adjust_order_line(state, "O1", "P2", 0)
    with pytest.raises(ValueError, match="would be empty; use withdraw_order"):
        shop.adjust_order_line(state, "O1", "P1", 0)


def test_orders_of_a_customer() -> None:
    found = shop.list_customer_orders(world(), "C1")
    assert (found["name"], found["points"]) == ("Bram Okonjo", 2000)
    totals = {item["order_id"]: item["total"] for item in found["orders"]}
    assert totals == {"O1": 86.25, "O2": 19.9, "O3": 100.0, "O4": 198.0, "O5": 27.4, "O6": 40.0}
    assert found["orders"][1] == {"order_id": "O2", "placed_on": "2026-05-01", "status": "packed", "total": 19.9}
    with pytest.raises(ValueError, match="no customer 'C9'; ask for the customer number"):
        shop.list_customer_orders(world(), "C9")


def test_a_return_is_opened_on_the_last_day() -> None:
    state = world()
    assert shop.open_return(state, "O4", "P1", 1, "wrong_size")["return_id"] == "R901"
    assert shop.open_return(state, "O6", "P3", 2, "arrived_damaged")["return_id"] == "R902"
    kept = '"quantity": {}, "reason": "{}", "refund": null}}'
    assert effects(state) == [
        "changed next_return: 901 -> 903",
        'added returns.R901: {"order_id": "O4", "product_id": "P1", ' + kept.format(1, "wrong_size"),
        'added returns.R902: {"order_id": "O6", "product_id": "P3", ' + kept.format(2, "arrived_damaged"),
    ]
    with pytest.raises(ValueError, match="Order O4 has 1 of P1 left to return"):
        shop.open_return(state, "O4", "P1", 2, "not_wanted")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("O3", "P1", 1, "not_wanted"), "Order O3 is shipped; this is possible only while it is delivered"),
        (("O5", "P2", 1, "not_wanted"), "O5 arrived 22 days ago; returns for this reason end after 21"),
        (("O7", "P3", 1, "arrived_damaged"), "O7 arrived 8 days ago; returns for this reason end after 7"),
        (("O6", "P3", 1, "not_wanted"), "P3 is clearance"),
        (("O6", "P1", 1, "not_wanted"), "O6 holds no P1"),
        (("O4", "P1", 3, "not_wanted"), "Order O4 has 2 of P1 left to return"),
    ],
)
def test_a_return_is_refused(args: tuple[str, str, int, Any], message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        shop.open_return(state, *args)
    assert effects(state) == []


# Order O4: goods of 220, of which points paid 22; so 90 of every 100 were paid in money.
@pytest.mark.parametrize(
    ("product_id", "reason", "condition", "refund", "restocked"),
    [
        ("P1", "not_wanted", "unopened", 90.0, True),
        ("P1", "not_wanted", "opened", 76.5, False),
        ("P1", "wrong_size", "opened", 76.5, False),
        ("P1", "arrived_damaged", "opened", 90.0, False),
        ("P1", "arrived_damaged", "unopened", 90.0, False),
    ],
)
def test_a_refund_is_what_was_paid(
    product_id: str, reason: Any, condition: Any, refund: float, restocked: bool
) -> None:
    state = world()
    state.orders["O4"].delivered_on = "2026-05-17"
    shop.open_return(state, "O4", product_id, 1, reason)
    done = shop.settle_return(state, "R901", condition)
    assert done == {"return_id": "R901", "refund": refund, "restocked": restocked}
    assert state.returns["R901"].refund == refund
    assert state.products["P1"].stock == (6 if restocked else 5)
    with pytest.raises(ValueError, match="R901 is settled"):
        shop.settle_return(state, "R901", condition)


def test_settling_needs_a_return() -> None:
    with pytest.raises(ValueError, match="no return 'R1'; open one with open_return"):
        shop.settle_return(world(), "R1", "opened")


def address(country: Any) -> shop.DeliveryAddress:
    return {"street": "Kade 5", "postcode": "2000", "city": "Antwerp", "country": country}


def test_a_parcel_goes_elsewhere() -> None:
    state = world()
    for order_id in ("O1", "O2"):
        assert shop.redirect_parcel(state, order_id, address("BE"))["address"]["city"] == "Antwerp"
    assert effects(state) == [
        f'changed orders.{order_id}.address.{field}: "{old}" -> "{new}"'
        for order_id in ("O1", "O2")
        for field, old, new in (
            ("city", "Ghent", "Antwerp"),
            ("postcode", "9000", "2000"),
            ("street", "Elm 1", "Kade 5"),
        )
    ]
    with pytest.raises(ValueError, match="O3 is shipped"):
        shop.redirect_parcel(state, "O3", address("BE"))
    with pytest.raises(ValueError, match="O1 can only go to an address in BE"):
        shop.redirect_parcel(state, "O1", address("NL"))


def test_the_catalog() -> None:
    tent = {"product_id": "P1", "name": "trail tent", "price": 120.0, "stock": 5, "clearance": False}
    assert shop.search_catalog(world(), "Tent") == [tent]
    assert [item["product_id"] for item in shop.search_catalog(world(), "", 20)] == ["P2", "P3"]
    assert shop.search_catalog(world(), "tent", 119.99) == []


def test_an_order_is_submitted() -> None:
    state = world()
    # Goods of 4 * 7.5 + 20 = 50, of which 1250 points pay the quarter: 12.50.
    placed = shop.submit_order(
        state, "C1", [{"product_id": "P2", "quantity": 4}, {"product_id": "P3", "quantity": 1}], 1250
    )
    assert (placed["order_id"], placed["goods"], placed["shipping"], placed["total"]) == ("O7013", 50.0, 0.0, 37.5)
    assert placed["placed_on"] == "2026-05-18"
    assert placed["address"] == ELM
    changes = diff(world(), state)
    assert [change.path for change in changes if change.kind == "added"] == ["orders.O7013"]
    assert [str(change) for change in changes if change.kind != "added"] == [
        "changed customers.C1.points: 2000 -> 750",
        "changed next_order: 7013 -> 7014",
        "changed products.P2.stock: 30 -> 26",
        "changed products.P3.stock: 2 -> 1",
    ]
    assert shop.submit_order(state, "C2", [{"product_id": "P2", "quantity": 1}])["total"] == 12.4


def test_shipping_is_free_from_forty() -> None:
    state = world()
    assert shop.submit_order(state, "C2", [{"product_id": "P3", "quantity": 2}])["shipping"] == 0.0
    state = world()
    assert shop.submit_order(state, "C2", [{"product_id": "P2", "quantity": 5}])["shipping"] == 4.9


@pytest.mark.parametrize(
    ("customer_id", "lines", "points", "message"),
    [
        ("C9", [("P1", 1)], 0, "no customer 'C9'"),
        ("C1", [], 0, "at least one line"),
        ("C1", [("P1", 6)], 0, "The stock of P1 has 5 left"),
        ("C1", [("P2", 11)], 0, "10 pieces of a product at most"),
        ("C1", [("P9", 1)], 0, "no product 'P9'"),
        ("C1", [("P1", 1), ("P1", 1)], 0, "P1 stands in two lines"),
        ("C1", [("P1", 1)], 2001, "C1 has only 2000 points"),
        ("C1", [("P3", 2)], 1001, "at most a quarter of the goods"),
    ],
)
def test_an_order_is_refused(customer_id: str, lines: list[tuple[str, int]], points: int, message: str) -> None:
    wanted: list[shop.OrderLine] = [{"product_id": key, "quantity": quantity} for key, quantity in lines]
    with pytest.raises(ValueError, match=message):
        shop.submit_order(world(), customer_id, wanted, points)


def test_an_order_with_its_returns() -> None:
    state = world()
    shop.open_return(state, "O4", "P1", 1, "wrong_size")
    found = shop.view_order(state, "O4")
    assert found["total"] == 198.0
    assert found["returns"]["R901"]["reason"] == "wrong_size"
    assert shop.view_order(state, "O5")["returns"] == {}
    with pytest.raises(ValueError, match="no order 'O0'"):
        shop.view_order(state, "O0")


def test_a_withdrawn_order_gives_everything_back() -> None:
    state = world()
    assert shop.withdraw_order(state, "O1") == {"order_id": "O1", "refund": 86.25, "points": 2875}
    assert effects(state) == [
        "changed customers.C1.points: 2000 -> 4875",
        'changed orders.O1.status: "placed" -> "withdrawn"',
        "changed products.P1.stock: 5 -> 6",
        "changed products.P2.stock: 30 -> 32",
    ]
    assert shop.withdraw_order(state, "O2")["refund"] == 19.9
    for order_id, status in (("O1", "withdrawn"), ("O3", "shipped")):
        with pytest.raises(ValueError, match=f"{order_id} is {status}; this is possible only while it is placed or"):
            shop.withdraw_order(state, order_id)


def test_orders_of_every_stage_at_the_start() -> None:
    for seed in range(20):
        state = shop.initial_state(seed)
        assert {item.status for item in state.orders.values()} == {"placed", "packed", "shipped", "delivered"}
        for item in state.orders.values():
            assert (item.delivered_on is not None) == (item.status == "delivered")
            assert item.placed_on < (item.delivered_on or "2026-05-18") <= state.today
            assert item.shipping == (0.0 if sum(x.quantity * x.unit_price for x in item.lines.values()) >= 40 else 4.9)
