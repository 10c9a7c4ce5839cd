from collections.abc import Callable
from typing import Any

import pytest

from data_pipeline.tools.bundled import technology as tools

Arguments = tuple[Any, ...]


def servers(count: int, hourly_price: float) -> tools.CloudServer:
    return {"name": "web", "count": count, "hourly_price": hourly_price}


def test_allowed_downtime_by_period() -> None:
    # A month has 43200 minutes, and 0.1 % of them are 43.2, which is 43 minutes 12 seconds.
    assert tools.calculate_allowed_downtime(99.9) == {"downtime_minutes": 43.2, "downtime": "0:43:12"}
    # 1 % of the 525600 minutes of a year is 5256, which is 87 h 36 min.
    assert tools.calculate_allowed_downtime(99, "year") == {"downtime_minutes": 5256.0, "downtime": "87:36:00"}
    # 10 % of 1440 minutes, and of 10080
    assert tools.calculate_allowed_downtime(90, "day")["downtime_minutes"] == 144.0
    assert tools.calculate_allowed_downtime(90, "week")["downtime_minutes"] == 1008.0
    assert tools.calculate_allowed_downtime(100)["downtime"] == "0:00:00"


@pytest.mark.parametrize("uptime", [89.9, 100.1])
def test_allowed_downtime_refuses(uptime: float) -> None:
    with pytest.raises(ValueError, match="between 90 and 100 percent"):
        tools.calculate_allowed_downtime(uptime)


def test_password_entropy_and_strength() -> None:
    # 10 * log2(26) = 10 * 4.70044 = 47.0 bits, and 2^46.0044 = 7.058e13 guesses at 1e10 a second
    # take 7058 s = 0.000224 years.
    assert tools.calculate_password_entropy(10, "lowercase_letters") == {
        "entropy_bits": 47.0,
        "years_to_guess": 0.000224,
        "strength": "weak",
    }
    # 9 * log2(94) = 9 * 6.55459 = 59.0; 12 * log2(94) = 78.7; 20 * log2(10) = 20 * 3.32193 = 66.4
    assert tools.calculate_password_entropy(9, "letters_digits_and_symbols")["strength"] == "fair"
    assert tools.calculate_password_entropy(12, "letters_digits_and_symbols")["strength"] == "strong"
    assert tools.calculate_password_entropy(20, "digits")["entropy_bits"] == 66.4
    # 15 * log2(10) = 49.8 and 16 * log2(26) = 75.2 are just below 50 and above 75.
    assert tools.calculate_password_entropy(15, "digits")["strength"] == "weak"
    assert tools.calculate_password_entropy(16, "lowercase_letters")["strength"] == "strong"
    # 10^4 / 2 guesses at one a second are 5000 s = 0.0001585 years.
    assert tools.calculate_password_entropy(4, "digits", 1)["years_to_guess"] == 0.000159
    # 6 * log2(52) = 6 * 5.70044 = 34.2; 6 * log2(62) = 6 * 5.95420 = 35.7
    assert tools.calculate_password_entropy(6, "mixed_case_letters")["entropy_bits"] == 34.2
    assert tools.calculate_password_entropy(6, "letters_and_digits")["entropy_bits"] == 35.7


def test_password_entropy_refuses() -> None:
    for length in (0, 65):
        with pytest.raises(ValueError, match="1 to 64 characters"):
            tools.calculate_password_entropy(length, "digits")
    for guesses in (0.5, 2e15):
        with pytest.raises(ValueError, match="guesses per second"):
            tools.calculate_password_entropy(8, "digits", guesses)


@pytest.mark.parametrize(
    ("drives", "level", "usable", "percent", "survived"),
    [
        (4, "RAID 0", 16, 100.0, 0),  # 4 * 4 TB
        (3, "RAID 1", 4, 33.3, 2),  # one drive's worth, two copies
        (4, "RAID 5", 12, 75.0, 1),  # 3 * 4 TB
        (6, "RAID 6", 16, 66.7, 2),  # 4 * 4 TB
        (8, "RAID 10", 16, 50.0, 1),  # half of 32 TB
    ],
)
def test_raid_capacity(drives: int, level: Any, usable: float, percent: float, survived: int) -> None:
    assert tools.calculate_raid_capacity(drives, 4, level) == {
        "usable_tb": usable,
        "usable_percent": percent,
        "failures_survived": survived,
    }


