"""What must not happen by accident: foreign code, pickles, keys where others can read them."""

import ast
import asyncio
import io
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fmau.core.errors import RecipeError, RunError, ServerError
from fmau.core.output import SafeConsole, printable
from fmau.demo.tiny import CHECKPOINT
from fmau.families.find import of_type
from fmau.families.load import load_config, load_encoder
from fmau.recipe import ModelBlock, ServeBlock, load_recipe
from fmau.score import score_run
from fmau.serve import server_argv
from fmau.serve.client import ChatClient, ChatRequest, Endpoint, RequestError, read_key
from fmau.serve.guard import Guard
from fmau.serve.preflight import check_address, check_listener
from fmau.serve.reach import running_servers
from tests.answer.small_run import answer, questions, recipe
from tests.answer.stub_server import StubServer
from tests.paths import PACKAGE
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file
from tests.serve.support import recipe as serve_recipe

FILES = sorted(PACKAGE.rglob("*.py"))
FAMILY = of_type("qwen3_vl", "the tests")
KEY = "sesame-3f9c"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_foreign_code_and_no_pickles(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
        if isinstance(node, ast.keyword):
            assert node.arg != "allow_pickle"
            assert node.arg != "trust_remote_code" or ast.unparse(node.value) == "False"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert ast.unparse(node.func) not in {"torch.load", "yaml.load", "os.system"}
            if re.match(r"Auto\w+\.from_pretrained", ast.unparse(node.func)):
                assert "trust_remote_code" in {keyword.arg for keyword in node.keywords}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}


def test_a_model_folder_with_code_is_refused_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where someone, or a pipe, would say yes to the question of Transformers."""
    folder = tmp_path / "model"
    shutil.copytree(CHECKPOINT, folder)
    proof = tmp_path / "the code ran"
    (folder / "own.py").write_text(f"open({str(proof)!r}, 'w')\nclass Config: ...\n")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["model_type"] = "own"
    config["auto_map"] = {"AutoConfig": "own.Config"}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\ny\n"))
    with pytest.raises(RecipeError, match="its configuration cannot be read"):
        load_config(str(folder), None)
    for name in ("processor_config.json", "tokenizer_config.json"):
        path = tmp_path / "processor" / name
        if not path.parent.exists():
            shutil.copytree(CHECKPOINT, path.parent)
            shutil.copy(folder / "own.py", path.parent)
        settings = json.loads(path.read_text("utf-8")) if path.exists() else {}
        own = {"AutoProcessor": "own.Config", "AutoTokenizer": ["own.Config", "own.Config"]}
        path.write_text(json.dumps(settings | {"auto_map": own}), "utf-8")
    with suppress(RecipeError):
        load_encoder(ModelBlock(path=str(tmp_path / "processor"), dtype="float32"))
    assert not proof.exists()


@pytest.mark.parametrize(
    ("set_to", "key"),
    [("s3cret", "s3cret"), ("s3cret\r\n", "s3cret"), (" s3cret\t", "s3cret"), ("  ", None)],
)
def test_a_key_is_read_without_the_line_end_of_its_file(
    monkeypatch: pytest.MonkeyPatch, set_to: str, key: str | None
) -> None:
    monkeypatch.setenv("FMAU_API_KEY", set_to)
    assert read_key("FMAU_API_KEY") == key


@pytest.mark.parametrize("key", ["s3c\rret", "s3c ret", "s3crét", "s3c\x00ret", "“s3cret”"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr("os.environ", {"FMAU_API_KEY": key})
    with pytest.raises(ServerError, match=r"FMAU_API_KEY: character [0-9] of the key") as caught:
        read_key("FMAU_API_KEY")
    assert "s3c" not in str(caught.value)


def test_a_key_is_not_sent_to_another_users_program(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        check_listener(port)  # our own
        monkeypatch.setattr("os.getuid", lambda: 12345)
        with pytest.raises(ServerError, match=f"port {port} is in use .* is not sent to it"):
            check_listener(port)
        monkeypatch.setenv("FMAU_API_KEY", KEY)
        monkeypatch.setattr("fmau.serve.reach.base_model", lambda _url, key: seen.append(key))
        with pytest.raises(ServerError, match="name it: --server"):
            running_servers(ServeBlock(port=port))
    assert seen == []


def test_vllm_fetches_nothing() -> None:
    argv = server_argv(serve_recipe(), "gpu", FAMILY)
    assert argv[argv.index("--allowed-media-domains") + 1].endswith(".invalid")
    assert "--middleware" not in argv
    assert "--middleware" in server_argv(serve_recipe(), "gpu", FAMILY, guarded=True)


class Asked:
    """An ASGI application that notes the paths it is asked for, behind the guard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VLLM_API_KEY", KEY)
        self.paths: list[str] = []
        self._guard = Guard(self._app)

    async def _app(self, scope: Any, _receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def status(self, path: str, key: str | None) -> int:
        """The status of a request with this key; None for a request without one."""
        headers = [(b"authorization", f"Bearer {key}".encode())] if key is not None else []
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError("the guard reads no body")

        scope = {"type": "http", "path": path, "headers": headers}
        asyncio.run(self._guard(scope, receive, send))
        return int(sent[0]["status"])


def test_the_guard_lets_only_fmau_through(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Asked(monkeypatch)
    known = ["/v1/chat/completions", "/v1/models", "/metrics", "/tokenize", "/detokenize"]
    others = ["/invocations", "/docs", "/v1/load_lora_adapter", "//v1/models", "/"]
    assert [app.status(path, KEY) for path in known] == [200] * 5
    for key in (None, "", "wrong", KEY + "x"):
        assert [app.status(path, key) for path in [*known, *others]] == [401] * 10
    assert [app.status(path, KEY) for path in others] == [404] * 5
    assert app.status("/health", None) == 200
    assert app.paths == [*known, "/health"]


def test_control_characters_are_shown_and_not_sent() -> None:
    written = io.StringIO()
    console = SafeConsole(file=written, force_terminal=True, width=80)
    evil = "clip\x1b]0;title\x07\x1b[2Jname\x9b31m\u202egnp"
    table = Table(title=Text(evil))
    table.add_column(Text(evil))
    table.add_row(Text(evil))
    console.print(escape(evil), highlight=False)
    console.print(Text(evil, style="bold red"), table)
    text = written.getvalue()
    assert "\\x1b]0;title" in text
    assert "\x1b[1;31m" in text  # the console's own style is sent
    left = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", left)
    assert printable("a\tb\nc\x1b") == "a\tb\nc\\x1b"


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "<img src=x>", "a|b", "", "x\ny", "../x"])
def test_a_run_named_by_someone_else_is_refused(tmp_path: Path, name: str) -> None:
    file = question_file(clips=2)
    run = write_run(tmp_path, "base", file, gold_answers(file))
    path = run / "manifest.json"
    tree = json.loads(path.read_text("utf-8"))
    tree["recipe"]["name"] = name
    path.write_text(json.dumps(tree), "utf-8")
    with pytest.raises(RunError, match=r"manifest\.json: .*name"):
        score_run(run)


