"""What a generator is asked for, and what one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from data_pipeline.core.schema import Style, Tool, Trajectory


@dataclass(frozen=True)
class Plan:
    """The samples wanted on one tool set; whoever writes them adds nothing random but from `seed`.

    Attributes:
        id: unique within a job, such as `01-0003-0007`: round, shard, tool set.
        tools: on offer, in the order of the prompt.
        styles: one a sample wanted; sample number n has the id f"{id}-{n:02d}".
        strangers: tools that are not on offer and on another topic, one for each `irrelevance` among the styles:
            what such a query asks for.
        persona: who the user is; '' for nobody in particular.
        locale: language and region of the queries.
        examples: accepted samples on other tools, to show how it is done.
        seed: of every draw made for this plan.
    """

    id: str
    tools: tuple[Tool, ...]
    styles: tuple[Style, ...]
    strangers: tuple[Tool, ...] = ()
    persona: str = ""
    locale: str = "en-US"
    examples: tuple[Trajectory, ...] = ()
    seed: int = 0

    def sample_id(self, number: int) -> str:
        """The id of the sample that `styles[number]` asks for."""
        return f"{self.id}-{number:02d}"


class Generator(Protocol):
    """Writes queries and the calls that answer them."""

    async def draft(self, plan: Plan) -> list[Trajectory]:
        """One trajectory for each style of the plan, in order, unchecked.

        What could not be written comes back too: refused, with a verdict of stage `generate` that says why.
        A draft that was written has no verdicts.
        """