@pytest.mark.parametrize(
    ("drives", "size", "level", "message"),
    [
        (1, 4, "RAID 0", "RAID 0 needs 2 to 24"),
        (1, 4, "RAID 1", "RAID 1 needs 2 to 24"),
        (2, 4, "RAID 5", "RAID 5 needs 3 to 24"),
        (3, 4, "RAID 6", "RAID 6 needs 4 to 24"),
        (2, 4, "RAID 10", "RAID 10 needs 4 to 24"),
        (5, 4, "RAID 10", "even number"),
        (25, 4, "RAID 5", "not 25"),
        (4, 0, "RAID 5", "drive size"),
        (4, 101, "RAID 5", "drive size"),
    ],
)
def test_raid_capacity_refuses(drives: int, size: float, level: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_raid_capacity(drives, size, level)


def test_raid_capacity_with_the_fewest_drives() -> None:
    # (3 - 1) * 2 TB, (4 - 2) * 2 TB and half of 4 * 2 TB
    assert tools.calculate_raid_capacity(3, 2, "RAID 5")["usable_tb"] == 4
    assert tools.calculate_raid_capacity(4, 2, "RAID 6")["usable_tb"] == 4
    assert tools.calculate_raid_capacity(4, 2, "RAID 10")["usable_tb"] == 4


def test_transfer_time_by_unit() -> None:
    # 10 GB are 80000 megabits; at 100 Mbit/s that is 800 s = 13 min 20 s.
    assert tools.estimate_file_transfer_time(10, "GB", 100, 0) == {"seconds": 800.0, "transfer_time": "0:13:20"}
    # With 20 % overhead 80 Mbit/s are left: 1000 s.
    assert tools.estimate_file_transfer_time(10, "GB", 100, 20)["transfer_time"] == "0:16:40"
    # 95 MB are 760 megabits, and 80 Mbit/s less the usual 5 % is 76: 10 s.
    assert tools.estimate_file_transfer_time(95, "MB", 80)["seconds"] == 10.0
    # 1 TB is 8e6 megabits: 8000 s at 1000 Mbit/s, 2 h 13 min 20 s
    assert tools.estimate_file_transfer_time(1, "TB", 1000, 0)["transfer_time"] == "2:13:20"


@pytest.mark.parametrize(
    ("size", "speed", "overhead", "message"),
    [
        (0, 100, 5, "file size"),
        (10_001, 100, 5, "file size"),
        (1, 0, 5, "speed"),
        (1, 100_001, 5, "speed"),
        (1, 100, -1, "overhead"),
        (1, 100, 51, "overhead"),
    ],
)
def test_transfer_time_refuses(size: float, speed: float, overhead: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.estimate_file_transfer_time(size, "GB", speed, overhead)


@pytest.mark.parametrize(
    ("code", "name", "kind", "retry"),
    [
        (100, "Continue", "informational", False),
        (204, "No Content", "success", False),
        (301, "Moved Permanently", "redirection", False),
        (404, "Not Found", "client error", False),
        (429, "Too Many Requests", "client error", True),
        (503, "Service Unavailable", "server error", True),
        (599, "uncommon or unassigned", "server error", False),
    ],
)
def test_http_status(code: int, name: str, kind: str, retry: bool) -> None:
    assert tools.explain_http_status(code) == {
        "status_code": code,
        "name": name,
        "class": kind,
        "retry_may_help": retry,
    }


@pytest.mark.parametrize("code", [99, 600])
def test_http_status_refuses(code: int) -> None:
    with pytest.raises(ValueError, match=f"not {code}"):
        tools.explain_http_status(code)


def test_subnet_size_at_the_powers_of_two() -> None:
    # 2^8 - 2 = 254 devices fit a /24; one more needs the 510 addresses of a /23.
    assert tools.find_subnet_size(254) == {
        "prefix_length": 24,
        "subnet_mask": "255.255.255.0",
        "usable_addresses": 254,
        "spare_addresses": 0,
    }
    assert tools.find_subnet_size(255) == {
        "prefix_length": 23,
        "subnet_mask": "255.255.254.0",
        "usable_addresses": 510,
        "spare_addresses": 255,
    }
    assert tools.find_subnet_size(1)["prefix_length"] == 30
    # 100 devices and 10 % are exactly 110, not 111: 126 - 110 = 16.
    assert tools.find_subnet_size(100, 10)["spare_addresses"] == 16
    # 25 and 30 % are 32.5, so 33: 62 - 33 = 29.
    assert tools.find_subnet_size(25, 30)["spare_addresses"] == 29


def test_subnet_size_refuses() -> None:
    for devices in (0, 1_000_001):
        with pytest.raises(ValueError, match="number of devices"):
            tools.find_subnet_size(devices)
    for growth in (-1, 201):
        with pytest.raises(ValueError, match="growth"):
            tools.find_subnet_size(10, growth)


def test_response_times() -> None:
    # (120 + 85 + 340 + 95 + 610) / 5 = 1250 / 5 = 250; 3 of 5 are within 200 ms;
    # the 95th percentile is value number ceil(4.75) = 5.
    assert tools.summarize_response_times([120, 85, 340, 95, 610]) == {
        "average_ms": 250.0,
        "median_ms": 120,
        "p95_ms": 610,
        "within_target_percent": 60.0,
    }
    # Of the values 1 to 20, the 95th percentile is number 19; of 1 to 21, number ceil(19.95) = 20.
    assert tools.summarize_response_times(list(range(1, 21)))["p95_ms"] == 19
    assert tools.summarize_response_times(list(range(1, 22)))["p95_ms"] == 20
    assert tools.summarize_response_times(list(range(1, 1001)))["p95_ms"] == 950
    # Exactly on target counts: 1 of 2, median (100 + 101) / 2.
    at_target = tools.summarize_response_times([101, 100], 100)
    assert (at_target["median_ms"], at_target["within_target_percent"]) == (100.5, 50.0)


def test_response_times_refuses() -> None:
    with pytest.raises(ValueError, match="At least one"):
        tools.summarize_response_times([])
    for time in (-1, 3_600_001):
        with pytest.raises(ValueError, match="0 to 3600000 ms"):
            tools.summarize_response_times([50, time])
    with pytest.raises(ValueError, match="target"):
        tools.summarize_response_times([50], 0)


def test_cloud_server_costs_dearest_first() -> None:
    groups: list[tools.CloudServer] = [servers(4, 0.05), {"name": "database", "count": 1, "hourly_price": 0.4}]
    # A month of 730 h: 4 * 0.05 * 730 = 146 and 0.4 * 730 = 292
    assert tools.total_cloud_server_costs(groups) == {
        "total_cost": 438.0,
        "servers": [{"name": "database", "cost": 292.0}, {"name": "web", "cost": 146.0}],
    }
    # A day: 4.8 + 9.6
    assert tools.total_cloud_server_costs(groups, 24)["total_cost"] == 14.4


@pytest.mark.parametrize(
    ("count", "price", "hours", "message"),
    [
        (0, 1, 24, "1 to 1000 servers of 'web'"),
        (1001, 1, 24, "1 to 1000 servers of 'web'"),
        (1, -1, 24, "hourly price of 'web'"),
        (1, 101, 24, "hourly price of 'web'"),
        (1, 1, 0, "hours"),
        (1, 1, 8785, "hours"),
    ],
)
def test_cloud_server_costs_refuses(count: int, price: float, hours: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.total_cloud_server_costs([servers(count, price)], hours)


def test_cloud_server_costs_refuses_nothing() -> None:
    with pytest.raises(ValueError, match="At least one server"):
        tools.total_cloud_server_costs([])


def test_results_are_rounded() -> None:
    # 0.001 % of a week of 10080 minutes is 0.1008 minutes, 6.048 s.
    assert tools.calculate_allowed_downtime(99.999, "week") == {"downtime_minutes": 0.1, "downtime": "0:00:06"}
    # 3 * 1.111 TB = 3.333 TB
    assert tools.calculate_raid_capacity(3, 1.111, "RAID 0")["usable_tb"] == 3.33
    # 8 megabits / 3 = 2.667 s
    assert tools.estimate_file_transfer_time(1, "MB", 3, 0) == {"seconds": 2.7, "transfer_time": "0:00:03"}
    # (1.26 + 1.26 + 1.5) / 3 = 1.34, and 2 of 3 are 66.67 %.
    assert tools.summarize_response_times([1.26, 1.26, 1.5], 1.4) == {
        "average_ms": 1.3,
        "median_ms": 1.3,
        "p95_ms": 1.5,
        "within_target_percent": 66.7,
    }
    # 0.333 * 10.01 = 3.33333
    assert tools.total_cloud_server_costs([servers(1, 0.333)], 10.01) == {
        "total_cost": 3.33,
        "servers": [{"name": "web", "cost": 3.33}],
    }


@pytest.mark.parametrize(
    ("tool", "lowest", "highest"),
    [
        (tools.calculate_allowed_downtime, (90,), (100,)),
        (tools.calculate_password_entropy, (1, "digits", 1), (64, "letters_digits_and_symbols", 1e15)),
        (tools.calculate_raid_capacity, (2, 0.5, "RAID 1"), (24, 100, "RAID 10")),
        (tools.estimate_file_transfer_time, (0.5, "MB", 0.5, 0), (10_000, "TB", 100_000, 50)),
        (tools.explain_http_status, (100,), (599,)),
        (tools.find_subnet_size, (1, 0), (1_000_000, 200)),
        (tools.summarize_response_times, ([0], 0.5), ([3_600_000], 1e9)),
        (tools.total_cloud_server_costs, ([servers(1, 0)], 0.5), ([servers(1000, 100)], 8784)),
    ],
)
def test_the_limits_belong_to_the_range(tool: Callable[..., Any], lowest: Arguments, highest: Arguments) -> None:
    for limits in (lowest, highest):
        tool(*limits)
