"""The tools that come with the package, one module a domain, each listing its tools in `__all__`."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable


def domains() -> tuple[str, ...]:
    """The names of the domains, sorted."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__)))


def functions(domain: str) -> dict[str, Callable[..., Any]]:
    """The tools of one domain by name, in the order its `__all__` lists them.

    Raises:
        InputError: there is no such domain; the message names the nearest one.
    """
    if domain not in domains():
        raise InputError(f"unknown domain '{domain}': {nearest(domain, domains())}")
    module = import_module(f"{__name__}.{domain}")
    listed = {name: getattr(module, name) for name in module.__all__}
    return {name: value for name, value in listed.items() if inspect.isfunction(value)}
