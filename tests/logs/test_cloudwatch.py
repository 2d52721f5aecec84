"""`dynasafe logs cloudwatch`: complete and right, or incomplete and status 2."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from dynasafe.logs import cloudwatch
from dynasafe.logs.fetch import Reader
from dynasafe.logs.grouping import Tally
from dynasafe.logs.patterns import (
    MAX_PATTERN_CHARS,
    MAX_QUERY_CHARS,
    MAX_RESULTS,
    filter_patterns,
    insights_queries,
)
from dynasafe.logs.signatures import BY_CODE, SIGNATURES
from dynasafe.logs.steps import Window, filtered, queried
from tests.logs.formats import lambda_text, plain
from tests.logs.provocations import Provoked

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
GROUP = "/aws/lambda/people"
EMPTY = (
    "An error occurred (ValidationException) when calling the UpdateItem operation: "
    "ExpressionAttributeNames must not be empty"
)
HOUR = Window(NOW_MS - 3_600_000, NOW_MS)

Answer = dict[str, Any] | Exception


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "FilterLogEvents")


def event(
    number: int, message: str = EMPTY, stream: str = "s", time_ms: int = NOW_MS - 1000
) -> Any:
    return {
        "eventId": str(number),
        "message": message,
        "logStreamName": stream,
        "timestamp": time_ms,
    }


class Scripted:
    """A client of CloudWatch Logs that gives its answers in order."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self.calls.append((name, parameters))
            answer = self._answers.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call


def read(*answers: Answer, may_repeat: bool = True) -> Tally:
    tally = Tally(frozenset(BY_CODE))
    reader = Reader(Scripted(*answers), tally, sleep=lambda delay_s: None, may_repeat=may_repeat)
    reader.run(filtered(GROUP, HOUR, pattern=None))
    return tally


def count(tally: Tally) -> int:
    return sum(group.count for group in tally.groups.values())


def test_pages() -> None:
    """Every page is read, empty ones too, and no event twice."""
    tally = read(
        {"events": [event(1)], "nextToken": "a"},
        {"events": [], "nextToken": "b"},
        {"events": [event(1), event(2)]},
    )
    assert (tally.gaps, tally.events, count(tally)) == ([], 2, 2)


@pytest.mark.parametrize(
    "end",
    [
        refused("ThrottlingException"),
        refused("ExpiredTokenException"),
        refused("InvalidParameterException"),
        refused("ResourceNotFoundException"),
        ConnectionError(),
    ],
)
def test_incomplete(end: Exception) -> None:
    """An answer that does not come makes the scan incomplete, with what was read."""
    tally = read({"events": [event(1)], "nextToken": "a"}, end)

    assert count(tally) == 1
    code = end.response["Error"]["Code"] if isinstance(end, ClientError) else "ConnectionError"
    assert tally.gaps == [f"{GROUP}, 2026-11-26 11:59:59 UTC to 2026-11-26 12:00:00 UTC: {code}"]


def test_token_twice() -> None:
    """A token that comes again would never end: incomplete."""
    tally = read(
        {"events": [event(1)], "nextToken": "a"},
        {"events": [], "nextToken": "b"},
        {"events": [], "nextToken": "a"},
    )
    assert len(tally.gaps) == 1
    assert "token came twice" in tally.gaps[0]


def test_many_events() -> None:
    """All are counted, and what is held does not grow with them. `make logs-long`: a million."""
    pages = int(os.environ.get("DYNASAFE_EVENTS", "50000")) // 10_000
    ordinary = [event(n, "INFO ok") for n in range(9_999)]

    class Long:
        def filter_log_events(self, **parameters: Any) -> Any:
            page = int(parameters.get("nextToken", 0))
            is_last = page == pages - 1
            return {
                "events": [*ordinary, event(-page)],
                **({} if is_last else {"nextToken": str(page + 1)}),
            }

    tally = Tally(frozenset(BY_CODE))
    reader = Reader(Long(), tally, sleep=lambda delay_s: None, may_repeat=False)
    reader.run(filtered(GROUP, HOUR, pattern=None))

    assert (tally.events, count(tally), tally.gaps) == (pages * 10_000, pages, [])
    assert len(next(iter(tally.groups.values())).examples) == 3


