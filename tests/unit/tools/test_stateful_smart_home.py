"""What the tools of the house do to its state, and what they refuse."""

from __future__ import annotations

import re
from typing import Any

import pytest

from data_pipeline.tools.stateful import smart_home as home
from data_pipeline.tools.stateful.state import diff
from data_pipeline.tools.stateful.worlds.smart_home import DoorCode, Heater, Lamp, Lock, Outlet, Scene, Step


def code(label: str, valid_until: str) -> DoorCode:
    return DoorCode(label=label, digits="123456", lock_ids=["D1"], valid_until=valid_until)


def world(mode: Any = "home") -> home.State:
    """Today is 20 November; the outlets that are on draw 1900 watts."""
    return home.State(
        today="2026-11-20",
        mode=mode,
        devices={
            "L1": Lamp(name="desk lamp", room="study", brightness=30),
            "L2": Lamp(name="hall light", room="hall", brightness=80),
            "E1": Outlet(name="printer", room="study", watts=300, supervised=False, on=True),
            "E2": Outlet(name="kettle", room="kitchen", watts=1700, supervised=True),
            "E3": Outlet(name="flat iron", room="bedroom", watts=1600, supervised=True, on=True),
            "E4": Outlet(name="pump", room="hall", watts=1701, supervised=False),
            "H1": Heater(name="study heater", room="study", target=21, measured=19.5),
            "H2": Heater(name="bedroom heater", room="bedroom", target=16, measured=16),
            "D1": Lock(name="front door", room="hall", locked=False),
            "D2": Lock(name="garden door", room="kitchen"),
        },
        scenes={
            "N1": Scene(name="Bright", steps=[Step(device_id="L1", level=90), Step(device_id="E1", level=0)]),
            "N2": Scene(name="Flood", steps=[Step(device_id="E4", level=100)]),
            "N3": Scene(name="Swap", steps=[Step(device_id="E4", level=100), Step(device_id="E1", level=0)]),
        },
        door_codes={"C1": code("Neighbour", "2026-11-20"), "C2": code("Plumber", "2026-11-19")},
    )


def effects(state: home.State, mode: Any = "home") -> list[str]:
    return [str(change) for change in diff(world(mode), state)]


def test_a_lamp_is_dimmed() -> None:
    state = world()
    assert home.dim_lamp(state, "L2", 100)["brightness"] == 100
    assert effects(state) == ["changed devices.L2.brightness: 80 -> 100"]
    state = world("night")
    assert home.dim_lamp(state, "L2", 40)["brightness"] == 40


def test_a_lamp_is_refused() -> None:
    with pytest.raises(ValueError, match="At night lamps go up to 40 percent"):
        home.dim_lamp(world("night"), "L1", 41)
    with pytest.raises(ValueError, match="Device E1 is of kind outlet, not lamp"):
        home.dim_lamp(world(), "E1", 40)
    with pytest.raises(ValueError, match="no device 'L9'; use list_devices"):
        home.dim_lamp(world(), "L9", 40)


@pytest.mark.parametrize("valid_until", ["2026-11-20", "2026-12-04"])
def test_a_code_is_granted(valid_until: str) -> None:
    state = world()
    granted = home.grant_door_code(state, "Dog sitter", ["D1", "D2"], valid_until)
    assert granted["code_id"] == "C33"
    assert re.fullmatch("[0-9]{6}", granted["digits"])
    digits = granted["digits"]
    assert effects(state) == [
        f'added door_codes.C33: {{"label": "Dog sitter", "digits": "{digits}", "lock_ids": ["D1", "D2"], '
        f'"valid_until": "{valid_until}"}}',
        "changed next_code: 33 -> 34",
    ]
    again = home.grant_door_code(state, "Cleaner", ["D1"], valid_until)
    assert again["digits"] != digits
    assert home.grant_door_code(world(), "Dog sitter", ["D1"], valid_until)["digits"] == digits


