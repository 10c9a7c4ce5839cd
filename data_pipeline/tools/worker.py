"""The child process that runs Python tools: one request a line in, one answer a line out.

Imports little, so that it starts fast and a tool's memory is the tool's. A request is a JSON list
`[token, "load" | "describe", key, spec]` or `[token, "call", key, function, arguments, state]`; an answer is
`token status fresh payload`, where payload is JSON and `fresh` is 0 when the call left traces, upon which
the process ends and the next call gets another. Before any tool is imported the process locks itself down
and the pipes move off the standard streams: what a tool prints, or reads, goes to or comes from nowhere.
The token is drawn by the parent for each request, so an answer that a tool writes by itself is told apart.
Answers leave in bursts. What was done in a burst that a crash or a hang cut short is unknown to the parent,
which asks for those calls again, one at a time.
"""

from __future__ import annotations

import _thread
import builtins
import errno
import gc
import importlib
import importlib.util
import json
import operator
import os
import random
import sys
import time
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from data_pipeline.tools.python_call import ConversionError, call_function, encode_result
from data_pipeline.tools.runner import MAX_RESULT_BYTES
from data_pipeline.tools.sandbox.lockdown import allow_processor_time, lock_down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

MAX_STATE_BYTES = 4 << 20
MAX_DESCRIPTION_BYTES = 64 << 20
MAX_ERROR_CHARACTERS = 300
HEAD_CHARACTERS = 500
"""How much of a result that is too large comes back, for people to see what it was."""

COMPARED_ITEMS = 64
"""Global lists, dicts and sets up to this size are compared by content after each call, larger ones by length."""

BURST_SECONDS = 0.001
"""How long an answer may wait for others to be sent with; a slow call's answer never waits."""

STALE = "stale"
"""Status of a call that did not run because an earlier one changed what it reads: the parent asks a new process."""

_DENIED = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})


def main() -> None:
    """Answer requests until the parent closes its end of the pipe, or dies."""
    requests, answers = _private_pipes()
    plan = json.loads(sys.argv[1])
    layers = lock_down(plan)
    worker = Worker(plan["scratch"])
    _write_all(os.write, answers, json.dumps(layers).encode() + b"\n")
    _serve(worker, requests, answers)


def _serve(worker: Worker, requests: int, answers: int) -> None:
    """Answer in bursts: what is done is sent when there is nothing left to do, or after `BURST_SECONDS`."""
    owner, read, write, clock = os.getpid(), os.read, os.write, time.monotonic
    done, rest, sent = bytearray(), b"", clock()
    while chunk := read(requests, 1 << 16):
        allow_processor_time()
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            token, kind, key, *arguments = json.loads(line.decode())
            status, payload = worker.answer(kind, key, arguments)
            fresh = status != STALE and (kind != "call" or worker.untouched())
            if os.getpid() != owner:
                os._exit(0)  # a tool forked: the copy must not answer a second time
            done += f"{token} {status} {fresh:d} {payload}\n".encode()
            if not fresh or clock() - sent > BURST_SECONDS:
                _write_all(write, answers, done)
                done, sent = bytearray(), clock()
            if not fresh:
                os._exit(0)
        _write_all(write, answers, done)
        done, sent = bytearray(), clock()


def _private_pipes() -> tuple[int, int]:
    """Move the protocol off the standard streams and put the null device in their place."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    return requests, answers


class Worker:
    """The modules loaded, and what they looked like before any call."""

    def __init__(self, scratch: str) -> None:
        """Nothing is loaded yet."""
        self._scratch = scratch
        self._loaded: dict[str, _Loaded] = {}
        self._common = (_Pristine(vars(builtins)), _Pristine(globals()))
        self._process = _process_state(scratch)

    def answer(self, kind: str, key: str, rest: list[Any]) -> tuple[str, str]:
        """Status and JSON payload of one request."""
        if kind == "call":
            return self._call(key, *rest)
        if kind == "describe":
            return _guarded(lambda: _describe(*rest), MAX_DESCRIPTION_BYTES)
        status, payload = _guarded(lambda: self._load(key, *rest))
        return ("ok" if status == "ok" else "unavailable"), payload

    def _load(self, key: str, spec: Mapping[str, str]) -> None:
        self._loaded[key] = _Loaded(spec)
        self._process = _process_state(self._scratch)  # what importing leaves behind is part of the start
        gc.freeze()  # thousands of functions that stay need not be looked through again and again

    def _call(self, key: str, name: str, arguments: dict[str, Any], state: str | None) -> tuple[str, str]:
        loaded = self._loaded[key]
        function = loaded.functions.get(name)
        if function is None:
            return "unavailable", encode_result(f"there is no tool '{name}' in {key}")
        if not loaded.pristine.same_for(name):
            return STALE, "null"
        random.seed(0)  # a tool that draws draws the same each time
        if loaded.domain is None:
            return _guarded(lambda: call_function(function, arguments))
        return _guarded(lambda: loaded.domain.call(function, arguments, state), MAX_RESULT_BYTES + MAX_STATE_BYTES)

    def untouched(self) -> bool:
        """Whether the last call left no trace in what all tools share."""
        return all(picture.same() for picture in self._common) and _process_state(self._scratch) == self._process


class _Loaded:
    """One source's module, with its functions by name."""

    def __init__(self, spec: Mapping[str, str]) -> None:
        self.domain: Any = None
        if spec["kind"] == "stateful":
            from data_pipeline.tools.stateful.call import DomainCaller

            self.domain = DomainCaller(spec["name"])
        module = self.domain.module if self.domain else load_module(spec)
        self.functions = _public_functions(module)
        self.pristine = _Pristine(vars(module))


