"""A base model to export adapters of."""

from pathlib import Path

import pytest

from fmau.demo.tiny.model import save_checkpoint
from tests.processors import small_model, small_processor


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of the real architecture, saved."""
    folder = tmp_path_factory.mktemp("base")
    processor = small_processor()
    save_checkpoint(small_model(), processor, folder)
    return folder
