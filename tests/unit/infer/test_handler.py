"""Chat completions from real backends: the prompt's bytes, what becomes of each kind of answer, and OpenAI's form."""

from __future__ import annotations

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from steered import SteeredBackend, save_tiny
from tiny_tokenizers import STYLES

from data_pipeline.core.errors import InputError
from data_pipeline.core.turns import prompt
from data_pipeline.core.xlam_format import render_prompt
from xlam_train.export.chat_template import install_template
from xlam_train.export.gguf import write_gguf
from xlam_train.infer.handler import ChatHandler
from xlam_train.infer.openai_chat import normal_messages, to_message
from xlam_train.infer.opening import open_backend
from xlam_train.infer.transformers_backend import TransformersBackend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIDE = {
    "name": "tide",
    "description": "Tells high water.",
    "parameters": {
        "type": "object",
        "properties": {"port": {"type": "string", "enum": ["Brest", "Cuxhaven"]}, "days": {"type": "integer"}},
        "required": ["port"],
    },
}
SWITCH = {
    "name": "switch",
    "description": "Switches a lamp.",
    "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
}
TOOLS = [TIDE, SWITCH]
ASKED = [{"role": "user", "content": "High water at Brest, s'il vous plaît?"}]
CALL = '{"name": "tide", "arguments": {"port": "Brest", "days": 2}}'
OTHER = '{"name": "switch", "arguments": {"on": true}}'


def answered(calls: str, extra: str = "") -> str:
    return f'{{{extra}"tool_calls": [{calls}]}}'


@pytest.fixture(scope="module")
def plain_dir(tmp_path_factory: pytest.TempPathFactory, smollm2_dir: Path) -> Path:
    return save_tiny(tmp_path_factory.mktemp("plain") / "model", smollm2_dir)


@pytest.fixture(scope="module")
def speaking_dir(tmp_path_factory: pytest.TempPathFactory, plain_dir: Path) -> Path:
    folder = shutil.copytree(plain_dir, tmp_path_factory.mktemp("speaking") / "model")
    install_template(folder, "xlam-1", "card")
    return folder


def opened(folder: Path) -> SteeredBackend:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    path = folder.with_suffix(".gguf")
    write_gguf(folder, path, "f32")
    return SteeredBackend(path)


@pytest.fixture(scope="module")
def plain(plain_dir: Path) -> Iterator[SteeredBackend]:
    with opened(plain_dir) as backend:
        yield backend


@pytest.fixture(scope="module")
def speaking(speaking_dir: Path) -> Iterator[SteeredBackend]:
    with opened(speaking_dir) as backend:
        yield backend


def choice_of(backend: SteeredBackend, text: str, variant: Any = "xlam-1", **given: Any) -> dict[str, Any]:
    backend.texts = [text]
    choice: dict[str, Any] = ChatHandler(backend, variant).chat(ASKED, TOOLS, **given)["choices"][0]
    return choice


@pytest.mark.parametrize(
    ("variant", "text", "calls", "content"),
    [
        ("xlam-1", answered(CALL), [CALL], None),
        ("xlam-1", answered(f"{CALL}, {OTHER}, {CALL}"), [CALL, OTHER, CALL], None),
        ("xlam-1", f"[{OTHER}]", [OTHER], None),
        ("xlam-1", answered(""), [], ""),
        ("xlam-1-history", answered(CALL, '"thought": "The port is given.", '), [CALL], "The port is given."),
        ("xlam-1-history", answered("", '"thought": "Which day?", '), [], "Which day?"),
        ("xlam-1-bfcl", "None of the functions fits.", [], "None of the functions fits."),
        ("actionstudio", f"[{CALL}]", [CALL], None),
        ("actionstudio", f"[TOOL_CALLS][{CALL}]", [CALL], None),
        ("actionstudio", "42", [], "42"),
        ("actionstudio", "[]", [], ""),
    ],
)
def test_answers_in_the_format_become_calls(
    plain: SteeredBackend, variant: str, text: str, calls: list[str], content: str | None
) -> None:
    choice = choice_of(plain, text, variant)
    found = choice["message"].get("tool_calls", [])
    wanted = list(map(json.loads, calls))
    assert [call["function"]["name"] for call in found] == [call["name"] for call in wanted]
    assert [json.loads(call["function"]["arguments"]) for call in found] == [call["arguments"] for call in wanted]
    assert all(call["type"] == "function" for call in found)
    assert len({call["id"] for call in found}) == len(calls)
    assert choice["message"]["content"] == content
    assert choice["finish_reason"] == ("tool_calls" if calls else "stop")
    assert choice["format_error"] is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"Sure!\n{answered(CALL)}", "text_around"),
        (f"```json\n{answered(CALL)}\n```", "code_fence"),
        (answered(CALL)[:-1], "not_json"),
        (answered('{"name": "tide"}'), "bad_call"),
        ('{"answer": "high"}', "unknown_shape"),
        (answered('{"name": "tide", "arguments": {"port": "Brest", "port": "Cuxhaven"}}'), "duplicate_key"),
    ],
)
def test_any_other_answer_stays_text_and_is_marked(plain: SteeredBackend, text: str, reason: str) -> None:
    choice = choice_of(plain, text)
    assert choice["message"] == {"role": "assistant", "content": text}
    assert (choice["finish_reason"], choice["format_error"]) == ("stop", reason)


