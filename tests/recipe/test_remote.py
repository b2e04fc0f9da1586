"""APIs in recipes: addresses, prices, what they cannot be asked for."""

from typing import Any

import pytest
from pydantic import ValidationError

from fmau.recipe import ApiBlock, Price, Recipe, RemoteBlock, load_recipe


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("https://api.example.com", "api.example.com/v1"),
        ("https://API.example.com/v1/", "api.example.com/v1"),
        ("http://api.example.com/v1/chat/completions", "api.example.com/v1"),
        ("https://h/v1beta/openai/", "h/v1beta/openai"),
        ("https://h/openai/deployments/eyes?api-version=2024-10-21", "h/openai/deployments/eyes"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000/v1"),
    ],
)
def test_the_place_is_host_and_path(given: str, place: str) -> None:
    assert RemoteBlock(base_url=given).place == place


@pytest.mark.parametrize(
    "given", ["api.example.com", "ftp://h", "https://me:secret@h/v1", "http://"]
)
def test_other_addresses_are_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="without a name and a password"):
        RemoteBlock(base_url=given)


def test_cached_tokens_are_a_part_of_all() -> None:
    assert Price(input=2, cached_input=0.5, output=8).of(1_000_000, 400_000, 100_000) == (
        pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.1 * 8)
    )
    assert Price(input=2, output=8).of(1_000_000, 400_000, 0) == pytest.approx(2)


def test_a_field_that_is_null_is_left_out() -> None:
    fields = {"seed": None, "top_p": 0.9, "temperature": 1.0}
    assert ApiBlock(base_url="http://h").decoding == {"temperature": 0.0, "seed": 0}
    changed = ApiBlock(base_url="http://h", fields=fields)
    assert changed.decoding == {"temperature": 1.0, "top_p": 0.9}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "messages", "model", "n"])
def test_fields_that_fmau_sets_itself(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} cannot be set here"):
        ApiBlock(base_url="http://h", fields={name: 2})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"answer": {"constrain": False}}, 'set answer.frames_as to "images"'),
        ({"answer": {"frames_as": "images"}}, "set answer.constrain to false"),
        (
            {"answer": {"frames_as": "images", "constrain": False, "thinking_tokens": 9}},
            "set answer.thinking_tokens to 0",
        ),
        ({"train": load_recipe("lora_tiny").train}, "leave train out"),
    ],
)
def test_what_an_api_cannot_do(changed: dict[str, Any], said: str) -> None:
    tree = load_recipe("zero_shot_api").model_dump() | {"answer": {"frames_as": "images"}} | changed
    with pytest.raises(ValidationError, match=said):
        Recipe.model_validate(tree)
