"""What it means to run a tool: calls in, results out, whatever kind of source is behind it.

A source brings a `Runner`; the executor checks arguments against the tool's schema, then hands calls
to the runner of the tool's source. A runner never raises for what a tool does: every ending of a call
is an `ExecutionResult` with one of `STATUSES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from data_pipeline.core.schema import Tool

Status = Literal[
    "ok",
    "bad_arguments",
    "tool_error",
    "timeout",
    "crashed",
    "memory",
    "output_too_large",
    "denied",
    "unavailable",
]
STATUSES: dict[Status, str] = {
    "ok": "the tool ran and returned a JSON value",
    "bad_arguments": "the arguments do not fit the tool's schema, so it did not run",
    "tool_error": "the tool raised an error, answered with one, or returned what JSON cannot hold",
    "timeout": "the tool did not answer within its time",
    "crashed": "the process or server ended, or broke the protocol, while the tool ran",
    "memory": "the tool asked for more memory than it may have",
    "output_too_large": "the result is larger than the cap",
    "denied": "the sandbox, or a rule such as the allow-list of hosts, forbade what the tool tried",
    "unavailable": "there is nothing to run: a schema only, a module that cannot be imported, a server not reached",
}
"""What can become of a call."""

MAX_RESULT_BYTES = 64 * 1024
"""Largest result, as JSON: what a model could still read; a larger one is never passed off as a whole one."""


class Call(NamedTuple):
    """A tool and the arguments to call it with, checked against its schema.

    Attributes:
        tool: what to call.
        arguments: by parameter name.
        state: of a stateful domain: the snapshot to call it on; None for its initial state.
    """

    tool: Tool
    arguments: Mapping[str, JsonValue]
    state: str | None = None


@dataclass(frozen=True)
class ExecutionResult:
    """What one call came to.

    Attributes:
        status: one of `STATUSES`.
        result: the JSON value returned; None unless the status is `ok`, or `truncated`.
        error: one line for people; empty when the status is `ok`.
        seconds: wall time of the call.
        truncated: `result` is the beginning of the JSON text of a result that was too large, for people to look at.
        state: of a stateful domain: the snapshot afterwards; None where the call failed, so that it changed nothing.
    """

    status: Status
    result: JsonValue = None
    error: str = ""
    seconds: float = 0.0
    truncated: bool = False
    state: str | None = None


class Runner(Protocol):
    """Runs the calls of one source; not shared between threads."""

    def run(self, calls: Sequence[Call], timeout_seconds: float) -> list[ExecutionResult]:
        """Results in the order of the calls; one that hangs or kills its worker costs the others nothing.

        Args:
            calls: all on tools of this runner's source, arguments checked.
            timeout_seconds: wall time of each call.
        """

    def close(self) -> None:
        """End what the runner started. A later `run` starts it anew."""


@dataclass(frozen=True)
class Refusal:
    """A candidate that did not become a tool: its name, and why in one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class Provenance:
    """Where tools came from, for the record beside a dataset.

    Attributes:
        source: as the user wrote it, without secrets.
        version: of the document, server or package; '' where it does not say.
        licence: as stated by the source; '' where it does not say.
        executable: whether calls really run.
        remark: what else to know of its tools, in one line; '' for nothing.
    """

    source: str
    version: str = ""
    licence: str = ""
    executable: bool = False
    remark: str = ""


@dataclass(frozen=True)
class SourceTools:
    """What a source holds.

    Attributes:
        tools: in the source's order; each tool's `source` equals `provenance.source`.
        refused: what could not be described, and why.
        provenance: where they came from.
        runner: runs them; None where there is only a schema.
    """

    tools: tuple[Tool, ...]
    refused: tuple[Refusal, ...]
    provenance: Provenance
    runner: Runner | None
