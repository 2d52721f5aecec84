"""`dynasafe logs scan`: files, formats, exit status, baseline, and what a report may show."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.cli import main
from dynasafe.logs.gate import CALLING, Places, fragment_of, gate, word_of
from dynasafe.logs.grouping import MAX_GROUPS, Tally
from dynasafe.logs.matching import matches
from dynasafe.logs.records import Assembler, Event, Record, plain, records
from dynasafe.logs.scanning import scan_blocks
from dynasafe.logs.signatures import BY_CODE, Evidence

TRACEBACK = """\
2026-11-26 10:00:01 ERROR people failed
Traceback (most recent call last):
  File "/var/task/handlers/people.py", line 12, in contact
    table.update_item(Key=key)
  File "/opt/python/lib/python3.11/site-packages/boto3/dynamodb/transform.py", line 3, in inject
    params[expr_attr_names_input].update(generated_names)
AttributeError: 'NoneType' object has no attribute 'update'
"""
THROTTLED = (
    "2026-11-26 10:05:00 ERROR An error occurred (ThrottlingException) when calling the PutItem "
    "operation (reached max retries: 4): Rate exceeded\n"
)
OTHERS = "2026-11-26 10:05:00 INFO GET /people/1 200\n"
FORMS = [TRACEBACK, THROTTLED, OTHERS, '{"level": "INFO", "message": "ok"}\n', "\n", "  x\n"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(["logs", *arguments])
    return status, capsys.readouterr().out


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.write_text(OTHERS + TRACEBACK + OTHERS + THROTTLED)
    return path


def test_text(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, title, level, place, count, time and fix; status 1 for a bug."""
    status, out = run(capsys, "scan", str(log))

    assert status == 1
    assert out == (
        "DYS401  Names or values are None                                   bug        1\n"
        "        UpdateItem in handlers/people.py:12 contact: 1, 2026-11-26 10:00 UTC\n"
        f"        Fix: {BY_CODE['DYS401'].fix}\n"
        "DYS440  Throttled                                             capacity        1\n"
        "        PutItem: 1, 2026-11-26 10:05 UTC\n"
        "        retries 4 (1)\n"
        f"        Fix: {BY_CODE['DYS440'].fix}\n"
        "\n"
        "10 lines in 1 file, complete. 2 signatures.\n"
        "`dynasafe explain DYS401` says more.\n"
    )


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ([], 1),
        (["--level", "capacity"], 0),
        (["--level", "capacity", "--fail-on", "capacity"], 1),
        (["--select", "DYS44"], 0),
        (["--ignore", "DYS401"], 0),
        (["--min-count", "2"], 0),
        (["--fail-on", "leak"], 0),
    ],
)
def test_status(
    options: list[str], status: int, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is asked for decides the exit status."""
    assert run(capsys, "scan", str(log), *options)[0] == status


@pytest.mark.parametrize(
    "options", [["--level", "nope"], ["--select", "DYS999"], ["--format", "xml"]]
)
def test_usage(options: list[str], log: Path) -> None:
    """A wrong option is status 2."""
    with pytest.raises(SystemExit) as stopped:
        main(["logs", "scan", str(log), *options])
    assert stopped.value.code == 2


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be read is status 2, with its name."""
    assert main(["logs", "scan", str(tmp_path / "none.log")]) == 2
    assert "none.log" in capsys.readouterr().err


def test_json_is_a_baseline(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same log again is nothing new; three times as much is."""
    status, out = run(capsys, "scan", str(log), "--format", "json")
    baseline = tmp_path / "baseline.json"
    baseline.write_text(out)
    report = json.loads(out)

    assert status == 1
    assert report["complete"] is True
    assert [each["code"] for each in report["groups"]] == ["DYS401", "DYS440"]
    assert report["groups"][0]["examples"] == [
        {"stream": str(log), "time": "2026-11-26T10:00:01.000+00:00"}
    ]
    assert run(capsys, "scan", str(log), "--baseline", str(baseline))[0] == 0
    status, out = run(capsys, "scan", *[str(log)] * 3, "--baseline", str(baseline))
    assert status == 1
    assert "new: UpdateItem" in out
    baseline.write_text("[]")
    assert main(["logs", "scan", str(log), "--baseline", str(baseline)]) == 2


def test_github(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error for what fails, a warning for the rest."""
    out = run(capsys, "scan", str(log), "--format", "github")[1]
    assert [line.partition(" ")[0] for line in out.splitlines()] == ["::error", "::warning"]


def test_gzip_and_stdin(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packed log is read as a plain one, also from standard input."""
    packed = log.with_suffix(".gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(packed.read_bytes())))
    )

    assert "DYS401" in run(capsys, "scan", str(packed))[1]
    assert "DYS401" in run(capsys, "scan", "-")[1]


def test_damaged_gzip(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A packed log that ends too early is incomplete: status 2, with what was read."""
    packed = log.with_suffix(".gz")
    packed.write_bytes(gzip.compress(log.read_bytes() * 300)[:-20])
    status, out = run(capsys, "scan", str(packed))

    assert status == 2
    assert "DYS401" in out
    assert "INCOMPLETE" in out


def test_raw(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only --raw shows records as they were logged."""
    assert "| AttributeError" in run(capsys, "scan", str(log), "--raw")[1].replace("        ", "")


def test_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors of boto3 without a signature are counted by class and function."""
    path = tmp_path / "a.log"
    path.write_text(
        TRACEBACK.replace("AttributeError: 'NoneType' object has", "x.OddError: a").replace(
            "params[expr_attr_names_input].update(generated_names)", "odd()"
        )
    )
    assert "unknown: x.OddError in inject (1)" in run(capsys, "scan", str(path), "--unknown")[1]


def test_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record that ends within a traceback of boto3 is counted as cut off."""
    path = tmp_path / "a.log"
    path.write_text("".join(TRACEBACK.splitlines(keepends=True)[:5]))
    assert "1 record cut off" in run(capsys, "scan", str(path))[1]


def test_signatures(capsys: pytest.CaptureFixture[str]) -> None:
    """All signatures, as text and as JSON."""
    assert len(run(capsys, "signatures")[1].splitlines()) == len(BY_CODE)
    rows = json.loads(run(capsys, "signatures", "--format", "json")[1])
    assert [each["code"] for each in rows] == list(BY_CODE)


def tally_of(blocks: list[bytes]) -> dict[str, int]:
    tally = Tally(frozenset(BY_CODE))
    scan_blocks(blocks, tally)
    return {key: group.count for key, group in tally.groups.items()}


@given(
    parts=st.lists(st.sampled_from(FORMS), max_size=12),
    cuts=st.lists(st.integers(0, 3000), max_size=8),
)
def test_blocks(parts: list[str], cuts: list[int]) -> None:
    """How a log is cut into blocks changes nothing."""
    data = "".join(parts).encode()
    ends = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})

    assert tally_of([data[a:b] for a, b in pairwise(ends)]) == tally_of([data])


def test_class_and_message_apart() -> None:
    """AWS Lambda's JSON has the class of an error and its message apart, also amid other lines."""
    entry = {"errorType": "KeyError", "errorMessage": "'Item'", "stackTrace": ["a.py"]}
    for line in (json.dumps(entry), json.dumps({"log": json.dumps(entry) + "\n"})):
        data = OTHERS * 3 + line + "\n" + OTHERS * 3
        assert tally_of([data.encode()]) == {"DYS465 - - -": 1}


NEEDLES = [needle for each in BY_CODE.values() for needle in each.needles]
FRAGMENTS = sorted({part for needle in NEEDLES for part in needle})
OF_OTHERS = "(?! (?!PutItem )[A-Za-z0-9]+ operation)"
ENDS = {each: OF_OTHERS for each in FRAGMENTS if each.endswith("when calling the")}
LINES = st.one_of(
    st.sampled_from(FRAGMENTS),
    st.sampled_from([" PutItem operation", " PutObject operation", " SendMessage operation"]),
    st.sampled_from(FRAGMENTS).map(lambda text: text[1:]),
    st.text("not ed await", max_size=20),
)


@given(lines=st.lists(st.builds("{}{}{}".format, LINES, LINES, LINES), max_size=6))
def test_places(lines: list[str]) -> None:
    """Both ways of searching find each line with a fragment that may be DynamoDB's; by windows no
    other is found."""
    data = "\n".join(lines).encode()

    def places(by_windows: bool) -> set[int]:
        found, start = set[int](), 0
        all_places = Places(data, gate(by_windows=by_windows))
        while (place := all_places.first(start)) is not None:
            found.add(data.count(b"\n", 0, place))
            start = place + 1
        return found

    def having(fragments: set[str]) -> set[int]:
        own = [re.compile(re.escape(each) + ENDS.get(each, "")) for each in fragments]
        return {n for n, line in enumerate(lines) if any(each.search(line) for each in own)}

    assert places(by_windows=True) == having({fragment_of(each) for each in NEEDLES})
    assert places(by_windows=False) >= having({word_of(each)[1] for each in NEEDLES})


@pytest.mark.parametrize("by_windows", [True, False])
def test_operations_of_others(by_windows: bool) -> None:
    """Errors of other services are passed over, unless their record names DynamoDB's operation."""
    other = "An error occurred (ThrottlingException) when calling the SendMessage operation: x"

    def has_place(text: str) -> bool:
        return Places(text.encode(), gate(by_windows=by_windows)).first(0) is not None

    assert not has_place(other)
    for word in (
        "PutItem operation",
        "Query operation",
        "PutItem",
        "Put_It operation",
        "\u00e9 operation",
    ):
        assert has_place(other.replace("SendMessage operation", word)), word
    mixed = f"2026-11-26 10:05:00 ERROR {other}\n  {THROTTLED}"
    assert tally_of([mixed.encode()]) == {"DYS440 PutItem - -": 1}


def test_answers_are_of_one_service() -> None:
    """A signature that matches a call of an operation asks for DynamoDB's operation as evidence."""
    for signature in BY_CODE.values():
        if any(part.endswith(CALLING) and ")" in part for part in sum(signature.needles, ())):
            assert signature.evidence in (Evidence.OPERATION, Evidence.SERVICE)


@given(text=st.text())
def test_any_text(text: str) -> None:
    """Any text is read without an error, as a record and as a log."""
    plain(text)
    matches(Record(text))
    list(records([Event(text), Event("{" + text)]))
    tally_of([text.encode("utf-8", "replace")])


@given(
    texts=st.lists(st.sampled_from([TRACEBACK, THROTTLED, OTHERS]), min_size=2, max_size=4),
    order=st.lists(st.integers(0, 3), max_size=60),
)
def test_streams_do_not_mix(texts: list[str], order: list[int]) -> None:
    """Streams whose lines alternate give what each gives alone."""
    left = [text.splitlines() for text in texts]
    events: list[Event] = []
    for index in [*order, *(n for n, lines in enumerate(left) for _ in lines)]:
        if index < len(left) and left[index]:
            events.append(Event(left[index].pop(0), str(index)))

    together = sorted((each.stream, each.raw) for each in records(events))
    alone = sorted(
        (str(index), each.raw)
        for index, text in enumerate(texts)
        for each in records([Event(line, str(index)) for line in text.splitlines()])
    )
    assert together == alone


@given(cut=st.integers(0, len(TRACEBACK)))
def test_cut_texts(cut: int) -> None:
    """A part of a text has no code that the whole has not."""
    assert set(tally_of([TRACEBACK[:cut].encode()])) <= {
        *tally_of([TRACEBACK.encode()]),
        "DYS401 UpdateItem - handlers/people.py:contact",
    }


def test_kept_groups_and_streams_have_a_limit(tmp_path: Path) -> None:
    """The scan keeps a limited number of groups and streams, and still counts all."""
    tally = Tally(frozenset(BY_CODE))
    for n in range(MAX_GROUPS + 50):
        tally.add(Record(TRACEBACK.replace("in contact", f"in contact{n}"), f"stream{n}"))

    assert len(tally.groups) == MAX_GROUPS + 1
    assert sum(group.count for group in tally.groups.values()) == MAX_GROUPS + 50
    assembler = Assembler()
    for n in range(3000):
        for _ in assembler.feed(Event("Traceback (most recent call last):", str(n))):
            pass
    assert len(list(assembler.end_all())) <= 1000


VALUES = st.text(min_size=4).filter(lambda text: text.isprintable() and not text.isspace())


@given(value=VALUES.map(lambda text: f"zq7{text}zq7"))
def test_values_are_not_shown(value: str) -> None:
    """No attribute value that a message quotes is in a report."""
    from dynasafe.logs.reports import github_report, json_report, text_report
    from dynasafe.logs.signatures import Level

    tally = Tally(frozenset(BY_CODE))
    for line in (
        f"Invalid type for parameter Item.{value}, value: {value}, valid types: <class 'dict'>",
        f'TypeError: Unsupported type "<class \'x.Y\'>" for value "{value}"',
        f"when calling the PutItem operation: Syntax error; token: {value}, near: {value}",
        f"unused in expressions: keys: {{{value}}}",
        f"a coroutine was expected, got {{'Item': {value!r}, 'ResponseMetadata': 1}}",
        f"AND operation cannot be applied to value {value}. Must use AttributeBase object methods",
        f"is not authorized to perform: dynamodb:PutItem on resource: {value}",
        f"(ValidationException) when calling the UpdateItem operation: reserved keyword: {value}",
        f"Attribute name is a reserved keyword; reserved keyword: {value}",
        f"DynamoDB guard: {value}: {value} [DYS103]",
    ):
        tally.add(Record(line, "s"))
        tally.add(Record(json.dumps({"level": "ERROR", "message": line}), "s"))

    assert tally.groups
    for report in (
        text_report(tally, min_count=1, baseline=None, days=1, source=""),
        json_report(tally, min_count=1, days=1),
        github_report(tally, min_count=1, fail_on=frozenset(Level)),
    ):
        assert value not in report
