"""Tools that share a state, one module a domain, each listing its tools in `__all__`.

A domain is a small world (`State`, `initial_state`), the rules of the desk that works in it (`POLICY`),
and the tools, whose first parameter is the state and is not shown to a model.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.tools.stateful.state import DomainState

_DOMAINS = ("bank_account", "flight_desk", "meeting_calendar", "shop_orders", "smart_home", "support_tickets")


@dataclass(frozen=True)
class StatefulDomain:
    """A world, its rules and its tools.

    Attributes:
        name: of the domain, such as `flight_desk`.
        state_type: the model of its state.
        initial_state: the world at the start of a conversation; the same seed gives the same world.
        policy: the written rules of the desk; those marked [enforced] are refused by the tools.
        functions: the tools by name, in the order the module lists them; each takes the state first and
            has an attribute `side_effects`, "read" or "write".
    """

    name: str
    state_type: type[DomainState]
    initial_state: Callable[[int], DomainState]
    policy: str
    functions: dict[str, Callable[..., Any]]


def domains() -> tuple[str, ...]:
    """The names of the domains, sorted."""
    return _DOMAINS


def load(domain: str) -> StatefulDomain:
    """One domain.

    Args:
        domain: its name, one of `domains()`.

    Returns:
        The domain with its tools in the order its `__all__` lists them.

    Raises:
        InputError: there is no such domain; the message names the nearest one.
    """
    if domain not in domains():
        raise InputError(f"unknown domain '{domain}': {nearest(domain, domains())}")
    module = import_module(f"{__name__}.{domain}")
    listed = {name: getattr(module, name) for name in module.__all__}
    return StatefulDomain(
        name=domain,
        state_type=module.State,
        initial_state=module.initial_state,
        policy=module.POLICY,
        functions={name: value for name, value in listed.items() if inspect.isfunction(value)},
    )
