"""`dynasafe check UpdateItem request.json`: a request as JSON, checked without a network."""

from __future__ import annotations

import argparse
import json
import sys
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from dynasafe.errors import UnsupportedTypeError
from dynasafe.findings.finding import Finding
from dynasafe.validation import CHECKED_OPERATIONS, Form, check_request

_STDIN = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("operation", help="as in the API Reference: UpdateItem")
    parser.add_argument(
        "file", nargs="?", default=_STDIN, help="the parameters as JSON; default: standard input"
    )
    parser.add_argument(
        "--schema", metavar="FILE", help="the answer of DescribeTable: checks keys and indexes too"
    )
    parser.add_argument(
        "--form",
        choices=get_args(Form),
        help="wire: the JSON that is sent, with base64 for B; client: AttributeValues; resource: "
        "plain values as a Table of boto3 takes them; default: client or resource, by the "
        "values",
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")


def run(given: argparse.Namespace) -> int:
    try:
        findings = check_request(
            _operation(given.operation),
            _read_object(given.file),
            schema=None if given.schema is None else _read_object(given.schema),
            form=given.form,
        )
    except (OSError, ValueError, UnsupportedTypeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if given.format == "json":
        sys.stdout.write(json.dumps([_record(each) for each in findings], indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{each}\n" for each in findings)
    return 1 if findings else 0


def _operation(name: str) -> str:
    """The API's name of the operation: `update-item` and `update_item` are UpdateItem.

    Raises:
        ValueError: the operation is unknown, or is not checked.
    """
    by_letters = {each.lower(): each for each in CHECKED_OPERATIONS}
    letters = name.replace("-", "").replace("_", "").lower()
    if letters in by_letters:
        return by_letters[letters]
    near = [by_letters[each] for each in get_close_matches(letters, by_letters, 1)]
    known = near or sorted(CHECKED_OPERATIONS)
    raise ValueError(f"{name!r} cannot be checked. Fix: give {' or '.join(known)}.")


def _read_object(file: str) -> dict[str, Any]:
    """The JSON object of a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a JSON object.
    """
    name = "standard input" if file == _STDIN else file
    text = sys.stdin.read() if file == _STDIN else Path(file).read_text("utf-8")
    try:
        read = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise ValueError(
            f"{name} is not a JSON object. Fix: give the parameters of one request, as in "
            '{"TableName": "people", "Key": {"id": {"S": "p1"}}}.'
        )
    return read


def _record(finding: Finding) -> dict[str, object]:
    where = finding.where
    return {
        "code": finding.code,
        "message": finding.message,
        "parameter": where.parameter,
        "text": where.text,
        "span": where.span,
        "fix": finding.fix,
    }
