"""The controls of one house: lamps, outlets, heaters, locks, scenes, door codes and the mode of the house."""

from datetime import timedelta
from random import Random
from typing import Annotated, Any, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from data_pipeline.tools.stateful.common import look_up, parse_day, require
from data_pipeline.tools.stateful.state import reads, writes
from data_pipeline.tools.stateful.worlds.smart_home import (
    DeviceKind,
    DoorCode,
    Heater,
    Lamp,
    Lock,
    Mode,
    Outlet,
    Percent,
    Room,
    Scene,
    Step,
)
from data_pipeline.tools.stateful.worlds.smart_home import State as State
from data_pipeline.tools.stateful.worlds.smart_home import initial_state as initial_state

__all__ = [
    "dim_lamp",
    "grant_door_code",
    "list_devices",
    "list_door_codes",
    "list_scenes",
    "operate_lock",
    "revoke_door_code",
    "run_scene",
    "save_scene",
    "set_house_mode",
    "set_room_temperature",
    "switch_outlet",
]

POLICY = """Controls of Alder Cottage. The tools refuse what is [enforced]; the rest is yours to keep.
1. [yours] Ask before you unlock a door or grant a code, and say which door.
2. [yours] If a rule stands in the way, say which, and do not look for a way around it.
3. [enforced] Outlets that are on draw at most 3600 watts together.
4. [enforced] A supervised outlet is switched on only in home mode, and never by a scene.
5. [enforced] In night mode no lamp is brighter than 40 percent.
6. [enforced] In away mode no door is unlocked and no heater is set above 17 degrees.
7. [enforced] Heaters are set between 12 and 26 degrees, in half degrees.
8. [enforced] Away mode locks every door, and turns off the lamps and the supervised outlets, and heaters down to 17.
9. [enforced] Night mode locks every door, dims the lamps to 40 percent and turns off the supervised outlets.
10. [enforced] A scene has one to eight steps, each for another lamp or outlet, and runs whole or not at all.
11. [enforced] A door code is valid for at most 14 days, and at most four are valid at a time.
12. [enforced] The digits of a code are shown once, when it is granted."""

LampId = Annotated[str, Field(examples=["L1", "L4"])]
OutletId = Annotated[str, Field(examples=["E3", "E5"])]
LockId = Annotated[str, Field(examples=["D1", "D2"])]
LockIds = Annotated[list[str], Field(min_length=1, examples=[["D1"]])]
SceneId = Annotated[str, Field(examples=["N61"])]
CodeId = Annotated[str, Field(examples=["C31"])]
Label = Annotated[str, Field(min_length=2, max_length=40, examples=["Dog sitter"])]
Date = Annotated[str, Field(examples=["2026-11-27"])]
Celsius = Annotated[float, Field(ge=12, le=26, examples=[19.5])]

_MAX_WATTS, _NIGHT_PERCENT, _AWAY_CELSIUS, _CODE_DAYS, _MAX_CODES, _MAX_STEPS = 3600, 40, 17.0, 14, 4, 8
_D = TypeVar("_D", Lamp, Outlet, Heater, Lock)


class SceneStep(TypedDict):
    """What a scene does to one device."""

    device_id: Annotated[str, Field(description="Id of a lamp or an outlet", examples=["L5"])]
    level: Annotated[int, Field(ge=0, le=100, description="Brightness in percent; for an outlet 100 is on, 0 off")]


def _device(state: State, device_id: str, kind: type[_D]) -> _D:
    device = look_up(state.devices, device_id, "device", "list_devices")
    if not isinstance(device, kind):
        raise ValueError(f"Device {device_id} is of kind {device.kind}, not {kind.__name__.lower()}.")
    return device


def _set_lamp(state: State, device_id: str, brightness: int) -> None:
    lamp, dark = _device(state, device_id, Lamp), state.mode == "night"
    require(not dark or brightness <= _NIGHT_PERCENT, f"At night lamps go up to {_NIGHT_PERCENT} percent.")
    lamp.brightness = brightness


def _set_outlet(state: State, device_id: str, on: bool) -> None:
    outlet = _device(state, device_id, Outlet)
    watched = not (on and outlet.supervised) or state.mode == "home"
    require(watched, f"The {outlet.name} is switched on only while the house is in home mode.")
    outlet.on = on


