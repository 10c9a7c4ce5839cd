"""The dataset card: README.md of a dataset folder, for people and for the Hugging Face hub.

Its header names the shards as data files, so that `datasets.load_dataset(folder)` gives the accepted samples.
Everything in it is read from the files beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from data_pipeline.core.dataset import read_dataset, read_rejects
from data_pipeline.core.jsonl import read_json, write_atomic
from data_pipeline.report.funnel import Funnel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# Hugging Face's words for how many rows there are.
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_LICENCES = {
    "apache-2.0": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "mit": "mit",
    "bsd-3-clause": "bsd-3-clause",
    "cc-by-4.0": "cc-by-4.0",
    "cc0-1.0": "cc0-1.0",
}

_FORMAT = """\
Each row is one sample. `query` is plain text; `tools`, `messages`, `verdicts` and `results` hold JSON text, as in
xlam-function-calling-60k, so that no table format changes the types of arguments. The answer is in the last message's
`tool_calls`; an empty list is right where no tool fits or the query lacks a required value (`incomplete` then holds the
call as far as it is given). `verdicts` says what each check found.

```python
from datasets import load_dataset

rows = load_dataset("path/of/this/folder", split="train")
```
"""
_VERIFICATION = """\
Format: the calls fit the schemas of the tools on offer. Execution: the calls were run and returned a result. Semantic:
each value is stated in the query, and the query is answered.
"""


def write_card(folder: Path) -> Path:
    """Write README.md into a dataset folder and return its path.

    Reads stats.json, recipe.json and provenance.json; where a job has not come as far as stats.json, samples are
    counted instead, and what the other two would say is left out.

    Raises:
        InputError: there is no dataset, or the card cannot be written.
    """
    funnel = read_funnel(folder)
    recipe = _optional(folder / "recipe.json")
    provenance = _optional(folder / "provenance.json")
    parts = [
        _header(funnel, recipe, provenance),
        f"# Verified function-calling samples\n\n{_summary(funnel, recipe)}",
        f"## Rows\n\n{_FORMAT}\n{_markdown(('style', 'samples'), funnel.styles.most_common())}",
        f"## Verification\n\n{_verification(funnel, recipe)}",
        f"## Duplicates and benchmarks\n\n{_curation(funnel, recipe.get('recipe'), provenance.get('benchmark'))}",
        f"## Tools\n\n{_tools(provenance)}",
        f"## How to repeat it\n\n{_repeat(recipe)}",
    ]
    path = folder / "README.md"
    write_atomic(path, ("\n\n".join(part.strip() for part in parts) + "\n").encode())
    return path


def read_funnel(folder: Path) -> Funnel:
    """The counts of a dataset, from stats.json or, where there is none yet, from its samples.

    Raises:
        InputError: there is no dataset.
    """
    path = folder / "stats.json"
    if path.exists():
        return Funnel.from_dict(read_json(path))
    funnel = Funnel()
    funnel.count(read_dataset(folder))
    if (folder / "rejects").exists():
        funnel.count(read_rejects(folder))
    return funnel


def _optional(path: Path) -> dict[str, Any]:
    return dict(read_json(path)) if path.exists() else {}


def _header(funnel: Funnel, recipe: dict[str, Any], provenance: dict[str, Any]) -> str:
    """The YAML block that the hub and `datasets` read."""
    size = next((name for limit, name in _SIZES if funnel.accepted < limit), _LARGEST)
    # Of data made elsewhere nobody said the language.
    locales = (recipe.get("recipe") or {}).get("locales") or ()
    languages = sorted({locale.partition("-")[0] for locale in locales})
    # What was made elsewhere has the licence of whoever made it, not that of the tools it was checked with.
    licences = [] if "check" in recipe else [entry["licence"] for entry in provenance.get("sources", ())]
    header: dict[str, Any] = {
        **_licence(licences),
        **({"language": languages} if languages else {}),
        "task_categories": ["text-generation"],
        "tags": ["function-calling", "tool-use", "synthetic", "xlam"],
        "size_categories": [size],
        "configs": [{"config_name": "default", "data_files": "shards/*.jsonl"}],
    }
    return f"---\n{yaml.safe_dump(header, sort_keys=False)}---"


def _licence(stated: Sequence[str]) -> dict[str, str]:
    """The hub's name of the one licence of all sources; several, or one it has no name for, are `other`."""
    distinct = dict.fromkeys(stated)
    if not distinct or "" in distinct:
        return {"license": "unknown"}
    name = _LICENCES.get(next(iter(distinct)).lower()) if len(distinct) == 1 else None
    return {"license": name} if name else {"license": "other", "license_name": ", ".join(distinct)}


def _summary(funnel: Funnel, recipe: dict[str, Any]) -> str:
    made = f"{funnel.accepted:,} samples of function calling with {funnel.calls:,} calls"
    if "check" in recipe:
        return f"{made}, checked; `{recipe['check']['file']}` was made elsewhere. {funnel.drafted:,} were read."
    return f"{made}, generated and verified with xlam-train. {funnel.drafted:,} were drafted."


