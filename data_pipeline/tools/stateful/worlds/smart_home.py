"""The world of one house: lamps, outlets, heaters, locks, scenes and door codes."""

from random import Random
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import Day
from data_pipeline.tools.stateful.state import DomainState, Record

Room = Literal["bedroom", "hall", "kitchen", "living_room", "study"]
Mode = Literal["away", "home", "night"]
DeviceKind = Literal["heater", "lamp", "lock", "outlet"]
Percent = Annotated[int, Field(ge=0, le=100)]

_LAMPS: tuple[tuple[Room, str], ...] = (
    ("bedroom", "bedside lamp"),
    ("hall", "hall light"),
    ("kitchen", "counter lights"),
    ("living_room", "floor lamp"),
    ("living_room", "ceiling light"),
    ("study", "desk lamp"),
)
_OUTLETS: tuple[tuple[Room, str, int, bool], ...] = (
    ("kitchen", "kettle", 2000, True),
    ("bedroom", "flat iron", 2200, True),
    ("living_room", "television", 150, False),
    ("study", "fan heater", 1500, True),
    ("study", "printer", 300, False),
    ("kitchen", "dishwasher", 1800, False),
)
_HEATED: tuple[Room, ...] = ("bedroom", "kitchen", "living_room", "study")
_DOORS: tuple[tuple[Room, str], ...] = (("hall", "front door"), ("kitchen", "garden door"), ("study", "terrace door"))


class Lamp(Record):
    """A lamp, off at brightness 0."""

    kind: Literal["lamp"] = "lamp"
    name: str
    room: Room
    brightness: Percent = 0


class Outlet(Record):
    """A switched outlet and what it draws; a `supervised` one needs somebody near."""

    kind: Literal["outlet"] = "outlet"
    name: str
    room: Room
    watts: Annotated[int, Field(ge=0)]
    supervised: bool
    on: bool = False


class Heater(Record):
    """The heater of a room, in degrees Celsius."""

    kind: Literal["heater"] = "heater"
    name: str
    room: Room
    target: Annotated[float, Field(ge=12, le=26)]
    measured: float


class Lock(Record):
    """The lock of a door."""

    kind: Literal["lock"] = "lock"
    name: str
    room: Room
    locked: bool = True


class Step(Record):
    """What a scene sets one device to."""

    device_id: str
    level: Percent


class Scene(Record):
    """Settings that are made together."""

    name: str
    steps: list[Step]


class DoorCode(Record):
    """Digits that open locks until the end of a day."""

    label: str
    digits: Annotated[str, Field(pattern=r"^\d{6}$")]
    lock_ids: list[str]
    valid_until: Day


class State(DomainState):
    """The house as it is now."""

    today: Day
    mode: Mode
    devices: dict[str, Annotated[Lamp | Outlet | Heater | Lock, Field(discriminator="kind")]]
    scenes: dict[str, Scene]
    door_codes: dict[str, DoorCode]
    next_scene: int = 63
    next_code: int = 33


def initial_state(seed: int) -> State:
    """A house with nineteen devices, somebody in it, two scenes and two door codes, one of them over.

    Args:
        seed: what the world is drawn from.

    Returns:
        The world, the same for the same seed.
    """
    rng = Random(seed)
    state = State(today="2026-11-20", mode=rng.choice(["home", "home", "night"]), devices={}, scenes={}, door_codes={})
    brightest = 40 if state.mode == "night" else 100
    for number, (room, name) in enumerate(_LAMPS):
        brightness = rng.choice([0, 0, rng.randrange(10, brightest + 1, 10)])
        state.devices[f"L{1 + number}"] = Lamp(name=name, room=room, brightness=brightness)
    for number, (room, name, watts, supervised) in enumerate(_OUTLETS):
        on = not supervised and rng.random() < 0.5
        state.devices[f"E{1 + number}"] = Outlet(name=name, room=room, watts=watts, supervised=supervised, on=on)
    for number, room in enumerate(_HEATED):
        target, measured = rng.randrange(32, 44) / 2, rng.randrange(150, 225) / 10
        name = f"{room} heater".replace("_", " ")
        state.devices[f"H{1 + number}"] = Heater(name=name, room=room, target=target, measured=measured)
    for number, (room, name) in enumerate(_DOORS):
        locked = state.mode == "night" or rng.random() < 0.6
        state.devices[f"D{1 + number}"] = Lock(name=name, room=room, locked=locked)
    reading = [Step(device_id="L4", level=rng.randrange(50, 100, 10)), Step(device_id="L5", level=0)]
    film = [Step(device_id="L4", level=rng.randrange(10, 40, 10)), Step(device_id="E3", level=100)]
    state.scenes = {"N61": Scene(name="Reading", steps=reading), "N62": Scene(name="Film", steps=film)}
    for number, (label, until) in enumerate((("Neighbour", "2026-11-28"), ("Plumber", "2026-11-17"))):
        digits = "".join(rng.choices("0123456789", k=6))
        state.door_codes[f"C{31 + number}"] = DoorCode(label=label, digits=digits, lock_ids=["D1"], valid_until=until)
    return state