def _require_watts(state: State) -> None:
    drawn = sum(item.watts for item in state.devices.values() if isinstance(item, Outlet) and item.on)
    require(drawn <= _MAX_WATTS, f"The outlets would draw {drawn} watts, over the {_MAX_WATTS} allowed.")


@writes
def dim_lamp(state: State, device_id: LampId, brightness: Percent) -> dict[str, Any]:
    """Set the brightness of a lamp.

    Args:
        device_id: Id of the lamp
        brightness: Brightness in percent, 0 to switch it off

    Returns:
        The lamp as it is now.

    Raises:
        ValueError: If there is no such lamp or it would be too bright for the night.
    """
    _set_lamp(state, device_id, brightness)
    return {"device_id": device_id, **state.devices[device_id].model_dump()}


@writes
def grant_door_code(state: State, label: Label, lock_ids: LockIds, valid_until: Date) -> dict[str, Any]:
    """Grant somebody a code that opens doors for some days.

    Args:
        label: Name of the person
        lock_ids: Ids of the locks that it opens
        valid_until: Last day as YYYY-MM-DD

    Returns:
        The id and the digits of the code.

    Raises:
        ValueError: If a lock is unknown, the day is past or too far, or four codes are valid.
    """
    require(bool(lock_ids), "Name at least one lock.")
    for lock_id in lock_ids:
        _device(state, lock_id, Lock)
    today, last = parse_day(state.today), parse_day(valid_until)
    fits = today <= last <= today + timedelta(days=_CODE_DAYS)
    require(fits, f"A code is valid until a day from {state.today} on, at most {_CODE_DAYS} days ahead.")
    valid = [code for code in state.door_codes.values() if code.valid_until >= state.today]
    require(len(valid) < _MAX_CODES, f"{_MAX_CODES} codes are valid; revoke one first.")
    code_id, state.next_code = f"C{state.next_code}", state.next_code + 1
    digits = f"{Random(code_id).randrange(1_000_000):06d}"
    code = DoorCode(label=label, digits=digits, lock_ids=lock_ids, valid_until=valid_until)
    state.door_codes[code_id] = code
    return {"code_id": code_id, **code.model_dump()}


@reads
def list_devices(state: State, room: Room | None = None, kind: DeviceKind | None = None) -> dict[str, Any]:
    """List the devices of the house and how they are set.

    Args:
        room: Room to list, every room unless given
        kind: Kind of device, every kind unless given

    Returns:
        The mode of the house and the devices by id.
    """
    devices = {
        device_id: device.model_dump()
        for device_id, device in sorted(state.devices.items())
        if room in (None, device.room) and kind in (None, device.kind)
    }
    return {"mode": state.mode, "devices": devices}


@reads
def list_door_codes(state: State) -> list[dict[str, Any]]:
    """List the door codes without their digits.

    Returns:
        The codes, and whether each is still valid.
    """
    return [
        {"code_id": code_id, **code.model_dump(exclude={"digits"}), "valid": code.valid_until >= state.today}
        for code_id, code in sorted(state.door_codes.items())
    ]


@reads
def list_scenes(state: State) -> dict[str, Any]:
    """List the scenes and what they do.

    Returns:
        The scenes by id.
    """
    return {scene_id: scene.model_dump() for scene_id, scene in sorted(state.scenes.items())}


@writes
def operate_lock(state: State, device_id: LockId, locked: bool) -> dict[str, Any]:
    """Lock or unlock a door.

    Args:
        device_id: Id of the lock
        locked: Whether to lock the door, false to unlock it

    Returns:
        The lock as it is now.

    Raises:
        ValueError: If there is no such lock, or it would be unlocked in away mode.
    """
    lock = _device(state, device_id, Lock)
    require(locked or state.mode != "away", "No door is unlocked in away mode.")
    lock.locked = locked
    return {"device_id": device_id, **lock.model_dump()}


@writes
def revoke_door_code(state: State, code_id: CodeId) -> dict[str, Any]:
    """Revoke a door code, so that it opens nothing.

    Args:
        code_id: Id of the code

    Returns:
        The id and the label of the code.

    Raises:
        ValueError: If there is no such code.
    """
    code = look_up(state.door_codes, code_id, "door code", "list_door_codes")
    del state.door_codes[code_id]
    return {"code_id": code_id, "label": code.label}


