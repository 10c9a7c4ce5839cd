"""Goals and kinds of parameters put together into tools, each goal several times in other words and shapes.

The sequence is one and the same for any count. In round 0 each goal becomes one tool, in an order drawn once, and so
on in later rounds. Two tools of one goal answer the same requests, so each round has categories of its own:
companions of a tool, which are drawn from its category, then always differ from it in what they do. Those of round 0
are named like the domains, as are the categories of the bundled tools: a goal that one of these serves as well starts
with the second category.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from data_pipeline.core.queries import KEYWORD, renamed
from data_pipeline.core.schema import Tool
from data_pipeline.core.seeding import stream
from data_pipeline.tools import bundled
from data_pipeline.tools.composed.domains import Goal, goals
from data_pipeline.tools.composed.naming import MAX_NAME, camel, tool_name
from data_pipeline.tools.composed.parameters import Kind, Schema, kinds
from data_pipeline.tools.composed.questions import queries_of
from data_pipeline.tools.composed.telling import told

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

SEED = 1
ROUNDS = 8
"""Tools that are tried for each goal."""
MAX_PARAMETERS = 6
_OPTIONS = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3)
"""How many optional parameters a tool takes, as far as there are some, each as likely."""
_NAME_TRIES = 8
_CAMEL_SHARE = 0.12
_GROUPED_SHARE = 0.2
"""Tools with several optional parameters that take them as one object."""
_PROMOTED_SHARE = 0.12
_HEAD_END = re.compile(r" (?:between|by|for|from|in|near|of|on|to|with)\b")

_LISTING = frozenset({"search", "find", "list", "recommend", "suggest"})
"""Verbs of goals that may take a limit, if they ask for some of many things."""
# What goals with other verbs may take beside what is listed for them.
_USUAL_OPTIONS = {
    **dict.fromkeys(("book", "cancel", "order", "schedule", "reserve"), "notify"),
    **dict.fromkeys(("get", "explain"), "include_details"),
    "compare": "detail",
    "estimate": "include_details",
}


def compose(source: str, count: int) -> tuple[Tool, ...]:
    """The first tools of the sequence; fewer than asked for where it ends before."""
    found: dict[str, Tool] = {}
    for number, goal, rng in _turns():
        if len(found) == count:
            break
        tool = _tool(source, goal, number, rng, found)
        if tool is not None:
            found[tool.name] = tool
    return tuple(found.values())


def _turns() -> Iterator[tuple[int, Goal, random.Random]]:
    for number in range(ROUNDS):
        order = list(goals())
        stream(SEED, "composed", number).shuffle(order)
        for goal in order:
            yield number, goal, stream(SEED, "composed", number, goal.domain, goal.verb, goal.thing)


def _tool(source: str, goal: Goal, number: int, rng: random.Random, taken: dict[str, Tool]) -> Tool | None:
    """A tool of this goal; None where all names tried are taken or too long."""
    names = (tool_name(goal, rng) for _ in range(_NAME_TRIES))
    name = next((name for name in names if len(name) <= MAX_NAME and not (name in taken or _names_bundled(name))), None)
    if name is None:
        return None
    category = number + (2 if _is_bundled(goal) else 1)
    return Tool(
        name=name,
        description=told(goal, rng),
        parameters=_parameters(goal, rng),
        source=source,
        category=goal.domain if category == 1 else f"{goal.domain}_{category}",
    )


@cache
def _bundled() -> dict[str, tuple[str, ...]]:
    """Domain -> names of its bundled tools."""
    return {domain: tuple(bundled.functions(domain)) for domain in bundled.domains()}


def _names_bundled(name: str) -> bool:
    return any(name in names for names in _bundled().values())


def _is_bundled(goal: Goal) -> bool:
    """Whether a bundled tool of the same domain does it too: all words of its name but the verb are the goal's."""
    words = {*goal.thing.split()}
    return any({*name.split("_")[1:]} <= words for name in _bundled().get(goal.domain, ()))


