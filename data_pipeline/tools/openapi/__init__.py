"""Tools from an OpenAPI 3.0, 3.1 or Swagger 2.0 document: `openapi:FILE_OR_URL[@BASE_URL]`.

Each operation becomes a tool; its parameters and the properties of its body become one flat list of
arguments. Calls are made for real where the document says, or BASE_URL says instead, where its server
is. Credentials come from the environment alone; `security` names the variables.

What is not described as written: recursive schemas are cut to their type, schemas beyond `MAX_NODES`
nodes are cut deeper inside, keywords that JSON arguments cannot use (`discriminator`, `xml`, `not`,
`patternProperties`, `if`) and values of the wrong form are left out, headers that the client writes
itself and parameters that carry credentials are no arguments, files in forms are left out or make the
operation unfit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.tools.openapi.describe import describe_document
from data_pipeline.tools.openapi.document import load, need_httpx
from data_pipeline.tools.openapi.location import base_url, read_location
from data_pipeline.tools.openapi.runner import HttpRunner
from data_pipeline.tools.runner import Provenance, SourceTools

if TYPE_CHECKING:
    from collections.abc import Sequence


def open_openapi(source: str, *, allow_write: bool = False, allow_hosts: Sequence[str] = ()) -> SourceTools:
    """The tools of a document, and what runs them.

    Args:
        source: `openapi:FILE_OR_URL[@BASE_URL]`. A user and password in the document's URL serve to
            fetch it and go nowhere else; in BASE_URL they are dropped.
        allow_write: offer all methods; only GET and HEAD otherwise.
        allow_hosts: servers besides the base URL's that calls may be redirected to, or that operations
            may name, as 'host' or 'host:port'.

    Raises:
        InputError: the document cannot be read or is none; or it says where its server is, and httpx,
            which makes the calls, is missing.
    """
    location = read_location(source)
    document = load(location.document)
    described = describe_document(document, location.shown, allow_write=allow_write, keep_base=bool(location.base))
    base = location.base or base_url(document.data, document.url)
    if base:
        need_httpx()
    hosts = [_host(host) for host in allow_hosts]
    runner = HttpRunner(described.operations, base, described.schemes, hosts) if base else None
    info = document.data.get("info")
    version, licence = _info(info if isinstance(info, dict) else {})
    return SourceTools(
        tools=tuple(described.tools),
        refused=tuple(described.refused),
        provenance=Provenance(location.shown, version, licence, executable=runner is not None),
        runner=runner,
    )


def _info(info: dict[str, Any]) -> tuple[str, str]:
    licence = info.get("license")
    name = licence.get("name") if isinstance(licence, dict) else licence
    return str(info.get("version") or ""), str(name or "")


def _host(text: str) -> str:
    """One entry of the list of allowed hosts.

    Raises:
        InputError: it is a URL or a pattern.
    """
    if not text or any(character in text for character in "/*@? "):
        raise InputError(f"'{text}' is no host to allow; write it as host or host:port")
    return text.lower()
