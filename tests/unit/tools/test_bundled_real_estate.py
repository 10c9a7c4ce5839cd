import pytest

from data_pipeline.tools.bundled import real_estate as tools


def test_rental_yield_before_and_after_costs() -> None:
    assert tools.calculate_rental_yield(200_000, 1_000, 2_000) == {
        "gross_yield_percent": 6.0,
        "net_yield_percent": 5.0,
    }
    with pytest.raises(ValueError, match="purchase price"):
        tools.calculate_rental_yield(0, 1_000)
    with pytest.raises(ValueError, match="negative"):
        tools.calculate_rental_yield(200_000, -1)


def test_floor_area_ratio_against_the_limit() -> None:
    assert tools.check_floor_area_ratio(300, 400) == {
        "ratio": 0.75,
        "allowed": True,
        "remaining_area_m2": 100.0,
    }
    assert tools.check_floor_area_ratio(300, 400, 0.5) == {
        "ratio": 0.75,
        "allowed": False,
        "remaining_area_m2": 0.0,
    }
    assert tools.check_floor_area_ratio(300, 400, 0.75)["allowed"] is True
    with pytest.raises(ValueError, match="plot area"):
        tools.check_floor_area_ratio(300, 0)
    with pytest.raises(ValueError, match="floor area"):
        tools.check_floor_area_ratio(-1, 400)


def test_headline_names_size_city_and_features() -> None:
    assert tools.draft_listing_headline("house", 3, "Lyon") == "3-bedroom house in Lyon"
    assert tools.draft_listing_headline("apartment", 0, "Oslo", ["balcony"]) == (
        "Studio apartment in Oslo with balcony"
    )
    assert tools.draft_listing_headline("villa", 5, "Nice", ["pool", "garden", " sea view "]) == (
        "5-bedroom villa in Nice with pool, garden and sea view"
    )
    with pytest.raises(ValueError, match="bedrooms"):
        tools.draft_listing_headline("house", -1, "Lyon")


def test_rent_compounds_every_year() -> None:
    assert tools.project_rent_increases(1_000, 10, 3) == [1100.0, 1210.0, 1331.0]
    assert len(tools.project_rent_increases(1_000, 2)) == 5
    for rent, percent, years in ((-1, 2, 5), (1_000, -2, 5), (1_000, 2, 0), (1_000, 2, 51)):
        with pytest.raises(ValueError, match=r"rent|increase|years"):
            tools.project_rent_increases(rent, percent, years)


def test_first_month_counts_the_move_in_day() -> None:
    # 15 to 30 April is 16 of 30 days.
    assert tools.prorate_move_in_rent(900, "2024-04-15") == {
        "days_charged": 16,
        "daily_rent": 30.0,
        "rent_due": 480.0,
    }
    assert tools.prorate_move_in_rent(2_900, "2024-02-01")["days_charged"] == 29
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        tools.prorate_move_in_rent(900, "2024-02-30")
    with pytest.raises(ValueError, match="negative"):
        tools.prorate_move_in_rent(-900, "2024-02-01")


def test_listings_ranked_by_price_per_area() -> None:
    ranked = tools.rank_property_listings(
        [
            {"address": "1 Oak Street", "price": 300_000, "area_m2": 60},
            {"address": "2 Elm Street", "price": 320_000, "area_m2": 80},
        ]
    )
    assert ranked == [
        {"address": "2 Elm Street", "price_per_m2": 4000.0},
        {"address": "1 Oak Street", "price_per_m2": 5000.0},
    ]
    with pytest.raises(ValueError, match="3 Ash Street"):
        tools.rank_property_listings([{"address": "3 Ash Street", "price": 1, "area_m2": 0}])


def test_rent_shares_follow_areas_and_add_up() -> None:
    assert tools.split_rent_by_room(1_200, [10, 20]) == [400.0, 800.0]
    assert tools.split_rent_by_room(1_200, [10, 20], 50) == [500.0, 700.0]
    assert tools.split_rent_by_room(100, [5, 5, 5]) == [33.34, 33.33, 33.33]
    cases: list[tuple[float, list[float], float]] = [
        (100, [], 0),
        (100, [5, 0], 0),
        (-100, [5], 0),
        (100, [5], 101),
    ]
    for rent, areas, percent in cases:
        with pytest.raises(ValueError, match=r"room|rent"):
            tools.split_rent_by_room(rent, areas, percent)