@pytest.mark.parametrize(
    ("lock_ids", "valid_until", "message"),
    [
        ([], "2026-11-21", "at least one lock"),
        (["D9"], "2026-11-21", "no device 'D9'"),
        (["L1"], "2026-11-21", "Device L1 is of kind lamp, not lock"),
        (["D1"], "2026-11-19", "from 2026-11-20 on, at most 14 days ahead"),
        (["D1"], "2026-12-05", "at most 14 days ahead"),
        (["D1"], "Friday", "not a date"),
    ],
)
def test_a_code_is_refused(lock_ids: list[str], valid_until: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        home.grant_door_code(state, "Cleaner", lock_ids, valid_until)
    assert effects(state) == []


def test_four_codes_are_valid_at_most() -> None:
    state = world()
    for number in range(3):
        home.grant_door_code(state, f"Guest {number}", ["D1"], "2026-11-25")
    with pytest.raises(ValueError, match="4 codes are valid; revoke one first"):
        home.grant_door_code(state, "Guest 3", ["D1"], "2026-11-25")
    home.revoke_door_code(state, "C1")
    assert home.grant_door_code(state, "Guest 3", ["D1"], "2026-11-25")["code_id"] == "C36"


def test_the_devices_of_a_room_or_kind() -> None:
    found = home.list_devices(world(), "study")
    assert found["mode"] == "home"
    assert [*found["devices"]] == ["E1", "H1", "L1"]
    assert [*home.list_devices(world(), kind="lock")["devices"]] == ["D1", "D2"]
    assert home.list_devices(world(), "hall", "lamp")["devices"] == {
        "L2": {"kind": "lamp", "name": "hall light", "room": "hall", "brightness": 80},
    }


def test_codes_are_listed_without_their_digits() -> None:
    assert home.list_door_codes(world()) == [
        {"code_id": "C1", "label": "Neighbour", "lock_ids": ["D1"], "valid_until": "2026-11-20", "valid": True},
        {"code_id": "C2", "label": "Plumber", "lock_ids": ["D1"], "valid_until": "2026-11-19", "valid": False},
    ]


def test_the_scenes() -> None:
    found = home.list_scenes(world())
    assert [*found] == ["N1", "N2", "N3"]
    assert found["N2"] == {"name": "Flood", "steps": [{"device_id": "E4", "level": 100}]}


def test_a_door_is_locked_and_unlocked() -> None:
    state = world()
    assert home.operate_lock(state, "D1", locked=True)["locked"] is True
    assert home.operate_lock(state, "D2", locked=False)["locked"] is False
    assert effects(state) == [
        "changed devices.D1.locked: false -> true",
        "changed devices.D2.locked: true -> false",
    ]
    with pytest.raises(ValueError, match="Device H1 is of kind heater, not lock"):
        home.operate_lock(state, "H1", locked=True)


def test_no_door_is_unlocked_in_away_mode() -> None:
    state = world("away")
    with pytest.raises(ValueError, match="No door is unlocked in away mode"):
        home.operate_lock(state, "D2", locked=False)
    assert home.operate_lock(state, "D1", locked=True)["locked"] is True


def test_a_code_is_revoked() -> None:
    state = world()
    assert home.revoke_door_code(state, "C1") == {"code_id": "C1", "label": "Neighbour"}
    assert effects(state) == [
        'removed door_codes.C1: {"label": "Neighbour", "digits": "123456", "lock_ids": ["D1"], '
        '"valid_until": "2026-11-20"}',
    ]
    with pytest.raises(ValueError, match="no door code 'C1'; use list_door_codes"):
        home.revoke_door_code(state, "C1")


def test_a_scene_runs() -> None:
    state = world()
    done = home.run_scene(state, "N1")
    assert (done["L1"]["brightness"], done["E1"]["on"]) == (90, False)
    assert effects(state) == ["changed devices.E1.on: true -> false", "changed devices.L1.brightness: 30 -> 90"]


def test_a_scene_keeps_the_rules() -> None:
    with pytest.raises(ValueError, match="At night lamps go up to 40 percent"):
        home.run_scene(world("night"), "N1")
    with pytest.raises(ValueError, match="would draw 3601 watts, over the 3600 allowed"):
        home.run_scene(world(), "N2")
    with pytest.raises(ValueError, match="no scene 'N9'; use list_scenes"):
        home.run_scene(world(), "N9")


def test_what_a_scene_turns_off_makes_room_for_what_it_turns_on() -> None:
    state = world()
    home.run_scene(state, "N3")
    assert effects(state) == ["changed devices.E1.on: true -> false", "changed devices.E4.on: false -> true"]


def step(device_id: str, level: int) -> home.SceneStep:
    return {"device_id": device_id, "level": level}


def test_a_scene_is_saved() -> None:
    state = world()
    saved = home.save_scene(state, "Dinner", [step("L1", 20), step("E1", 0)])
    assert saved == {"scene_id": "N63", "name": "Dinner"}
    assert effects(state) == [
        "changed next_scene: 63 -> 64",
        'added scenes.N63: {"name": "Dinner", "steps": [{"device_id": "L1", "level": 20}, '
        '{"device_id": "E1", "level": 0}]}',
    ]
    assert home.run_scene(state, "N63")["L1"]["brightness"] == 20


def test_a_scene_has_eight_steps_at_most() -> None:
    state = world()
    for number in range(3, 10):
        state.devices[f"L{number}"] = Lamp(name="spot", room="hall")
    steps = [step(f"L{number}", 5) for number in range(1, 10)]
    with pytest.raises(ValueError, match="1 to 8 steps"):
        home.save_scene(state, "Nine", steps)
    assert home.save_scene(state, "Eight", steps[:8])["scene_id"] == "N63"


@pytest.mark.parametrize(
    ("name", "steps", "message"),
    [
        ("BRIGHT", [("L1", 5)], "There is a scene 'BRIGHT' already"),
        ("New", [], "1 to 8 steps"),
        ("New", [("L1", 5), ("L1", 6)], "one step for each device"),
        ("New", [("L9", 5)], "no device 'L9'"),
        ("New", [("D1", 0)], "The front door cannot be in a scene"),
        ("New", [("H1", 20)], "The study heater cannot be in a scene"),
        ("New", [("E2", 100)], "The kettle is supervised and cannot be in a scene"),
        ("New", [("E1", 50)], "The level of the printer is 0 or 100"),
    ],
)
def test_a_scene_is_refused(name: str, steps: list[tuple[str, int]], message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        home.save_scene(state, name, [step(*item) for item in steps])
    assert effects(state) == []


def test_away_mode_shuts_the_house() -> None:
    state = world()
    assert home.set_house_mode(state, "away") == {"mode": "away", "changed": ["D1", "E3", "H1", "L1", "L2"]}
    assert effects(state) == [
        "changed devices.D1.locked: false -> true",
        "changed devices.E3.on: true -> false",
        "changed devices.H1.target: 21.0 -> 17.0",
        "changed devices.L1.brightness: 30 -> 0",
        "changed devices.L2.brightness: 80 -> 0",
        'changed mode: "home" -> "away"',
    ]


def test_night_mode_dims_the_house() -> None:
    state = world()
    assert home.set_house_mode(state, "night") == {"mode": "night", "changed": ["D1", "E3", "L2"]}
    assert effects(state) == [
        "changed devices.D1.locked: false -> true",
        "changed devices.E3.on: true -> false",
        "changed devices.L2.brightness: 80 -> 40",
        'changed mode: "home" -> "night"',
    ]


def test_home_mode_changes_nothing_else() -> None:
    state = world("away")
    assert home.set_house_mode(state, "home") == {"mode": "home", "changed": []}
    assert effects(state, "away") == ['changed mode: "away" -> "home"']
    with pytest.raises(ValueError, match="The house is in home mode already"):
        home.set_house_mode(state, "home")


@pytest.mark.parametrize(("mode", "celsius"), [("home", 12), ("home", 26.0), ("night", 19.5), ("away", 17.0)])
def test_a_room_is_heated(mode: Any, celsius: float) -> None:
    state = world(mode)
    assert home.set_room_temperature(state, "study", celsius)["target"] == celsius
    assert effects(state, mode) == [f"changed devices.H1.target: 21.0 -> {float(celsius)}"]


@pytest.mark.parametrize(
    ("mode", "room", "celsius", "message"),
    [
        ("away", "study", 17.5, "In away mode heaters are set to 17 degrees at most"),
        ("home", "study", 11.5, "12 to 26 degrees, in half degrees"),
        ("home", "study", 26.5, "12 to 26 degrees, in half degrees"),
        ("home", "study", 20.3, "12 to 26 degrees, in half degrees"),
        ("home", "hall", 20, "The hall has no heater"),
    ],
)
def test_heating_is_refused(mode: Any, room: Any, celsius: float, message: str) -> None:
    state = world(mode)
    with pytest.raises(ValueError, match=message):
        home.set_room_temperature(state, room, celsius)
    assert effects(state, mode) == []


def test_an_outlet_is_switched() -> None:
    state = world()
    assert home.switch_outlet(state, "E2", on=True)["on"] is True  # 3600 watts exactly
    assert effects(state) == ["changed devices.E2.on: false -> true"]
    assert home.switch_outlet(state, "E1", on=False)["on"] is False
    with pytest.raises(ValueError, match="would draw 5001 watts"):
        home.switch_outlet(state, "E4", on=True)


@pytest.mark.parametrize("mode", ["night", "away"])
def test_a_supervised_outlet_is_switched_on_in_home_mode_only(mode: Any) -> None:
    with pytest.raises(ValueError, match="The kettle is switched on only while the house is in home mode"):
        home.switch_outlet(world(mode), "E2", on=True)
    assert home.switch_outlet(world(mode), "E3", on=False)["on"] is False
    with pytest.raises(ValueError, match="Device L1 is of kind lamp, not outlet"):
        home.switch_outlet(world(mode), "L1", on=True)


def test_the_rules_hold_at_the_start() -> None:
    modes = set()
    for seed in range(20):
        state = home.initial_state(seed)
        modes.add(state.mode)
        for device in state.devices.values():
            if isinstance(device, Lamp):
                assert device.brightness <= (40 if state.mode == "night" else 100)
            if isinstance(device, Outlet):
                assert not (device.on and device.supervised)
            if isinstance(device, Lock):
                assert device.locked or state.mode == "home"
    assert modes == {"home", "night"}
