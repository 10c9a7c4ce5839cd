"""The vocabulary shared by every stage: tools, calls, messages, trajectories and verdicts.

All models are frozen and refuse unknown keys. `to_json` leaves out fields at their default, so
JSON out and in again gives the same bytes, and nothing gains a null key on the way. Values inside
`arguments` and `parameters` are arbitrary JSON: Arrow would force one type on them, so `to_row`
keeps them as JSON text, which `datasets` stores and returns unchanged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from typing_extensions import Self

from data_pipeline.core.errors import InputError

ModelT = TypeVar("ModelT", bound="Frozen")

Role = Literal["system", "user", "assistant", "tool"]
SideEffects = Literal["none", "read", "write"]
Takes = Literal["scalars", "lists", "any"]
Style = Literal["simple", "multiple", "parallel", "parallel-multiple", "irrelevance", "missing-parameter"]
Stage = Literal["generate", "format", "execution", "semantic", "curate"]

MEND = "mend or remove the line"
"""What to do about a row that holds no sample."""

_encode = json.JSONEncoder(allow_nan=False).encode  # json.dumps would build an encoder a call


def dumps(value: object) -> str:
    """JSON as the prompt format writes it: default separators, ASCII, no NaN.

    Raises:
        ValueError: the value holds NaN or Infinity, which JSON cannot express.
    """
    return _encode(value)


class Frozen(BaseModel):
    """Immutable, strict about keys, with a byte-stable JSON form."""

    # Built at first use: importing stays fast, and a command that shows its help builds none.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain data without the fields that are at their default."""
        return self.model_dump(mode="python", exclude_defaults=True)

    def to_json(self) -> str:
        """One line of JSON; `from_json` of it gives an equal object and again the same bytes."""
        return dumps(self.to_dict())

    @classmethod
    def from_json(cls: type[ModelT], text: str) -> ModelT:
        """Parse what `to_json` wrote.

        Raises:
            InputError: not JSON, an unknown or a missing key, or a value of the wrong type.
        """
        try:
            return cls.model_validate(json.loads(text))
        except json.JSONDecodeError as error:
            raise InputError(f"not valid JSON: {error.msg} at column {error.colno}") from error
        except ValidationError as error:
            raise InputError(describe(error)) from error


