"""The model card: README.md of a model folder, for people and for the Hugging Face hub.

Everything in it is read from files: provenance.json of the folder, and JSON results that are given. What is on no
record is called unknown. Sections and header follow the hub's model card specification.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_atomic
from xlam_train.export.card_texts import INTENDED, LIMITS, SERVING
from xlam_train.export.finish import GENERATION
from xlam_train.export.origin import prompt_of, read_origin, require_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

UNKNOWN = "unknown"
# Licences that the hub knows by these names; others are `other` with a name.
_HUB_LICENCES = ("apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-nc-4.0", "cc0-1.0", "llama3", "llama3.1")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_SHARES = (("valid", "in the format"), ("tools", "right tools"), ("exact", "exactly right"), ("runs", "calls run"))
# Settings of a recipe that say nothing of the weights.
_LEFT_OUT = ("out", "track", "world", "checkpoint_every", "checkpoints_kept", "threads")


def write_card(
    model_dir: Path, *, name: str | None = None, licence: str | None = None, results: Mapping[str, Path] | None = None
) -> Path:
    """Write README.md into a model folder.

    Args:
        model_dir: a merged or finished model.
        name: of the model; None takes the folder's.
        licence: of the model, for its publisher to decide; None takes the base's where that is known.
        results: JSON of `xlam smoke --json` or `xlam eval heldout --json`, by what is to stand above its numbers.

    Returns:
        The card's path.

    Raises:
        InputError: no model folder, or a result without a score.
    """
    require_folder(model_dir)
    origin = read_origin(model_dir)
    name = name or model_dir.resolve().name
    parts = [
        _header(origin, licence),
        f"# {name}\n\n{_summary(origin)}",
        f"## Results\n\n{_results(results or {})}",
        f"## How to serve it\n\n{_serving(model_dir, origin, name)}",
        f"## Data\n\n{_data(origin)}",
        f"## Training\n\n{_training(origin)}",
        f"## Intended use\n\n{INTENDED}",
        f"## Limits\n\n{LIMITS}",
        f"## Licences\n\n{_licences(origin, licence)}",
    ]
    path = model_dir / "README.md"
    write_atomic(path, ("\n\n".join(part.strip() for part in parts) + "\n").encode())
    return path


def _header(origin: dict[str, Any], licence: str | None) -> str:
    """The YAML block that the hub reads."""
    header: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        **_licence_fields(licence or _stated(origin).get("base")),
        "language": ["en"],
        "tags": ["function-calling", "tool-use", "xlam"],
    }
    base = origin.get("base", {}).get("name") or ""
    if _HUB_NAME.fullmatch(base):  # the hub links to it, so a folder or a package cannot stand there
        header |= {"base_model": base, "base_model_relation": "finetune"}
    dataset = origin.get("dataset", {}).get("name") or (origin.get("data") or {}).get("name")
    if dataset:
        header["datasets"] = [dataset]
    return f"---\n{yaml.safe_dump(header, sort_keys=False)}---"


def _licence_fields(licence: str | None) -> dict[str, str]:
    if licence is None:
        return {"license": UNKNOWN}
    if licence.lower() in _HUB_LICENCES:
        return {"license": licence.lower()}
    return {"license": "other", "license_name": licence}


def _stated(origin: dict[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = origin.get("licences", {})
    return found


def _summary(origin: dict[str, Any]) -> str:
    base = origin.get("base", {})
    revision = f" at revision `{base['revision']}`" if base.get("revision") else ""
    told = f"`{base['name']}`{revision}" if base.get("name") else "a base that is on no record"
    variant, conversion = prompt_of(origin)
    return (
        f"A function-calling model: {told}, fine-tuned with xlam-train to answer a query with calls of the tools that "
        f"stand in its prompt. Prompt: variant `{variant}`, tool schemas by the conversion `{conversion}`; the chat "
        "template in this folder writes it from OpenAI `messages` and `tools`."
    )


def _results(results: Mapping[str, Path]) -> str:
    if not results:
        return (
            "Not measured yet. `xlam smoke MODEL --json` measures; `xlam export card --result NAME=FILE` adds it here."
        )
    heading = ("", "queries", *(told for _, told in _SHARES))
    rows, styles = [], []
    for label, path in results.items():
        score = _find_score(read_json(path))
        if score is None:
            raise InputError(f"{path}: no score in it; give the JSON of xlam smoke or xlam eval heldout")
        rows.append((label, score["samples"], *(_percent(score.get(key)) for key, _ in _SHARES)))
        by_style = score.get("exact_by_style") or {}
        styles += [(label, style, _percent(share)) for style, share in sorted(by_style.items())]
    told = _table(heading, rows)
    return f"{told}\n\n{_table(('', 'style', 'exactly right'), styles)}" if styles else told


def _find_score(content: Any) -> dict[str, Any] | None:
    """The first object with the shares of a score, however deep a command has put it."""
    if not isinstance(content, dict):
        return None
    if "samples" in content and "exact" in content:
        return content
    return next((found for value in content.values() if (found := _find_score(value)) is not None), None)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _serving(model_dir: Path, origin: dict[str, Any], name: str) -> str:
    variant, _ = prompt_of(origin)
    ends = read_json(model_dir / GENERATION).get("eos_token_id") if (model_dir / GENERATION).is_file() else None
    told = SERVING.replace("@MODEL@", model_dir.resolve().name).replace("@VARIANT@", variant)
    return f"{told}\nAnswers end with the token ids {ends} (`{GENERATION}`)." if ends is not None else told


def _data(origin: dict[str, Any]) -> str:
    facts = origin.get("data")
    identity = origin.get("dataset", {})
    fingerprint = f"\n\nSHA-256 of its shards: `{identity['sha256']}`." if identity.get("sha256") else ""
    if not facts:
        return f"Dataset: {identity.get('name', UNKNOWN)}. Its numbers are on no record here.{fingerprint}"
    accepted, drafted = _number(facts["accepted"]), _number(facts["drafted"])
    told = f"`{facts['name']}`: {accepted} verified samples with {_number(facts['calls'])} calls, of {drafted} drafted."
    styles = _table(("style", "samples"), sorted((facts.get("styles") or {}).items()))
    return f"{told}\n\n{styles}\n\n{_decontamination(facts)}{fingerprint}"


def _decontamination(facts: dict[str, Any]) -> str:
    benchmark = facts.get("benchmark")
    if not benchmark:
        return "NOT compared with any benchmark: results on public benchmarks may be inflated."
    return (
        f"Compared with {_number(benchmark.get('questions'))} questions and {_number(benchmark.get('tools'))} tools of "
        f"{benchmark.get('package', UNKNOWN)}; {_number(facts.get('in_benchmark'))} samples were dropped for it."
    )


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else UNKNOWN


def _training(origin: dict[str, Any]) -> str:
    recipe = origin.get("recipe")
    if not recipe:
        return "The recipe is on no record."
    kept = {key: value for key, value in recipe.items() if key not in _LEFT_OUT and value is not None}
    rows = sorted(origin.get("versions", {}).items())
    hardware = origin.get("hardware", {})
    on = f"{hardware.get('processes', UNKNOWN)} processes, {', '.join(hardware.get('gpus', ())) or 'no GPU'}"
    versions = ", ".join(f"{name} {version}" for name, version in rows) or UNKNOWN
    text = yaml.safe_dump(kept, sort_keys=False)
    scale = origin.get("adapter_scale")
    scaled = f" The adapter was merged with {scale:g} of its change." if scale else ""
    return f"The resolved recipe:\n\n```yaml\n{text}```\n\nMachine: {on}.\nVersions: {versions}.{scaled}"


def _licences(origin: dict[str, Any], licence: str | None) -> str:
    """Of every parent, so that nobody has to guess what is inherited."""
    stated = _stated(origin)
    base = origin.get("base", {}).get("name", UNKNOWN)
    data = origin.get("dataset", {}).get("name", UNKNOWN)
    rows = [
        ("this model", "", licence or f"that of the base: {stated.get('base') or UNKNOWN}"),
        ("base model", base, stated.get("base") or UNKNOWN),
        ("training data", data, stated.get("dataset") or UNKNOWN),
        ("training code", "xlam-train", stated.get("xlam-train") or UNKNOWN),
    ]
    sources = (origin.get("data") or {}).get("sources", [])
    rows += [("tools", source["source"], source.get("licence") or UNKNOWN) for source in sources]
    note = "A licence that is unknown has to be found out before the model is passed on; parents' terms bind it."
    return f"{_table(('part', 'name', 'licence'), rows)}\n\n{note}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
