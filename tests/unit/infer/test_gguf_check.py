"""Files that are no whole GGUF are refused before llama.cpp sees them."""

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from data_pipeline.core.errors import InputError
from xlam_train.infer.gguf_check import BLOCKS, check_gguf
from xlam_train.infer.opening import open_backend


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Every kind of metadata value, and two tensors of which the last in the file is not the last in the header."""
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint8("a.u8", 1)
    writer.add_int16("a.i16", -1)
    writer.add_float64("a.f64", 0.5)
    writer.add_bool("a.bool", True)
    writer.add_array("a.words", ["one", "zwei", ""])
    writer.add_array("a.numbers", [1, 2, 3])
    writer.add_array("a.nested", [[1, 2], [3]])
    writer.add_tensor("plain", np.ones((3, 5), np.float32))
    blocks = gguf.quants.quantize(np.ones((2, 64), np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("quantized", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        check_gguf(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_block_sizes_are_those_of_ggml() -> None:
    known = {int(kind): tuple(map(int, sizes)) for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: known[kind] for kind in BLOCKS} == dict(BLOCKS)


def test_a_whole_file_passes_and_its_types_are_told(whole: Path) -> None:
    kinds = {gguf.GGMLQuantizationType(kind).name for kind in check_gguf(whole)}
    assert kinds == {"F32", "Q8_0"}


def test_vocabulary_files_pass(vocab_dir: Path) -> None:
    files = sorted(vocab_dir.glob("*.gguf"))
    assert files
    for path in files:
        check_gguf(path)


def test_a_file_cut_anywhere_is_refused(whole: Path) -> None:
    data = whole.read_bytes()
    last_block = len(data) - len(data) % 32 if len(data) % 32 else len(data) - 32
    for size in {*range(0, len(data) - 64, 7), last_block}:
        whole.write_bytes(data[:size])
        assert "cut short" in (said := refusal(whole)) or "no whole GGUF file" in said


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda data: b"not a model", "does not begin with 'GGUF'"),
        (lambda data: b"", "does not begin with 'GGUF'"),
        (lambda data: data[:4] + b"\x09\0\0\0" + data[8:], "version 9"),
        (lambda data: data[:4] + b"\0\0\0\x03" + data[8:], "version"),
        (lambda data: data[:16] + b"\xff" * 8 + data[24:], "would be many"),
        (lambda data: data[:24] + b"\xff" * 8 + data[32:], "would be many"),
        (lambda data: data.replace(b"a.u8\0\0\0\0", b"a.u8\x4d\0\0\0"), "unknown type 77"),
        (lambda data: data.replace(b"plain\x02\0\0\0", b"plain\x63\0\0\0"), "99 dimensions"),
        (lambda data: data.replace(b"plain\x02\0\0\0\x05", b"plain\x02\0\0\0\xff"), "cut short"),
    ],
)
def test_a_header_that_cannot_be_is_refused(whole: Path, spoil: Callable[[bytes], bytes], match: str) -> None:
    data = whole.read_bytes()
    spoilt = spoil(data)
    assert spoilt != data
    whole.write_bytes(spoilt)
    assert match in refusal(whole)


def test_a_header_of_lists_in_lists_is_refused(whole: Path) -> None:
    data = whole.read_bytes()
    key = b"a.nested" + (9).to_bytes(4, "little")
    start = data.index(key) + len(key)
    deeper = ((9).to_bytes(4, "little") + (1).to_bytes(8, "little")) * 100_000
    whole.write_bytes(data[:start] + deeper + data[start:])
    assert "no whole GGUF file" in refusal(whole)


def test_llama_cpp_is_not_even_started(whole: Path) -> None:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    whole.write_bytes(whole.read_bytes()[:-60])
    with pytest.raises(InputError, match="cut short"), open_backend(str(whole)):
        pass


def test_what_llama_cpp_refuses_is_one_line_and_its_log_stays_away(
    whole: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A whole file that holds no model."""
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    with pytest.raises(InputError, match=r"llama\.cpp cannot load it") as caught, open_backend(str(whole), threads=1):
        pass
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
