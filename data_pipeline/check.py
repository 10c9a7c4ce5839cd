"""`xlam data check`: the three checks over data made elsewhere, with the tools that are here to execute its calls.

A sample's own tool schemas decide the format; where SOURCE has a tool of the same name, parameters and types, what its
schema says beyond them (limits, the keys of objects) counts too, since formats such as xLAM's cannot hold it. A called
tool that SOURCE has runs for real, and one that it has not counts as not executed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.convert.formats import format_of, input_files, read_samples
from data_pipeline.convert.lines import BadLine, GoodLine
from data_pipeline.convert.writers import dataset_writer, record_file
from data_pipeline.core.jsonl import write_json, write_jsonl
from data_pipeline.core.schema import Tool, Trajectory, Verdict
from data_pipeline.report.card import write_card
from data_pipeline.report.console import progress_bar
from data_pipeline.report.funnel import Funnel
from data_pipeline.tools.pool import Pool, open_pool
from data_pipeline.tools.shown import shown_source
from data_pipeline.verify.checks import Checker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from data_pipeline.convert.writers import DatasetWriter
    from data_pipeline.tools.source import SourceOptions

BATCH_SAMPLES = 256
BATCH_BYTES = 8 << 20
"""Input checked at once, whichever comes first; it bounds the memory."""
MAX_PREPARED = 20_000
"""Tools remembered with what runs them; then remembering begins anew."""


class Refused(NamedTuple):
    """What was not accepted: where it stands, and which check refused it, why."""

    file: str
    line: int
    id: str
    stage: str
    reason: str
    detail: str

    def in_words(self) -> str:
        """One line for people."""
        return f"{self.file}:{self.line}: {self.stage}: {self.reason}: {self.detail}"


@dataclass
class CheckReport:
    """What came of a file.

    Attributes:
        format: the one it was read as.
        funnel: counts; lines that could not be read fell out at the format check.
        differing: name of a tool -> samples that call it with another schema than that of SOURCE.
        refused: the first of what was not accepted.
    """

    format: str
    funnel: Funnel = field(default_factory=Funnel)
    differing: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the keys of stats.json and what a check adds."""
        return {
            "format": self.format,
            **self.funnel.to_dict(),
            "schema_differs": dict(sorted(self.differing.items())),
            "refused": [entry._asdict() for entry in self.refused],
        }


def check_file(
    path: Path,
    *,
    format_name: str = "auto",
    sources: Sequence[str] = (),
    options: SourceOptions | None = None,
    out: Path | None = None,
    listed: int = 20,
) -> CheckReport:
    """Check the samples of a file or dataset folder.

    Args:
        path: what to check.
        format_name: one of `data_pipeline.convert.formats.FORMATS`, or `auto`.
        sources: where executable tools are; without any, no call is executed.
        options: what those sources are allowed.
        out: a folder for accepted and refused samples; none is written unless given.
        listed: refused samples to tell one by one.

    Raises:
        InputError: the file, a source or the folder is unusable.
    """
    report = CheckReport(format_of(path) if format_name == "auto" else format_name)
    pool = open_pool(sources, options)
    with ExitStack() as stack:
        writer = stack.enter_context(dataset_writer(out)) if out else None
        tell = stack.enter_context(record_file(writer.folder / "refused.jsonl")) if writer else None
        checker = Checker(stack.enter_context(pool.executor()))
        bar = stack.enter_context(progress_bar())
        task = bar.add_task(path.name, total=None, note="")
        matcher = _Matcher(pool)
        for batch in _batches(read_samples(path, report.format)):
            _check_batch(batch, checker, matcher, report, _Sinks(writer, tell, listed))
            bar.update(task, advance=len(batch), note=f"{report.funnel.accepted} samples accepted")
        if writer:
            _describe(writer.folder, path, report, pool, sources)
    return report


class _Sinks(NamedTuple):
    """Where samples go: a dataset, a list of refusals with their lines, and how many the report holds."""

    writer: DatasetWriter | None
    tell: Callable[[dict[str, Any]], None] | None
    listed: int

    def refuse(self, refused: Refused, report: CheckReport) -> None:
        if len(report.refused) < self.listed:
            report.refused.append(refused)
        if self.tell:
            self.tell(refused._asdict())