@writes
def run_scene(state: State, scene_id: SceneId) -> dict[str, Any]:
    """Run a scene.

    Args:
        scene_id: Id of the scene

    Returns:
        The devices of the scene as they are now, by id.

    Raises:
        ValueError: If there is no such scene or a step is not allowed now; then no step is made.
    """
    scene = look_up(state.scenes, scene_id, "scene", "list_scenes")
    for step in scene.steps:
        if isinstance(state.devices[step.device_id], Lamp):
            _set_lamp(state, step.device_id, step.level)
        else:
            _set_outlet(state, step.device_id, step.level > 0)
    _require_watts(state)
    return {step.device_id: state.devices[step.device_id].model_dump() for step in scene.steps}


@writes
def save_scene(state: State, name: Label, steps: list[SceneStep]) -> dict[str, Any]:
    """Save a new scene.

    Args:
        name: Name of the scene
        steps: Steps of the scene

    Returns:
        The id of the scene.

    Raises:
        ValueError: If the name is taken, there are too many steps, or a step is not for a scene.
    """
    taken = any(scene.name.casefold() == name.casefold() for scene in state.scenes.values())
    require(not taken, f"There is a scene '{name}' already.")
    require(1 <= len(steps) <= _MAX_STEPS, f"A scene has 1 to {_MAX_STEPS} steps.")
    require(len({step["device_id"] for step in steps}) == len(steps), "A scene has one step for each device.")
    for step in steps:
        device = look_up(state.devices, step["device_id"], "device", "list_devices")
        require(isinstance(device, (Lamp, Outlet)), f"The {device.name} cannot be in a scene.")
        alone = isinstance(device, Outlet) and device.supervised
        require(not alone, f"The {device.name} is supervised and cannot be in a scene.")
        require(isinstance(device, Lamp) or step["level"] in (0, 100), f"The level of the {device.name} is 0 or 100.")
    scene_id, state.next_scene = f"N{state.next_scene}", state.next_scene + 1
    state.scenes[scene_id] = Scene(name=name, steps=[Step(**step) for step in steps])
    return {"scene_id": scene_id, "name": name}


@writes
def set_house_mode(state: State, mode: Mode) -> dict[str, Any]:
    """Set the mode of the house, with what that locks, dims and turns off.

    Args:
        mode: Mode from now on

    Returns:
        The mode and the ids of the devices that changed.

    Raises:
        ValueError: If the house is in that mode.
    """
    require(state.mode != mode, f"The house is in {mode} mode already.")
    before, state.mode = state.model_copy(deep=True).devices, mode
    for device in state.devices.values() if mode != "home" else ():
        if isinstance(device, Lamp):
            device.brightness = 0 if mode == "away" else min(device.brightness, _NIGHT_PERCENT)
        elif isinstance(device, Outlet):
            device.on = device.on and not device.supervised
        elif isinstance(device, Lock):
            device.locked = True
        elif mode == "away":
            device.target = min(device.target, _AWAY_CELSIUS)
    return {"mode": mode, "changed": sorted(key for key, device in before.items() if device != state.devices[key])}


@writes
def set_room_temperature(state: State, room: Room, celsius: Celsius) -> dict[str, Any]:
    """Set the temperature that the heater of a room keeps.

    Args:
        room: Room to heat
        celsius: Temperature in degrees Celsius, in half degrees

    Returns:
        The heater as it is now.

    Raises:
        ValueError: If the room has no heater, or the temperature is not allowed.
    """
    heaters = {item.room: key for key, item in state.devices.items() if isinstance(item, Heater)}
    require(room in heaters, f"The {room} has no heater.")
    require(12 <= celsius <= 26 and celsius * 2 % 1 == 0, "Heaters are set to 12 to 26 degrees, in half degrees.")
    require(state.mode != "away" or celsius <= _AWAY_CELSIUS, "In away mode heaters are set to 17 degrees at most.")
    heater = _device(state, heaters[room], Heater)
    heater.target = celsius
    return {"device_id": heaters[room], **heater.model_dump()}


@writes
def switch_outlet(state: State, device_id: OutletId, on: bool) -> dict[str, Any]:
    """Switch an outlet on or off.

    Args:
        device_id: Id of the outlet
        on: Whether to switch it on

    Returns:
        The outlet as it is now.

    Raises:
        ValueError: If there is no such outlet, nobody is near, or the outlets would draw too much.
    """
    _set_outlet(state, device_id, on)
    _require_watts(state)
    return {"device_id": device_id, **state.devices[device_id].model_dump()}
