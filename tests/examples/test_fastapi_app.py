"""The FastAPI application: two versions of an API, one client, honest answers."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from dynasafe import AsyncDynamoDB, CircuitBreaker, errors
from dynasafe.findings.finding import Finding, Where
from dynasafe.testing import ScriptedTransport, ok, refused, throttled, timed_out
from examples.recipes.fastapi_app import Connect, Person, app, create_app, problem_of
from tests.examples.conftest import MakeDatabase, MakeFaulty, outcomes

ADA = str(UUID(int=1))
NOBODY = str(UUID(int=9))


@asynccontextmanager
async def serving(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, which has started."""
    app = create_app(connect)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=True), base_url="http://test"
        ) as client,
    ):
        yield client


@pytest.fixture
async def client(database: MakeDatabase) -> AsyncIterator[httpx.AsyncClient]:
    db = await database(people=Person)
    async with serving(lambda: nullcontext(db)) as client:
        await client.put(f"/v1/people/{ADA}", json={"name": "Ada", "email": "ada@example.org"})
        yield client


async def test_given_both_versions_then_they_show_the_same_person(
    client: httpx.AsyncClient,
) -> None:
    first = await client.get(f"/v1/people/{ADA}")
    second = await client.get(f"/v2/people/{ADA}")

    assert first.json() == {"id": ADA, "name": "Ada", "email": "ada@example.org"}
    assert second.json() == {"id": ADA, "displayName": "Ada", "email": "ada@example.org"}
    assert second.headers["etag"] == '"1"'


async def test_given_a_person_when_created_then_shown_and_not_created_again(
    client: httpx.AsyncClient,
) -> None:
    id_ = str(uuid4())
    created = await client.put(f"/v2/people/{id_}", json={"displayName": "Grace"})
    assert (created.status_code, created.headers["etag"]) == (201, '"1"')
    assert created.json() == {"id": id_, "displayName": "Grace", "email": None}

    for version, body in (("v1", {"name": "Eve"}), ("v2", {"displayName": "Eve"})):
        again = await client.put(f"/{version}/people/{id_}", json=body)
        assert again.status_code == 409

    assert (await client.get(f"/v1/people/{id_}")).json()["name"] == "Grace"


async def test_given_a_patch_in_version_1_then_the_last_one_wins_and_version_2_notices(
    client: httpx.AsyncClient,
) -> None:
    changed = await client.patch(f"/v1/people/{ADA}", json={"name": "Ada L.", "email": None})
    assert changed.json() == {"id": ADA, "name": "Ada L.", "email": None}
    assert (await client.patch(f"/v1/people/{ADA}", json={})).json() == changed.json()

    late = await client.patch(
        f"/v2/people/{ADA}", json={"displayName": "x"}, headers={"If-Match": '"1"'}
    )
    assert late.status_code == 412
    assert (await client.get(f"/v2/people/{ADA}")).headers["etag"] == '"2"'


async def test_given_a_patch_in_version_2_then_it_is_made_from_what_was_seen(
    client: httpx.AsyncClient,
) -> None:
    url = f"/v2/people/{ADA}"
    body = {"displayName": "Ada L."}
    assert (await client.patch(url, json=body)).status_code == 428

    changed = await client.patch(url, json=body, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert changed.json() == {"id": ADA, "displayName": "Ada L.", "email": "ada@example.org"}
    assert (await client.patch(url, json=body, headers={"If-Match": '"1"'})).status_code == 412
    same = await client.patch(url, json={}, headers={"If-Match": '"2"'})
    assert (same.status_code, same.headers["etag"]) == (200, '"2"')


async def test_given_a_delete_then_version_2_asks_what_was_seen(
    client: httpx.AsyncClient,
) -> None:
    url = f"/v2/people/{ADA}"
    assert (await client.delete(url)).status_code == 428
    assert (await client.delete(url, headers={"If-Match": '"7"'})).status_code == 412
    assert (await client.delete(url, headers={"If-Match": '"1"'})).status_code == 204
    assert (await client.delete(url, headers={"If-Match": '"1"'})).status_code == 404
    assert (await client.delete(f"/v1/people/{ADA}")).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"/v1/people/{NOBODY}", None, 404),
        ("GET", f"/v2/people/{NOBODY}", None, 404),
        ("GET", "/v1/people/x", None, 422),
        ("PATCH", f"/v1/people/{NOBODY}", {"name": "Eve"}, 404),
        ("PATCH", f"/v1/people/{NOBODY}", {}, 404),
        ("PATCH", f"/v1/people/{ADA}", {"is_admin": True}, 422),
        ("PATCH", f"/v1/people/{ADA}", {"version": 9}, 422),
        ("PATCH", f"/v1/people/{ADA}", {"name": None}, 422),
        ("PATCH", f"/v1/people/{ADA}", {"name": ""}, 422),
        ("PUT", f"/v1/people/{NOBODY}", {"name": "Eve", "is_admin": True}, 422),
        ("PUT", f"/v2/people/{NOBODY}", {"name": "Eve"}, 422),
        ("GET", "/v1/people?limit=0", None, 422),
        ("GET", "/v1/people?after=x", None, 422),
    ],
)
async def test_given_a_request_then_it_has_its_status(
    client: httpx.AsyncClient, method: str, path: str, body: object, status: int
) -> None:
    answered = await client.request(method, path, json=body)

    assert answered.status_code == status
    assert (await client.get(f"/v2/people/{ADA}")).headers["etag"] == '"1"'


