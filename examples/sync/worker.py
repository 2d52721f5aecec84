"""A task of a worker, as Celery runs it: at least once, on one of several processes or threads.

    @app.task(bind=True, acks_late=True, max_retries=10, soft_time_limit=20)
    def count_visit(self, person_id):
        try:
            return run(people, self.request.id, person_id)
        except TryAgainError as error:
            raise self.retry(exc=error, countdown=error.delay_s)

The task's id is the token under which DynamoDB recognises a repeat, so that a task that is run
twice within ten minutes counts once. A soft time limit passes through the call as it is.
"""

from __future__ import annotations

from dynasafe import Table, UpdateBuilder
from dynasafe.errors import CircuitOpenError, NotSentError, OutcomeUnknownError, ThrottledError
from examples.sync.people import Person

LONGEST_WAIT_S = 60.0
RETRY_DELAY_S = 1.0


class TryAgainError(Exception):
    """The task is to be run again, under the same id."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(delay_s)
        self.delay_s = delay_s


def run(people: Table[Person], task_id: str, person_id: str) -> None:
    """Count a visit once, however often the task is run.

    Raises:
        TryAgainError: it is not known, or not done.
    """
    update = UpdateBuilder(Person).increment(Person.visits, 1)
    try:
        people.update_item({"id": person_id}, update, client_request_token=task_id)
    except CircuitOpenError as error:
        raise TryAgainError(min(error.retry_after_s, LONGEST_WAIT_S)) from error
    except (NotSentError, OutcomeUnknownError, ThrottledError) as error:
        raise TryAgainError(RETRY_DELAY_S) from error
