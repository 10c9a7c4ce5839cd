"""A Hugging Face folder, answered by transformers on the CPU or a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Chat, Completion, Constraint, Progress, Request, RequestRefused, template_text
from xlam_train.infer.transformers_decoding import Answer, Decoder

BATCH = 10
"""Answers written at once: enough to use the cores, small enough for a laptop's memory."""

_SHORT_NAMES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


class TransformersBackend:
    """On a CPU fp32 unless told otherwise: the reference that exported files are compared with."""

    at_once = 1

    def __init__(
        self,
        model: Path,
        threads: int | None = None,
        drafts: Mapping[tuple[int, ...], Sequence[int]] | None = None,
        dtype: str | None = None,
    ) -> None:
        """Nothing is loaded yet.

        Args:
            model: the folder.
            threads: of torch; its default unless given.
            drafts: a prompt's token ids -> tokens that another backend answered. They change no answer, only its price:
                where this model would write the same, reading them all at once is faster than writing them. Answers
                that are sampled or constrained do without.
            dtype: of the weights in memory, as torch calls it, or "auto" for the files' own; by default float32 on a
                CPU and auto on a GPU.
        """
        self.name = f"transformers {model.name}"
        self._path = model
        self._threads = threads
        self._drafts = drafts or {}
        self._dtype = dtype
        self._tokenizer: Any = None
        self._model: Any = None

    def __enter__(self) -> TransformersBackend:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoTokenizer

        if self._threads:
            torch.set_num_threads(self._threads)
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(self._path, trust_remote_code=False, local_files_only=True)
            self._model = self._load()
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(f"{self._path}: transformers cannot load it ({reason}); export it again") from error
        dtype = str(self._model.dtype).removeprefix("torch.")
        self.name = f"transformers {_SHORT_NAMES.get(dtype, dtype)} {self._path.name}"
        return self

    def _load(self) -> Any:
        """The model, of which transformers would otherwise make up what the files do not hold.

        Raises:
            InputError: the files hold other tensors than config.json says.
        """
        import torch
        from transformers import AutoModelForCausalLM

        device = "cuda" if torch.cuda.is_available() else "cpu"
        model, found = AutoModelForCausalLM.from_pretrained(
            self._path,
            dtype=self._dtype or ("float32" if device == "cpu" else "auto"),
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            if names := sorted(map(str, found[kind])):
                problem = kind.removesuffix("_keys")
                raise InputError(f"{self._path}: {len(names)} {problem} tensors, such as {names[0]}; export it again")
        return model.eval().to(device)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._model = None

    def prompt_text(self, chat: Chat) -> str:
        """See `Backend.prompt_text`.

        Raises:
            RequestRefused: the folder carries no template, or its template does not take this conversation.
        """
        return template_text(self._tokenizer, self._path, chat)

    def tokenize(self, text: str) -> list[int]:
        """See `Backend.tokenize`."""
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """See `Backend.complete`."""
        answers = [self._open_answer(request) for request in requests]
        decoder = Decoder(self._model, self._end_ids())
        # Sorted, so that each prompt is read from where it parts from its neighbour.
        order = sorted(answers, key=lambda answer: answer.prompt)
        for start in range(0, len(order), BATCH):
            decoder.answer(order[start : start + BATCH], progress)
        return [self._completion(answer) for answer in answers]

    def score(self, prompts: Sequence[str | Chat], answers: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
        """See `Backend.score`."""
        rows = [(self._prompt_ids(prompt), list(answer)) for prompt, answer in zip(prompts, answers, strict=True)]
        decoder = Decoder(self._model, ())
        found: dict[int, tuple[float, ...]] = {}
        for index in sorted(range(len(rows)), key=lambda index: rows[index][0]):
            prompt, answer = rows[index]
            logits = decoder.read([*prompt, *answer], len(answer) + 1)[:-1]
            chosen = logits.float().log_softmax(-1)[range(len(answer)), answer]
            found[index] = tuple(chosen.tolist())
        return [found[index] for index in range(len(rows))]

    def _prompt_ids(self, prompt: str | Chat) -> list[int]:
        return self.tokenize(prompt if isinstance(prompt, str) else self.prompt_text(prompt))

    def _open_answer(self, request: Request) -> Answer:
        prompt = self._prompt_ids(request.prompt)
        most = getattr(self._model.config, "max_position_embeddings", None)
        if most is not None and len(prompt) >= most:
            raise RequestRefused(f"{self._path}: a prompt of {len(prompt)} tokens is beyond its {most} positions")
        free = request.temperature == 0 and request.constraint is None
        draft = self._drafts.get(tuple(prompt), ()) if free else ()
        return Answer(request, prompt, self._processor(request.constraint), draft)

    def _processor(self, constraint: Constraint | None) -> Any:
        """One for each answer, so that those who have ended can leave the batch."""
        if constraint is None:
            return None
        from xlam_train.infer.constrain import transformers_processor

        ends = sorted(self._end_ids())
        return transformers_processor([constraint], self._tokenizer, self._model.config.vocab_size, ends)

    def _completion(self, answer: Answer) -> Completion:
        stopped = answer.tokens[-1] in self._end_ids()
        written = answer.tokens[:-1] if stopped else answer.tokens
        return Completion(
            text=self._tokenizer.decode(written, skip_special_tokens=False),
            tokens=tuple(answer.tokens),
            logprobs=tuple(answer.logprobs),
            margins=tuple(answer.margins),
            stopped=stopped,
            first_token_seconds=answer.first - answer.begun,
            seconds=answer.done - answer.begun,
        )

    def _end_ids(self) -> frozenset[int]:
        found = self._model.generation_config.eos_token_id
        return frozenset(found if isinstance(found, list) else () if found is None else (found,))