@pytest.mark.parametrize(("version", "name"), [("v1", "name"), ("v2", "displayName")])
async def test_given_people_when_listed_by_pages_then_each_comes_once(
    client: httpx.AsyncClient, version: str, name: str
) -> None:
    for number in range(2, 6):
        await client.put(f"/{version}/people/{UUID(int=number)}", json={name: "x"})

    found: list[str] = []
    after = None
    while True:
        query = {"limit": "2"} if after is None else {"limit": "2", "after": after}
        page = (await client.get(f"/{version}/people", params=query)).json()
        found += [person["id"] for person in page["people"]]
        after = page["after"]
        if after is None:
            break

    assert sorted(found) == [str(UUID(int=number)) for number in range(1, 6)]


async def test_given_many_requests_then_one_client_is_made_and_closed() -> None:
    opened: list[str] = []

    class Counted(AsyncDynamoDB):
        async def __aenter__(self) -> Counted:
            opened.append("opened")
            return await super().__aenter__()

        async def __aexit__(self, *error: Any) -> None:
            await super().__aexit__(*error)
            opened.append("closed")

    transport = ScriptedTransport([ok() for _ in range(10)])
    async with serving(lambda: Counted.over(transport)) as client:
        for _ in range(10):
            assert (await client.get(f"/v1/people/{ADA}")).status_code == 404
        assert opened == ["opened"]

    assert opened == ["opened", "closed"]


@pytest.mark.parametrize(
    ("answer", "status", "retry_after"),
    [
        (timed_out(), 504, None),
        (throttled(), 429, "1"),
        (refused("AccessDeniedException", "no"), 500, None),
    ],
)
async def test_given_a_failure_then_the_caller_is_told_honestly(
    answer: Any, status: int, retry_after: str | None
) -> None:
    transport = ScriptedTransport([answer] * 8)
    async with serving(lambda: AsyncDynamoDB.over(transport, retry=None, breaker=None)) as client:
        created = await client.put(f"/v1/people/{ADA}", json={"name": "Ada"})
        read = await client.get(f"/v1/people/{ADA}")

    for answered in (created, read):
        assert (answered.status_code, answered.headers.get("retry-after")) == (status, retry_after)
        assert "Ada" not in answered.text
    if status == 504:
        assert "may or may not have been made" in created.text
        assert "nothing was changed" in read.text


async def test_given_an_open_circuit_then_the_caller_is_told_when_to_come_back() -> None:
    breaker = CircuitBreaker(name="people")
    breaker.force_open()
    async with serving(
        lambda: AsyncDynamoDB.over(ScriptedTransport([]), breaker=breaker)
    ) as client:
        answered = await client.get(f"/v1/people/{ADA}")

    assert answered.status_code == 503
    assert answered.headers["retry-after"] == "60"


def answered(kind: type[errors.ServiceError]) -> errors.ServiceError:
    return kind("PutItem", "Code", "the message", error_class="final", table_name="people")


def canceled(*codes: str) -> errors.TransactionCanceledError:
    error = errors.TransactionCanceledError(
        "TransactWriteItems", "TransactionCanceledException", "canceled", error_class="final"
    )
    error.reasons = tuple(errors.CancellationReason(operation="Put", code=code) for code in codes)
    return error


@pytest.mark.parametrize(
    ("error", "status", "retry_after_s"),
    [
        (answered(errors.VersionConflictError), 412, None),
        (answered(errors.ConditionalCheckFailedError), 409, None),
        (errors.EmptyUpdateError(), 422, None),
        (
            errors.InvalidRequestError(
                "PutItem",
                [Finding(code="DYS141", message="m", where=Where(parameter="p"), fix="n")],
            ),
            422,
            None,
        ),
        (errors.ValueOutOfRangeError("name", "too long"), 422, None),
        (answered(errors.ThrottledError), 429, 1),
        (errors.CircuitOpenError("people/write", 12.3), 503, 13),
        (errors.CircuitOpenError("people/write", 0.0), 503, 1),
        (errors.CircuitOpenError("people/write", math.inf), 503, 60),
        (errors.DeadlineExceededError("PutItem", 1.0, "a connection slot"), 503, 1),
        (errors.ConnectionNotMadeError("PutItem", 3, "refused"), 503, 1),
        (canceled("None", "ConditionalCheckFailed"), 409, None),
        (canceled("TransactionConflict"), 503, 1),
        (errors.OutcomeUnknownError("PutItem", reason="r"), 504, None),
        (errors.NoAnswerError("GetItem", reason="r"), 504, None),
        (answered(errors.ServiceError), 500, None),
        (errors.StoredValueError("name", "is missing"), 500, None),
    ],
)
def test_given_an_error_then_it_has_its_status(
    error: errors.DynasafeError, status: int, retry_after_s: int | None
) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.retry_after_s) == (status, retry_after_s)


async def test_given_faults_then_a_change_that_was_told_is_there(faulty: MakeFaulty) -> None:
    db, calm, proxy = await faulty(people=Person)
    told: dict[str, int] = {}

    async with serving(lambda: nullcontext(db)) as client:

        async def create_and_change(number: int) -> None:
            id_ = str(UUID(int=number))
            created = await client.put(f"/v2/people/{id_}", json={"displayName": "x"})
            assert created.status_code == 201
            changed = await client.patch(
                f"/v2/people/{id_}", json={"displayName": "y"}, headers={"If-Match": '"1"'}
            )
            told[id_] = changed.status_code

        found = await outcomes(
            [lambda number=number: create_and_change(number) for number in range(60)]
        )

    assert found == [None] * 60
    stored = await calm.table("people", Person).scan(consistent_read=True).to_list()
    assert {person.id: person.version for person in stored} == dict.fromkeys(told, 2)
    assert set(told.values()) == {200}
    assert len({record.fault for record in proxy.log}) > 5


def test_given_the_module_then_its_app_is_ready_and_has_no_client_yet() -> None:
    assert not hasattr(app.state, "people")
