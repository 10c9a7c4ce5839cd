from collections.abc import Callable
from typing import Any

import pytest

from data_pipeline.tools.bundled import business as tools

Arguments = tuple[Any, ...]


def line(quantity: float, unit_price: float) -> tools.InvoiceLine:
    return {"item": "consulting", "quantity": quantity, "unit_price": unit_price}


def test_customer_churn() -> None:
    # 20 of 400 are 5 %, so a customer stays 1 / 0.05 = 20 months.
    assert tools.calculate_customer_churn(20, 380) == {
        "churn_percent": 5.0,
        "monthly_churn_percent": 5.0,
        "average_stay_months": 20.0,
    }
    # 81 % left after 2 months is 0.9 each month: 10 %, 10 months.
    assert tools.calculate_customer_churn(19, 81, 2) == {
        "churn_percent": 19.0,
        "monthly_churn_percent": 10.0,
        "average_stay_months": 10.0,
    }
    assert tools.calculate_customer_churn(0, 10)["average_stay_months"] is None
    assert tools.calculate_customer_churn(10, 0, 6)["monthly_churn_percent"] == 100.0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((-1, 10, 1), "negative"),
        ((10, -1, 1), "negative"),
        ((0, 0, 1), "customers at the start"),
        ((1, 2_000_000_000, 1), "customers at the start"),
        ((1, 10, 0), "1 to 24 months"),
        ((1, 10, 25), "1 to 24 months"),
    ],
)
def test_customer_churn_refuses(args: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_customer_churn(*args)


def test_inventory_turnover() -> None:
    # The average of 30000 and 50000 is 40000; 200000 is 5 times that, and 365 / 5 = 73 days.
    assert tools.calculate_inventory_turnover(200_000, 30_000, 50_000) == {
        "average_inventory": 40_000.0,
        "turnover": 5.0,
        "days_of_stock": 73.0,
    }
    # 90 days * 100 / 150; the stock may be sold out at one end.
    assert tools.calculate_inventory_turnover(150, 200, 0, 90)["days_of_stock"] == 60.0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0, 10, 10, 365), "cost of the goods"),
        ((2e12, 10, 10, 365), "cost of the goods"),
        ((10, -1, 10, 365), "between 0 and 1e12"),
        ((10, 10, 2e12, 365), "between 0 and 1e12"),
        ((10, 0, 0, 365), "both ends"),
        ((10, 10, 10, 0), "1 to 366 days"),
        ((10, 10, 10, 367), "1 to 366 days"),
    ],
)
def test_inventory_turnover_refuses(args: tuple[float, float, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_inventory_turnover(*args)


def test_invoice_total_with_discount() -> None:
    # 3 * 80 + 2.5 * 40 = 340; 10 % off is 34; 20 % of 306 is 61.20
    assert tools.calculate_invoice_total([line(3, 80), line(2.5, 40)], 20, 10) == {
        "net": 340.0,
        "discount": 34.0,
        "vat": 61.2,
        "total": 367.2,
    }


def test_invoice_total_rounds_half_up() -> None:
    # Each line of 0.5 * 0.25 = 0.125 is 0.13, together 0.26; 50 % tax on it 0.13
    assert tools.calculate_invoice_total([line(0.5, 0.25), line(0.5, 0.25)], 50) == {
        "net": 0.26,
        "discount": 0.0,
        "vat": 0.13,
        "total": 0.39,
    }
    # 7 % of 1.50 is 0.105, so 0.11, while the float 0.105 is a little less and would be rounded to 0.10.
    assert tools.calculate_invoice_total([line(1, 1.5)], 7)["vat"] == 0.11


@pytest.mark.parametrize(
    ("quantity", "price", "vat", "discount", "message"),
    [
        (0, 80, 20, 0, "quantity of 'consulting'"),
        (100_001, 80, 20, 0, "quantity of 'consulting'"),
        (1, -1, 20, 0, "price of 'consulting'"),
        (1, 1_000_001, 20, 0, "price of 'consulting'"),
        (1, 80, -1, 0, "value added tax"),
        (1, 80, 51, 0, "value added tax"),
        (1, 80, 20, -1, "discount"),
        (1, 80, 20, 101, "discount"),
    ],
)
def test_invoice_total_refuses(quantity: float, price: float, vat: float, discount: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_invoice_total([line(quantity, price)], vat, discount)
    with pytest.raises(ValueError, match="at least one line"):
        tools.calculate_invoice_total([], 20)


def test_meeting_cost() -> None:
    # 6 people for 45 minutes are 4.5 hours; at 60 that is 270, and 48 times a year 216 h and 12960.
    assert tools.calculate_meeting_cost(6, 45, 60, 48) == {
        "meeting_cost": 270.0,
        "yearly_hours": 216.0,
        "yearly_cost": 12_960.0,
    }
    assert tools.calculate_meeting_cost(2, 60, 30)["yearly_cost"] == 60.0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0, 45, 60, 1), "attendees"),
        ((1001, 45, 60, 1), "attendees"),
        ((6, 0, 60, 1), "duration"),
        ((6, 1441, 60, 1), "duration"),
        ((6, 45, -1, 1), "hourly cost"),
        ((6, 45, 1001, 1), "hourly cost"),
        ((6, 45, 60, 0), "meetings per year"),
        ((6, 45, 60, 367), "meetings per year"),
    ],
)
def test_meeting_cost_refuses(args: tuple[int, int, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_meeting_cost(*args)


def test_net_promoter_score_at_the_limits_of_each_group() -> None:
    # 10, 9 and 10 promote, 8 and 7 are passive, 6, 0 and 5 detract: (3 - 3) / 8
    assert tools.calculate_net_promoter_score([10, 9, 10, 8, 7, 6, 0, 5]) == {
        "score": 0.0,
        "promoters_percent": 37.5,
        "passives_percent": 25.0,
        "detractors_percent": 37.5,
    }
    # (2 - 1) / 3
    assert tools.calculate_net_promoter_score([9, 9, 6])["score"] == 33.3
    assert tools.calculate_net_promoter_score([6])["score"] == -100.0


def test_net_promoter_score_refuses() -> None:
    with pytest.raises(ValueError, match="At least one answer"):
        tools.calculate_net_promoter_score([])
    for answer in (-1, 11):
        with pytest.raises(ValueError, match="between 0 and 10"):
            tools.calculate_net_promoter_score([5, answer])


def test_return_on_investment_by_year() -> None:
    # 1000 -> 1210 is 21 %, and 10 % a year over two years.
    assert tools.calculate_return_on_investment(1000, 1210, 2) == {
        "profit": 210.0,
        "return_percent": 21.0,
        "yearly_return_percent": 10.0,
    }
    # A quarter: 1.1^4 - 1 = 46.41 %
    assert tools.calculate_return_on_investment(100, 110, 0.25)["yearly_return_percent"] == 46.41
    assert tuple(tools.calculate_return_on_investment(100, 0).values()) == (-100.0, -100.0, -100.0)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0.5, 10, 1), "amount invested"),
        ((2e12, 10, 1), "amount invested"),
        ((10, -1, 1), "amount returned"),
        ((10, 2e12, 1), "amount returned"),
        ((10, 10, 0.2), "duration"),
        ((10, 10, 51), "duration"),
    ],
)
def test_return_on_investment_refuses(args: tuple[float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_return_on_investment(*args)


def test_shift_pay_with_and_without_overtime() -> None:
    # 8 h * 20 = 160 and 2 h * 20 * 1.5 = 60
    assert tools.calculate_shift_pay(20, 10) == {
        "overtime_hours": 2.0,
        "regular_pay": 160.0,
        "overtime_pay": 60.0,
        "total_pay": 220.0,
    }
    assert tools.calculate_shift_pay(20, 8)["overtime_pay"] == 0.0
    assert tools.calculate_shift_pay(20, 5)["total_pay"] == 100.0
    # 8.3 - 8 is exactly 0.3: 0.3 * 18.5 * 2 = 11.10
    assert tools.calculate_shift_pay(18.5, 8.3, 8, 2)["overtime_pay"] == 11.1
    # 7.5 h * 14.33 = 107.475, half up 107.48
    assert tools.calculate_shift_pay(14.33, 7.5)["regular_pay"] == 107.48


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0.5, 8, 8, 1.5), "hourly wage"),
        ((201, 8, 8, 1.5), "hourly wage"),
        ((20, -1, 8, 1.5), "negative"),
        ((20, 8, -1, 1.5), "negative"),
        ((20, 24.5, 8, 1.5), "no more than 24"),
        ((20, 8, 24.5, 1.5), "no more than 24"),
        ((20, 8, 8, 0.9), "overtime factor"),
        ((20, 8, 8, 3.1), "overtime factor"),
    ],
)
def test_shift_pay_refuses(args: tuple[float, float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_shift_pay(*args)


def test_customer_lifetime_value() -> None:
    # 60 * 4 * 5 = 1200, of which 40 % is 480; less 75 to win the customer
    assert tools.estimate_customer_lifetime_value(60, 4, 40, 5, 75) == {
        "revenue": 1200.0,
        "gross_margin": 480.0,
        "lifetime_value": 405.0,
    }
    # 10 * 1 * 1 * 50 % = 5
    assert tools.estimate_customer_lifetime_value(10, 1, 50, 1)["lifetime_value"] == 5.0
    assert tools.estimate_customer_lifetime_value(10, 1, 50, 1, 8)["lifetime_value"] == -3.0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0, 4, 40, 5, 0), "order value"),
        ((5001, 4, 40, 5, 0), "order value"),
        ((60, 0, 40, 5, 0), "orders per year"),
        ((60, 53, 40, 5, 0), "orders per year"),
        ((60, 4, -1, 5, 0), "margin"),
        ((60, 4, 101, 5, 0), "margin"),
        ((60, 4, 40, 0, 0), "retention"),
        ((60, 4, 40, 51, 0), "retention"),
        ((60, 4, 40, 5, -1), "acquisition cost"),
        ((60, 4, 40, 5, 1_000_001), "acquisition cost"),
    ],
)
def test_customer_lifetime_value_refuses(args: tuple[float, float, float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.estimate_customer_lifetime_value(*args)


def test_results_are_rounded() -> None:
    # 1 of 3 is 33.33 %; a month 1 - sqrt(2 / 3) = 18.35 %, and 1 / 0.1835 = 5.4495.
    assert tools.calculate_customer_churn(1, 2, 2) == {
        "churn_percent": 33.33,
        "monthly_churn_percent": 18.35,
        "average_stay_months": 5.4,
    }
    # 3.0015; 7 / 3.0015 = 2.3322; 365 * 3.0015 / 7 = 156.5068
    assert tuple(tools.calculate_inventory_turnover(7, 3.001, 3.002).values()) == (3.0, 2.33, 156.5)
    # 10 minutes at 10.01 an hour are 1.66833; 0.1667 hours
    assert tuple(tools.calculate_meeting_cost(1, 10, 10.01).values()) == (1.67, 0.2, 1.67)
    # 2 of 3 and 1 of 3
    assert tuple(tools.calculate_net_promoter_score([9, 9, 6]).values()) == (33.3, 66.7, 0.0, 33.3)
    # 4.004 / 3 = 1.334667, whose root is 1.155278
    assert tuple(tools.calculate_return_on_investment(3, 4.004, 2).values()) == (1.0, 33.47, 15.53)
    # 1.111, half of it 0.5555
    assert tuple(tools.estimate_customer_lifetime_value(1.111, 1, 50, 1).values()) == (1.11, 0.56, 0.56)
    # A loss of a tenth of a cent is nothing, not minus nothing.
    assert repr(tools.calculate_return_on_investment(100, 99.999)["profit"]) == "0.0"


@pytest.mark.parametrize(
    ("tool", "lowest", "highest"),
    [
        (tools.calculate_customer_churn, (0, 1, 1), (1_000_000_000, 1_000_000_000, 24)),
        (tools.calculate_inventory_turnover, (1, 1, 0, 1), (1e12, 1e12, 1e12, 366)),
        (tools.calculate_invoice_total, ([line(0.5, 0)], 0, 0), ([line(100_000, 1_000_000)], 50, 100)),
        (tools.calculate_meeting_cost, (1, 1, 0, 1), (1000, 1440, 1000, 366)),
        (tools.calculate_net_promoter_score, ([0],), ([10],)),
        (tools.calculate_return_on_investment, (1, 0, 0.25), (1e12, 1e12, 50)),
        (tools.calculate_shift_pay, (1, 0, 0, 1), (200, 24, 24, 3)),
        (tools.estimate_customer_lifetime_value, (0.5, 0.5, 0, 0.5, 0), (5000, 52, 100, 50, 1_000_000)),
    ],
)
def test_the_limits_belong_to_the_range(tool: Callable[..., Any], lowest: Arguments, highest: Arguments) -> None:
    for limits in (lowest, highest):
        tool(*limits)
