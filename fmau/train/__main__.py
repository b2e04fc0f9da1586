"""`accelerate launch --config_file recipes/accelerate/HARDWARE.yaml -m fmau.train RECIPE`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from fmau.core.output import SafeConsole, run_command
from fmau.recipe import load_recipe


def main(
    recipe_file: Annotated[
        Path,
        typer.Argument(metavar="RECIPE", help="Recipe: a name from fmau recipes, or a YAML file."),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value: train.epochs=2"),
    ] = None,
) -> None:
    """Train a recipe's adapter, RUN/adapter. After a stop, run the same command to continue."""
    recipe = load_recipe(recipe_file, overrides or ())
    from fmau.train.run import train_adapter

    adapter = train_adapter(recipe)
    if os.environ.get("RANK", "0") == "0":
        SafeConsole(stderr=True).print(f"adapter: {adapter}")


if __name__ == "__main__":
    run_command(lambda: typer.run(main))