def test_yaml_aliases_do_not_expand_without_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    path = tmp_path / "recipe.yaml"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(RecipeError, match="its aliases make more than 100,000 values"):
        load_recipe(path)
    path.write_text("base: &base {port: 8000}\nserve: *base\n", "utf-8")
    with pytest.raises(RecipeError, match="base: unknown key") as caught:  # a plain alias is read
        load_recipe(path)
    assert "its aliases" not in str(caught.value)


def test_vllm_is_not_told_to_trust_code() -> None:
    assert not [
        flag for flag in server_argv(serve_recipe(), "gpu", FAMILY) if "trust-remote" in flag
    ]


def test_servers_are_private_unless_they_have_a_key() -> None:
    assert ServeBlock().host == "127.0.0.1"
    with pytest.raises(ServerError, match="set an API key"):
        check_address(ServeBlock(host="0.0.0.0", port=8099), None)


def test_a_key_reaches_the_server_and_no_file(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    seen = []
    with StubServer() as server:
        server.fault = lambda asked: "429" if asked.number == 0 and "SAD" in asked.qid else None
        summary = answer(recipe(tmp_path), questions(2), server.base_url, api_key=KEY)
        seen = server.asked
    assert summary.complete
    assert {asked.key for asked in seen} == {KEY}
    texts = [path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert len(texts) >= 2
    captured = capfd.readouterr()
    assert not [
        text for text in [*texts, captured.out, captured.err, summary.text()] if KEY in text
    ]


def test_a_refused_key_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    with (
        StubServer(fault=lambda _: "401") as server,
        pytest.raises(ServerError, match="API key") as caught,
    ):
        answer(recipe(tmp_path), questions(1), server.base_url, api_key=KEY)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("header", ["Authorization", "api-key"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_takes_no_key_and_no_question_to_another_host(header: str, status: int) -> None:
    """aiohttp follows redirects, and leaves out only the header "Authorization" on the way."""
    seen: list[str] = []

    async def collector(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.json_response({"data": [{"id": "m"}]})

    async def ask() -> None:
        async with served(collector) as other:

            async def moved(_: web.Request) -> web.Response:
                return web.Response(status=status, headers={"Location": f"{other}/taken"})

            async with (
                served(moved) as url,
                ChatClient(url, api_key=KEY, key_header=header, retries=0) as client,
            ):
                request = ChatRequest([{"role": "user", "content": "?"}], 5)
                with pytest.raises(ServerError, match=f"HTTP {status}: it redirects"):
                    await client.ask("m", request)
                with pytest.raises(ServerError, match=f"HTTP {status}: it redirects"):
                    await client.models()
                with pytest.raises(RequestError, match=f"HTTP {status}: it redirects"):
                    await client.post("/detokenize", {})
                assert await client.metrics() is None

    asyncio.run(ask())
    assert seen == []


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429])
@pytest.mark.parametrize("before", [0, 95, 297])
def test_a_key_that_a_server_repeats_is_not_shown(status: int, before: int) -> None:
    """Nor a half of it, where the server's text is cut."""

    async def echo(request: web.Request) -> web.Response:
        said = "x" * before + request.headers["Authorization"].removeprefix("Bearer ")
        return web.json_response({"error": {"message": said}}, status=status)

    async def ask() -> str:
        async with served(echo) as url, ChatClient(url, api_key=KEY, retries=0) as client:
            with pytest.raises((ServerError, RequestError)) as caught:
                await client.ask("m", ChatRequest([{"role": "user", "content": "?"}], 5))
            return str(caught.value)

    assert "ses" not in asyncio.run(ask())


def test_a_key_is_not_in_the_text_of_an_endpoint() -> None:
    """Which could stand in a traceback, or in the error of a library that carries one."""
    assert KEY not in repr(Endpoint("http://127.0.0.1:8000", KEY))


@asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """A server that gives every request to the handler; gives its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
