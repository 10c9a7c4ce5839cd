"""Train again and keep the new numbers; says how far they are from the old ones. For changes that are meant.

python tests/golden/update.py
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import golden_run


def largest_difference(old: list[float], new: list[float]) -> float:
    """Relative to the old numbers."""
    return max(abs(after - before) / abs(before) for before, after in zip(old, new, strict=True))


def main() -> None:
    """One file a model."""
    for name in golden_run.MODELS:
        path = golden_run.file_of(name)
        old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        with tempfile.TemporaryDirectory() as folder:
            new = golden_run.run(name, Path(folder))
        for key, numbers in new.items():
            change = f"changed by {largest_difference(old[key], numbers):.2g} at most" if key in old else "new"
            print(f"{name} {key}: {change}")
        path.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
