"""Makes the calls of a document's operations over HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from data_pipeline.tools.openapi.request import UnsafeValue, unfold
from data_pipeline.tools.openapi.security import CredentialError, Credentials, credentials, hide, hide_in
from data_pipeline.tools.runner import ExecutionResult

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from data_pipeline.tools.openapi.answer import Outcome
    from data_pipeline.tools.openapi.request import Operation, Request
    from data_pipeline.tools.openapi.security import Scheme
    from data_pipeline.tools.openapi.transport import Address
    from data_pipeline.tools.runner import Call


class HttpRunner:
    """Runs calls one after another, each on connections of its own.

    Whatever a server does ends in a class of result within the call's time: the time is total, the
    answer is read up to a cap after decompression, and only allowed hosts are spoken to.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        base: str,
        schemes: Mapping[str, Scheme],
        allow_hosts: Sequence[str] = (),
    ) -> None:
        """Nothing is opened before the first call.

        Args:
            operations: by name of the tool.
            base: URL below which the operations are; its server is always allowed.
            schemes: the document's security schemes.
            allow_hosts: further servers, as 'host' for any port or 'host:port'.
        """
        self._operations = dict(operations)
        self._base = base
        self._schemes = dict(schemes)
        self._allow_hosts = frozenset(host.lower() for host in allow_hosts)
        self._context: ssl.SSLContext | None = None

    def run(self, calls: Sequence[Call], timeout_seconds: float) -> list[ExecutionResult]:
        """Results in the order of the calls, none of which costs another anything.

        Args:
            calls: all on tools of this runner's document, arguments checked.
            timeout_seconds: wall time of each call, from the look-up of the host to the last byte.
        """
        import httpx

        import data_pipeline.tools.openapi.transport  # noqa: F401  (loaded outside the time of any call)

        if self._context is None:
            # Kept, because reading the authorities takes longer than most calls.
            self._context = httpx.create_ssl_context(trust_env=False)
        return [self._run(call, timeout_seconds) for call in calls]

    def close(self) -> None:
        """Nothing is left open between calls."""

    def _run(self, call: Call, timeout_seconds: float) -> ExecutionResult:
        started = time.perf_counter()
        status, result, error = self._outcome(call, timeout_seconds)
        return ExecutionResult(status, result, error, time.perf_counter() - started)

    def _outcome(self, call: Call, timeout_seconds: float) -> Outcome:
        operation = self._operations.get(call.tool.name)
        if operation is None:
            return "unavailable", None, f"'{call.tool.name}' is no operation of this document"
        try:
            request = unfold(operation, call.arguments)
            # Read anew for each call, so that nothing outlives it.
            found = credentials(operation.security, self._schemes)
        except (UnsafeValue, CredentialError, RecursionError) as error:
            return "denied", None, f"{call.tool.name}: {error}"
        status, result, error_line = self._exchange(operation, request, found, timeout_seconds)
        if found.missing and error_line.startswith(("HTTP 401", "HTTP 403")):
            error_line += f" (it asks for credentials: set {' or '.join(found.missing)})"
        try:
            return status, hide_in(result, found.secrets), hide(error_line, found.secrets)
        except RecursionError:
            return "tool_error", None, "the answer is nested too deep"

    def _exchange(self, operation: Operation, request: Request, found: Credentials, seconds: float) -> Outcome:
        """One call over the network; every ending is an outcome."""
        import httpcore
        import httpx

        from data_pipeline.tools.openapi.answer import BrokenContentError, read_answer
        from data_pipeline.tools.openapi.transport import Deadline, DeniedError, Gate, address, exchange

        try:
            server = address(httpx.URL(self._base))
            # Fails for a name that is no name in any script, as sending to it would.
            _ = httpx.URL(self._base).host
        except (httpx.InvalidURL, ValueError):
            return "unavailable", None, "the base URL leads to no server"
        try:
            gate = Gate(Deadline(seconds), self._allows(server), found, server, self._context)
            url = (operation.base or self._base).rstrip("/") + request.target
            headers = [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()]
            with exchange(gate, request.method, url, headers, request.content) as (response, ended):
                return read_answer(response, not ended)
        except DeniedError as error:
            return "denied", None, str(error)
        except (httpcore.TimeoutException, TimeoutError):
            return "timeout", None, f"no whole answer within {seconds:g} s"
        except httpcore.ConnectError as error:
            return "unavailable", None, f"the server cannot be reached ({error})"
        except (httpcore.LocalProtocolError, httpx.InvalidURL, httpx.LocalProtocolError):
            # What exactly is wrong may quote a credential.
            return "denied", None, "the request cannot be written as HTTP"
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpx.HTTPError,
            BrokenContentError,
            ValueError,
        ) as error:
            # ValueError: httpx lets some of a server's nonsense through to the functions that stumble over it.
            return "crashed", None, f"the server broke off, or its answer is no HTTP ({_one_line(error)})"

    def _allows(self, base: Address) -> Any:
        from data_pipeline.tools.openapi.transport import same_server

        def allowed(target: Address) -> bool:
            names = {target[1], f"{target[1]}:{target[2]}"}
            return same_server(target, base) or not self._allow_hosts.isdisjoint(names)

        return allowed


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