def test_an_answer_cut_off_says_so(plain: SteeredBackend) -> None:
    choice = choice_of(plain, answered(CALL), max_tokens=12)
    assert answered(CALL).startswith(choice["message"]["content"])
    assert "tool_calls" not in choice["message"]
    assert (choice["finish_reason"], choice["format_error"]) == ("length", "not_json")


def test_without_tools_no_calls_are_looked_for(speaking: SteeredBackend) -> None:
    speaking.texts = [answered(CALL)]
    choice = ChatHandler(speaking).chat(ASKED)["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": answered(CALL)}
    assert (choice["finish_reason"], choice["format_error"]) == ("stop", None)
    assert speaking.prompt_text(ChatHandler(speaking).prompt(ASKED)).count("[BEGIN") == 0


CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "tide", "arguments": '{"port": "Brest"}'}},
        {"id": "b", "type": "function", "function": {"name": "switch", "arguments": '{"on": false}'}},
    ],
}
CONVERSATIONS = {
    "a question": ASKED,
    "a system text": [{"role": "developer", "content": "Be brief. 🙂"}, *ASKED],
    "results": [
        *ASKED,
        CALLED,
        {"role": "tool", "tool_call_id": "b", "content": '"off"'},
        {"role": "tool", "tool_call_id": "a", "content": '{"at": "06:12"}'},
    ],
}


@pytest.mark.parametrize(("name", "tools"), [*((name, TOOLS) for name in CONVERSATIONS), ("a question", [])])
def test_the_prompt_is_the_same_whoever_writes_it(
    plain: SteeredBackend, speaking: SteeredBackend, plain_dir: Path, speaking_dir: Path, name: str, tools: Any
) -> None:
    messages = CONVERSATIONS[name]
    rendered = prompt(tools, list(map(to_message, normal_messages(messages))))
    by_hand = "".join(f"<|im_start|>{said['role']}\n{said['content']}<|im_end|>\n" for said in rendered.messages)
    texts = {}
    with TransformersBackend(plain_dir, 1) as plain_folder, TransformersBackend(speaking_dir, 1) as speaking_folder:
        for key, backend in enumerate((plain, speaking, plain_folder, speaking_folder)):
            chat = ChatHandler(backend).prompt(messages, tools)
            assert bool(chat.tools) == (key % 2 == 1 and bool(tools))
            texts[key] = backend.prompt_text(chat)
    assert set(texts.values()) == {texts[0]}
    assert texts[0] is not None
    assert texts[0].endswith(by_hand + "<|im_start|>assistant\n")


def test_a_marker_in_the_users_text_is_no_template_that_speaks_xlam(plain: SteeredBackend) -> None:
    messages = [{"role": "user", "content": "[BEGIN OF AVAILABLE TOOLS]"}]
    assert ChatHandler(plain).prompt(messages, TOOLS).tools is None


@pytest.mark.parametrize(("style", "prefix"), [("mistral", "[TOOL_CALLS]"), ("chatml", "")])
def test_actionstudio_follows_the_base_models_template(
    tmp_path: Path, plain_dir: Path, style: str, prefix: str
) -> None:
    folder = shutil.copytree(plain_dir, tmp_path / "model")
    (folder / "chat_template.jinja").write_text(STYLES[style].template)
    with TransformersBackend(folder, 1) as backend:
        chat = ChatHandler(backend, "actionstudio").prompt(ASKED, TOOLS)
    wanted = prompt(TOOLS, list(map(to_message, normal_messages(ASKED))), "actionstudio", mistral=bool(prefix))
    assert (list(chat.messages), list(chat.tools or ())) == (wanted.messages, wanted.tools)
    assert (prefix in chat.messages[0]["content"]) if prefix else "[TOOL_CALLS]" not in chat.messages[0]["content"]


