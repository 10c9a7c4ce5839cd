"""Recipes: a YAML file -> a strict typed model, with dotted overrides and a resolved snapshot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from data_pipeline.core.errors import InputError, nearest

SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(BaseModel):
    """Base of every recipe section: frozen, unknown keys refused, defaults validated."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 5e-5 as text; a recipe means the number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def load_settings(cls: type[SettingsT], path: Path, overrides: Sequence[str] = ()) -> SettingsT:
    """Read a recipe and apply `key.sub=value` overrides.

    Raises:
        InputError: missing or malformed file, unknown key (with the nearest known one), wrong
            value; one line with file, line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give the path of a recipe, see recipes/") from error
    data = _parse_yaml(text, str(path))
    for override in overrides:
        _apply_override(data, override)
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        raise InputError(_explain(error, cls, text, path, overrides)) from error


def _parse_yaml(text: str, where: str) -> dict[str, Any]:
    try:
        # _Loader is a SafeLoader: plain data only, no Python objects.
        data = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise InputError(f"{where}{line}: not valid YAML ({getattr(error, 'problem', error)})") from error
    if not isinstance(data, dict):
        raise InputError(f"{where}: a recipe is a mapping of keys to values")
    return data


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key:
        raise InputError(f"override '{override}': write it as key=value, for example train.steps=10")
    *parents, last = key.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise InputError(f"override '{override}': '{parent}' is a value, not a section")
    try:
        data[last] = yaml.load(value, Loader=_Loader)
    except yaml.YAMLError as error:
        raise InputError(f"override '{override}': '{value}' is not a YAML value") from error


def _explain(error: ValidationError, cls: type[BaseModel], text: str, path: Path, overrides: Sequence[str]) -> str:
    # An unknown key is the likelier cause of whatever else failed, so it is told first.
    found = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")[0]
    key = ".".join(str(part) for part in found["loc"])
    if any(override.split("=")[0] == key for override in overrides):
        where = f"override '{key}'"
    else:
        line = _line_of(text, found["loc"])
        where = f"{path}:{line}" if line else str(path)
    if found["type"] == "extra_forbidden":
        known = _fields_at(cls, found["loc"][:-1])
        return f"{where}: unknown key '{key}'; {nearest(str(found['loc'][-1]), known)}"
    return f"{where}: {key}: {found['msg'][:1].lower()}{found['msg'][1:]}"


def _fields_at(cls: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    for part in location:
        annotation = cls.model_fields[str(part)].annotation
        options = [annotation, *get_args(annotation)]
        cls = next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))
    return list(cls.model_fields)


def _line_of(text: str, location: Sequence[int | str]) -> int | None:
    """The 1-based line of a key, following the YAML nodes as deep as they go."""
    node = yaml.compose(text, Loader=_Loader)
    line = None
    for part in location:
        if not isinstance(node, yaml.MappingNode):
            break
        match = next(((k, v) for k, v in node.value if k.value == str(part)), None)
        if match is None:
            break
        line, node = match[0].start_mark.line + 1, match[1]
    return line