def _batches(lines: Iterable[GoodLine | BadLine]) -> Iterator[list[GoodLine | BadLine]]:
    batch: list[GoodLine | BadLine] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += line.size if isinstance(line, GoodLine) else 0
        if len(batch) >= BATCH_SAMPLES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _check_batch(
    batch: Sequence[GoodLine | BadLine], checker: Checker, matcher: _Matcher, report: CheckReport, sinks: _Sinks
) -> None:
    """Check the samples of a batch together, and count and store everything in the order of the file."""
    samples = [line.sample for line in batch if isinstance(line, GoodLine)]
    checked = iter(checker.check_many([matcher.prepared(sample) for sample in samples]))
    for line in batch:
        if isinstance(line, BadLine):
            report.funnel.count_unreadable(line.reason)
            sinks.refuse(Refused(str(line.path), line.line, "", "format", line.reason, line.detail), report)
            continue
        differing = matcher.differing(line.sample)
        report.differing.update(differing)
        # With its own tools again, which say where it came from.
        sample = next(checked).model_copy(update={"tools": line.sample.tools})
        sample = sample.model_copy(update={"verdicts": tuple(_told(v, differing) for v in sample.verdicts)})
        report.funnel.count([sample])
        if failed := sample.failed:
            place = str(line.path), line.line, sample.id
            sinks.refuse(Refused(*place, failed.stage, failed.reason, failed.detail), report)
        if sinks.writer:
            sinks.writer.add(sample)


def _told(verdict: Verdict, differing: Sequence[str]) -> Verdict:
    """An execution verdict says that a called tool has another schema here, which may be why a call failed."""
    if verdict.stage != "execution" or not differing:
        return verdict
    note = f"executed with another schema than the sample's: {', '.join(differing)}"
    return verdict.model_copy(update={"detail": f"{verdict.detail}; {note}" if verdict.detail else note})


class _Matcher:
    """Brings samples' tools together with those that can be executed here, by name."""

    def __init__(self, pool: Pool) -> None:
        """Tools of the pool that are schemas only match none."""
        self._runnable = {tool.name: tool for tool in pool.tools if tool.source in pool.runners}
        self._known: dict[str, Tool] = {}

    def prepared(self, sample: Trajectory) -> Trajectory:
        """The sample without earlier verdicts; each tool keeps its schema and is run by SOURCE, or not at all."""
        tools = tuple(map(self._prepared, sample.tools))
        return sample.model_copy(update={"tools": tools, "verdicts": (), "results": ()})

    def _prepared(self, tool: Tool) -> Tool:
        found = self._known.get(tool.fingerprint)
        if found is None:
            if len(self._known) >= MAX_PREPARED:
                self._known.clear()
            found = self._known[tool.fingerprint] = _joined(tool, self._runnable.get(tool.name))
        return found

    def differing(self, sample: Trajectory) -> list[str]:
        """Names of called tools whose schema here has other parameters, types or required ones."""
        own = {tool.name: tool for tool in sample.tools}
        called = dict.fromkeys(call.name for call in sample.calls if call.name in own and call.name in self._runnable)
        return [name for name in called if _differ(own[name], self._runnable[name])]


def _joined(tool: Tool, runnable: Tool | None) -> Tool:
    """A sample's tool as it is checked: run by the source of the one that can be, if any."""
    if runnable is None:
        return tool.model_copy(update={"source": ""})
    changed: dict[str, Any] = {"source": runnable.source, "side_effects": runnable.side_effects}
    if not _differ(tool, runnable):
        changed["parameters"] = _merged(runnable.parameters, tool.parameters)
    return tool.model_copy(update=changed)


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Both schemas in one; where they say the same thing differently, `own` counts."""
    both = {
        key: _merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in own.items()
    }
    return {**base, **both}


def _differ(one: Tool, other: Tool) -> bool:
    if set(one.properties) != set(other.properties) or set(one.required) != set(other.required):
        return True
    kinds = ((_kind(one.properties[name]), _kind(other.properties[name])) for name in one.properties)
    return any(a and b and a != b for a, b in kinds)


def _kind(schema: Any) -> str:
    """A parameter's type where it is told by one word; formats that keep less than a schema tell no more."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    return kind if isinstance(kind, str) else ""


def _describe(out: Path, path: Path, report: CheckReport, pool: Pool, sources: Sequence[str]) -> None:
    """What was checked, with which tools, and what came of it, beside the samples."""
    tools = [shown_source(source) for source in sources]
    checked = {"file": path.name, "sha256": _sha256(path), "format": report.format, "tools": tools}
    write_json(out / "recipe.json", {"check": checked, "version": version("xlam-train")})
    write_jsonl(out / "tools.jsonl", (tool.to_dict() for tool in pool.tools))
    write_json(out / "provenance.json", pool.provenance())
    stats = report.to_dict()
    del stats["refused"]  # all of it is in refused.jsonl
    write_json(out / "stats.json", stats)
    write_card(out)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for file in input_files(path):
        with file.open("rb") as stream:
            for chunk in iter(lambda: stream.read(1 << 20), b""):
                digest.update(chunk)
    return digest.hexdigest()
