"""Random sequences of failures through this library's loop and through botocore's own classes.

Runs in a process of its own, with a botocore that has the standard of 2026 first on its path:
`python -m tests.differential.compare FOLDER SEQUENCES SEED`.
"""

from __future__ import annotations

import sys
from random import Random
from types import SimpleNamespace
from typing import Any

from dynasafe.errors import DynasafeError
from dynasafe.resilience.attempts import (
    Answered,
    Call,
    Raised,
    Send,
    Sleep,
    SlotTaken,
    TakeSlot,
    Woke,
    attempts,
)
from dynasafe.resilience.boundary import Lost, NotSent, Refused
from dynasafe.resilience.retry import RetryPolicy, RetryQuota

READ = Call(operation="GetItem", table_name="t", is_write=False, is_repeatable=True)
CODES = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ValidationException",
    "ResourceNotFoundException",
    "ConditionalCheckFailedException",
    "AccessDeniedException",
]
STATUSES = [500, 502, 503, 504, 429]
RETRY_AFTER = [None, None, None, "0", "30", "1500", "10000", "-100", "soon", "1.5", ""]


OPERATION = SimpleNamespace(
    name="GetItem", error_shapes=[], service_model=SimpleNamespace(service_name="dynamodb")
)


class Refusal(Exception):
    """Stands for botocore's ClientError, of either version."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response


class Theirs:
    """botocore's standard mode, put together as for a client of DynamoDB."""

    def __init__(self, max_attempts: int, capacity: int, draws: Any) -> None:
        from botocore.retries import quota, standard

        adapter = standard.RetryEventAdapter()
        detector = standard.ThrottlingErrorDetector(adapter)
        self.quota = quota.RetryQuota(capacity)
        self.checker = standard.RetryQuotaChecker(self.quota, detector)
        self.handler = standard.RetryHandler(
            retry_policy=standard.RetryPolicy(
                retry_checker=standard.StandardRetryConditions(max_attempts=max_attempts),
                retry_backoff=standard.ExponentialBackoff(
                    service_name="dynamodb", throttling_detector=detector, random=draws
                ),
            ),
            retry_event_adapter=adapter,
            retry_quota=self.checker,
            service_name="dynamodb",
        )

    def delay_s(self, attempt: int, answer: Any, context: dict[str, Any]) -> float | None:
        is_exception = isinstance(answer, Exception) and not isinstance(answer, Refusal)
        response = None
        if not is_exception:
            parsed = answer.response if isinstance(answer, Refusal) else {}
            metadata = parsed.get("ResponseMetadata", {"HTTPStatusCode": 200, "HTTPHeaders": {}})
            http = SimpleNamespace(
                status_code=metadata["HTTPStatusCode"], headers=metadata["HTTPHeaders"], content=b""
            )
            response = (http, parsed)
        delay: float | None = self.handler.needs_retry(
            response=response,
            endpoint=None,
            operation=OPERATION,
            attempts=attempt,
            caught_exception=answer if is_exception else None,
            request_dict={"context": context},
        )
        return delay

    def succeeded(self, context: dict[str, Any]) -> None:
        self.checker.release_retry_quota(context, SimpleNamespace(status_code=200))


def random_answer(random: Random, exceptions: list[Exception]) -> Any:
    draw = random.random()
    if draw < 0.25:
        return {}
    if draw < 0.4:
        return random.choice(exceptions)
    headers = {}
    retry_after = random.choice(RETRY_AFTER)
    if retry_after is not None:
        headers["x-amz-retry-after"] = retry_after
    code = random.choice(CODES) if draw < 0.75 else ""
    status = 400 if code else random.choice(STATUSES)
    return Refusal(
        {
            "Error": {"Code": code, "Message": ""},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
        }
    )


def ours(answer: Exception) -> Exception:
    """The same failure, as a transport of ours would say it."""
    if isinstance(answer, Refusal):
        metadata = answer.response["ResponseMetadata"]
        return Refused(
            answer.response["Error"]["Code"],
            http_status=metadata["HTTPStatusCode"],
            headers=metadata["HTTPHeaders"],
        )
    if type(answer).__name__ == "ConnectTimeoutError":
        return NotSent("no connection in time")
    return Lost(type(answer).__name__)


def compare(random: Random, exceptions: list[Exception]) -> int:
    """One sequence of calls on one quota; how many decisions were compared."""
    max_attempts = random.randint(1, 8)
    capacity = random.choice([0, 5, 14, 30, 100, 500])
    draw = 0.0
    theirs = Theirs(max_attempts, capacity, lambda: draw)
    quota = RetryQuota(capacity)
    policy = RetryPolicy(max_attempts=max_attempts)
    compared = 0
    for _ in range(random.randint(1, 5)):
        context: dict[str, Any] = {}
        loop = attempts(READ, now_s=0.0, policy=policy, quota=quota)
        reply: Any = None
        attempt = 0
        expected: float | None = None
        try:
            while True:
                command = loop.send(reply)
                if isinstance(command, TakeSlot):
                    reply = SlotTaken(0.0, was_awaited=False)
                elif isinstance(command, Send):
                    attempt += 1
                    answer = random_answer(random, exceptions)
                    draw = random.random()
                    expected = theirs.delay_s(attempt, answer, context)
                    compared += 1
                    is_failure = isinstance(answer, Exception)
                    if not is_failure:
                        theirs.succeeded(context)
                    reply = Raised(ours(answer), 0.0, draw) if is_failure else Answered({}, 0.0)
                else:
                    assert isinstance(command, Sleep)
                    assert expected is not None, (attempt, answer, "only we retry")
                    assert abs(command.delay_s - expected) < 1e-9, (command.delay_s, expected)
                    assert quota.available == theirs.quota.available_capacity
                    reply = Woke(0.0)
        except (StopIteration, DynasafeError):
            assert expected is None, (attempt, answer, "only they retry")
        assert quota.available == theirs.quota.available_capacity
    return compared


def main(folder: str, sequences: int, seed: int) -> None:
    sys.path.insert(0, folder)
    import botocore
    from botocore.exceptions import (
        ConnectionClosedError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
        ReadTimeoutError,
    )

    exceptions: list[Exception] = [
        ConnectionClosedError(endpoint_url="x"),
        ConnectTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x", error=ConnectionResetError()),
        HTTPClientError(error=OSError()),
        ReadTimeoutError(endpoint_url="x"),
    ]
    random = Random(seed)
    compared = sum(compare(random, exceptions) for _ in range(sequences))
    sys.stdout.write(f"{botocore.__version__} {sequences} {compared}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
