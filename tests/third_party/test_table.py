"""The table of what the guard finds in packages of others, as it was written last."""

from __future__ import annotations

from tests.third_party.__main__ import COLUMNS, TABLE, packages, row


def rows() -> list[dict[str, str]]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    assert lines[0] == row(COLUMNS)
    return [
        dict(zip(COLUMNS, map(str.strip, line.strip("|").split("|")), strict=True))
        for line in lines[2:]
    ]


def test_packages() -> None:
    """The table has the packages that are pinned."""
    pinned = [f"{name} {version}" for name, version in packages().items()]
    assert [each["package"] for each in rows()] == pinned


def test_results() -> None:
    """The guard refuses nothing that the engine accepts, and changes no outcome."""
    for each in rows():
        assert (each["false alarms"], each["changed outcomes"]) == ("0", "0"), each
        assert int(each["found"]) <= int(each["found, described"]) <= int(each["refused"]), each
