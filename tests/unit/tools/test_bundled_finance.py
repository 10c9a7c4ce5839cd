"""Known answers and refusals of the bundled finance tools."""

import pytest

from data_pipeline.tools.bundled import finance

BRACKETS: list[finance.TaxBracket] = [
    {"starts_at": 40_000, "rate_percent": 30},
    {"starts_at": 0, "rate_percent": 0},
    {"starts_at": 10_000, "rate_percent": 10},
]


def test_loan_of_two_hundred_thousand_at_six_percent_over_thirty_years() -> None:
    # Reference value of amortization tables: 5.9955 per thousand borrowed.
    loan = finance.calculate_loan_installment(200_000, 6, 360)
    assert loan["monthly_payment"] == 1199.10
    assert loan["total_interest"] == pytest.approx(231_676.38, abs=0.02)
    assert loan["total_paid"] == pytest.approx(431_676.38, abs=0.02)


def test_loan_without_interest() -> None:
    assert finance.calculate_loan_installment(1200, 0, 12) == {
        "monthly_payment": 100.0,
        "total_paid": 1200.0,
        "total_interest": 0.0,
    }


def test_loan_at_a_vanishing_rate_is_continuous_with_no_interest() -> None:
    assert finance.calculate_loan_installment(1200, 1e-14, 12)["monthly_payment"] == 100.0


@pytest.mark.parametrize("args", [(0, 5, 12), (1000, -1, 12), (1000, 101, 12), (1000, 5, 0), (1000, 5, 601)])
def test_loan_refuses(args: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        finance.calculate_loan_installment(*args)


def test_savings_of_one_hundred_a_month_at_one_percent_a_month() -> None:
    # 1.01^12 = 1.12682503, so 100 * 12.682503 and 1000 * 1.12682503.
    assert finance.project_savings_balance(100, 12, 1) == {
        "final_balance": 1268.25,
        "total_deposited": 1200.0,
        "interest_earned": 68.25,
    }
    assert finance.project_savings_balance(100, 12, 1, 1000)["final_balance"] == 2395.08
    assert finance.project_savings_balance(50, 0, 2, 10)["final_balance"] == 1210.0


@pytest.mark.parametrize("args", [(-1, 5, 1, 0), (1, 5, 1, -1), (1, 101, 1, 0), (1, 5, 0, 0), (1, 5, 61, 0)])
def test_savings_refuses(args: tuple[float, float, int, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        finance.project_savings_balance(*args)


def test_exchange_takes_the_fee_first_and_rounds_to_the_currency() -> None:
    assert finance.apply_exchange_rate(200, 0.9, "USD", "EUR", 1.5) == {
        "received": 177.3,
        "received_currency": "EUR",
        "fee": 3.0,
        "fee_currency": "USD",
    }
    assert finance.apply_exchange_rate(10, 151.37, "USD", "JPY")["received"] == 1514.0


def test_exchange_refuses() -> None:
    with pytest.raises(ValueError, match="differ"):
        finance.apply_exchange_rate(1, 1, "USD", "USD")
    with pytest.raises(ValueError, match="amount"):
        finance.apply_exchange_rate(-1, 1, "USD", "EUR")
    with pytest.raises(ValueError, match="exchange_rate"):
        finance.apply_exchange_rate(1, 0, "USD", "EUR")
    with pytest.raises(ValueError, match="fee_percent"):
        finance.apply_exchange_rate(1, 1, "USD", "EUR", 101)
    with pytest.raises(ValueError, match="too large"):
        finance.apply_exchange_rate(1e200, 1e200, "USD", "EUR")


def test_tax_is_charged_bracket_by_bracket() -> None:
    # 30000 at 10 % and 15000 at 30 %, of 60000 less 5000.
    assert finance.compute_progressive_tax(60_000, BRACKETS, 5000) == {
        "taxable_income": 55_000.0,
        "tax": 7500.0,
        "effective_rate_percent": 12.5,
        "marginal_rate_percent": 30.0,
    }
    assert finance.compute_progressive_tax(40_000, BRACKETS)["marginal_rate_percent"] == 10.0
    assert finance.compute_progressive_tax(3000, BRACKETS, 5000)["tax"] == 0.0
    assert finance.compute_progressive_tax(0, BRACKETS)["effective_rate_percent"] == 0.0


def test_tax_refuses() -> None:
    with pytest.raises(ValueError, match="at least one"):
        finance.compute_progressive_tax(1, [])
    with pytest.raises(ValueError, match="gross_income"):
        finance.compute_progressive_tax(-1, BRACKETS)
    with pytest.raises(ValueError, match="deduction"):
        finance.compute_progressive_tax(1, BRACKETS, -1)
    with pytest.raises(ValueError, match="rate_percent"):
        finance.compute_progressive_tax(1, [{"starts_at": 0, "rate_percent": 101}])
    with pytest.raises(ValueError, match="starts_at"):
        finance.compute_progressive_tax(1, [{"starts_at": -1, "rate_percent": 10}])


def test_card_payoff_by_hand() -> None:
    # At 1 % a month: 100 -> 101 - 60 = 41 -> 41.41.
    assert finance.plan_card_payoff(100, 12, 60) == {
        "months": 2,
        "last_payment": 41.41,
        "total_interest": 1.41,
    }
    assert finance.plan_card_payoff(300, 0, 100) == {
        "months": 3,
        "last_payment": 100.0,
        "total_interest": 0.0,
    }
    assert finance.plan_card_payoff(10, 12, 500) == {"months": 1, "last_payment": 10.1, "total_interest": 0.1}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0, 12, 5), "balance"),
        ((10, 12, 0), "monthly_payment"),
        ((10, 101, 5), "annual_rate"),
        ((1000, 12, 10), "does not cover"),
    ],
)
def test_card_payoff_refuses(args: tuple[float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        finance.plan_card_payoff(*args)


def test_straight_line_depreciation() -> None:
    assert finance.list_asset_depreciation(10_000, 3, 1000) == [
        {"year": 1, "depreciation": 3000.0, "book_value": 7000.0},
        {"year": 2, "depreciation": 3000.0, "book_value": 4000.0},
        {"year": 3, "depreciation": 3000.0, "book_value": 1000.0},
    ]


def test_double_declining_depreciation_stops_at_the_salvage_value() -> None:
    rows = finance.list_asset_depreciation(10_000, 5, 1000, "double_declining")
    assert [row["depreciation"] for row in rows] == [4000.0, 2400.0, 1440.0, 864.0, 296.0]
    assert rows[-1]["book_value"] == 1000.0


@pytest.mark.parametrize("args", [(0, 5, 0), (100, 0, 0), (100, 51, 0), (100, 5, 101), (100, 5, -1)])
def test_depreciation_refuses(args: tuple[float, int, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        finance.list_asset_depreciation(*args)


def test_break_even_rounds_up_to_whole_units_exactly() -> None:
    assert finance.find_break_even_volume(1000, 25, 10) == {"units": 67, "revenue": 1675.0}
    assert finance.find_break_even_volume(1000, 0.3, 0.1)["units"] == 5000
    assert finance.find_break_even_volume(1000, 25, 10, 500) == {"units": 100, "revenue": 2500.0}


def test_break_even_refuses() -> None:
    with pytest.raises(ValueError, match="higher"):
        finance.find_break_even_volume(1000, 10, 10)
    with pytest.raises(ValueError, match="negative"):
        finance.find_break_even_volume(-1, 10, 5)
    with pytest.raises(ValueError, match="too large"):
        finance.find_break_even_volume(1e300, 10, 5)
