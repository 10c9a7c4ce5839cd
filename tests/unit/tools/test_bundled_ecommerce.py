from __future__ import annotations

import pytest

from data_pipeline.tools.bundled import ecommerce as tools


def test_total_shopping_cart() -> None:
    cart: list[tools.CartItem] = [
        {"name": "Mug", "unit_price": 7.5, "quantity": 4},
        {"name": "Tea", "unit_price": 4.99, "quantity": 2},
    ]
    # 30.00 + 9.98 = 39.98; 10 % off: 4.00; 8 % tax of 35.98: 2.88; 5.95 shipping.
    assert tools.total_shopping_cart(cart, discount_percent=10, tax_percent=8, shipping_fee=5.95) == {
        "subtotal": 39.98,
        "discount": 4.0,
        "tax": 2.88,
        "shipping": 5.95,
        "total": 44.81,
    }
    assert tools.total_shopping_cart(cart)["total"] == 39.98
    # Half a cent is rounded up: 15 % of 0.10 is 0.015.
    assert (
        tools.total_shopping_cart([{"name": "Clip", "unit_price": 0.1, "quantity": 1}], tax_percent=15)["tax"] == 0.02
    )
    with pytest.raises(ValueError, match="quantity of at least 1"):
        tools.total_shopping_cart([{"name": "Mug", "unit_price": 7.5, "quantity": 0}])
    with pytest.raises(ValueError, match="shipping fee"):
        tools.total_shopping_cart(cart, shipping_fee=-1)
    with pytest.raises(ValueError, match="percentages"):
        tools.total_shopping_cart(cart, discount_percent=101)


def test_calculate_billable_weight() -> None:
    assert tools.calculate_billable_weight(2.2, 40, 30, 20) == {"volumetric_kg": 4.8, "billable_kg": 5.0}
    assert tools.calculate_billable_weight(7, 40, 30, 20, volumetric_divisor=6000) == {
        "volumetric_kg": 4.0,
        "billable_kg": 7.0,
    }
    with pytest.raises(ValueError, match="greater than zero"):
        tools.calculate_billable_weight(2, 40, 0, 20)


def test_compare_pack_prices() -> None:
    assert tools.compare_pack_prices(3, 500, 4, 1000) == {
        "first_unit_price": 0.006,
        "second_unit_price": 0.004,
        "cheaper_pack": "second",
        "saving_percent": 33.33,
    }
    assert tools.compare_pack_prices(1, 2, 3, 2)["cheaper_pack"] == "first"
    assert tools.compare_pack_prices(0.1, 1, 0.3, 3)["cheaper_pack"] == "equal"
    with pytest.raises(ValueError, match="greater than zero"):
        tools.compare_pack_prices(3, 0, 4, 1000)


def test_recommend_selling_price() -> None:
    # 12 / (1 - 0.25 - 0.15) = 20; fee 3, profit 5, a quarter of 20.
    assert tools.recommend_selling_price(12, 25, marketplace_fee_percent=15) == {
        "price": 20.0,
        "fee": 3.0,
        "profit": 5.0,
        "margin_percent": 25.0,
    }
    assert tools.recommend_selling_price(12, 40, end_with_99=True)["price"] == 20.99
    assert tools.recommend_selling_price(19.99, 0, end_with_99=True)["price"] == 19.99
    assert tools.recommend_selling_price(2, 40)["price"] == 3.34  # 3.333... would miss the margin at 3.33
    with pytest.raises(ValueError, match="0 to 70 percent"):
        tools.recommend_selling_price(12, 71)
    with pytest.raises(ValueError, match="fee 0 to 25"):
        tools.recommend_selling_price(12, 20, marketplace_fee_percent=26)
    with pytest.raises(ValueError, match="greater than zero"):
        tools.recommend_selling_price(0, 10)


def test_check_return_eligibility() -> None:
    assert tools.check_return_eligibility("2024-02-15", "2024-03-10", 80, restocking_fee_percent=15) == {
        "eligible": True,
        "last_return_date": "2024-03-16",
        "days_left": 6,
        "refund": 68.0,
    }
    late = tools.check_return_eligibility("2024-02-15", "2024-03-01", 80, window_days=14)
    assert late == {"eligible": False, "last_return_date": "2024-02-29", "days_left": 0, "refund": 0.0}
    assert tools.check_return_eligibility("2024-02-15", "2024-02-29", 80, window_days=14)["eligible"] is True
    early = tools.check_return_eligibility("2024-02-15", "2024-02-14", 80)
    assert (early["eligible"], early["days_left"], early["refund"]) == (False, 0, 0)
    with pytest.raises(ValueError, match="price must not be negative"):
        tools.check_return_eligibility("2024-02-15", "2024-02-16", -80)
    with pytest.raises(ValueError, match="not a date"):
        tools.check_return_eligibility("15.02.2024", "2024-02-16", 80)
    with pytest.raises(ValueError, match="year must be"):
        tools.check_return_eligibility("9999-12-01", "9999-12-02", 80)


@pytest.mark.parametrize(
    ("barcode", "name", "check_digit"),
    [
        ("4006381333931", "EAN-13", 1),
        ("0 36000 29145 2", "UPC-A", 2),
        ("7351-3537", "EAN-8", 7),
        ("10012345000017", "GTIN-14", 7),
    ],
)
def test_verify_product_barcode(barcode: str, name: str, check_digit: int) -> None:
    assert tools.verify_product_barcode(barcode) == {
        "format": name,
        "expected_check_digit": check_digit,
        "valid": True,
    }
    wrong = barcode[:-1] + str((check_digit + 1) % 10)
    assert tools.verify_product_barcode(wrong)["valid"] is False


def test_verify_product_barcode_takes_any_text() -> None:
    for text in ("", "12345", "ABCDEFGHIJKL", "٤٠٠٦٣٨١٣٣٣٩٣١"):
        assert tools.verify_product_barcode(text)["format"] == "unknown"


def test_plan_stock_reorder() -> None:
    assert tools.plan_stock_reorder(200, 8, lead_time_days=10, safety_stock=40) == {
        "reorder_point": 120,
        "reorder_now": False,
        "days_until_reorder": 10.0,
        "days_of_stock": 25.0,
    }
    assert tools.plan_stock_reorder(80, 8, 10)["reorder_now"] is True
    with pytest.raises(ValueError, match=r"at least 0\.001"):
        tools.plan_stock_reorder(200, 0, 10)
    with pytest.raises(ValueError, match="not negative"):
        tools.plan_stock_reorder(-1, 8, 10)