def describe(error: ValidationError) -> str:
    """The first validation error as 'field: what is wrong'."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "value"
    return f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}"


TAKES: tuple[Takes, ...] = get_args(Takes)
"""What parameters may hold, from least to most."""
# Type names of JSON and of Python, which some catalogues use, and the keywords that only such types have.
_LISTS = frozenset({"array", "list", "tuple", "items", "prefixItems"})
_OBJECTS = frozenset({"object", "dict", "properties"})


def _takes(schema: Any) -> Takes:
    if not isinstance(schema, dict):
        return "any"  # `true`, which allows anything, is a schema too
    kind = schema.get("type")
    words = {*schema, *(kind if isinstance(kind, list) else (kind,))}
    if not words.isdisjoint(_OBJECTS):
        return "any"
    if words.isdisjoint(_LISTS):
        return "scalars"
    items = schema.get("items")
    return "lists" if isinstance(items, dict) and _takes(items) == "scalars" else "any"


class Tool(Frozen):
    """A function a model may call, described as an OpenAI function schema.

    Attributes:
        name: unique within a tool set.
        description: one or more sentences of what it does.
        parameters: JSON schema of an object (`properties`, `required`).
        returns: JSON schema of the result, where known.
        source: where it came from, such as `bundled:finance`.
        side_effects: whether a call reads or changes anything outside itself.
        category: what it is about, such as `finance` or a REST service's tag; '' where its source does not say.
    """

    name: Annotated[str, Field(min_length=1)]
    description: str
    parameters: dict[str, JsonValue]
    returns: dict[str, JsonValue] | None = None
    source: str = ""
    side_effects: SideEffects = "none"
    category: str = ""

    @classmethod
    def from_openai(cls, schema: dict[str, Any], source: str = "") -> Tool:
        """From an OpenAI tool, bare or wrapped in `{"type": "function", "function": ...}`.

        Raises:
            InputError: a part is missing or of the wrong type.
        """
        function = schema.get("function", schema)
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise InputError("a tool needs a 'name', a 'description' and 'parameters' (OpenAI function schema)")
        parameters = function.get("parameters") or {"type": "object", "properties": {}}
        try:
            return cls(
                name=function["name"],
                description=function.get("description") or "",
                parameters=parameters,
                source=source,
            )
        except ValidationError as error:
            raise InputError(f"tool '{function['name']}': {describe(error)}") from error

    def to_openai(self) -> dict[str, Any]:
        """The bare OpenAI function schema."""
        return {"name": self.name, "description": self.description, "parameters": self.parameters}

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """Parameter name -> its JSON schema, in declaration order."""
        found = self.parameters.get("properties") or {}
        return found if isinstance(found, dict) else {}  # type: ignore[return-value]

    @property
    def topic(self) -> str:
        """The category, or the source of a tool without one: tools of one topic are easily taken for one another."""
        return self.category or self.source

    @property
    def takes(self) -> Takes:
        """The most that a parameter holds: `scalars`, `lists` of scalars, or `any`thing, such as objects."""
        return max(map(_takes, self.properties.values()), key=TAKES.index, default="scalars")

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the parameters a call must give."""
        found = self.parameters.get("required") or ()
        return tuple(str(name) for name in found) if isinstance(found, list) else ()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, without what was computed from the fields of the original."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("json_text", "fingerprint"):
            copied.__dict__.pop(name, None)
        return copied

    @cached_property
    def json_text(self) -> str:
        """`to_json`, kept, because every sample on the tool writes it."""
        return self.to_json()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what a model sees of the tool, independent of where it came from."""
        canonical = json.dumps(self.to_openai(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class ToolCall(Frozen):
    """One call: a tool's name and its arguments by parameter name."""

    name: str
    arguments: dict[str, JsonValue]


class Message(Frozen):
    """One message of a conversation; an assistant that calls nothing has no `tool_calls`."""

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class Verdict(Frozen):
    """What one check says of one sample.

    Attributes:
        stage: the check that spoke.
        passed: whether the sample goes on.
        reason: stable code, `ok` when passed.
        detail: one line for people.
    """

    stage: Stage
    passed: bool
    reason: str = "ok"
    detail: str = ""


class Origin(Frozen):
    """How a sample came about, for the record and for accounts.

    Attributes:
        generator: `grammar`, or the name of the model that wrote it.
        prompt: name and version of the prompt it was asked with; '' for the grammar.
        persona: who the user is, where the recipe says.
        locale: language and region the query is written in, such as `en-GB`.
        input_tokens: prompt tokens spent on it, judges included; those of a request for several samples are shared
            out equally.
        output_tokens: tokens written for it, counted likewise.
        cost: what the tokens cost, in the currency of the recipe's prices.
    """

    generator: str
    prompt: str = ""
    persona: str = ""
    locale: str = ""
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    cost: float = 0.0


