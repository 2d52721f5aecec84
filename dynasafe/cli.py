"""The command line: `dynasafe explain | check | lint | logs`.

Each subcommand is a module with two functions: `add_arguments(parser)` and `run(given)`, which
returns the exit status. Only the module of the command that is run is imported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from dynasafe.version import __version__

COMMANDS = {
    "explain": ("dynasafe.commands.explain", "explain the code of a finding"),
    "check": ("dynasafe.commands.check", "check offline whether DynamoDB would accept a request"),
    "lint": ("dynasafe.lint.command", "find boto3 and aioboto3 calls that will fail"),
    "logs": ("dynasafe.logs.command", "find known DynamoDB errors in logs, and make alarms"),
}
"""The module and the description of each subcommand."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit status."""
    given_arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog="dynasafe", description="Checks DynamoDB calls, and explains findings."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = given_arguments[0] if given_arguments else None
    for name, (module, description) in COMMANDS.items():
        one = parsers.add_parser(name, help=description, description=description)
        if name == asked:
            import_module(module).add_arguments(one)
    given = parser.parse_args(given_arguments)
    status: int = import_module(COMMANDS[given.command][0]).run(given)
    return status
