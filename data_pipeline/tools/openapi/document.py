"""An API description from a file or a URL as plain JSON, and what its references lead to."""

from __future__ import annotations

import importlib.util
import json
import math
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from data_pipeline.core.errors import InputError
from data_pipeline.tools.openapi.location import is_http, is_url, without_secrets, without_user
from data_pipeline.tools.schema_form import Unfit

MAX_BYTES = 20 * 1024 * 1024
FETCH_SECONDS = 30.0
MAX_NESTING = 200
MAX_VALUES = 5_000_000
MAX_HOPS = 20
"""Most references that lead only to another reference."""


class Document(NamedTuple):
    """A description that was read.

    Attributes:
        data: the JSON object.
        url: where it came from, after redirects and without a user; '' for a file.
    """

    data: dict[str, Any]
    url: str

    @property
    def is_swagger(self) -> bool:
        """Whether it is Swagger 2.0 rather than OpenAPI 3."""
        return "swagger" in self.data


def load(place: str) -> Document:
    """Read a description, JSON or YAML, from a path or an http(s) URL.

    Raises:
        InputError: it cannot be read, is larger than 20 MB, or is no OpenAPI 3.0, 3.1 or Swagger 2.0; or
            httpx is missing, which reads URLs.
    """
    shown = without_secrets(place)
    if is_http(place):
        need_httpx()
        from data_pipeline.tools.openapi.fetch import fetch

        content, url = fetch(place, MAX_BYTES, FETCH_SECONDS)
    elif is_url(place):
        raise InputError(f"{shown}: only files and http(s) URLs can be read")
    else:
        content, url = _read_file(Path(place)), ""
    data = _parse(content, shown)
    if not isinstance(data, dict):
        raise InputError(f"{shown}: expected an API description, got a JSON {type(data).__name__}")
    _refuse_version(data, shown)
    return Document(data, without_user(url))


def need_httpx() -> None:
    """Say what to install where nothing can be fetched or called.

    Raises:
        InputError: httpx is missing.
    """
    if importlib.util.find_spec("httpx") is None:
        raise InputError('openapi tools need the package httpx; pip install "xlam-train[tools]"')


def _read_file(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such file; check the path")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: larger than {MAX_BYTES >> 20} MB; take out the part that is needed")
    return content


def _parse(content: bytes, shown: str) -> Any:
    try:
        text = content.decode("utf-8-sig")
        if text.lstrip()[:1] in ("{", "["):
            return json.loads(text, parse_constant=_no_constant, parse_float=finite)
        return _parse_yaml(text)
    except UnicodeDecodeError as error:
        raise InputError(f"{shown}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{shown}:{error.lineno}: not valid JSON ({error.msg}); mend the file") from error
    except RecursionError as error:
        raise InputError(f"{shown}: nested too deep to be an API description") from error
    except ValueError as error:
        raise InputError(f"{shown}: not a valid document ({error})") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def finite(text: str) -> float:
    """A number as JSON writes it.

    Raises:
        ValueError: it is too large to be one here, and would be written as Infinity.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _parse_yaml(text: str) -> Any:
    import yaml

    try:
        _refuse_nesting(text)
        plain, values = _plain(yaml.load(text, _loader()), {}, 0)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ValueError(f"{line}{problem}") from error
    if values > MAX_VALUES:
        raise ValueError(f"its aliases stand for more than {MAX_VALUES} values")
    return plain


def _refuse_nesting(text: str) -> None:
    """The C parser of YAML ends the whole process on some ten thousand levels; its events are flat."""
    import yaml

    depth = 0
    for event in yaml.parse(text, _loader()):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_NESTING:
                raise ValueError(f"nested more than {MAX_NESTING} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


@cache
def _loader() -> Any:
    """Safe YAML with the plain values of version 1.2: `no` and `2020-01-01` are text there."""
    import re

    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("PlainLoader", (base,), {"yaml_implicit_resolvers": {}})
    plain = (
        ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("tag:yaml.org,2002:int", r"[-+]?(0|[1-9][0-9]{0,40})", "-+0123456789"),
        (
            "tag:yaml.org,2002:float",
            r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)",
            "-+.0123456789",
        ),
        ("tag:yaml.org,2002:merge", r"<<", "<"),
    )
    for tag, pattern, first in plain:
        loader.add_implicit_resolver(tag, re.compile(rf"^(?:{pattern})$"), list(first))
    return loader


def _plain(value: Any, done: dict[int, tuple[Any, int]], depth: int) -> tuple[Any, int]:
    """YAML's value as JSON's, with text for every key, and how many values it is when written out."""
    if depth > MAX_NESTING:
        raise ValueError("nested too deep, or an alias contains itself")
    if isinstance(value, float):
        return finite(str(value)), 1
    if not isinstance(value, (dict, list)):
        return (value if value is None or isinstance(value, (str, bool, int, float)) else str(value)), 1
    # What aliases share stays shared: written out, a few lines can become gigabytes.
    if id(value) not in done:
        nested = [_plain(child, done, depth + 1) for child in (value.values() if isinstance(value, dict) else value)]
        plain = [child for child, _ in nested]
        written = dict(zip(map(_key, value), plain, strict=True)) if isinstance(value, dict) else plain
        done[id(value)] = written, 1 + sum(size for _, size in nested)
    return done[id(value)]


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


def _refuse_version(data: dict[str, Any], shown: str) -> None:
    stated = data.get("openapi", data.get("swagger", data.get("swaggerVersion")))
    if stated is None:
        raise InputError(f"{shown}: no API description: it has neither 'openapi' nor 'swagger'")
    version = str(stated)
    wanted = ("3.0", "3.1") if "openapi" in data else ("2.0",)
    if not version.startswith(wanted) and version != "2":
        raise InputError(f"{shown}: version '{version}' cannot be read; convert it to OpenAPI 3.0 or 3.1")


class References:
    """What the `$ref`s of a document lead to."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._found: dict[str, Any] = {}

    def resolve(self, ref: str) -> Any:
        """The value a reference leads to, through references that lead only to another.

        Raises:
            Unfit: it leads out of the document, nowhere, or round in a circle.
        """
        if ref not in self._found:
            self._found[ref] = self._chase(ref)
        return self._found[ref]

    def follow(self, value: Any) -> dict[str, Any]:
        """An object, or the object its `$ref` leads to; empty for anything else.

        Raises:
            Unfit: as `resolve`.
        """
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            value = self.resolve(value["$ref"])
        return value if isinstance(value, dict) else {}

    def _chase(self, ref: str) -> Any:
        value: Any = {"$ref": ref}
        for _ in range(MAX_HOPS):
            if not (isinstance(value, dict) and isinstance(value.get("$ref"), str) and len(value) == 1):
                return value
            value = self._point(value["$ref"])
        raise Unfit(f"the reference '{ref}' leads round in a circle")

    def _point(self, ref: str) -> Any:
        if not ref.startswith("#"):
            raise Unfit(f"it refers to another document: '{without_secrets(ref)}'")
        value = self._data
        for part in unquote(ref[1:]).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and name in value:
                value = value[name]
            elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            else:
                raise Unfit(f"it refers to '{ref}', which is not in the document")
        return value
