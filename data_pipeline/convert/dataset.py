"""Rows of this project's shards; reading and writing them loses nothing."""

from __future__ import annotations

from typing import Any

from data_pipeline.convert.parts import field
from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Trajectory
from data_pipeline.core.strict_json import BadRecord, parse

_REQUIRED = ("tools", "messages", "verdicts")
_ADDED = ("results", "incomplete", "origin")


def fits(record: dict[str, Any]) -> bool:
    """Whether a record looks like one of this format."""
    return {"id", "style", *_REQUIRED} <= set(record)


def read(record: dict[str, Any], _line: int, _read_tools: object) -> Trajectory:
    """One row.

    Raises:
        BadRecord: it is none.
    """
    for name in (*_REQUIRED, *(name for name in _ADDED if name in record)):
        parse(field(record, name, str), f"'{name}'")
    try:
        return Trajectory.from_row(record)
    except InputError as error:
        raise BadRecord("bad_sample", str(error)) from error


def write(sample: Trajectory) -> dict[str, Any]:
    """One row."""
    return dict(sample.to_row())
