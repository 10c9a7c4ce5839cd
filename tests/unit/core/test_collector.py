"""Python's garbage collector, paused and as it was."""

from __future__ import annotations

import gc

import pytest

from data_pipeline.core.collector import collector_paused


@pytest.mark.parametrize("was_on", [True, False])
def test_it_is_as_before_also_after_an_error(was_on: bool) -> None:
    if not was_on:
        gc.disable()
    try:
        with pytest.raises(ValueError, match="off"):
            fail_inside()
        assert gc.isenabled() is was_on
    finally:
        gc.enable()


def fail_inside() -> None:
    with collector_paused():
        raise ValueError("on" if gc.isenabled() else "off")