class Trajectory(Frozen):
    """A sample: the tools on offer and a conversation that ends with the assistant's answer.

    Attributes:
        id: unique within a dataset.
        style: what kind of answer is asked for.
        tools: on offer, in the order of the prompt.
        messages: the conversation.
        verdicts: what the checks said, in their order, up to the first that failed.
        results: what each call of the answer returned, as JSON text, cut where it is long; () unless executed.
        incomplete: of a `missing-parameter` sample: the call as far as the query gives it.
        origin: who wrote it.
    """

    id: str
    style: Style
    tools: tuple[Tool, ...]
    messages: tuple[Message, ...]
    verdicts: tuple[Verdict, ...] = ()
    results: tuple[str, ...] = ()
    incomplete: ToolCall | None = None
    origin: Origin | None = None

    @property
    def query(self) -> str:
        """The last user message's text, or '' without one."""
        return _last_query(self.messages)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls of the final assistant message."""
        return self.messages[-1].tool_calls if self.messages else ()

    @property
    def failed(self) -> Verdict | None:
        """The verdict of the check that refused the sample, or None."""
        return next((verdict for verdict in self.verdicts if not verdict.passed), None)

    def to_row(self) -> dict[str, str]:
        """Flat columns of text, safe for Arrow: what a dataset shard stores a line.

        All but the first three hold JSON, as in the xlam-function-calling-60k dataset, because a
        typed column would unify the keys and types of unrelated arguments.
        """
        return {
            "id": self.id,
            "style": self.style,
            "query": self.query,
            "tools": _tools_text(self.tools),
            "messages": _list_text(self.messages),
            "verdicts": _list_text(self.verdicts),
            "results": dumps(self.results),
            "incomplete": self.incomplete.to_json() if self.incomplete else "null",
            "origin": self.origin.to_json() if self.origin else "null",
        }

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Trajectory:
        """Back from `to_row`; the last three columns may be missing.

        Raises:
            InputError: a column is missing or does not hold what it should, or the row is a preference pair.
        """
        if "chosen" in row:
            raise InputError(
                "a preference pair, where a sample of one answer is wanted; give the dataset it is made of"
            )
        return _from_row(cls, row, ("tools", "messages", "verdicts"), ("results", "incomplete", "origin"))


class Preference(Frozen):
    """A pair of answers to one prompt, of which the first is the better one.

    Attributes:
        id: unique within a dataset.
        style: what kind of answer is asked for.
        tools: on offer, in the order of the prompt.
        messages: the conversation up to the answer.
        chosen: the assistant's better answer, written as supervised training writes it.
        rejected: the worse one; without calls, its text stands as it is, because what models get wrong need not be
            in the format.
        fault: what is wrong with the rejected answer, such as `other_tool`; '' where nobody said.
    """

    id: str
    style: Style
    tools: tuple[Tool, ...]
    messages: tuple[Message, ...]
    chosen: Message
    rejected: Message
    fault: str = ""

    @property
    def query(self) -> str:
        """The last user message's text, or '' without one."""
        return _last_query(self.messages)

    def to_row(self) -> dict[str, str]:
        """Flat columns of text, safe for Arrow, as `Trajectory.to_row`; the first three are plain text."""
        return {
            "id": self.id,
            "style": self.style,
            "query": self.query,
            "tools": _tools_text(self.tools),
            "messages": _list_text(self.messages),
            "chosen": self.chosen.to_json(),
            "rejected": self.rejected.to_json(),
            "fault": dumps(self.fault),
        }

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Preference:
        """Back from `to_row`; the last column may be missing.

        Raises:
            InputError: a column is missing or does not hold what it should, or the row is a sample of one answer.
        """
        if "chosen" not in row and "verdicts" in row:
            raise InputError(
                "a sample of one answer, where a preference pair is wanted; make pairs of the dataset first"
            )
        return _from_row(cls, row, ("tools", "messages", "chosen", "rejected"), ("fault",))


def _from_row(model: type[ModelT], row: dict[str, Any], nested: tuple[str, ...], added: tuple[str, ...]) -> ModelT:
    """A model from its columns of JSON text, of which the added ones may be missing."""
    try:
        texts = {key: row[key] for key in nested} | {key: row[key] for key in added if key in row}
        values = {key: json.loads(text) for key, text in texts.items()}
        return model.model_validate({"id": row["id"], "style": row["style"], **values})
    except KeyError as error:
        raise InputError(f"column {error} is missing; {MEND}") from error
    except (TypeError, json.JSONDecodeError) as error:
        raise InputError(f"all columns but id, style and query must hold JSON text ({error}); {MEND}") from error
    except ValidationError as error:
        raise InputError(f"{describe(error)}; {MEND}") from error


def _last_query(messages: tuple[Message, ...]) -> str:
    return next((message.content for message in reversed(messages) if message.role == "user"), "")


def _tools_text(tools: tuple[Tool, ...]) -> str:
    return f"[{', '.join(tool.json_text for tool in tools)}]"


def _list_text(values: tuple[Frozen, ...]) -> str:
    return dumps([value.to_dict() for value in values])
