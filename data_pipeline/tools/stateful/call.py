"""Calls on a stateful domain as pure functions: snapshot and arguments in, result and snapshot out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.tools import stateful
from data_pipeline.tools.python_call import ConversionError, call_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.tools.stateful.state import DomainState


class DomainCaller:
    """Runs the tools of one domain; what a tool that fails did to the state is thrown away with it."""

    def __init__(self, name: str) -> None:
        """Load the domain.

        Args:
            name: one of `stateful.domains()`.
        """
        self._domain = stateful.load(name)
        self.module = import_module(f"{stateful.__name__}.{name}")

    def call(self, function: Callable[..., Any], arguments: dict[str, Any], snapshot: str | None) -> list[Any]:
        """[result, snapshot afterwards]; on the domain's initial state where none is given.

        Raises:
            ConversionError: the snapshot is none of this domain.
            ValueError: the tool refused.
        """
        state = self._domain.initial_state(0) if snapshot is None else self._restore(snapshot)
        return [call_function(function, arguments, hidden={"state": state}), state.snapshot()]

    def _restore(self, snapshot: str) -> DomainState:
        try:
            return self._domain.state_type.restore(snapshot)
        except InputError as error:
            raise ConversionError(f"state: {error}") from error