def _parameters(goal: Goal, rng: random.Random) -> Schema:
    known = kinds()
    usual = _usual_option(goal)
    options = [*goal.optional, *([usual] if usual and usual not in (*goal.required, *goal.optional) else [])]
    room = min(len(options), MAX_PARAMETERS - len(goal.required))
    chosen = rng.sample(options, max(0, min(room, rng.choice(_OPTIONS))))
    is_camel, style = rng.random() < _CAMEL_SHARE, rng.random()
    properties: Schema = {}
    names: dict[str, str] = {}
    shares: set[str] = set()  # keys whose twin is taken
    required = []
    for key in (*goal.required, *chosen):
        kind = _twin(known, key, rng)
        name = names[key] = kind.name(style, properties)
        if kind.key != key:
            shares.add(key)
        needed = key in goal.required or rng.random() < _PROMOTED_SHARE
        properties[name] = kind.schema(rng) if needed else _with_default(kind, kind.schema(rng), rng)
        if needed:
            required.append(name)
    if rng.random() < _GROUPED_SHARE:
        properties = _grouped(properties, required, rng)
    schema = {"type": "object", "properties": properties, "required": required}
    queries = queries_of(goal, {key: name for key, name in names.items() if name in properties}, shares)
    if queries:
        schema[KEYWORD] = queries
    return _in_camel(schema) if is_camel else schema


def _usual_option(goal: Goal) -> str | None:
    if goal.verb in _LISTING:
        return "limit" if _asks_for_some(goal.thing) else None
    return _USUAL_OPTIONS.get(goal.verb)


def _asks_for_some(thing: str) -> bool:
    """Whether any of many are wanted: 'doctors in a city', but not 'a camera', nor 'the divisors of a number'."""
    head = _HEAD_END.split(thing, maxsplit=1)[0]
    return head.endswith(("s", "men")) and not head.startswith(("a ", "an ", "the "))


def _twin(known: dict[str, Kind], key: str, rng: random.Random) -> Kind:
    """The kind, or half of the time its twin that holds the same as a share of one."""
    twin = known.get(f"{key}_decimal")
    return twin if twin is not None and rng.random() < 0.5 else known[key]


def _grouped(properties: Schema, required: list[str], rng: random.Random) -> Schema:
    """The optional parameters as entries of one object, where there are several."""
    loose = {name: schema for name, schema in properties.items() if name not in required}
    if len(loose) < 2:
        return properties
    description = rng.choice(("Further options", "Optional settings", "Options of the request"))
    group = {"type": "object", "description": description, "properties": loose}
    return {**{name: properties[name] for name in required}, rng.choice(("options", "settings", "extras")): group}


def _in_camel(schema: Schema) -> Schema:
    """The schema with the names of all entries, at any depth, in camel case."""
    found = dict(schema)
    if "properties" in schema:
        found["properties"] = {camel(name): _in_camel(inner) for name, inner in schema["properties"].items()}
        if "required" in schema:
            found["required"] = [camel(name) for name in schema["required"]]
    if KEYWORD in schema:
        found[KEYWORD] = [renamed(query, camel) for query in schema[KEYWORD]]
    if "items" in schema:
        found["items"] = _in_camel(schema["items"])
    return found


def _with_default(kind: Kind, schema: Schema, rng: random.Random) -> Schema:
    """The schema of an optional parameter, its default told in one of the usual ways, or not told."""
    default = kind.default_value
    chance = rng.random()
    if default is None or chance > 0.85:
        return {**schema, "description": f"{schema['description']} (optional)"} if chance < 0.2 else schema
    if chance < 0.45:
        return {**schema, "default": default}
    said = f"'{default}'" if isinstance(default, str) else str(default).lower()
    return {**schema, "description": f"{schema['description']}. {rng.choice(('Default is', 'Defaults to'))} {said}."}
