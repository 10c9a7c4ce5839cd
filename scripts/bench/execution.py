"""How fast are sandboxed tool calls, and what do they cost beside the alternatives?

Compares in one run, on the same calls of one trivial Python function:
- distilabel 1.5.3's APIGenExecutionChecker, installed in an environment of its own: it evaluates calls in its own
  process, without a sandbox;
- this package's executor: schema check, warm worker behind namespaces, Landlock and seccomp;
- the same with a fresh sandboxed process for every call.
Then: what a call costs with 150 and with 15,000 tools in the pool, and how long 15,000 schema tools take to load.

    python scripts/bench/execution.py [--calls 20000] [--environment runs/bench/distilabel]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from data_pipeline.core.schema import Tool
from data_pipeline.tools.executor import Executor
from data_pipeline.tools.pool import open_pool
from data_pipeline.tools.python_runner import PythonRunner
from data_pipeline.tools.runner import Call
from data_pipeline.tools.sandbox import best_level
from data_pipeline.tools.source import open_source

FUNCTION = '''"""One trivial tool."""


def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: The first number
        b: The second number
    """
    return a + b
'''
# Runs in distilabel's environment: prints calls per second, best of three.
DISTILABEL = """
import json, sys, time
from distilabel.steps.tasks.apigen.execution_checker import APIGenExecutionChecker
step = APIGenExecutionChecker(libpath=sys.argv[1])
step.load()
count = int(sys.argv[2])
answers = [json.dumps([{"name": "add", "arguments": {"a": i, "b": 1}}]) for i in range(count)]
rows = [{"query_id": str(i), "answers": answer} for i, answer in enumerate(answers)]
best = 0
for _ in range(3):
    started = time.perf_counter()
    done = [row for batch in step.process([dict(row) for row in rows]) for row in batch]
    best = max(best, count / (time.perf_counter() - started))
    assert all(row["keep_row_after_execution_check"] for row in done), done[0]
print(best)
"""
REPEATS = 3
FRESH_CALLS = 30
GOAL, FRESH_GOAL, POOL_GOAL, LOAD_GOAL = 1.0, 100.0, 1.1, 3.0


def main() -> int:
    """Measure and print; exit code 1 where a number misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000, help="calls a measurement, default: %(default)s")
    parser.add_argument(
        "--environment", type=Path, default=Path("runs/bench/distilabel"), help="where distilabel is installed"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "trivial_tools.py"
        module.write_text(FUNCTION, encoding="utf-8")
        theirs = _distilabel(options.environment, module, options.calls)
        ours = _warm(module, options.calls)
        fresh = _fresh(module)
        small, large = _pools(module, options.calls)
        load = _load_seconds(Path(folder))
    rows = (
        ("distilabel 1.5.3, eval in its own process", f"{theirs:,.0f} calls/s", ""),
        (f"here, sandbox '{best_level().level}', schema checked", f"{ours:,.0f} calls/s", f"{ours / theirs:.2f} times"),
        ("here, a fresh sandboxed process a call", f"{fresh:,.1f} calls/s", f"warm is {ours / fresh:,.0f} times"),
        ("a call with 150 tools in the pool", f"{small * 1e6:.1f} us", ""),
        ("a call with 15,000 tools in the pool", f"{large * 1e6:.1f} us", f"{large / small:.3f} times"),
        ("loading 15,000 schema tools", f"{load:.2f} s", ""),
    )
    for name, value, ratio in rows:
        print(f"{name:45} {value:>18}   {ratio}")
    reached = (ours / theirs >= GOAL, ours / fresh >= FRESH_GOAL, large / small <= POOL_GOAL, load < LOAD_GOAL)
    return 0 if all(reached) else 1


def _distilabel(environment: Path, module: Path, calls: int) -> float:
    python = environment / "bin" / "python"
    if not python.exists():
        print(f"installing distilabel into {environment} (once)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "distilabel==1.5.3", "requests"]
        subprocess.run(install, check=True)
    command = [str(python), "-c", DISTILABEL, str(module), str(calls)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"distilabel failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.split()[-1])


def _warm(module: Path, calls: int) -> float:
    """Calls a second, best of three, checked results."""
    with open_pool([f"python:{module}"]).executor() as executor:
        (tool,) = open_source(f"python:{module}").tools
        return 1 / min(_seconds_a_call(executor, [tool], calls) for _ in range(REPEATS + 1))


def _seconds_a_call(executor: Executor, tools: list[Tool], calls: int) -> float:
    batch = [Call(tools[number % len(tools)], {"a": number, "b": 1}) for number in range(calls)]
    started = time.perf_counter()
    results = executor.call_many(batch)
    seconds = (time.perf_counter() - started) / calls
    assert [result.result for result in results] == [number + 1 for number in range(calls)]
    return seconds


def _fresh(module: Path) -> float:
    """Calls a second with a new sandboxed process for each."""
    source = f"python:{module}"
    (tool,) = open_source(source).tools
    started = time.perf_counter()
    for number in range(FRESH_CALLS):
        spec = {"kind": "file", "path": str(module)}
        with closing(PythonRunner({source: spec}, best_level().level, [str(module)])) as runner:
            assert runner.run([Call(tool, {"a": number, "b": 1})], 5.0)[0].result == number + 1
    return FRESH_CALLS / (time.perf_counter() - started)


def _pools(module: Path, calls: int) -> tuple[float, float]:
    """Seconds a call, spread over 150 and over 15,000 tools; measured in turns, best of each."""
    found: dict[int, list[float]] = {150: [], 15_000: []}
    opened = {}
    for size in found:
        large = module.with_name(f"tools_{size}.py")
        names = ", ".join(f'"add_{number}"' for number in range(size))
        bodies = "".join(
            f'def add_{n}(a: int, b: int) -> int:\n    """Add {n}."""\n    return a + b\n' for n in range(size)
        )
        large.write_text(f"__all__ = [{names}]\n{bodies}", encoding="utf-8")
        opened[size] = open_source(f"python:{large}")
    # The same number of different tools is called in both, so that what differs is the pool around them alone.
    called = {size: list(source.tools)[:: size // 150] for size, source in opened.items()}
    executors = {
        size: Executor({source.provenance.source: source.runner}) for size, source in opened.items() if source.runner
    }
    for _ in range(REPEATS):
        for size, executor in executors.items():
            found[size].append(_seconds_a_call(executor, called[size], calls))
    for executor in executors.values():
        executor.close()
    return min(found[150]), min(found[15_000])


def _load_seconds(folder: Path) -> float:
    """Reading 15,000 OpenAI schemas from a file, checked, into a pool."""
    parameters = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "required": ["a"],
    }
    tools = [{"name": f"tool_{n}", "description": f"Do thing {n}.", "parameters": parameters} for n in range(15_000)]
    path = folder / "tools.json"
    path.write_text(json.dumps(tools), encoding="utf-8")
    started = time.perf_counter()
    pool = open_pool([f"json:{path}"])
    seconds = time.perf_counter() - started
    assert len(pool.tools) == 15_000
    return seconds


if __name__ == "__main__":
    sys.exit(main())
