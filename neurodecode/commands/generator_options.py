"""How a command line says which weights a generator uses, where, and with how much memory."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from neurodecode.errors import ConfigError

__all__ = ["add_generator_arguments", "generator_options"]


def add_generator_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of the command.
    """
    parser.add_argument(
        "--generator-config", type=Path, metavar="FILE",
        help="YAML file with options of the generator (configs/generators/)",
    )  # fmt: skip
    parser.add_argument(
        "--generator-options", nargs="+", default=[], metavar="NAME=VALUE",
        help="options of the generator, over those of the file: weights=FOLDER, batch_size=2,"
        " dtype=float16, offload=true, ... (docs/generators.md)",
    )  # fmt: skip
    parser.add_argument(
        "--download", action="store_true", help="allow fetching public weights from a model hub"
    )


def generator_options(args: argparse.Namespace) -> dict[str, Any]:
    """Join file and command line.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed options.

    Returns
    -------
    dict
        Keyword arguments of the generator; empty if nothing was said.

    Raises
    ------
    ConfigError
        If the file is missing or not a mapping, or an option has no value.
    """
    options = dict(_read(args.generator_config)) if args.generator_config else {}
    for word in args.generator_options:
        name, equals, value = word.partition("=")
        if not (name.isidentifier() and equals):
            raise ConfigError(f"--generator-options {word}: write NAME=VALUE")
        options[name] = _parse(value)
    if args.download:
        options["download"] = True
    return options


def _parse(value: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"file {path}: missing") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"file {path}: not valid YAML") from error
    if not isinstance(content, dict):
        raise ConfigError(f"file {path}: has to hold options by name, as in `batch_size: 2`")
    return content
