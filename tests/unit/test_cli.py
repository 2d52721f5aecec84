"""Every code has an explanation, a page in docs, and a place on the command line."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dynasafe
from dynasafe.cli import main
from dynasafe.findings.catalog import EXPLANATIONS, index, page

ROOT = Path(__file__).parent.parent.parent


def test_each_code_is_explained() -> None:
    """The codes that the package uses are those that have a page."""
    used: set[str] = set()
    for path in Path(dynasafe.__file__).parent.rglob("*.py"):
        if not path.name.endswith("catalog.py"):
            used |= set(re.findall(r'"(DYS\d{3})"', path.read_text()))

    assert used == set(EXPLANATIONS)


def test_pages_are_up_to_date(tmp_path: Path) -> None:
    """The pages in docs/findings are those that the command writes."""
    assert main(["explain", "--write", str(tmp_path)]) == 0

    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "docs" / "findings").glob("*.md")}
    assert written == kept, "fix: dynasafe explain --write docs/findings"


def test_index_has_each_code_once() -> None:
    """The index has a link to each code, once and in order."""
    assert re.findall(r"\[(DYS\d{3})\]\(\1\.md\)", index()) == sorted(EXPLANATIONS)


def test_explain_shows_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    """A code shows its page; without a code, all codes are listed."""
    assert main(["explain", "dys203"]) == 0
    assert capsys.readouterr().out == page("DYS203")
    assert main(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(EXPLANATIONS)


def test_unknown_code_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown code gives exit status 2 and an error that names it."""
    assert main(["explain", "DYS999"]) == 2
    assert "There is no DYS999" in capsys.readouterr().err


def test_module_is_the_command() -> None:
    """`python -m dynasafe` runs the command."""
    result = subprocess.run(
        [sys.executable, "-m", "dynasafe", "explain", "DYS215"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("# DYS215: A reserved word\n")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the name and the version, and the status is 0."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"dynasafe {dynasafe.__version__}\n"


# Checking a request

VALID = {
    "TableName": "people",
    "Key": {"id": {"S": "p1"}},
    "UpdateExpression": "SET #name = :n",
    "ExpressionAttributeNames": {"#name": "name"},
    "ExpressionAttributeValues": {":n": {"S": "Ada"}},
}


def _file(folder: Path, params: object) -> str:
    path = folder / "request.json"
    path.write_text(json.dumps(params))
    return str(path)


@pytest.mark.parametrize("name", ["UpdateItem", "update_item", "update-item"])
def test_check_accepts(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A request without findings: nothing is printed, and the status is 0."""
    assert main(["check", name, _file(tmp_path, VALID)]) == 0
    assert capsys.readouterr().out == ""


def test_check_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty map of names: the finding is printed, and the status is 1."""
    wrong = VALID | {"UpdateExpression": "SET a = :n", "ExpressionAttributeNames": {}}

    assert main(["check", "UpdateItem", _file(tmp_path, wrong), "--format", "json"]) == 1

    (finding,) = json.loads(capsys.readouterr().out)
    assert finding["code"] == "DYS103"
    assert finding["message"] == (
        "1 validation error detected: ExpressionAttributeNames must not be empty"
    )


def test_check_reads_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a file the request is read from standard input; fractions stay exact."""
    monkeypatch.setattr("sys.stdin", io.StringIO('{"Item": {"id": "a", "n": 1.5}}'))

    assert main(["check", "PutItem", "--form", "resource"]) == 0
    assert capsys.readouterr().out == ""


def test_check_uses_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the answer of DescribeTable, keys are checked too."""
    schema = tmp_path / "schema.json"
    schema.write_text(
        json.dumps(
            {
                "Table": {
                    "TableName": "people",
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                }
            }
        )
    )

    assert main(["check", "UpdateItem", _file(tmp_path, VALID), "--schema", str(schema)]) == 1
    assert "[DYS130]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("operation", "text", "words"),
    [
        ("UpdateItm", "{}", "'UpdateItm' cannot be checked. Fix: give UpdateItem."),
        ("UpdateItem", "[]", "is not a JSON object"),
        ("UpdateItem", "{", "is not JSON"),
    ],
)
def test_check_refuses(
    operation: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown operation or a file that is not a JSON object: status 2, with the reason."""
    path = tmp_path / "request.json"
    path.write_text(text)

    assert main(["check", operation, str(path)]) == 2
    assert words in capsys.readouterr().err


def test_check_without_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there: status 2."""
    assert main(["check", "UpdateItem", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