def load_module(spec: Mapping[str, str]) -> ModuleType:
    """Import what a source names: a module by its dotted name, or a file.

    Raises:
        ImportError: there is none, or it cannot be imported.
    """
    if spec["kind"] != "file":
        return importlib.import_module(spec["name"])
    name = Path(spec["path"]).stem
    found = importlib.util.spec_from_file_location(name, spec["path"])
    if found is None or found.loader is None:
        raise ImportError(f"{spec['path']} is no Python file")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # so that its dataclasses and annotations find their module
    found.loader.exec_module(module)
    return module


def _public_functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    found = {name: getattr(module, name, None) for name in names}
    return {name: value for name, value in found.items() if callable(value)}


def _describe(spec: Mapping[str, str], source: str) -> Any:
    """The tools and refusals of a module, as plain data."""
    from data_pipeline.tools.python_source import describe_module

    tools, refused = describe_module(load_module(spec), source)
    return [[tool.to_dict() for tool in tools], [[refusal.name, refusal.reason] for refusal in refused]]


class _Pristine:
    """What the globals of a module were before any call, to tell whether one has changed them."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._values = dict(namespace)
        self._bodies = {name: _body(v) for name, v in namespace.items() if isinstance(v, FunctionType)}
        containers = (dict, list, set, bytearray)
        self._contents = {
            name: _content(v) for name, v in namespace.items() if isinstance(v, containers) and name != "__builtins__"
        }
        self._needs: dict[str, list[str]] = {}

    def same(self) -> bool:
        """Whether every name still stands for the same object."""
        values = self._namespace.values()
        return len(values) == len(self._values) and all(map(operator.is_, values, self._values.values()))

    def same_for(self, name: str) -> bool:
        """Whether all that a function reads is as it was; costs what it reads, not what the module holds."""
        needs = self._needs.get(name)
        if needs is None:
            needs = self._needs[name] = self._find_needs(name)
        return all(map(self._same_global, needs))

    def _same_global(self, name: str) -> bool:
        value = self._namespace.get(name, self)
        if value is not self._values[name]:
            return False
        if name in self._bodies:
            return bool(_body(value) == self._bodies[name])
        return name not in self._contents or bool(_content(value) == self._contents[name])

    def _find_needs(self, name: str) -> list[str]:
        """Globals that a function names, and that the functions it names do."""
        found, todo = {name: None}, [name]
        while todo:
            body = self._bodies.get(todo.pop())
            for used in _names_in(body[0]) if body else ():
                if used in self._values and used not in found:
                    found[used] = None
                    todo.append(used)
        return [used for used in found if used in self._values]


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _body(function: FunctionType) -> tuple[CodeType, object]:
    defaults = function.__defaults__
    return function.__code__, repr(defaults) if defaults else defaults


def _content(container: Any) -> object:
    return repr(container) if len(container) <= COMPARED_ITEMS else len(container)


def _process_state(scratch: str) -> tuple[object, ...]:
    """What a call could leave in the process: threads, files, environment, search path, limits."""
    try:
        written = os.stat(scratch).st_mtime_ns  # noqa: PTH116 - called once a call
        here = os.getcwd()  # noqa: PTH109
    except OSError:
        written, here = 0, ""
    return _thread._count(), written, here, len(os.environ), len(sys.path), sys.getrecursionlimit()


def _guarded(action: Callable[[], Any], limit: int = MAX_RESULT_BYTES) -> tuple[str, str]:
    """Status and payload of running a tool, whatever it raises.

    The result is encoded here so that whatever its own methods raise counts as the tool's error.
    """
    try:
        encoded = encode_result(action())
    except BaseException as error:
        return _class_of(error), encode_result(_words(error))
    if len(encoded) > limit:
        words = f"the result has {len(encoded)} bytes of {limit} allowed"
        return "output_too_large", encode_result([words, encoded[:HEAD_CHARACTERS]])
    return "ok", encoded


def _class_of(error: BaseException) -> str:
    if isinstance(error, ConversionError):
        return "bad_arguments"
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return "memory"
    return "denied" if isinstance(error, OSError) and error.errno in _DENIED else "tool_error"


def _words(error: BaseException) -> str:
    try:
        message = " ".join(str(error).split())[:MAX_ERROR_CHARACTERS]
    except BaseException:
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _write_all(write: Callable[[int, Any], int], descriptor: int, data: bytes | bytearray) -> None:
    while data:
        data = data[write(descriptor, data) :]
