"""Credentials: read from the environment when a call is made, put on the wire, kept nowhere.

XLAM_OPENAPI_TOKEN        schemes `http` bearer, `oauth2` and `openIdConnect`
XLAM_OPENAPI_BASIC        scheme `http` basic, as 'user:password'
XLAM_OPENAPI_KEY_<NAME>   an `apiKey` scheme; its name in upper case, other characters as _
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data_pipeline.tools.openapi.document import References

TOKEN = "XLAM_OPENAPI_TOKEN"
BASIC = "XLAM_OPENAPI_BASIC"
KEY = "XLAM_OPENAPI_KEY_"
HIDDEN = "***"

Security = tuple[tuple[str, ...], ...]
"""Alternatives, each the names of the schemes it needs together."""

_SHORTEST_SECRET = 4
"""Shorter ones are not searched for in results: they would be found in words that hold no secret."""


class CredentialError(ValueError):
    """A secret in the environment that cannot be sent; the message names the variable only."""


class Scheme(NamedTuple):
    """How a request shows who sends it.

    Attributes:
        variable: the environment variable with the secret; '' for a scheme that is not supported.
        place: 'header', 'query' or 'cookie'.
        key: name of the header, query parameter or cookie.
        prefix: what stands before the secret, such as 'Bearer '.
    """

    variable: str
    place: str
    key: str
    prefix: str = ""


@dataclass
class Credentials:
    """What to put on one request. Not for keeping.

    Attributes:
        headers, query, cookies: by name.
        secrets: every spelling that must not show anywhere.
        missing: the variables that would have to be set, where none of the alternatives can be met.
    """

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    query: dict[str, str] = field(default_factory=dict, repr=False)
    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    missing: tuple[str, ...] = ()


def read_schemes(data: Mapping[str, Any], references: References) -> dict[str, Scheme]:
    """The security schemes of a document, by name."""
    components = data.get("components")
    stated = components.get("securitySchemes") if isinstance(components, dict) else data.get("securityDefinitions")
    if not isinstance(stated, dict):
        return {}
    return {name: _scheme(name, references.follow(scheme)) for name, scheme in stated.items()}


def _scheme(name: str, stated: dict[str, Any]) -> Scheme:
    kind = str(stated.get("type")).lower()
    http = str(stated.get("scheme")).lower() if kind == "http" else kind
    if http in ("bearer", "oauth2", "openidconnect"):
        return Scheme(TOKEN, "header", "Authorization", "Bearer ")
    if http == "basic":
        return Scheme(BASIC, "header", "Authorization", "Basic ")
    place, key = stated.get("in"), stated.get("name")
    if kind == "apikey" and place in ("header", "query", "cookie") and isinstance(key, str) and key:
        return Scheme(KEY + re.sub(r"[^A-Z0-9]", "_", name.upper()), str(place), key)
    return Scheme("", "", "")


def read_security(stated: Any) -> Security:
    """The `security` of an operation or a document; empty where none is asked for."""
    alternatives = stated if isinstance(stated, list) else []
    return tuple(tuple(map(str, names)) for names in alternatives if isinstance(names, dict))


def credentials(security: Security, schemes: Mapping[str, Scheme]) -> Credentials:
    """The first alternative whose secrets are all in the environment; else nothing, and what is missing.

    Raises:
        CredentialError: a secret holds what a header cannot carry.
    """
    for names in security:
        wanted = [schemes.get(name, Scheme("", "", "")) for name in names]
        if wanted and all(scheme.variable and _secret(scheme.variable) for scheme in wanted):
            return _apply(wanted)
    if not security or () in security:
        return Credentials()
    variables = [schemes[name].variable for names in security for name in names if name in schemes]
    return Credentials(missing=tuple(dict.fromkeys(filter(None, variables))))


def _secret(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _apply(schemes: Sequence[Scheme]) -> Credentials:
    found = Credentials()
    secrets: list[str] = []
    for scheme in schemes:
        secret = _secret(scheme.variable)
        if not (secret.isascii() and secret.isprintable()) and scheme.variable != BASIC:
            raise CredentialError(f"{scheme.variable} holds a character that a header cannot carry")
        secrets += _spellings(secret) if scheme.variable == BASIC else [secret, quote(secret, safe="")]
        if scheme.variable == BASIC:
            secret = base64.b64encode(secret.encode()).decode()
        by_name = {"header": found.headers, "query": found.query, "cookie": found.cookies}[scheme.place]
        by_name[scheme.key] = scheme.prefix + secret
    found.secrets = tuple(sorted(set(secrets), key=len, reverse=True))
    return found


def _spellings(secret: str) -> list[str]:
    """'user:password' and the password alone as they may come back: plain, percent-encoded, in base64."""
    encoded = base64.b64encode(secret.encode()).decode()
    password = secret.partition(":")[2]
    return [s for s in (secret, quote(secret, safe=""), encoded, password, quote(password, safe="")) if s]


def hide(text: str, secrets: Sequence[str]) -> str:
    """Text without any of the secrets."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def hide_in(value: Any, secrets: Sequence[str]) -> Any:
    """A JSON value without any of the secrets, in keys too: some servers answer with what they were sent."""
    long = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    if not long:
        return value
    if isinstance(value, str):
        return hide(value, long)
    if isinstance(value, list):
        return [hide_in(item, long) for item in value]
    if isinstance(value, dict):
        return {hide(key, long): hide_in(item, long) for key, item in value.items()}
    return value


def hidden_parameters(schemes: Mapping[str, Scheme]) -> frozenset[tuple[str, str]]:
    """(place, lower-case name) of what carries credentials and so is never an argument."""
    return frozenset((scheme.place, scheme.key.lower()) for scheme in schemes.values() if scheme.variable)
