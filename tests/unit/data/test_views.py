"""Views: another look, the same answer, one view a tool set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_jsonl
from data_pipeline.core.schema import Message, Origin, Tool, ToolCall, Trajectory
from data_pipeline.core.xlam_format import render, render_prompt
from data_pipeline.curate.keywords import shown
from data_pipeline.generate.grammar import GrammarGenerator
from data_pipeline.generate.sampler import Catalogue, plan_shard
from data_pipeline.recipe import DataRecipe, Grammar
from data_pipeline.tools.pool import open_pool
from data_pipeline.verify.format_check import check_format
from xlam_train.data.distractors import Distractors
from xlam_train.data.pack import build_tree, common_prefix
from xlam_train.data.render import Renderer
from xlam_train.data.sources import SftSource
from xlam_train.data.views import Names, View, Views
from xlam_train.data.windows import cut_windows
from xlam_train.model import load_tokenizer
from xlam_train.recipe import DataSection, ModelSection, OptimSection, TrainRecipe, ViewSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_pipeline.core.variants import Variant
    from data_pipeline.generate.plan import Plan
    from xlam_train.data.render import Encoded

RECIPE = DataRecipe(shards=1, tool_sets_per_shard=25, queries_per_tool_set=12)
EVERYTHING = ViewSettings(shuffle_tools=1, mask_names=0.5, other_conversion=0.5, distractors=2)


@pytest.fixture(scope="module")
def bundled() -> tuple[Tool, ...]:
    return tuple(shown(tool, ()) for tool in open_pool(RECIPE.tools, RECIPE.source_options).tools)


@pytest.fixture(scope="module")
def plans(bundled: tuple[Tool, ...]) -> list[Plan]:
    return list(plan_shard(RECIPE, Catalogue.of(bundled), 0, ()))


@pytest.fixture(scope="module")
def generated(plans: list[Plan]) -> list[Trajectory]:
    generator = GrammarGenerator(Grammar(), RECIPE.optional_share)
    return [sample for plan in plans for sample in generator.write(plan) if sample.failed is None]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, bundled: tuple[Tool, ...], generated: list[Trajectory]) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    write_jsonl(folder / "shards" / "0000.jsonl", (sample.to_row() for sample in generated))
    write_jsonl(folder / "tools.jsonl", (tool.to_dict() for tool in bundled))
    return folder


def views(folder: Path, settings: ViewSettings, seed: int = 0) -> Views:
    return Views(DataSection(path=folder, views=settings), seed)


def seen_rows(renderer: Renderer, samples: list[Trajectory], drawn: Views, epoch: int = 0) -> list[Encoded]:
    looks = ((sample, drawn.of(sample, epoch)) for sample in samples)
    return [row for sample, view in looks for row in renderer.encode_rows(view.apply(sample), view.conversion)]


def tool(name: str, topic: str, description: str = "Does it.", **parameters: dict[str, Any]) -> Tool:
    schema: dict[str, Any] = {"type": "object", "properties": parameters, "required": list(parameters)}
    return Tool(name=name, description=description, parameters=schema, category=topic)


def asked(
    tools: tuple[Tool, ...], query: str, style: str = "irrelevance", writer: str | None = "grammar"
) -> Trajectory:
    messages = (Message(role="user", content=query), Message(role="assistant"))
    origin = Origin(generator=writer) if writer else None
    return Trajectory.model_validate(
        {"id": "1", "style": style, "tools": tools, "messages": messages, "origin": origin}
    )


def test_without_views_nothing_changes(
    dataset: Path, tiny_base: Path, generated: list[Trajectory], tmp_path: Path
) -> None:
    drawn = views(tmp_path, ViewSettings())
    assert all(drawn.of(sample, epoch).apply(sample) == sample for sample in generated for epoch in (0, 1))
    renderer = Renderer(load_tokenizer(tiny_base))
    few = generated[:20]
    assert seen_rows(renderer, few, drawn, 3) == renderer.encode_all(few, 9999)


@pytest.mark.parametrize(
    "settings",
    [ViewSettings(mask_names=1), ViewSettings(shuffle_tools=1), ViewSettings(distractors=3), EVERYTHING],
    ids=["masked", "shuffled", "distractors", "everything"],
)
def test_answers_stay_valid(settings: ViewSettings, dataset: Path, generated: list[Trajectory]) -> None:
    drawn, changed = views(dataset, settings), 0
    for sample in generated:
        shown = drawn.of(sample, 0).apply(sample)
        before, after = check_format(sample), check_format(shown)
        assert (after.passed, after.reason) == (before.passed, before.reason), after.detail
        assert [list(call.arguments.values()) for call in shown.calls] == [
            list(call.arguments.values()) for call in sample.calls
        ]
        assert (shown.id, shown.query) == (sample.id, sample.query)
        changed += shown != sample
    assert changed > len(generated) / 3


def test_masked_names_are_nowhere_else(dataset: Path, generated: list[Trajectory]) -> None:
    drawn = views(dataset, ViewSettings(mask_names=1))
    for sample in generated:
        view = drawn.of(sample, 0)
        shown = view.apply(sample)
        assert [t.description for t in shown.tools] == [t.description for t in sample.tools]
        for old, new in zip(sample.tools, shown.tools, strict=True):
            assert new.name != old.name
            assert not set(new.properties) & set(old.properties)
            assert list(new.properties.values()) == list(old.properties.values())
            assert json.dumps(new.name) in render_prompt([new], "")
            assert new.fingerprint != old.fingerprint
            assert len(set(new.properties)) == len(old.properties)
            assert {new.name, *new.properties} <= {name for name in (new.name, *new.properties) if name.isidentifier()}
        back = {given.tool: (name, {v: k for k, v in given.parameters.items()}) for name, given in view.names.items()}
        told = [*sample.calls, *([sample.incomplete] if sample.incomplete else [])]
        told_so = [*shown.calls, *([shown.incomplete] if shown.incomplete else [])]
        assert [Names(*back[call.name]).of(call) for call in told_so] == told


def test_what_cannot_be_recognised_by_its_description_keeps_its_name(tmp_path: Path) -> None:
    about = {"type": "string", "description": "Where."}
    plain = tool("look_up", "a", "Looks up.", city=about, unit={"type": "string"})
    silent = tool("mystery", "a", "", city=about)
    strict = tool("either", "a", "Takes one of two.", city=about)
    strict = strict.model_copy(update={"parameters": {**strict.parameters, "anyOf": [{"required": ["city"]}]}})
    view = views(tmp_path, ViewSettings(mask_names=1)).of(asked((plain, silent, strict), "Hi"), 0)
    assert list(view.names) == ["look_up", "either"]
    assert list(view.names["look_up"].parameters) == ["city"]
    assert view.names["either"].parameters == {}
    assert view.tools[1] == silent
    assert view.tools[2].parameters == strict.parameters
    assert view.tools[0].required == tuple(view.tools[0].properties)
    call = ToolCall(name="look_up", arguments={"unit": "m", "city": "Oslo", "more": 1})
    renamed = view.names["look_up"].of(call)
    assert list(renamed.arguments.items())[::2] == [("unit", "m"), ("more", 1)]
    assert set(renamed.arguments) - {"unit", "more"} == set(view.tools[0].properties) - {"unit"}


def test_unusual_schemas_are_masked_as_far_as_they_go(tmp_path: Path) -> None:
    about = {"type": "string", "description": "Where."}
    schema: dict[str, Any] = {"type": "object", "properties": {"anything": True, "city": about}}
    odd = Tool(name="odd", description="Does it.", parameters=schema)
    shown = views(tmp_path, ViewSettings(mask_names=1)).of(asked((odd,), "Hi"), 0).tools[0]
    assert list(shown.parameters) == ["type", "properties"]
    assert next(iter(shown.properties)) == "anything"
    assert list(shown.properties.values()) == [True, about]


def test_a_tool_set_has_one_view_an_epoch(dataset: Path, plans: list[Plan], generated: list[Trajectory]) -> None:
    drawn, again = views(dataset, EVERYTHING), views(dataset, EVERYTHING)
    by_set: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for sample in generated:
        view = drawn.of(sample, 0)
        look = (*(t.fingerprint for t in view.tools), view.conversion)
        by_set.setdefault(tuple(t.fingerprint for t in sample.tools), set()).add(look)
    assert {len(looks) for looks in by_set.values()} == {1}
    assert [again.of(sample, 0) for sample in reversed(generated)] == [drawn.of(s, 0) for s in reversed(generated)]
    firsts = [next(s for s in generated if s.tools == plan.tools) for plan in plans]
    for other in (lambda s: drawn.of(s, 1), lambda s: views(dataset, EVERYTHING, seed=1).of(s, 0)):
        assert sum(other(sample) != drawn.of(sample, 0) for sample in firsts) > len(firsts) / 2


def test_one_kind_of_change_leaves_the_others_alone(dataset: Path, generated: list[Trajectory]) -> None:
    alone = views(dataset, ViewSettings(shuffle_tools=1))
    both = views(dataset, ViewSettings(shuffle_tools=1, mask_names=1))
    for sample in generated[::12]:
        names = [t.description for t in alone.of(sample, 0).tools]
        assert names == [t.description for t in both.of(sample, 0).tools]


def test_every_order_is_shown(dataset: Path, generated: list[Trajectory]) -> None:
    sample = next(sample for sample in generated if len(sample.tools) == 3)
    drawn = views(dataset, ViewSettings(shuffle_tools=1))
    assert len({tuple(t.name for t in drawn.of(sample, epoch).tools) for epoch in range(60)}) == 6


def test_the_conversion_is_the_other_one_as_often_as_asked(dataset: Path, generated: list[Trajectory]) -> None:
    drawn = views(dataset, ViewSettings(other_conversion=0.5))
    seen = [drawn.of(sample, epoch).conversion for sample in generated[::12] for epoch in range(20)]
    assert 0.4 < seen.count("leaderboard") / len(seen) < 0.6


def test_the_conversion_reaches_the_prompt(tiny_base: Path, dataset: Path, generated: list[Trajectory]) -> None:
    tokenizer = load_tokenizer(tiny_base)
    sample = next(sample for sample in generated if sample.tools[0].required)
    (encoded,) = seen_rows(Renderer(tokenizer), [sample], views(dataset, ViewSettings(other_conversion=1)))
    prompt = tokenizer.decode(encoded.ids)
    assert render(sample, conversion="leaderboard")[0].text in prompt
    assert '"required": true' in prompt


def test_distractors_are_harmless(bundled: tuple[Tool, ...], plans: list[Plan], generated: list[Trajectory]) -> None:
    """What an `irrelevance` query really asks for is known here: it must never be added."""
    distractors = Distractors(bundled, generated)
    counts = []
    for plan in plans:
        found = distractors.harmless(plan.tools)
        assert not {t.name for t in found} & {t.name for t in (*plan.tools, *plan.strangers)}
        assert not {t.topic for t in found} & {t.topic for t in plan.tools}
        counts.append(len(found))
    assert any(plan.strangers for plan in plans)
    assert sum(count >= 4 for count in counts) > 0.8 * len(counts)


def test_words_and_topics_tell_what_is_harmful() -> None:
    offered = (tool("send_mail", "post", "Sends a letter."),)
    others = [
        tool("convert_currency", "money", "Exchanges one currency for another."),
        tool("bank_balance", "money", "Tells how rich one is."),
        tool("water_plants", "garden", "Sprinkles flowers."),
        tool("weigh_letter", "post", "Puts paper on scales."),
        tool("nameless_topic", "", "Sings."),
    ]
    query = asked(offered, "Please do the currency conversion of 5 euros")
    assert [t.name for t in Distractors(others, [query]).harmless(offered)] == ["water_plants"]
    flowers = asked(offered, "Write a letter about sprinkling", "simple")
    names = [t.name for t in Distractors(others, [query, flowers]).harmless(offered)]
    assert names == []
    names = [t.name for t in Distractors(others, [flowers]).harmless(offered)]
    assert names == ["convert_currency", "bank_balance"]


@pytest.mark.parametrize("writer", ["a-language-model", None])
def test_where_words_are_no_guide_nothing_is_added(writer: str | None) -> None:
    offered, other = (tool("send_mail", "post"),), tool("water_plants", "garden", "Sprinkles flowers.")
    refused = asked(offered, "Make my roses less thirsty", writer=writer)
    assert Distractors([other], [refused]).harmless(offered) == []
    called = asked(offered, "Tell Ann that it rains", "simple", writer=writer)
    assert Distractors([other], [called]).harmless(offered) == [other]


def talk(tools: tuple[Tool, ...], *turns: tuple[str, bool], writer: str | None = "grammar") -> Trajectory:
    """Queries, each with whether it is answered with a call of the first tool."""
    call = ToolCall(name=tools[0].name, arguments={})
    messages: list[Message] = []
    for query, called in turns:
        calls = (call,) if called else ()
        messages += [Message(role="user", content=query), Message(role="assistant", tool_calls=calls)]
    return asked(tools, "", "simple", writer).model_copy(update={"messages": tuple(messages)})


def test_every_turn_of_a_conversation_counts() -> None:
    offered = (tool("send_mail", "post"),)
    others = [
        tool("rain_forecast", "weather", "Foretells clouds."),
        tool("tide_table", "weather", "Lists floods."),
        tool("water_plants", "garden", "Sprinkles flowers."),
    ]
    rain, mail, thanks = "Any rain today?", "Mail a letter to Ann", "Thank you."

    def harmless(*turns: tuple[str, bool], writer: str | None = "grammar") -> list[str]:
        found = Distractors(others, [talk(offered, *turns, writer=writer)]).harmless(offered)
        return [t.name for t in found]

    assert harmless((mail, True), writer=None) == ["rain_forecast", "tide_table", "water_plants"]
    assert harmless((rain, False), (mail, True)) == ["water_plants"], "the whole topic of what was refused"
    assert harmless((rain, False), (mail, True), writer=None) == []
    assert harmless((mail, True), (thanks, False), writer=None) == []
    assert harmless((rain, True), (mail, True), writer=None) == ["tide_table", "water_plants"]


def test_distractors_may_stand_anywhere(dataset: Path, generated: list[Trajectory]) -> None:
    sample = next(sample for sample in generated if len(sample.tools) == 2)
    own = {t.name for t in sample.tools}
    drawn = views(dataset, ViewSettings(distractors=1))
    looks = {tuple(t.name in own for t in drawn.of(sample, epoch).tools) for epoch in range(60)}
    assert looks == {(True, True), (False, True, True), (True, False, True), (True, True, False)}


def test_a_dataset_without_a_list_of_tools(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data.views.distractors: .*tools.jsonl is missing; set it to 0"):
        views(tmp_path, ViewSettings(distractors=1))
    (tmp_path / "tools.jsonl").write_text('{"name": "x"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"tools.jsonl: description: field required; mend the line"):
        views(tmp_path, ViewSettings(distractors=1))


def test_samples_on_a_tool_set_still_share_their_prompt(
    tiny_base: Path, dataset: Path, generated: list[Trajectory]
) -> None:
    renderer = Renderer(load_tokenizer(tiny_base))
    few = generated[:48]
    plain, seen = renderer.encode_all(few, 9999), seen_rows(renderer, few, views(dataset, EVERYTHING))
    for left, right in ((a, b) for a in range(48) for b in range(a) if few[a].tools == few[b].tools):
        at_least = common_prefix(plain[left].ids, plain[right].ids) / len(plain[left].ids)
        assert common_prefix(seen[left].ids, seen[right].ids) / len(seen[left].ids) > at_least - 0.1
    ratios = [tree.tokens_before / len(tree.input_ids) for tree in (build_tree(plain), build_tree(seen))]
    assert ratios[1] > 0.9 * ratios[0]


def test_training_sees_another_view_in_every_epoch(
    tiny_base: Path, tmp_path: Path, make_samples: Callable[..., list[Trajectory]]
) -> None:
    samples = make_samples()
    write_jsonl(tmp_path / "shards" / "0000.jsonl", (sample.to_row() for sample in samples))

    def epochs(settings: ViewSettings) -> list[list[list[int]]]:
        data = DataSection(path=tmp_path, views=settings)
        model = ModelSection(base=str(tiny_base))
        recipe = TrainRecipe(model=model, data=data, out=tmp_path / "out", optim=OptimSection(epochs=2))
        source = SftSource(Renderer(load_tokenizer(tiny_base)), recipe)
        lines = [line for window in cut_windows(tmp_path, recipe.packing.window_mb) for line in window.lines()]
        return [[row.ids for line in lines for row in source.encode(line, epoch) or ()] for epoch in range(2)]

    same, other = epochs(ViewSettings()), epochs(ViewSettings(mask_names=1))
    assert [len(samples)] * 2 == list(map(len, same)) == list(map(len, other))
    assert same[0] == same[1]
    assert len({str(ids) for ids in (same[0], *other)}) == 3


@pytest.mark.parametrize(
    ("variant", "text", "kept"),
    [
        ("xlam-1-history", "I will call get_weather.", True),
        ("xlam-1-history", "So place_name is Oslo.", True),
        ("xlam-1-history", "I look up the day in get_weather_of.", False),
        ("xlam-1-history", "", False),
        ("actionstudio", "Neither (get_weather) knows.", True),
        ("xlam-1", "I will call get_weather.", False),
    ],
)
def test_names_that_a_trained_text_says_are_kept(variant: Variant, text: str, kept: bool, tmp_path: Path) -> None:
    """On all samples of the tool set, for they share their prompt; a word such as `day` is no name."""
    about = {"type": "string", "description": "Which."}
    offered = (tool("get_weather", "a", place_name=about, day=about),)
    query = Message(role="user", content="Rain?")
    says = asked(offered, "").model_copy(update={"messages": (query, Message(role="assistant", content=text))})
    other = asked(offered, "Snow?")
    write_jsonl(tmp_path / "shards" / "0000.jsonl", [other.to_row(), says.to_row()])
    drawn = Views(DataSection(path=tmp_path, variant=variant, views=ViewSettings(mask_names=1)), 0)
    for sample in (other, says):
        assert (drawn.of(sample, 0).apply(sample).tools == offered) is kept


@pytest.mark.parametrize("settings", [{"mask_names": 1.5}, {"distractors": -1}, {"shuffle": 1}])
def test_wrong_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ViewSettings"):
        ViewSettings(**settings)


def test_a_distractor_makes_a_choice_of_a_simple_sample() -> None:
    one, two = tool("f", "a"), tool("g", "b")
    for style, other in (("simple", "multiple"), ("parallel", "parallel"), ("irrelevance", "irrelevance")):
        sample = asked((one,), "Hi", style)
        assert View((two, one), "card").apply(sample).style == other
        assert View((one,), "card").apply(sample) == sample


def test_a_view_leaves_other_messages_alone() -> None:
    offered = (tool("f", "a"),)
    sample = asked(offered, "Hi")
    view = View(offered, "card", {"f": Names("g", {})})
    assert view.apply(sample) == sample
