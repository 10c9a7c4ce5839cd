"""Rows in the types of a GGUF file, and their way into it in slices."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import libgguf
import numpy as np
import pytest
from transformers import LlamaConfig

from data_pipeline.core.errors import InputError
from xlam_train.export.gguf_write import PlannedTensor, slices, write_tensors
from xlam_train.export.quants import FILE_TYPES, block_values, encode_rows, row_bytes
from xlam_train.export.shape import ModelShape
from xlam_train.export.tensors import TensorSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = gguf.GGMLQuantizationType
KINDS = sorted({kind for _, kind in FILE_TYPES.values()})


def rows(count: int = 24, columns: int = 512) -> NDArray[np.float32]:
    """Weights as models have them, and the rows that rounding stumbles over."""
    values = np.random.default_rng(0).normal(0, 0.05, (count, columns)).astype(np.float32)
    values[1] = 0
    values[2, : columns // 2] = 0
    values[3] = 1e-30
    values[4] *= 1e4
    values[5] = np.round(values[5] * 100)  # ties
    values[6] = -0.0
    values[7, 3] = 1e-41  # subnormal
    values[8] = 0.03
    return values


@pytest.mark.parametrize("kind", [Kind.F32, Kind.F16, Kind.BF16, Kind.Q8_0])
@pytest.mark.parametrize("stored", [np.float32, np.float16])
def test_bytes_are_those_of_the_package_that_llama_cpps_converter_uses(
    kind: gguf.GGMLQuantizationType, stored: Any
) -> None:
    values = rows().astype(stored)
    assert encode_rows(values, kind).tobytes() == gguf.quants.quantize(values, kind).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_decoded_rows_are_near_the_values(kind: gguf.GGMLQuantizationType) -> None:
    values = rows()[9:]
    encoded = encode_rows(values, kind)
    assert encoded.nbytes == len(values) * row_bytes(kind, values.shape[1])
    decoded = gguf.quants.dequantize(np.ascontiguousarray(encoded).view(np.uint8).reshape(len(values), -1), kind)
    bits = 8 * row_bytes(kind, block_values(kind)) / block_values(kind)
    # A block of 32 normal numbers spans four times their spread, so that 4 bits err by a twelfth of the mean.
    assert np.abs(decoded - values).mean() / np.abs(values).mean() < 3 * 2.0 ** -min(bits, 9)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (Kind.F32, Kind.F16, Kind.BF16, Kind.Q8_0)])
def test_importance_moves_the_error_to_the_columns_that_matter_least(kind: gguf.GGMLQuantizationType) -> None:
    values = rows()[9:]
    importance = np.random.default_rng(1).lognormal(0, 2, values.shape[1]).astype(np.float32)
    errors = []
    for weights in (None, importance):
        decoded = libgguf.dequantize_rows(encode_rows(values, kind, weights), int(kind), values.shape[1])
        errors.append(float((importance * (decoded - values) ** 2).sum()))
    assert errors[1] < 0.95 * errors[0]


# ---- slices


def planned(
    values: NDArray[np.float32],
    kind: gguf.GGMLQuantizationType = Kind.F32,
    step: int = 1,
    name: str = "blk.0.ffn_up.weight",
    **more: Any,
) -> PlannedTensor:
    matrix = values.reshape(-1, values.shape[-1])
    source = TensorSource(name, values.shape, lambda start, stop: matrix[start:stop], step)
    return PlannedTensor(source, kind, **more)


@pytest.mark.parametrize(
    ("rows_", "columns", "step"), [(7, 1 << 19, 1), (4096, 4096, 128), (3, 1 << 21, 1), (5, 64, 1)]
)
def test_slices_cover_every_row_once_and_start_at_whole_steps(rows_: int, columns: int, step: int) -> None:
    tensor = planned(np.broadcast_to(np.float32(0), (rows_, columns)), step=step)
    found = list(slices(tensor))
    assert [row for start, stop in found for row in range(start, stop)] == list(range(rows_))
    assert all(start % step == 0 for start, _ in found)
    assert all((stop - start) * columns <= max(1 << 20, step * columns) for start, stop in found)


def test_no_slice_spans_two_experts_that_have_importance_of_their_own() -> None:
    values = rows(24, 256).reshape(3, 8, 256)
    importance = np.random.default_rng(1).lognormal(0, 2, (3, 256)).astype(np.float32)
    assert list(slices(planned(values, importance=importance))) == [(0, 8), (8, 16), (16, 24)]
    assert list(slices(planned(values))) == [(0, 24)]


def write(tmp_path: Path, *tensors: PlannedTensor, threads: int = 2) -> Path:
    out = tmp_path / f"{threads}.gguf"
    write_tensors(gguf.GGUFWriter(None, arch="llama"), out, list(tensors), tmp_path, threads)
    return out


def test_each_expert_is_encoded_with_its_own_importance(tmp_path: Path) -> None:
    values = rows(24, 256).reshape(3, 8, 256)
    importance = np.random.default_rng(1).lognormal(0, 2, (3, 256)).astype(np.float32)
    out = write(tmp_path, planned(values, Kind.Q4_K, importance=importance))
    stored = gguf.GGUFReader(out).tensors[0]
    assert stored.shape.tolist() == [256, 8, 3]
    expected = [encode_rows(part, Kind.Q4_K, weights) for part, weights in zip(values, importance, strict=True)]
    assert stored.data.tobytes() == b"".join(part.tobytes() for part in expected)


@pytest.mark.parametrize("threads", [1, 3])
def test_slices_are_written_in_order_whoever_ends_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr("xlam_train.export.gguf_write._SLICE_VALUES", 1024)
    values = rows(64, 256)
    out = write(tmp_path, planned(values), planned(values[:33], Kind.Q6_K, name="output.weight"), threads=threads)
    one, two = gguf.GGUFReader(out).tensors
    assert one.data.tobytes() == values.tobytes()
    assert two.data.tobytes() == encode_rows(values[:33], Kind.Q6_K).tobytes()


def test_a_bad_number_in_the_last_slice_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlam_train.export.gguf_write._SLICE_VALUES", 1024)
    values = rows(64, 256)
    values[-1, -1] = np.inf
    with pytest.raises(InputError, match=r"blk\.0\.ffn_up\.weight has NaN or infinite values"):
        write(tmp_path, planned(values, Kind.Q4_K))


# ---- memory

CHILD = """
import sys
from pathlib import Path
import torch
from xlam_train.export.gguf import write_gguf
torch.set_num_threads(1)
for folder in sys.argv[2:]:
    write_gguf(Path(folder), Path(sys.argv[1]), "q8_0", threads=2)
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs Linux's /proc")
def test_memory_grows_neither_with_the_number_of_tensors_nor_with_their_size(
    tmp_path: Path, tokenizer_dir: Path
) -> None:
    """A model of 14 times the size, with tensors of up to 25 times, takes a few slices more at most."""
    small = synthetic(tmp_path / "small", tokenizer_dir, layers=2, width=256)
    large = synthetic(tmp_path / "large", tokenizer_dir, layers=11, width=1280)
    assert (large / "model.safetensors").stat().st_size > 550e6 > 13 * (small / "model.safetensors").stat().st_size
    command = [sys.executable, "-c", CHILD, str(tmp_path / "out.gguf"), str(small), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = (int(line) / 1024 for line in done.stdout.split())
    assert after - before < 64


def synthetic(folder: Path, tokenizer_dir: Path, layers: int, width: int) -> Path:
    """A Llama in BF16 of zeros, in a file with a hole instead of half a gigabyte."""
    folder.mkdir()
    for file in tokenizer_dir.iterdir():
        (folder / file.name).symlink_to(file)
    sizes = {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers}
    config = LlamaConfig(**sizes, vocab_size=49160, num_attention_heads=4, num_key_value_heads=4)
    config.update({"tie_word_embeddings": True, "architectures": ["LlamaForCausalLM"]})
    (folder / "config.json").write_text(config.to_json_string())
    header: dict[str, Any] = {}
    end = 0
    for name, shape in ModelShape.from_config(config.to_dict(), folder).expected_tensors().items():
        start, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return folder
