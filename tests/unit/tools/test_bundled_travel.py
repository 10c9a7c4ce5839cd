"""Known answers and refusals of the bundled travel tools."""

import pytest

from data_pipeline.tools.bundled import travel


def bag(weight_kg: float, length_cm: float = 75) -> travel.Bag:
    return {"weight_kg": weight_kg, "length_cm": length_cm, "width_cm": 50, "height_cm": 30}


def test_fuel_cost() -> None:
    assert travel.estimate_driving_fuel_cost(450, 1.8, 6) == {"fuel_liters": 27.0, "fuel_cost": 48.6}
    assert travel.estimate_driving_fuel_cost(100, 2) == {"fuel_liters": 7.0, "fuel_cost": 14.0}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((-1, 1, 1), "distance_km"),
        ((1, -1, 1), "fuel_price"),
        ((1, 1, -1), "liters_per"),
        ((1e200, 1e200, 1), "too large"),
    ],
)
def test_fuel_cost_refuses(args: tuple[float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        travel.estimate_driving_fuel_cost(*args)


def test_emissions_count_seats_but_a_car_is_shared() -> None:
    assert travel.estimate_trip_emissions(1000, "plane", 2, round_trip=True) == 600.0
    assert travel.estimate_trip_emissions(1000, "car", 5) == 170.0
    assert travel.estimate_trip_emissions(1000, "car", 6) == 340.0
    assert travel.estimate_trip_emissions(200, "train") == 7.0


def test_emissions_refuses() -> None:
    with pytest.raises(ValueError, match="distance_km"):
        travel.estimate_trip_emissions(-1, "car")
    with pytest.raises(ValueError, match="travelers"):
        travel.estimate_trip_emissions(1, "car", 0)
    with pytest.raises(ValueError, match="transport_mode must be one of car"):
        travel.estimate_trip_emissions(1, "rocket")  # type: ignore[arg-type]


def test_flight_from_paris_to_new_york_and_to_tokyo() -> None:
    assert travel.compute_flight_arrival("2024-07-01", "10:30", 500, -6) == {
        "arrival_date": "2024-07-01",
        "arrival_time": "12:50",
    }
    assert travel.compute_flight_arrival("2024-02-28", "20:00", 720, 7) == {
        "arrival_date": "2024-02-29",
        "arrival_time": "15:00",
    }
    assert travel.compute_flight_arrival("2024-07-01", "10:00", 60, 5.5)["arrival_time"] == "16:30"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("2024-13-01", "10:00", 60, 0), "does not match"),
        (("2024-01-01", "10h", 60, 0), "does not match"),
        (("2024-01-01", "10:00", 0, 0), "flight_minutes"),
        (("2024-01-01", "10:00", 60, 27), "time_difference_hours"),
        (("9999-12-31", "10:00", 60, 0), "year"),
    ],
)
def test_flight_refuses(args: tuple[str, str, int, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        travel.compute_flight_arrival(*args)


def test_baggage_at_the_limits() -> None:
    assert travel.check_baggage_allowance([bag(23, 78)]) == {"allowed": True, "problems": []}
    assert travel.check_baggage_allowance([bag(32), bag(32)], "business")["allowed"] is True


def test_baggage_beyond_the_limits() -> None:
    assert travel.check_baggage_allowance([bag(20), bag(25.5, 90)]) == {
        "allowed": False,
        "problems": ["2 bags instead of 1 at most", "bag 2 is 2.5 kg too heavy", "bag 2 is 12 cm too large"],
    }


def test_baggage_refuses() -> None:
    with pytest.raises(ValueError, match="positive"):
        travel.check_baggage_allowance([bag(0)])
    with pytest.raises(ValueError, match="cabin_class must be one of economy"):
        travel.check_baggage_allowance([bag(1)], "cargo")  # type: ignore[arg-type]


def test_hotel_stay_over_the_new_year() -> None:
    assert travel.quote_hotel_stay("Hôtel du Lac", "2024-12-30", 3, 99.5, 2) == {
        "hotel_name": "Hôtel du Lac",
        "check_in_date": "2024-12-30",
        "check_out_date": "2025-01-02",
        "total_price": 597.0,
    }
    assert travel.quote_hotel_stay("Any", "2024-02-28", 2, 100)["check_out_date"] == "2024-03-01"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("x", "2024-02-30", 1, 1, 1), "day"),
        (("x", "2024-02-01", 0, 1, 1), "nights"),
        (("x", "2024-02-01", 1, -1, 1), "nightly_rate"),
        (("x", "2024-02-01", 1, 1, 0), "rooms"),
    ],
)
def test_hotel_stay_refuses(args: tuple[str, str, int, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        travel.quote_hotel_stay(*args)


def test_itinerary_spreads_the_visits() -> None:
    assert travel.plan_city_itinerary("Rome", "2024-04-30", ["Colosseum", "Forum", "Vatican"]) == [
        {"city": "Rome", "date": "2024-04-30", "visits": ["Colosseum", "Forum"]},
        {"city": "Rome", "date": "2024-05-01", "visits": ["Vatican"]},
    ]
    assert travel.plan_city_itinerary("Rome", "2024-04-30", []) == []


def test_itinerary_refuses() -> None:
    with pytest.raises(ValueError, match="visits_per_day"):
        travel.plan_city_itinerary("Rome", "2024-04-30", ["Forum"], 0)
    with pytest.raises(ValueError, match="365"):
        travel.plan_city_itinerary("Rome", "2024-04-30", ["Forum"] * 366)
    with pytest.raises(ValueError, match="does not match"):
        travel.plan_city_itinerary("Rome", "tomorrow", ["Forum"])


def test_packing_list() -> None:
    packing = travel.build_packing_list("Oslo", "cold", 3, ["ski"])
    assert packing["destination"] == "Oslo"
    assert packing["items"] == [
        "travel documents",
        "toiletries",
        "4 tops",
        "4 sets of underwear",
        "2 trousers or skirts",
        "winter coat",
        "gloves",
        "warm hat",
        "thermal underwear",
        "ski gear",
    ]
    assert "8 tops" in travel.build_packing_list("Bali", "hot", 30)["items"]


def test_packing_list_refuses() -> None:
    with pytest.raises(ValueError, match="nights"):
        travel.build_packing_list("Oslo", "cold", 0)
    with pytest.raises(ValueError, match="climate must be one of hot"):
        travel.build_packing_list("Oslo", "lunar", 3)  # type: ignore[arg-type]
