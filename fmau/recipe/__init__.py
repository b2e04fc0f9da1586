"""Recipes: one complete YAML file per experiment, checked when it is read.

A recipe has no defaults inherited from another file. What can be left out has a default, and the
manifest of a run holds the resolved recipe, so a result never depends on what a default was. Units
are part of the names. Relative paths are relative to the directory `fmau` is run in.
"""

from fmau.recipe.blocks import (
    DECODING,
    PIXEL_FACTOR,
    TEMPORAL_PATCH,
    AnswerBlock,
    Block,
    DataBlock,
    FramesBlock,
    ModelBlock,
    PromptBlock,
    ServeBlock,
    TextModel,
)
from fmau.recipe.load import Recipe, checked, load_recipe, read_tree
from fmau.recipe.training import LoraBlock, TrainBlock, TrainDataBlock

__all__ = [
    "DECODING",
    "PIXEL_FACTOR",
    "TEMPORAL_PATCH",
    "AnswerBlock",
    "Block",
    "DataBlock",
    "FramesBlock",
    "LoraBlock",
    "ModelBlock",
    "PromptBlock",
    "Recipe",
    "ServeBlock",
    "TextModel",
    "TrainBlock",
    "TrainDataBlock",
    "checked",
    "load_recipe",
    "read_tree",
]