def test_completions_have_openais_form(plain: SteeredBackend) -> None:
    types = pytest.importorskip("openai.types.chat", reason="needs the package openai")
    for text in (answered(f"{CALL}, {OTHER}"), answered(""), "no"):
        plain.texts = [text]
        done = types.ChatCompletion.model_validate(ChatHandler(plain).chat(ASKED, TOOLS), strict=True)
        tokens = plain.tokenize(plain.prompt_text(ChatHandler(plain).prompt(ASKED, TOOLS)))
        assert done.usage.prompt_tokens == len(tokens)
        assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens
        assert done.usage.completion_tokens == len(plain.tokenize(text)) + 1  # which ends the turn


def test_ids_depend_on_the_request_alone(plain: SteeredBackend) -> None:
    def ids(seed: int, messages: list[dict[str, Any]] = ASKED) -> tuple[str, ...]:
        plain.texts = [answered(f"{CALL}, {CALL}")]
        done = ChatHandler(plain).chat(messages, TOOLS, seed=seed)
        return (done["id"], *(call["id"] for call in done["choices"][0]["message"]["tool_calls"]))

    first = ids(0)
    assert ids(0) == first
    assert not {*ids(1), *ids(0, CONVERSATIONS["results"])} & set(first)
    assert all(len(call_id) == 9 and call_id.isalnum() for call_id in first[1:])  # what Mistral's template wants


def test_the_sampling_reaches_the_model(plain: SteeredBackend) -> None:
    ChatHandler(plain).chat(ASKED, TOOLS, max_tokens=3, temperature=0.7, top_p=0.9, seed=11)
    last = plain.asked[-1]
    assert (last.max_tokens, last.temperature, last.top_p, last.seed) == (3, 0.7, 0.9, 11)
    assert last.constraint is None


def test_constrained_nothing_but_valid_calls_comes_out(plain: SteeredBackend) -> None:
    free, held = ChatHandler(plain), ChatHandler(plain, constrained=True)
    for number in range(4):
        asked = [{"role": "user", "content": f"Question {number}"}]
        assert free.chat(asked, TOOLS, max_tokens=8)["choices"][0]["format_error"]
        choice = held.chat(asked, TOOLS, max_tokens=300, temperature=0.5, seed=number)["choices"][0]
        assert choice["format_error"] is None, choice
        for call in choice["message"].get("tool_calls", []):
            arguments = json.loads(call["function"]["arguments"])
            if call["function"]["name"] == "switch":
                assert arguments in ({"on": True}, {"on": False})
            else:
                assert arguments["port"] in ("Brest", "Cuxhaven")


class _Secretive(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that shows neither template nor tokens, and answers with a call."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        self._send(json.dumps({"data": [{"id": "m", "owned_by": "someone"}]}), "application/json")

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        choice = {"index": 0, "delta": {"content": answered(CALL)}, "finish_reason": "stop"}
        self._send(f"data: {json.dumps({'choices': [choice]})}\n\ndata: [DONE]\n\n", "text/event-stream")

    def _send(self, body: str, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


def test_a_server_that_shows_no_template_gets_the_prompt_written_out() -> None:
    pytest.importorskip("openai", reason="needs the package openai")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Secretive)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        with open_backend(f"http://127.0.0.1:{server.server_port}/v1") as backend:
            done = ChatHandler(backend).chat(ASKED, TOOLS)
    finally:
        server.shutdown()
        server.server_close()
    [body] = _Secretive.asked
    assert body["messages"] == [{"role": "user", "content": render_prompt(TOOLS, ASKED[0]["content"])}]
    assert "tools" not in body
    assert done["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "tide"
    assert done["usage"] is None


@pytest.mark.parametrize(
    ("messages", "tools", "says"),
    [
        (CONVERSATIONS["results"], None, "tools is None"),
        ([], TOOLS, "nothing is asked"),
        ([*ASKED, CALLED, {"role": "tool", "tool_call_id": "a", "content": "1"}], TOOLS, "2 calls, and 1 results"),
        (ASKED, [{"description": "?"}], "a tool needs a 'name'"),
    ],
)
def test_what_cannot_be_asked_is_refused(plain: SteeredBackend, messages: Any, tools: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        ChatHandler(plain).chat(messages, tools)


def test_an_unknown_variant_is_refused(plain: SteeredBackend) -> None:
    with pytest.raises(InputError, match="did you mean 'xlam-1'"):
        ChatHandler(plain, "xlam1")  # type: ignore[arg-type]
