"""Records the requests of a test to DynamoDB, with assertions about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from dynasafe.testing.sending import Sending, watching
from dynasafe.validation import check_request

_VALUES = frozenset(
    {"Key", "Keys", "Item", "ExpressionAttributeValues", "ExclusiveStartKey", "Expected"}
    | {"AttributeUpdates", "KeyConditions", "QueryFilter", "ScanFilter"}
)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request: the parameters as they were given to the client."""

    operation: str
    params: Mapping[str, Any] = field(repr=False)  # values may be personal data


@dataclass
class RequestRecorder:
    """The requests to DynamoDB of all clients, in order.

    They are those of boto3, aioboto3 and dynasafe, and those to tables in memory.
    """

    requests: list[RecordedRequest] = field(default_factory=list)

    def of(self, operation: str) -> list[Mapping[str, Any]]:
        """The parameters of the requests of one operation."""
        return [each.params for each in self.requests if each.operation == operation]

    def assert_all_valid(self, *, schema: object = None) -> None:
        """Fail if DynamoDB would refuse one of the requests, or if there is none."""
        if not self.requests:
            raise AssertionError(
                "no request was recorded. Fix: make the calls while the requests are recorded"
            )
        for request in self.requests:
            assert_valid_request(request.params, operation=request.operation, schema=schema)


@contextmanager
def record_requests() -> Iterator[RequestRecorder]:
    """Record the requests of all clients within the block; repeats of a client count once."""
    recorder = RequestRecorder()

    def record(sending: Sending) -> None:
        if sending.service == "dynamodb":
            params = deepcopy(sending.params)  # the caller may use them again
            recorder.requests.append(RecordedRequest(sending.operation, params))

    with watching(record):
        yield recorder


def assert_valid_request(
    params: Mapping[str, Any], *, operation: str = "UpdateItem", schema: object = None
) -> None:
    """Fail if DynamoDB would refuse the request.

    Args:
        params: as in `check_request`, in either form.
        schema: as in `check_request`.
    """
    findings = check_request(operation, params, schema=schema)
    if findings:
        listed = "\n".join(map(str, findings))
        raise AssertionError(f"DynamoDB would refuse this {operation}:\n{listed}")


def assert_no_empty_parameters(params: Mapping[str, Any]) -> None:
    """Fail if a member of the request is None, an empty text, map or list."""
    empty = list(_empty_members(params, ""))
    if empty:
        raise AssertionError(
            f"empty parameters: {', '.join(empty)}. Fix: leave them out; UpdateBuilder does"
        )


def _empty_members(part: Any, place: str) -> Iterator[str]:
    if part is None or (isinstance(part, str | list | tuple | dict) and not part):
        yield place or "all"
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            # An item's own values may be empty.
            if name not in _VALUES or inner is None or inner == {}:
                yield from _empty_members(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(part, list | tuple):
        for index, inner in enumerate(part):
            yield from _empty_members(inner, f"{place}[{index}]")