class Insights:
    """Logs Insights over events at given seconds, cut at `limit` results."""

    def __init__(self, seconds: list[int], limit: int = MAX_RESULTS) -> None:
        self._seconds = seconds
        self._limit = limit
        self._queries: list[list[int]] = []

    def start_query(self, **parameters: Any) -> Any:
        first, last = parameters["startTime"], parameters["endTime"]
        self._queries.append([each for each in self._seconds if first <= each <= last])
        return {"queryId": str(len(self._queries) - 1)}

    def get_query_results(self, queryId: str) -> Any:
        found = self._queries[int(queryId)][: self._limit]
        return {
            "status": "Complete",
            "results": [
                [
                    {
                        "field": "@timestamp",
                        "value": f"{datetime.fromtimestamp(each, UTC):%Y-%m-%d %H:%M:%S}.000",
                    },
                    {"field": "@message", "value": EMPTY},
                    {"field": "@logStream", "value": "s"},
                    {"field": "@log", "value": f"123456789012:{GROUP}"},
                    {"field": "@ptr", "value": "..."},
                ]
                for each in found
            ],
        }


def query(client: Any, window: Window = HOUR) -> Tally:
    tally = Tally(frozenset(BY_CODE))
    waits: list[float] = []
    Reader(client, tally, sleep=waits.append).run(queried([GROUP], window, "fields @message"))
    return tally


def test_insights_cut() -> None:
    """A window with more than 10,000 results is halved until all are read."""
    start = HOUR.start_ms // 1000
    seconds = [start + n % 3600 for n in range(12_000)]
    tally = query(Insights(sorted(seconds)))

    assert (count(tally), tally.gaps) == (12_000, [])


