"""Technology: networks, storage, passwords, uptime and the cost of servers."""

import ipaddress
import math
import statistics
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_allowed_downtime",
    "calculate_password_entropy",
    "calculate_raid_capacity",
    "estimate_file_transfer_time",
    "explain_http_status",
    "find_subnet_size",
    "summarize_response_times",
    "total_cloud_server_costs",
]

_PERIOD_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_CHARACTERS = {
    "digits": 10,
    "lowercase_letters": 26,
    "mixed_case_letters": 52,
    "letters_and_digits": 62,
    "letters_digits_and_symbols": 94,
}
_BYTES = {"MB": 1e6, "GB": 1e9, "TB": 1e12}
_FEWEST_DRIVES = {"RAID 0": 2, "RAID 1": 2, "RAID 5": 3, "RAID 6": 4, "RAID 10": 4}
_HTTP_CLASSES = ("informational", "success", "redirection", "client error", "server error")
_HTTP_NAMES = {
    100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content",
    206: "Partial Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
    415: "Unsupported Media Type", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip
_HTTP_PASSING = (408, 429, 500, 502, 503, 504)


class CloudServer(TypedDict):
    """A group of equal cloud servers."""

    name: Annotated[str, Field(description="Name of the servers", examples=["web", "database", "cache", "worker"])]
    count: Annotated[int, Field(ge=1, le=1000, description="Number of such servers")]
    hourly_price: Annotated[
        float, Field(ge=0, le=100, description="Price of one server for an hour", examples=[0.05, 0.12, 0.4, 1.25])
    ]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def calculate_allowed_downtime(
    uptime_percent: Annotated[float, Field(ge=90, le=100, examples=[99, 99.5, 99.9, 99.95, 99.99])],
    period: Literal["day", "week", "month", "year"] = "month",
) -> dict[str, float | str]:
    """Calculate how much downtime a service may have under an uptime guarantee.

    Queries:
        How long may a service be down[ in a {period}] if it guarantees {uptime_percent} uptime?
        Our hosting company promises {uptime_percent} availability. How much outage does that leave them[ per {period}]?
        Turn an uptime guarantee of {uptime_percent} into the downtime it permits[ each {period}].
        I'm signing a contract for {uptime_percent} uptime and wonder how long they may be offline[ over a {period}].

    Args:
        uptime_percent: Uptime guaranteed in percent
        period: Period in which the downtime is counted, a month being 30 days

    Returns:
        The downtime allowed in minutes and as H:MM:SS.

    Raises:
        ValueError: If the uptime is not between 90 and 100 percent.
    """
    _require(90 <= uptime_percent <= 100, "The uptime must be between 90 and 100 percent.")
    minutes = _PERIOD_DAYS[period] * 1440 * (100 - uptime_percent) / 100
    return {"downtime_minutes": round(minutes, 2), "downtime": _clock(60 * minutes)}


def calculate_password_entropy(
    password_length: Annotated[int, Field(ge=1, le=64)],
    character_set: Literal[
        "digits", "lowercase_letters", "mixed_case_letters", "letters_and_digits", "letters_digits_and_symbols"
    ],
    guesses_per_second: Annotated[float, Field(ge=1, le=1e15, examples=[1000, 1_000_000, 10_000_000_000])] = 1e10,
) -> dict[str, float | str]:
    """Calculate the entropy of a random password and the time it takes to guess.

    Queries:
        How safe is a random password of length {password_length} made of {character_set}[ against {guesses_per_second} guesses a second]?
        I draw my passwords at random from {character_set}, each {password_length} characters long. How many years until one is cracked[ at {guesses_per_second} tries a second]?
        Work out the entropy of a password that has a length of {password_length} and is drawn at random from {character_set}.
        I'd like to know how strong a random password of {character_set} is if its length is {password_length}[ and an attacker makes {guesses_per_second} guesses a second].

    Args:
        password_length: Number of characters in the password
        character_set: Characters the password is drawn from
        guesses_per_second: Guesses an attacker can make per second

    Returns:
        The entropy in bits, the average years to guess the password and its strength.

    Raises:
        ValueError: If the length is not 1 to 64 or the guesses are out of range.
    """
    _require(1 <= password_length <= 64, "The password must have 1 to 64 characters.")
    _require(1 <= guesses_per_second <= 1e15, "The guesses per second must be between 1 and 1e15.")
    bits = password_length * math.log2(_CHARACTERS[character_set])
    years = 2 ** (bits - 1) / guesses_per_second / (365 * 86400)  # half of the passwords on average
    strength = "weak" if bits < 50 else "fair" if bits < 75 else "strong"
    return {"entropy_bits": round(bits, 1), "years_to_guess": float(f"{years:.3g}"), "strength": strength}


def calculate_raid_capacity(
    drives: Annotated[int, Field(ge=2, le=24, examples=[4, 6, 8, 12])],
    terabytes_per_drive: Annotated[float, Field(gt=0, le=100, examples=[2, 4, 8, 12, 16])],
    raid_level: Literal["RAID 0", "RAID 1", "RAID 5", "RAID 6", "RAID 10"],
) -> dict[str, float | int]:
    """Calculate the usable capacity of a RAID array of equal drives.

    Queries:
        How much space can I use with {drives} drives of {terabytes_per_drive#} TB each in {raid_level}?
        I'm building a {raid_level} box from {drives} disks of {terabytes_per_drive#} TB apiece. How much can I store?
        Work out the usable storage in {raid_level} if each disk holds {terabytes_per_drive#} TB and there are {drives} of them.
        If I choose {raid_level} for {drives} disks holding {terabytes_per_drive#} TB each, how much is left for data?

    Args:
        drives: Number of drives in the array
        terabytes_per_drive: Size of each drive in terabytes
        raid_level: Way the data is spread over the drives

    Returns:
        The usable terabytes, the share of all space they are and the drive failures survived.

    Raises:
        ValueError: If the level needs more drives or an even number, or the size is out of range.
    """
    fewest = _FEWEST_DRIVES[raid_level]
    _require(fewest <= drives <= 24, f"{raid_level} needs {fewest} to 24 drives, not {drives}.")
    _require(raid_level != "RAID 10" or drives % 2 == 0, f"RAID 10 needs an even number of drives, not {drives}.")
    _require(0 < terabytes_per_drive <= 100, "The drive size must be above 0 and at most 100 terabytes.")
    # RAID 0 has no redundancy; RAID 10 survives one failure for sure, more if they hit other pairs.
    redundant = {"RAID 0": 0, "RAID 1": drives - 1, "RAID 5": 1, "RAID 6": 2, "RAID 10": drives // 2}[raid_level]
    return {
        "usable_tb": round((drives - redundant) * terabytes_per_drive, 2),
        "usable_percent": round(100 * (drives - redundant) / drives, 1),
        "failures_survived": 1 if raid_level == "RAID 10" else redundant,
    }


def estimate_file_transfer_time(
    file_size: Annotated[float, Field(gt=0, le=10_000)],
    size_unit: Literal["MB", "GB", "TB"],
    megabits_per_second: Annotated[float, Field(gt=0, le=100_000, examples=[16, 50, 100, 250, 1000])],
    overhead_percent: Annotated[float, Field(ge=0, le=50)] = 5.0,
) -> dict[str, float | str]:
    """Estimate the time a file takes to download or upload.

    Queries:
        How long does a download of {file_size#} {size_unit} take at {megabits_per_second#} Mbps[ with a network overhead of {overhead_percent}]?
        I'm sending {file_size#} {size_unit} over a connection of {megabits_per_second#} Mbps[ that loses {overhead_percent} to overhead]. How long will it take?
        Estimate how long it takes to transfer {file_size#} {size_unit} at {megabits_per_second#} Mbps[, allowing for {overhead_percent} overhead].
        My internet runs at {megabits_per_second#} Mbps. How soon would a game of {file_size#} {size_unit} be downloaded?

    Args:
        file_size: Size of the file
        size_unit: Unit of the file size
        megabits_per_second: Speed of the connection in megabits per second
        overhead_percent: Share of the speed that the network itself takes, in percent

    Returns:
        The time in seconds and as H:MM:SS.

    Raises:
        ValueError: If the size, the speed or the overhead is out of range.
    """
    _require(0 < file_size <= 10_000, "The file size must be above 0 and at most 10000.")
    _require(0 < megabits_per_second <= 100_000, "The speed must be above 0 and at most 100000 megabits per second.")
    _require(0 <= overhead_percent <= 50, "The overhead must be between 0 and 50 percent.")
    seconds = 8 * file_size * _BYTES[size_unit] / (megabits_per_second * 1e6 * (1 - overhead_percent / 100))
    return {"seconds": round(seconds, 1), "transfer_time": _clock(seconds)}


def explain_http_status(
    status_code: Annotated[int, Field(ge=100, le=599, examples=[204, 301, 403, 404, 429, 500, 503])],
) -> dict[str, int | str | bool]:
    """Explain what an HTTP status code of a web server means.

    Queries:
        What does HTTP {status_code#} mean?
        I called a web server and it answered with {status_code#}. Is it worth trying again later?
        Explain the web response code {status_code#}.
        Our server log is full of {status_code#} responses and I don't know what they stand for.

    Args:
        status_code: HTTP status code

    Returns:
        The name of the code, its class and whether trying again later may help.

    Raises:
        ValueError: If the code is not between 100 and 599.
    """
    _require(100 <= status_code <= 599, f"An HTTP status code is between 100 and 599, not {status_code}.")
    return {
        "status_code": status_code,
        "name": _HTTP_NAMES.get(status_code, "uncommon or unassigned"),
        "class": _HTTP_CLASSES[status_code // 100 - 1],
        "retry_may_help": status_code in _HTTP_PASSING,
    }


def find_subnet_size(
    devices: Annotated[int, Field(ge=1, le=1_000_000)],
    growth_percent: Annotated[float, Field(ge=0, le=200)] = 0.0,
) -> dict[str, int | str]:
    """Find the smallest IPv4 subnet with an address for every device.

    Queries:
        What's the smallest IPv4 subnet for {devices} devices[ with {growth_percent} room for growth]?
        I'm planning a network for {devices} machines[ and want {growth_percent} extra for later]. Which subnet mask fits?
        Size a subnet that has an address for each of {devices} hosts[, leaving {growth_percent} room to grow].
        There are {devices} gadgets on our LAN[, and it should be able to grow by {growth_percent}]. How small can the address range be?

    Args:
        devices: Devices to connect
        growth_percent: Growth to leave room for, in percent

    Returns:
        The prefix length, the subnet mask, the usable addresses and how many are left over.

    Raises:
        ValueError: If the number of devices or the growth is out of range.
    """
    _require(1 <= devices <= 1_000_000, "The number of devices must be between 1 and 1000000.")
    _require(0 <= growth_percent <= 200, "The growth must be between 0 and 200 percent.")
    needed = math.ceil(round(devices * (100 + growth_percent) / 100, 6))
    host_bits = (needed + 1).bit_length()  # the first and the last address are not for devices
    usable = 2**host_bits - 2
    return {
        "prefix_length": 32 - host_bits,
        "subnet_mask": str(ipaddress.IPv4Network((0, 32 - host_bits)).netmask),
        "usable_addresses": usable,
        "spare_addresses": usable - needed,
    }


def summarize_response_times(
    times_in_milliseconds: Annotated[
        list[Annotated[float, Field(ge=0, le=3_600_000)]],
        Field(min_length=1, examples=[[120, 85, 340, 95, 610], [48, 52, 50]]),
    ],
    target_in_milliseconds: Annotated[float, Field(gt=0, examples=[100, 200, 500])] = 200.0,
) -> dict[str, float]:
    """Summarize the response times of a website or service.

    Queries:
        What are the average and median of these response times: {times_in_milliseconds}
        Our site felt slow. How do these load times look[ against our goal of {target_in_milliseconds#} ms]: {times_in_milliseconds}
        Summarize our API's response times[, with up to {target_in_milliseconds#} ms being acceptable]: {times_in_milliseconds}
        I timed how quickly our server answers and want to know what's typical and what the slow end looks like: {times_in_milliseconds}

    Args:
        times_in_milliseconds: Response times in milliseconds
        target_in_milliseconds: Longest response time that is acceptable, in milliseconds

    Returns:
        The average, the median, the 95th percentile and the percentage within the target.

    Raises:
        ValueError: If there is no time, a time is out of range or the target is not positive.
    """
    _require(bool(times_in_milliseconds), "At least one response time is needed.")
    _require(all(0 <= time <= 3_600_000 for time in times_in_milliseconds), "Response times must be 0 to 3600000 ms.")
    _require(target_in_milliseconds > 0, "The target must be greater than zero.")
    ordered, count = sorted(times_in_milliseconds), len(times_in_milliseconds)
    return {
        "average_ms": round(statistics.fmean(ordered), 1),
        "median_ms": round(statistics.median(ordered), 1),
        "p95_ms": ordered[-(-95 * count // 100) - 1],  # nearest rank
        "within_target_percent": round(100 * sum(time <= target_in_milliseconds for time in ordered) / count, 1),
    }


def total_cloud_server_costs(
    servers: list[CloudServer], hours: Annotated[float, Field(gt=0, le=8784, examples=[24, 168, 730])] = 730.0
) -> dict[str, float | list[dict[str, str | float]]]:
    """Add up the cost of running a set of cloud servers.

    Queries:
        What would it cost to run these servers[ for {hours}]: {servers}
        I'm budgeting for our move to the cloud. What does this come to in total[ over {hours}]? Machines: {servers}
        Add up the bill for these cloud machines[, each running for {hours}]: {servers}
        Which part of our setup is the dearest, and what do we pay altogether? We rent: {servers}

    Args:
        servers: Servers with their number and hourly price
        hours: Hours that the servers run, a month by default

    Returns:
        The total cost and the cost of each group of servers, dearest first.

    Raises:
        ValueError: If there is no server, or a number, a price or the hours are out of range.
    """
    _require(bool(servers), "At least one server is needed.")
    _require(0 < hours <= 8784, "The hours must be above 0 and at most 8784, which is a leap year.")
    for server in servers:
        _require(1 <= server["count"] <= 1000, f"There must be 1 to 1000 servers of {server['name']!r}.")
        _require(0 <= server["hourly_price"] <= 100, f"The hourly price of {server['name']!r} must be 0 to 100.")
    costs = [(server["count"] * server["hourly_price"] * hours, server["name"]) for server in servers]
    ordered = sorted(costs, key=lambda entry: -entry[0])
    return {
        "total_cost": round(sum(cost for cost, _ in costs), 2),
        "servers": [{"name": name, "cost": round(cost, 2)} for cost, name in ordered],
    }
