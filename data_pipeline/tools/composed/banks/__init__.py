"""Word banks that examples of text parameters are drawn from: common words of each field, and invented names.

In the files, `# name` begins a bank, and each line below is one of its values, common ones first (by the number of
tokens that SmolLM2's vocabulary needs for their longest word, then by how late it learned them). They are large so that
a model copies what is said instead of knowing it by heart.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def banks() -> dict[str, tuple[str, ...]]:
    """Bank -> its values, in the order of the files."""
    found: dict[str, list[str]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        lines = file.read_text(encoding="utf-8").splitlines() if file.name.endswith(".txt") else []
        for line in lines:
            if line.startswith("# "):
                values = found.setdefault(line[2:], [])
            elif line:
                values.append(line)
    return {name: tuple(values) for name, values in found.items()}
