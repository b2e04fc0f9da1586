"""A base model to export adapters of."""

from pathlib import Path

import pytest

from fmau.demo.tiny.model import new_model, save_checkpoint
from tests.processors import small_processor


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of the real architecture, saved."""
    folder = tmp_path_factory.mktemp("base")
    processor = small_processor()
    save_checkpoint(new_model(processor.tokenizer, seed=0), processor, folder)
    return folder
