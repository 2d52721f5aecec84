"""`dynasafe lint` as a user runs it: files, configuration, formats, fixes, baseline, status."""

from __future__ import annotations

import ast
import io
import json
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from dynasafe.cli import main
from dynasafe.lint.files import nearest_config

INCIDENT = """\
import boto3

table = boto3.resource("dynamodb").Table("people")


def rename(names):
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET nickname = :n",
        ExpressionAttributeNames=names if names else None,  # the incident's line
        ExpressionAttributeValues={":n": "Ada"},
    )
"""
FIXED = INCIDENT.replace(
    "ExpressionAttributeNames=names if names else None,",
    '**({"ExpressionAttributeNames": names} if names else {}),',
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    nearest_config.cache_clear()
    return tmp_path


@pytest.fixture
def app(project: Path) -> Path:
    """A file with one fault."""
    path = project / "app.py"
    path.write_text(INCIDENT)
    return path


def configure(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.dynasafe.lint]\n{dedent(text)}")


def test_text(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, place, answer and fix; status 1."""
    assert main(["lint"]) == 1

    out = capsys.readouterr().out
    assert "app.py:10:34: DYS310 ExpressionAttributeNames is None unless `names`\n" in out
    assert "      |                                  ^^^^^^^^^^^^^^^^^^^^^^^^\n" in out
    assert "   Answer: AttributeError: 'NoneType' object has no attribute 'update'\n" in out
    assert (
        "Found 1 in 1 of 1 file (1 can be fixed with --fix). 1 call checked, 1 of them only in "
        "part.\n"
    ) in out
    assert "\x1b" not in out


def test_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without calls: status 0."""
    (project / "app.py").write_text("print('dynamodb')\n")

    assert main(["lint"]) == 0
    assert capsys.readouterr().out == "Found nothing in 1 file. 0 calls checked.\n"


def test_concise(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each finding."""
    main(["lint", "--format", "concise"])

    out = capsys.readouterr().out
    assert out == "app.py:10:34: DYS310 ExpressionAttributeNames is None unless `names`\n"


def test_json(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The edits of the JSON report make the fixed text."""
    main(["lint", "--format", "json"])

    report = json.loads(capsys.readouterr().out)
    (finding,) = report["findings"]
    assert (finding["code"], finding["level"], finding["line"]) == ("DYS310", "error", 10)
    assert report["looked_at"]["calls"] == 1
    (edit,) = finding["fix"]["edits"]
    assert finding["fix"]["applicability"] == "safe"
    assert INCIDENT[: edit["start"]] + edit["text"] + INCIDENT[edit["end"] :] == FIXED


def test_sarif(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SARIF with the rule's page, a region, a fix, and what is suppressed."""
    app.write_text(INCIDENT + "\n\ndef f():\n    table.put_item(item=1)  # noqa: DYS313\n")

    main(["lint", "--format", "sarif"])

    whole = json.loads(capsys.readouterr().out)
    (run,) = whole["runs"]
    assert whole["version"] == "2.1.0"
    assert [each["id"] for each in run["tool"]["driver"]["rules"]] == ["DYS310", "DYS313"]
    found, suppressed = run["results"]
    assert found["locations"][0]["physicalLocation"]["region"]["startLine"] == 10
    assert found["fixes"][0]["artifactChanges"][0]["replacements"]
    assert len(found["partialFingerprints"]["dynasafe/v1"]) == 32
    assert suppressed["suppressions"] == [{"kind": "inSource"}]


def test_sarif_links(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With an address of the pages, each rule links to its own; without one, no rule has a link."""

    def links(pages: str) -> list[str | None]:
        config = app.parent / "lint.toml"
        config.write_text(f"[tool.dynasafe.lint]\n{pages}\n")
        assert main(["lint", "--format", "sarif", "--config", str(config)]) == 1
        (run,) = json.loads(capsys.readouterr().out)["runs"]
        return [each.get("helpUri") for each in run["tool"]["driver"]["rules"]]

    assert links("") == [None]
    assert links('pages = "https://docs.example.org/findings/"') == [
        "https://docs.example.org/findings/DYS310/"
    ]


def test_github(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Workflow commands; of more than ten, the last one counts the rest."""
    calls = "".join(f"    table.put_item(item={index})\n" for index in range(12))
    (project / "app.py").write_text(f"{INCIDENT.partition('def')[0]}def f():\n{calls}")

    main(["lint", "--format", "github"])

    lines = capsys.readouterr().out.splitlines()
    commands = [each for each in lines if each.startswith("::")]
    assert len(commands) == 10
    assert commands[0].startswith(
        "::error title=dynasafe (DYS313),file=app.py,line=7,endLine=7,col=20,endColumn=24::"
    )
    assert commands[-1] == "::error title=dynasafe::and 3 more; see the log"


def test_output_file(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--output writes the report to a file."""
    main(["lint", "--format", "concise", "--output", "report.txt"])

    assert capsys.readouterr().out == ""
    assert "DYS310" in Path("report.txt").read_text()


def test_fix(app: Path) -> None:
    """The fix is written, the rest of the line stays, and fixing again changes nothing."""
    assert main(["lint", "--fix"]) == 0
    assert app.read_text() == FIXED
    assert main(["lint", "--fix", "--exit-non-zero-on-fix"]) == 0
    assert app.read_text() == FIXED


MIGRATED = 'table.update_item(Key=k, UpdateExpression="REMOVE a")'
LEFT = "table.update_item(Key=k, UpdateExpression=str(k))"


@pytest.mark.parametrize("switches", [["--migrate"], ["--migrate", "--fix"]])
def test_migrate(project: Path, capsys: pytest.CaptureFixture[str], switches: list[str]) -> None:
    """Calls become UpdateBuilder, and those that are left are named with the reason."""
    path = project / "app.py"
    path.write_text(
        "import boto3\n\ntable = boto3.resource('dynamodb').Table('people')\n"
        f"def f(k):\n    {MIGRATED}\n    {LEFT}\n"
    )

    assert main(["lint", *switches]) == 0

    assert LEFT in path.read_text()
    assert '**UpdateBuilder()\n        .remove("a")' in path.read_text()
    assert capsys.readouterr().err.splitlines() == [
        "app.py:6: not migrated: UpdateExpression is not literal",
        "Migrated 1, left 1.",
    ]


BROKEN = b"import boto3\ntable.put_item(\n"


def test_fix_of_stdin_that_does_not_parse(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Text that does not parse is written as it is."""
    given = io.TextIOWrapper(io.BytesIO(BROKEN))
    monkeypatch.setattr("sys.stdin", given)

    assert main(["lint", "--fix", "-"]) == 2
    assert capsysbinary.readouterr().out == BROKEN


def test_path_outside_the_project(
    app: Path, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file outside the current folder has its whole path."""
    inner = project / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)

    assert main(["lint", "--format", "concise", str(app)]) == 1
    assert "app.py:" in capsys.readouterr().out


def test_exit_non_zero_on_fix(app: Path) -> None:
    """Status 1 when something was fixed."""
    assert main(["lint", "--fix", "--exit-non-zero-on-fix"]) == 1


def test_exit_zero(app: Path) -> None:
    """Status 0 with findings too."""
    assert main(["lint", "--exit-zero"]) == 0


def test_diff(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The changes are shown, and the file stays."""
    assert main(["lint", "--diff"]) == 1

    out = capsys.readouterr().out
    assert "-        ExpressionAttributeNames=names if names else None," in out
    assert '+        **({"ExpressionAttributeNames": names} if names else {}),' in out
    assert app.read_text() == INCIDENT


def test_line_ends_stay(app: Path) -> None:
    """A file with the line ends of Windows keeps them, and its encoding."""
    text = "# -*- coding: latin-1 -*-\n# \u00e9\n" + INCIDENT
    app.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))

    main(["lint", "--fix"])

    fixed = "# -*- coding: latin-1 -*-\n# \u00e9\n" + FIXED
    assert app.read_bytes() == fixed.replace("\n", "\r\n").encode("latin-1")


def test_comment_stays(app: Path) -> None:
    """A fix that would take a comment away is withheld."""
    text = INCIDENT.replace("names if names else", "names if names  # or not\n        else")
    app.write_text(text)

    assert main(["lint", "--fix"]) == 1
    assert app.read_text() == text


def test_stdin(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """- reads standard input; with --fix, the fixed text comes out."""
    stream = io.TextIOWrapper(io.BytesIO(INCIDENT.encode()))
    monkeypatch.setattr("sys.stdin", stream)

    assert main(["lint", "--fix", "-"]) == 0
    assert capsysbinary.readouterr().out.decode() == FIXED


def test_selection(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Codes and prefixes are selected and ignored; risk is opt-in."""
    app.write_text(INCIDENT + "\n\ndef f():\n    table.put_item(item=1)\n")

    def found(*arguments: str) -> list[str]:
        main(["lint", "--format", "json", *arguments])
        return [each["code"] for each in json.loads(capsys.readouterr().out)["findings"]]

    assert found() == ["DYS310", "DYS313"]
    assert found("--select", "DYS313") == ["DYS313"]
    assert found("--ignore", "DYS31") == []
    assert found("--extend-select", "risk") == ["DYS342", "DYS310", "DYS313"]


def test_pyproject(app: Path, project: Path) -> None:
    """Codes, files and folders are ignored as pyproject.toml says."""
    configure(project, 'ignore = ["DYS310"]')
    assert main(["lint"]) == 0
    nearest_config.cache_clear()
    configure(project, 'per-file-ignores = { "app.py" = ["DYS3"] }')
    assert main(["lint"]) == 0
    nearest_config.cache_clear()
    configure(project, 'exclude = ["app.py"]')
    assert main(["lint"]) == 0
    nearest_config.cache_clear()
    configure(project, "")
    assert main(["lint"]) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('excludes = ["a"]', "has no key excludes. Fix: exclude"),
        ('ignore = "DYS310"', "ignore is of type str. Fix: give a list of str"),
        ('ignore = ["E501"]', "'E501' is not a code. Fix: use a prefix such as DYS33, or risk"),
        (
            'ignore = ["DYS9999"]',
            "pyproject.toml: 'DYS9999' matches no code. Fix: dynasafe lint --list-rules",
        ),
        (
            'extend-select = ["DYS310", "dys9", "DYS3100"]',
            "'DYS9', 'DYS3100' match no code. Fix: dynasafe lint --list-rules",
        ),
        ('per-file-ignores = { "app.py" = ["DYS30"] }', "'DYS30' matches no code"),
        ("[tool.dynasafe.lint.rules]\nttl = []", "has no key rules.ttl. Fix: rules.ttl-attributes"),
        ("ignore = [", "cannot be read"),
        ('baseline = "none.json"', "the baseline cannot be read"),
        ('baseline = "app.py"', "the baseline cannot be read"),
        ('pages = "ftp://x"', "pages is not an address: 'ftp://x'"),
        ("schemas = 5", "schemas is of type int"),
        ('schemas = { people = "app.models.Person" }', "there is no module app.models"),
    ],
)
def test_wrong_configuration(
    text: str, words: str, app: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A configuration that is not understood: status 2, with the fix."""
    configure(project, text)

    assert main(["lint"]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--select", "--extend-select", "--ignore"])
@pytest.mark.parametrize("code", ["DYS999", "DYS3100", "DYS401"])
def test_code_without_a_rule(
    option: str, code: str, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A code that no rule has, such as one of `dynasafe logs`: status 2, and no report."""
    assert main(["lint", option, code]) == 2

    assert capsys.readouterr() == (
        "",
        f"dynasafe lint: {code!r} matches no code. Fix: dynasafe lint --list-rules\n",
    )


def test_each_listed_code_can_be_selected(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each code of `--list-rules`, its prefixes, "DYS" and "risk" are accepted."""
    main(["lint", "--list-rules"])
    listed = [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()[:-1]]

    assert {"DYS310", "DYS399"} <= set(listed)
    for codes in ([*listed, "DYS", "risk"], ["DYS1", "DYS215", "DYS31"]):
        assert main(["lint", "--exit-zero", "--select", ",".join(codes)]) == 0


def test_schema_of_class(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schema is read from the source of an Item class."""
    configure(project, 'schemas = { people = "models.Person" }')
    (project / "models.py").write_text(
        "class Person(Item):\n    pk: Attr[str] = attribute(key='partition')\n"
    )
    (project / "app.py").write_text(
        "import boto3\ntable = boto3.resource('dynamodb').Table('people')\n"
        "def f():\n    return table.get_item(Key={'id': 'a'})\n"
    )

    assert main(["lint", "--format", "concise"]) == 1
    assert "DYS130" in capsys.readouterr().out


def test_unreadable_file(app: Path, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that does not parse: status 2, and the others are looked at."""
    (project / "broken.py").write_text("table.put_item(\n")

    assert main(["lint"]) == 2

    captured = capsys.readouterr()
    assert "broken.py: cannot be read" in captured.err
    assert "DYS310" in captured.out


def test_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    """A path that does not exist: status 2."""
    assert main(["lint", "none.py"]) == 2
    assert "none.py does not exist" in capsys.readouterr().err


def test_folder_without_python_files(
    app: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without Python files is named in a warning; the status stays."""
    for name in ("empty", "pages"):
        (project / name).mkdir()
    (project / "pages" / "index.html").touch()

    assert main(["lint", "empty"]) == 0
    assert capsys.readouterr() == (
        "Found nothing in 0 files. 0 calls checked.\n",
        "warning: no Python files in 'empty'\n",
    )
    assert main(["lint", "--format", "concise", "pages", ".", "app.py"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "warning: no Python files in 'pages'\n"
    assert len(captured.out.splitlines()) == 1


def test_folders(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hidden folders, environments and what git ignores are left out."""
    for name in ("a.py", ".hidden/b.py", "env/c.py", "node_modules/d.py", "ignored/e.py"):
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(INCIDENT)
    (project / "env" / "pyvenv.cfg").write_text("")

    main(["lint", "--format", "concise"])
    assert {each.partition(":")[0] for each in capsys.readouterr().out.splitlines()} == {
        "a.py",
        "ignored/e.py",
    }

    subprocess.run(["git", "init", "-q"], check=True)
    (project / ".gitignore").write_text("ignored/\nenv/\n")
    main(["lint", "--format", "concise"])
    assert {each.partition(":")[0] for each in capsys.readouterr().out.splitlines()} == {"a.py"}


def test_baseline(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the baseline knows is silent, wherever it moves; one more of the same is not."""
    assert main(["lint", "--write-baseline"]) == 0
    arguments = ["lint", "--baseline", "dynasafe-baseline.json", "--format", "concise"]

    assert main(arguments) == 0
    app.write_text("# a line\n\n" + INCIDENT.replace("names if names", "names  if names"))
    assert main(arguments) == 0
    app.write_text(INCIDENT + "".join(INCIDENT.partition("    table.update")[1:]))
    capsys.readouterr()
    assert main(arguments) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1
    app.write_text("")
    assert main(["lint", "--baseline", "dynasafe-baseline.json"]) == 0
    assert "1 of the baseline no longer occur" in capsys.readouterr().out


def test_statistics(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many of each code, and what was not seen."""
    main(["lint", "--statistics"])

    out = capsys.readouterr().out
    assert "     1  DYS310  A parameter that may be None\n" in out
    assert "not seen" in out


def test_list_rules(capsys: pytest.CaptureFixture[str]) -> None:
    """Every rule with its level."""
    assert main(["lint", "--list-rules"]) == 0
    assert "DYS310  error    A parameter that may be None\n" in capsys.readouterr().out


def test_fixed_text_parses() -> None:
    """What the tests call fixed is Python."""
    ast.parse(FIXED)
