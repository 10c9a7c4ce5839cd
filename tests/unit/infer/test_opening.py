"""What is no model, or a broken one, is refused in one line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from data_pipeline.core.errors import InputError
from xlam_train.infer.endpoint_backend import EndpointBackend
from xlam_train.infer.llama_cpp import LlamaCppBackend
from xlam_train.infer.opening import open_backend, weights_fingerprint
from xlam_train.infer.transformers_backend import TransformersBackend
from xlam_train.infer.vllm_backend import VllmBackend


def refusal(model: str) -> str:
    with pytest.raises(InputError) as caught, open_backend(model, threads=1):
        pass
    assert "\n" not in str(caught.value)
    assert model.removeprefix("vllm:") in str(caught.value)
    return str(caught.value)


@pytest.fixture
def copy(tiny_base: Path, tmp_path: Path) -> Path:
    """A small random model to break."""
    return Path(shutil.copytree(tiny_base, tmp_path / "model"))


def test_the_name_says_which_backend(tiny_base: Path, tmp_path: Path) -> None:
    (tmp_path / "a.gguf").touch()
    assert isinstance(open_backend(str(tiny_base)), TransformersBackend)
    assert isinstance(open_backend(str(tmp_path / "a.gguf")), LlamaCppBackend)
    assert isinstance(open_backend("https://host:1/v1"), EndpointBackend)
    assert isinstance(open_backend(f"vllm:{tiny_base}"), VllmBackend)


def test_a_name_with_other_weights_is_told(tiny_base: Path, copy: Path, tmp_path: Path) -> None:
    of_folder = weights_fingerprint(str(copy))
    assert weights_fingerprint(str(tiny_base)) == weights_fingerprint(f"vllm:{copy}") == of_folder
    tensors = load_file(copy / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, copy / "model.safetensors", {"format": "pt"})
    assert weights_fingerprint(str(copy)) != of_folder
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    of_file = weights_fingerprint(str(tmp_path / "a.gguf"))
    (tmp_path / "a.gguf").write_bytes(b"gguf")
    assert weights_fingerprint(str(tmp_path / "a.gguf")) != of_file
    assert weights_fingerprint("http://host:1/v1") is None


def test_a_gguf_file_is_told_without_torch(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    code = (
        "import sys; from xlam_train.infer.opening import weights_fingerprint; weights_fingerprint(sys.argv[1]); "
        "sys.exit('torch' in sys.modules or 'safetensors' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.gguf")], check=True)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    assert "no model here" in refusal(str(tmp_path / "nothing"))
    assert "no model here" in refusal(str(tmp_path))
    assert "no model here" in refusal(str(tmp_path / "nothing.gguf"))
    assert "xlam export merge" in refusal(str(tmp_path / "adapter"))
    assert "no model here" in refusal(f"vllm:{tmp_path}")


def test_weights_cut_short_are_refused(copy: Path) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "transformers cannot load it" in refusal(str(copy))


def test_a_missing_tensor_is_not_made_up(copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    assert "1 missing tensors, such as model.layers.1.mlp.up_proj.weight" in refusal(str(copy))


def test_tensors_of_an_adapter_are_not_passed_over(copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    tensors["model.layers.1.mlp.up_proj.lora_A.weight"] = torch.zeros(2, 2)
    save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    assert "1 unexpected tensors, such as model.layers.1.mlp.up_proj.lora_A.weight" in refusal(str(copy))


def test_another_shape_is_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["intermediate_size"] *= 2
    (copy / "config.json").write_text(json.dumps(config))
    refusal(str(copy))


def test_weights_are_never_unpickled(copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(tensors, copy / "pytorch_model.bin")
    assert "transformers cannot load it" in refusal(str(copy))


def test_the_precision_is_chosen_and_named(tiny_base: Path) -> None:
    with TransformersBackend(tiny_base, threads=1, dtype="bfloat16") as backend:
        assert backend.name == f"transformers bf16 {tiny_base.name}"
        assert backend._model.dtype == torch.bfloat16
