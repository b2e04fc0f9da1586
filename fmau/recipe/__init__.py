"""Recipes: one complete YAML file per experiment, checked when it is read. Every command uses one.

A recipe inherits nothing from another file. Optional keys have defaults, and the manifest of a run
holds the resolved recipe, so a later change of a default cannot change what a result means. Units
are part of the names. Relative paths are relative to the directory in which `fmau` runs.
"""

from fmau.recipe.blocks import (
    DECODING,
    AnswerBlock,
    Block,
    DataBlock,
    FramesBlock,
    ModelBlock,
    PromptBlock,
    ServeBlock,
    TextModel,
)
from fmau.recipe.load import Recipe, RunName, checked, load_recipe, read_tree
from fmau.recipe.remote import (
    CHARS_PER_TOKEN,
    ApiBlock,
    Price,
    RemoteBlock,
    TokenEstimate,
    text_tokens,
)
from fmau.recipe.training import LoraBlock, TrainBlock, TrainDataBlock

__all__ = [
    "CHARS_PER_TOKEN",
    "DECODING",
    "AnswerBlock",
    "ApiBlock",
    "Block",
    "DataBlock",
    "FramesBlock",
    "LoraBlock",
    "ModelBlock",
    "Price",
    "PromptBlock",
    "Recipe",
    "RemoteBlock",
    "RunName",
    "ServeBlock",
    "TextModel",
    "TokenEstimate",
    "TrainBlock",
    "TrainDataBlock",
    "checked",
    "load_recipe",
    "read_tree",
    "text_tokens",
]