def _verification(funnel: Funnel, recipe: dict[str, Any]) -> str:
    settings = recipe.get("recipe") or {}
    rows = ((s, e, p, ", ".join(f"{reason} {n}" for reason, n in funnel.reasons(s))) for s, e, p in funnel.stages())
    heading, *passes = funnel.pass_rows(generator_name(recipe))
    parts = [
        _generator(settings, funnel.prompts) if settings else "",
        _VERIFICATION,
        _markdown(heading, passes),
        _markdown(("stage", "entered", "passed", "rejects by reason"), rows),
        f"Not executed, since a called tool is a schema only: {funnel.not_executed:,} of the accepted samples.",
    ]
    if funnel.input_tokens or funnel.output_tokens:
        spent = f"Tokens: {funnel.input_tokens:,.0f} of prompts, {funnel.output_tokens:,.0f} written"
        parts.append(f"{spent}; cost {funnel.cost:,.4f} at the recipe's prices.")
    return "\n\n".join(part.strip() for part in parts if part)


def generator_name(recipe: dict[str, Any]) -> str:
    """Who wrote samples that do not say so, from what recipe.json says."""
    if "check" in recipe:
        return str(recipe["check"]["file"])
    return _model_name((recipe.get("recipe") or {}).get("generator") or {"kind": "grammar"})


def _model_name(settings: dict[str, Any]) -> str:
    return str(settings.get("model") or settings.get("path") or settings["kind"])


def _generator(settings: dict[str, Any], prompts: Iterable[str]) -> str:
    """Who wrote, asked how, and who judged."""
    name = _model_name(settings["generator"]) if settings.get("generator") else "grammar"
    written = "rules, no language model" if name == "grammar" else f"`{name}`"
    if prompts := sorted(prompts):
        written += f", asked with the prompt {', '.join(f'`{prompt}`' for prompt in prompts)}"
    judges = [_model_name(judge) for judge in settings.get("judges") or ()]
    if not judges:
        return f"Written by: {written}. No language model judged them."
    quorum = settings.get("quorum") or len(judges) // 2 + 1
    return f"Written by: {written}. Judged by: {', '.join(f'`{j}`' for j in judges)}; {quorum} must say yes."


def _curation(funnel: Funnel, settings: dict[str, Any] | None, benchmark: dict[str, Any] | None) -> str:
    dropped = dict(funnel.reasons("curate"))
    if benchmark:
        compared = (
            f"Compared with the {benchmark['questions']:,} questions and {benchmark['tools']:,} tools of "
            f"{benchmark['package']}: {dropped.get('in_benchmark', 0):,} samples shared a question, "
            f"{benchmark['ngram_words']} words in a row, or a tool with them, and were dropped."
        )
    else:
        compared = "NOT checked against any benchmark."
    if "curate" not in funnel.ran:
        return f"Duplicates were not looked for. {compared}"
    near = (settings or {}).get("near_duplicates")
    threshold = f" Near-duplicate from a similarity of {near} of word n-grams." if near else ""
    told = ", ".join(f"{reason} {number}" for reason, number in dropped.items()) or "none"
    return f"Dropped by curation: {told}.{threshold} {compared}"


def _tools(provenance: dict[str, Any]) -> str:
    if not provenance:
        return "Where the tools came from is not on record."
    sources = provenance["sources"]
    if not any(entry["executable"] for entry in sources):
        ran = "No call was executed."
    else:
        level = provenance.get("sandbox", {}).get("level", "unknown")
        ran = f"Calls ran in a sandbox of level `{level}`; provenance.json lists its layers and what was left out."
    rows = [
        (source["source"], source["version"] or "-", source["licence"] or "not stated", _yes(source["executable"]))
        for source in sources
    ]
    told = _markdown(("source", "version", "licence", "executed"), rows) if rows else ""
    return f"{told}\n\n{ran}".strip()


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _repeat(recipe: dict[str, Any]) -> str:
    """The command, with the version that gave these bytes."""
    if "check" in recipe:
        stated = recipe["check"]
        tools = "".join(f" --tools {source}" for source in stated["tools"])
        command = f"xlam data check {stated['file']} --from {stated['format']}{tools} --out FOLDER"
        note = f"SHA-256 of the file: {stated['sha256']}."
    elif "recipe" in recipe:
        command = "xlam data generate recipe.yaml --out FOLDER"
        note = "recipe.yaml is what recipe.json of this folder holds as `recipe`; JSON is YAML."
        note += " Grammar: the same bytes. Language models: as far as their answers are the same."
        if "secrets_sha256" in recipe:
            note += " Passwords and keys in its addresses and commands are left out."
    else:
        return "How it was made is not on record."
    return f"With xlam-train {recipe['version']}:\n\n```sh\n{command}\n```\n\n{note}"


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
