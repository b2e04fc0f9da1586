"""What must not happen by accident: foreign code, pickles, keys where others can read them."""

import ast
from pathlib import Path

import pytest

from fmau.core.errors import ServerError
from fmau.recipe import ServeBlock
from fmau.serve import server_argv
from fmau.serve.preflight import check_address
from tests.answer.small_run import answer, questions, recipe
from tests.answer.stub_server import StubServer
from tests.paths import PACKAGE
from tests.serve.support import recipe as serve_recipe

FILES = sorted(PACKAGE.rglob("*.py"))
KEY = "sesame-3f9c"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_foreign_code_and_no_pickles(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
        if isinstance(node, ast.keyword):
            assert node.arg not in {"trust_remote_code", "allow_pickle"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert ast.unparse(node.func) not in {"torch.load", "yaml.load", "os.system"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}


def test_vllm_is_not_told_to_trust_code() -> None:
    assert not [flag for flag in server_argv(serve_recipe(), "gpu") if "trust-remote" in flag]


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
