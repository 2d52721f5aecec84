"""The examples of code that is not async: a Lambda handler, Flask, a worker's task, a script."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from dynasafe import DynamoDB, Table
from dynasafe.testing import ok, throttled, timed_out
from dynasafe.testing.sync import ManualClock, ScriptedTransport, fake_database, fake_table
from examples.sync.flask_app import create_app
from examples.sync.lambda_handler import rename
from examples.sync.people import Person
from examples.sync.script import name_the_nameless
from examples.sync.worker import TryAgainError, run


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 3000


def scripted(*replies: Any) -> Table[Person]:
    transport = ScriptedTransport(otherwise=replies[-1])
    return Table("people", Person, transport=transport, clock=ManualClock(), retry=None)


def request(body: object) -> dict[str, Any]:
    return {"pathParameters": {"id": "p1"}, "body": json.dumps(body)}


@pytest.mark.parametrize(
    ("body", "status"), [({"name": "Ada"}, 200), ({"visits": 9}, 422), ({"name": 3}, 422)]
)
def test_lambda_handler(body: object, status: int) -> None:
    """A change, and what may not be changed."""
    people = fake_table(Person, items=[Person(id="p1")])
    assert rename(people, request(body), Context())["statusCode"] == status
    stored = people.get_item({"id": "p1"})
    assert stored is not None
    assert stored.name == ("Ada" if status == 200 else "")


@pytest.mark.parametrize(("reply", "status"), [(timed_out(), 504), (throttled(), 503)])
def test_lambda_handler_when_dynamodb_fails(reply: Any, status: int) -> None:
    """It says whether the change may have been made."""
    assert rename(scripted(reply), request({"name": "Ada"}), Context())["statusCode"] == status
    assert rename(scripted(reply), {"body": "x"}, Context())["statusCode"] == 422


def test_flask() -> None:
    """A visit, a change, a person that is missing, a wrong patch."""
    db = fake_database(people=Person)
    db.table("people", Person).put_item(Person(id="p1"))
    client = create_app(db).test_client()
    assert client.post("/people/p1/visits").get_json() == {"visits": 1}
    assert client.post("/people/nobody/visits").status_code == 404
    assert client.patch("/people/p1", json={"name": "Ada"}).status_code == 204
    assert client.patch("/people/p1", json={"visits": 7}).status_code == 422
    stored = db.table("people", Person).get_item({"id": "p1"})
    assert stored is not None
    assert (stored.name, stored.visits) == ("Ada", 1)


@pytest.mark.parametrize(("reply", "status"), [(timed_out(), 504), (throttled(), 503)])
def test_flask_when_dynamodb_fails(reply: Any, status: int) -> None:
    """Each outcome has its status."""
    transport = ScriptedTransport(otherwise=reply)
    db = DynamoDB.over(transport, clock=ManualClock(), retry=None)
    assert create_app(db).test_client().post("/people/p1/visits").status_code == status


def test_worker() -> None:
    """A task that is run twice counts once; one that failed is run again under the same token."""
    people = fake_table(Person)
    task_id = str(uuid4())
    run(people, task_id, "p1")
    run(people, task_id, "p1")
    stored = people.get_item({"id": "p1"})
    assert stored is not None
    assert stored.visits == 1
    with pytest.raises(TryAgainError):
        run(scripted(timed_out()), task_id, "p1")
    run(scripted(ok()), task_id, "p1")


def test_script() -> None:
    """Those without a name get one; a second run finds nothing to do."""
    items = [Person(id=f"p{number}", name="Ada" * (number % 2)) for number in range(20)]
    people = fake_table(Person, items=items)
    assert name_the_nameless(people) == (10, 0)
    assert name_the_nameless(people) == (0, 0)
