"""The leaderboard's single-turn questions put to a model."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from data_pipeline.core.schema import Message
from data_pipeline.core.turns import prompt
from xlam_train.evaluate.answers import ask_each, prompts_sha256
from xlam_train.evaluate.bfcl.calls import conversion_of
from xlam_train.infer.backends import Chat, Request
from xlam_train.infer.constrain import answer_constraint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data_pipeline.core.variants import Variant
    from xlam_train.evaluate.answers import Answer
    from xlam_train.evaluate.bfcl.cases import Case
    from xlam_train.evaluate.bfcl.prompting import Prompting
    from xlam_train.infer.backends import Backend


@dataclass(frozen=True)
class Asking:
    """What makes an answer what it is.

    Attributes:
        model: as named on the command line.
        prompting: `template` leaves messages and tools to the artefact's chat template (FC mode); a variant renders
            them here and gives the template plain messages.
        max_tokens: an answer that is not over by then is cut, and judged as it stands.
        package: version of the leaderboard's package.
        weights: of the model, by `weights_fingerprint`; of a server, what it calls the model.
        constrained: only valid calls can come out, which the leaderboard asks of nobody.
        prompts: how they are written, by `prompts_sha256`; '' where the artefact's template does it, which is part of
            `weights`.
    """

    model: str
    prompting: Prompting
    max_tokens: int
    package: str
    weights: str
    constrained: bool = False
    prompts: str = ""

    @classmethod
    def of(
        cls, model: str, prompting: Prompting, max_tokens: int, package: str, weights: str, constrained: bool
    ) -> Asking:
        """With the prompts as they are written today."""
        asking = cls(model, prompting, max_tokens, package, weights, constrained)
        if prompting == "template":
            return asking
        return replace(asking, prompts=prompts_sha256(asking.variant, conversion_of(asking.variant)))

    @property
    def variant(self) -> Variant:
        """How answers are read."""
        return "xlam-1" if self.prompting == "template" else self.prompting

    def differences(self, sample: int | None) -> list[str]:
        """In what a score differs from those published in July 2024, a sentence each.

        Args:
            sample: so many cases of each category were asked; None is all.
        """
        written = {
            "xlam-1": "Prompts are those of the published models' cards; xlam-1-bfcl writes those of July 2024.",
            "template": "The artefact's chat template writes the prompts.",
        }
        found = [
            "The executed categories are gone, and some labels were mended since.",
            "Answers are read strictly (then, some were repaired), and types are named as in JSON schema.",
            written.get(self.prompting),
            "Only valid calls could come out, which no published figure had." if self.constrained else None,
            None if sample is None else f"At most {sample} cases of each category were asked, always the same ones.",
        ]
        return [difference for difference in found if difference]

    def request(self, case: Case) -> Request:
        """The case as a request."""
        constraint = answer_constraint(case.tools, self.variant) if self.constrained else None
        if self.prompting == "template":
            tools = tuple({"type": "function", "function": tool} for tool in case.tools)
            return Request(Chat(case.messages, tools), self.max_tokens, constraint=constraint)
        messages = [Message(role=m["role"], content=m["content"]) for m in case.messages]
        asked = prompt(case.tools, messages, self.variant, conversion_of(self.variant))
        return Request(Chat(tuple(asked.messages)), self.max_tokens, constraint=constraint)


def ask(backend: Backend, asking: Asking, cases: Sequence[Case], folder: Path) -> dict[str, Answer]:
    """All answers by id: those on the disk, and the rest from the model.

    Raises:
        InputError: see `answer_all`.
    """
    ordered = sorted(cases, key=_shared_first)
    return ask_each(backend, "leaderboard", asdict(asking), ordered, asking.request, folder)


def _shared_first(case: Case) -> tuple[str, str]:
    """Backends keep the keys and values of the last prompt: what begins alike is asked one after the other."""
    return json.dumps(case.tools), case.id
