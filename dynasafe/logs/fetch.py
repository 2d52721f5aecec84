"""Reads events of CloudWatch Logs with boto3: the only module here that calls AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dynasafe.logs.grouping import Tally
from dynasafe.logs.records import Assembler, Event, Record
from dynasafe.logs.steps import Call, Read, Refused, Steps, Wait

MAX_IDS = 1_000_000
"""How many event ids are kept, so that no event counts twice."""


def logs_client(*, profile: str | None, region: str | None) -> Any:
    """boto3's client for CloudWatch Logs, which retries throttled calls.

    Raises:
        ValueError: boto3 is not installed, or has no Region or profile.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise ValueError("boto3 is missing. Fix: pip install 'dynasafe[logs]'.") from error
    try:
        return boto3.Session(profile_name=profile, region_name=region).client(
            "logs", config=Config(retries={"mode": "standard", "total_max_attempts": 5})
        )
    except BotoCoreError as error:
        raise ValueError(f"{error} Fix: give --region and --profile.") from error


class Reader:
    """Runs the steps with a client, and adds the events to a tally.

    Args:
        client: boto3's client, or any object with its methods.
        sleep: waits for some seconds.
        may_repeat: whether several patterns may match the same event.
        joins_lines: whether events are single lines, which are joined to records.
    """

    def __init__(
        self,
        client: Any,
        tally: Tally,
        *,
        sleep: Callable[[float], None],
        may_repeat: bool = True,
        joins_lines: bool = False,
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.requests: int = 0
        self._client = client
        self._tally = tally
        self._sleep = sleep
        self._assembler = Assembler() if joins_lines else None
        self._progress = progress
        self._may_repeat = may_repeat
        self._ids: set[int] = set()

    def run(self, steps: Steps) -> None:
        """Read all events of the steps. Anything that they could not read becomes a gap of the
        tally."""
        answer: dict[str, Any] | Refused | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as stopped:
                if stopped.value is not None:
                    self._tally.gaps.append(stopped.value)
                return
            answer = None
            match step:
                case Call():
                    answer = self._call(step)
                case Wait():
                    self._sleep(step.delay_s)
                case Read():
                    self._read(step)

    def finish(self) -> None:
        """Count the records that no further line ended."""
        if self._assembler is not None:
            for record in self._assembler.end_all():
                self._tally.add(record)

    def _call(self, call: Call) -> dict[str, Any] | Refused:
        self.requests += 1
        self._progress(f"{self._tally.events:,} events in {self.requests:,} requests")
        try:
            answer: dict[str, Any] = getattr(self._client, call.method)(**call.parameters)
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            return Refused(str(code or type(error).__name__))
        return answer

    def _read(self, read: Read) -> None:
        for event_id, event in read.events:
            if self._may_repeat and event_id is not None and not self._is_first(event_id):
                continue
            self._tally.events += 1
            for record in self._records(event):
                self._tally.add(record)

    def _is_first(self, event_id: str) -> bool:
        """Whether an event was not read before, by another pattern or in the previous poll."""
        key = hash(event_id)
        if key in self._ids:
            return False
        if len(self._ids) >= MAX_IDS:
            if len(self._ids) == MAX_IDS:
                self._tally.gaps.append(f"more than {MAX_IDS:,} events: some may count twice")
                self._ids.add(key)
            return True
        self._ids.add(key)
        return True

    def _records(self, event: Event) -> Iterator[Record]:
        if self._assembler is None:
            return iter([Record(event.text, event.stream, event.time_ms)])
        return self._assembler.feed(event)
