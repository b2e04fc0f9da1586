"""The challenge's starter kit: takes over its prompts and its answers, for `fmau import-kit`.

prompts.py   its system prompts as prompt sets
outputs.py   a prediction file -> the questions it answers, and answer rows
importing.py a kit's folder -> prompt sets and run folders
"""

from fmau.score.kit.importing import Imported, import_kit

__all__ = ["Imported", "import_kit"]