def test_insights_full_second() -> None:
    """More than 10,000 results in one second cannot be read: incomplete."""
    tally = query(Insights([HOUR.start_ms // 1000 + 5] * 10_001))

    assert count(tally) == 10_000
    assert len(tally.gaps) == 1


@pytest.mark.parametrize(
    ("answers", "gap"),
    [
        ([{"queryId": "1"}, {"status": "Running"}, {"status": "Failed"}], "ended as Failed"),
        ([{"queryId": "1"}, {"status": "Timeout"}], "ended as Timeout"),
        ([refused("ThrottlingException")], "ThrottlingException"),
        ([refused("LimitExceededException")] * 5, "LimitExceededException"),
        ([{"queryId": "1"}, refused("ThrottlingException")], "ThrottlingException"),
    ],
)
def test_insights_incomplete(answers: list[Answer], gap: str) -> None:
    """A query that does not complete makes the scan incomplete."""
    tally = query(Scripted(*answers))
    assert [each.endswith(gap) for each in tally.gaps] == [True]


def test_insights_waits() -> None:
    """A query that runs is asked again; one too many is started again."""
    tally = query(
        Scripted(
            refused("LimitExceededException"),
            {"queryId": "1"},
            {"status": "Scheduled"},
            {"status": "Running", "results": [[{"field": "@message", "value": "partial"}]]},
            {"status": "Complete", "results": []},
        )
    )
    assert (tally.gaps, tally.events) == ([], 0)


def test_limits_of_patterns() -> None:
    """Patterns and queries have the lengths that the service takes."""
    assert max(map(len, filter_patterns(SIGNATURES))) <= MAX_PATTERN_CHARS
    assert max(map(len, insights_queries(SIGNATURES))) <= MAX_QUERY_CHARS
    assert len(insights_queries(SIGNATURES)) <= 2


# The command


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cloudwatch.add_arguments(parser)
    return parser.parse_args([GROUP, "--since", "1h", *arguments])


def command(client: Any, *arguments: str) -> int:
    return cloudwatch.run(
        options(*arguments), client=client, now=lambda: NOW, sleep=lambda delay_s: None
    )


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each pattern is a chain of pages; an event of two patterns counts once."""
    patterns = len(filter_patterns(SIGNATURES))
    client = Scripted(*[{"events": [event(1)]}] * patterns)

    assert command(client) == 1
    out = capsys.readouterr().out
    assert "DYS410" in out
    assert f"1 events in {patterns} requests, complete." in out
    assert client.calls[0] == (
        "filter_log_events",
        {
            "logGroupName": GROUP,
            "startTime": HOUR.start_ms,
            "endTime": HOUR.end_ms,
            "filterPattern": filter_patterns(SIGNATURES)[0],
        },
    )


def test_incomplete_is_never_0(capsys: pytest.CaptureFixture[str]) -> None:
    """An incomplete scan without a finding is status 2, in every format."""
    for form in ("text", "json", "github"):
        client = Scripted(refused("ThrottlingException"))
        assert command(client, "--level", "leak", "--format", form) == 2
        assert "ThrottlingException" in capsys.readouterr().out


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Streams and all lines are asked for as said; wrong options say their fix."""
    client = Scripted({"events": []})
    assert command(client, "--all-lines", "--streams", "2026/") == 0
    assert client.calls[0][1]["logStreamNamePrefix"] == "2026/"
    assert "filterPattern" not in client.calls[0][1]
    for wrong in (
        ("--until", "2h"),
        ("--engine", "insights", "--follow"),
        ("--until", "soon"),
        ("--select", "DYS401", "--ignore", "DYS4"),
    ):
        with pytest.raises(ValueError, match="Fix:"):
            command(Scripted(), *wrong)


def test_lines_are_joined(capsys: pytest.CaptureFixture[str]) -> None:
    """With all lines, a container's traceback is one record, with its place."""
    lines = [
        "Traceback (most recent call last):",
        '  File "/app/people.py", line 3, in save',
        "    table.update_item(**request)",
        f"botocore.exceptions.ClientError: {EMPTY}",
    ]
    client = Scripted({"events": [event(n, line) for n, line in enumerate(lines)]})

    command(client, "--all-lines")
    assert "UpdateItem in app/people.py:3 save" in capsys.readouterr().out


def test_max_gb() -> None:
    """Insights is not asked to scan more than was allowed."""
    size = {
        "logGroups": [{"logGroupName": GROUP, "storedBytes": 10**12, "creationTime": HOUR.start_ms}]
    }
    client = Scripted(size)
    with pytest.raises(ValueError, match=r"1000\.0 GB.*Fix: --max-gb"):
        command(client, "--engine", "insights")
    assert [name for name, _ in client.calls] == ["describe_log_groups"]


def test_insights(capsys: pytest.CaptureFixture[str]) -> None:
    """Insights says how much it scans, and runs a query for each few signatures."""
    size = {"logGroups": [{"logGroupName": GROUP, "storedBytes": 10**9}]}
    client = Scripted(size, refused("MalformedQueryException"))
    given = ("--engine", "insights", "--select", "DYS410", "--until", "2026-11-26T10:00")

    assert command(client, *given, "--since", "2026-11-26T09:00") == 2
    captured = capsys.readouterr()
    assert captured.err == "Insights will scan about 0.0 GB.\n"
    assert "MalformedQueryException" in captured.out
    assert [name for name, _ in client.calls] == ["describe_log_groups", "start_query"]


def test_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    """After an interruption the report says that it is not complete."""
    assert command(Scripted(KeyboardInterrupt()), "--select", "DYS410") == 2
    assert "what comes after the interruption" in capsys.readouterr().out


def test_follow(capsys: pytest.CaptureFixture[str]) -> None:
    """Following asks again from a minute before, counts none twice, and ends with a summary."""
    client = Scripted({"events": [event(1)]}, {"events": [event(1), event(2)]}, KeyboardInterrupt())
    assert command(client, "--follow", "--select", "DYS410") == 1
    assert "UpdateItem: 2" in capsys.readouterr().out
    assert client.calls[1][1]["startTime"] == NOW_MS - 60_000


# moto's server


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield boto3.client(
        "logs",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    server.stop()


def test_on_moto(
    moto: Any, provoked: dict[str, Provoked], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every provoked error, written to moto's service, is found there with its code."""
    moto.create_log_group(logGroupName=GROUP)
    for number, form in enumerate((lambda_text, plain)):
        stream = f"stream-{number}"
        moto.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        moto.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[
                {"timestamp": NOW_MS - 500_000 + n, "message": form(each)}
                for n, each in enumerate(provoked.values())
            ],
        )
    assert command(moto, "--format", "json", "--all-lines") == 1
    report = json.loads(capsys.readouterr().out)

    assert report["complete"]
    assert report["events"] == 2 * len(provoked)
    assert {each["code"] for each in report["groups"]} == {it.code for it in provoked.values()}
    assert command(moto, "--until", "30m", "--all-lines") == 0


def test_no_such_group_on_moto(moto: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A log group that does not exist is no clean scan."""
    given = options()
    given.groups = ["/nope"]
    assert cloudwatch.run(given, client=moto, now=lambda: NOW) == 2
    assert "ResourceNotFoundException" in capsys.readouterr().out
