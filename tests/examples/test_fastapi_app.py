"""The FastAPI application: two versions of an API, one client, honest answers."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from dynasafe import AsyncDynamoDB, CircuitBreaker, errors
from dynasafe.findings.finding import Finding, Where
from dynasafe.testing import (
    MemoryTransport,
    ScriptedTransport,
    ok,
    refused,
    throttled,
    timed_out,
)
from examples.recipes.fastapi_app import TABLES, Connect, Person, app, create_app, problem_of
from tests.examples.conftest import (
    MakeDatabase,
    MakeFaulty,
    Rough,
    outcomes,
    rough_database,
    strip_optional,
)

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


async def etag(client: httpx.AsyncClient, id_: str = ADA) -> str:
    tag: str = (await client.get(f"/v2/people/{id_}")).headers["etag"]
    return tag


async def test_versions_show_the_same_person(client: httpx.AsyncClient) -> None:
    """Both versions of the API show the same person."""
    first = await client.get(f"/v1/people/{ADA}")
    second = await client.get(f"/v2/people/{ADA}")

    assert first.json() == {"id": ADA, "name": "Ada", "email": "ada@example.org"}
    assert second.json() == {"id": ADA, "displayName": "Ada", "email": "ada@example.org"}
    assert second.headers["etag"].endswith('.1"')


async def test_create(client: httpx.AsyncClient) -> None:
    """A person is created once, and creating it again is a conflict."""
    id_ = str(uuid4())
    created = await client.put(f"/v2/people/{id_}", json={"displayName": "Grace"})
    assert (created.status_code, created.headers["etag"]) == (201, await etag(client, id_))
    assert created.json() == {"id": id_, "displayName": "Grace", "email": None}

    for version, body in (("v1", {"name": "Eve"}), ("v2", {"displayName": "Eve"})):
        again = await client.put(f"/{version}/people/{id_}", json=body)
        assert again.status_code == 409

    assert (await client.get(f"/v1/people/{id_}")).json()["name"] == "Grace"


async def test_patch_in_version_1(client: httpx.AsyncClient) -> None:
    """A patch in version 1 overwrites, and a client of version 2 notices."""
    seen = await etag(client)
    changed = await client.patch(f"/v1/people/{ADA}", json={"name": "Ada L.", "email": None})
    assert changed.json() == {"id": ADA, "name": "Ada L.", "email": None}
    assert (await client.patch(f"/v1/people/{ADA}", json={})).json() == changed.json()

    late = await client.patch(
        f"/v2/people/{ADA}", json={"displayName": "x"}, headers={"If-Match": seen}
    )
    assert late.status_code == 412
    assert (await etag(client)).endswith('.2"')


async def test_patch_in_version_2(client: httpx.AsyncClient) -> None:
    """A patch in version 2 needs the tag of the state that it was made from."""
    url = f"/v2/people/{ADA}"
    body = {"displayName": "Ada L."}
    assert (await client.patch(url, json=body)).status_code == 428

    first = await etag(client)
    changed = await client.patch(url, json=body, headers={"If-Match": first})
    second = await etag(client)
    assert (changed.status_code, changed.headers["etag"]) == (200, second)
    assert changed.json() == {"id": ADA, "displayName": "Ada L.", "email": "ada@example.org"}
    assert (await client.patch(url, json=body, headers={"If-Match": first})).status_code == 412
    for given in (second, "*", f'"x", {second}'):
        same = await client.patch(url, json={}, headers={"If-Match": given})
        assert (same.status_code, same.headers["etag"]) == (200, second)


async def test_delete(client: httpx.AsyncClient) -> None:
    """A delete in version 2 needs the tag of the current state; version 1 does not."""
    url = f"/v2/people/{ADA}"
    assert (await client.delete(url)).status_code == 428
    assert (await client.delete(url, headers={"If-Match": '"7"'})).status_code == 412
    seen = await etag(client)
    assert (await client.delete(url, headers={"If-Match": seen})).status_code == 204
    assert (await client.delete(url, headers={"If-Match": seen})).status_code == 404
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
async def test_status_of_each_request(
    memory: httpx.AsyncClient, method: str, path: str, body: object, status: int
) -> None:
    """Each request has its status, and a refused one changes nothing."""
    answered = await memory.request(method, path, json=body)

    assert answered.status_code == status
    assert (await etag(memory)).endswith('.1"')


@pytest.mark.parametrize(("version", "name"), [("v1", "name"), ("v2", "displayName")])
async def test_list_by_pages(client: httpx.AsyncClient, version: str, name: str) -> None:
    """Listing by pages gives each person once."""
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


async def test_one_client() -> None:
    """One client per process, made when the application starts and closed when it ends, whatever
    the number of requests."""
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
        (throttled(), 503, "1"),
        (refused("AccessDeniedException", "no"), 500, None),
    ],
)
async def test_failures(answer: Any, status: int, retry_after: str | None) -> None:
    """The answer to a failure says whether a change may have been made, and shows no value."""
    transport = ScriptedTransport([answer] * 8)
    async with serving(lambda: AsyncDynamoDB.over(transport, retry=None, breaker=None)) as client:
        created = await client.put(f"/v1/people/{ADA}", json={"name": "Ada"})
        read = await client.get(f"/v1/people/{ADA}")

    for answered in (created, read):
        assert (answered.status_code, answered.headers.get("retry-after")) == (status, retry_after)
        assert "Ada" not in answered.text
    if status == 504:
        assert "may or may not have been made" in created.text
        assert "Nothing was changed" in read.text


async def test_open_circuit() -> None:
    """While the circuit is open, the answer says when to come back."""
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
        (errors.EmptyUpdateError(), 500, None),
        (
            errors.InvalidRequestError(
                "PutItem",
                [Finding(code="DYS141", message="m", where=Where(parameter="p"), fix="n")],
            ),
            500,
            None,
        ),
        (errors.ValueOutOfRangeError("name", "too long"), 500, None),
        (answered(errors.ThrottledError), 503, 1),
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
def test_status_of_each_error(
    error: errors.DynasafeError, status: int, retry_after_s: int | None
) -> None:
    """Each error has its status and its time to retry."""
    problem = problem_of(error)

    assert (problem.status, problem.retry_after_s) == (status, retry_after_s)


async def test_answered_changes_through_faults(faulty: MakeFaulty) -> None:
    """Through faults, each change that was answered is stored."""
    db, calm, proxy = await faulty(people=Person)
    answers: dict[str, int] = {}

    async with serving(lambda: nullcontext(db)) as client:

        async def create_and_change(number: int) -> None:
            id_ = str(UUID(int=number))
            created = await client.put(f"/v2/people/{id_}", json={"displayName": "x"})
            assert created.status_code == 201
            changed = await client.patch(
                f"/v2/people/{id_}",
                json={"displayName": "y"},
                headers={"If-Match": created.headers["etag"]},
            )
            answers[id_] = changed.status_code

        found = await outcomes(
            [lambda number=number: create_and_change(number) for number in range(25)]
        )

    assert found == [None] * 25
    stored = await calm.table("people", Person).scan(consistent_read=True).to_list()
    assert {person.id: person.version for person in stored} == dict.fromkeys(answers, 2)
    assert set(answers.values()) == {200}
    assert len({record.fault for record in proxy.log}) > 5


def test_module_has_an_app_without_a_client() -> None:
    """The module has its app, which has no client yet."""
    assert not hasattr(app.state, "people")


@pytest.fixture
async def memory() -> AsyncIterator[httpx.AsyncClient]:
    transport = Rough(TABLES)
    async with serving(lambda: nullcontext(rough_database(transport))) as client:
        await client.put(f"/v1/people/{ADA}", json={"name": "Ada"})
        yield client


async def test_race(memory: httpx.AsyncClient) -> None:
    """Of 50 changes of one ETag at once, one is made; the others are answered with 412."""
    headers = {"If-Match": await etag(memory)}

    async def change(number: int) -> int:
        body = {"displayName": f"{number}"}
        return (await memory.patch(f"/v2/people/{ADA}", json=body, headers=headers)).status_code

    found = await outcomes((partial(change, number) for number in range(50)), at_once=50)

    assert sorted(found) == [200] + [412] * 49


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_etag_after_deletion(memory: httpx.AsyncClient, method: str) -> None:
    """An ETag is never used again: not after the person was deleted and created again."""
    headers = {"If-Match": await etag(memory)}
    await memory.delete(f"/v1/people/{ADA}")
    await memory.put(f"/v1/people/{ADA}", json={"name": "Eve"})

    body = {"displayName": "x"} if method == "PATCH" else None
    late = await memory.request(method, f"/v2/people/{ADA}", json=body, headers=headers)

    assert late.status_code == 412
    assert (await memory.get(f"/v1/people/{ADA}")).json()["name"] == "Eve"


class Replaced(Rough):
    """Tables in memory: between the read and the write, the person is created again."""

    is_armed = False

    async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
        answer = await super().send(operation, params, timeout_s=timeout_s)
        if self.is_armed and operation == "GetItem":
            self.is_armed = False
            self.tables["people"].put(
                {"id": {"S": ADA}, "name": {"S": "Eve"}, "incarnation": {"S": "other"}}
                | {"version": {"N": "1"}}
            )
        return answer


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_replaced_meanwhile(method: str) -> None:
    """A person who is created again between our read and our write is not overwritten."""
    transport = Replaced(TABLES)
    async with serving(lambda: nullcontext(rough_database(transport))) as client:
        await client.put(f"/v1/people/{ADA}", json={"name": "Ada"})
        headers = {"If-Match": await etag(client)}
        transport.is_armed = True
        body = {"displayName": "x"} if method == "PATCH" else None
        late = await client.request(method, f"/v2/people/{ADA}", json=body, headers=headers)

        assert late.status_code == 412
        assert (await client.get(f"/v1/people/{ADA}")).json()["name"] == "Eve"


async def test_unknown_outcome() -> None:
    """A change that may have been made is answered with 504, and is never reported as done or
    failed."""
    transport = ScriptedTransport([timed_out()] * 2)
    async with serving(lambda: AsyncDynamoDB.over(transport, retry=None, breaker=None)) as client:
        answered = await client.put(f"/v1/people/{ADA}", json={"name": "Ada"})

    assert answered.status_code == 504
    assert "may or may not have been made" in answered.text


async def test_whose_mistake(caplog: pytest.LogCaptureFixture) -> None:
    """What the caller sent wrong is answered with 422; a mistake of ours with 500, and is
    logged."""
    async with serving(lambda: AsyncDynamoDB.over(MemoryTransport({}))) as client:
        wrong = await client.put(f"/v1/people/{ADA}", json={"name": ""})
        assert (wrong.status_code, caplog.records) == (422, [])
        ours = await client.put(f"/v1/people/{ADA}", json={"name": "Ada"})

    assert (ours.status_code, len(caplog.records)) == (500, 1)


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
        b'{"name": "x", "email": Infinity}',
        b"[" * 20_000,
        b'{"name":' * 9_000,
        b'{"name": "x", "\\ud800": 1}',
        b"{",
        b"\xff",
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_bad_bodies(memory: httpx.AsyncClient, method: str, body: bytes) -> None:
    """A body with lone surrogates, NaN or thousands of brackets is answered with 400 or 422."""
    headers = {"Content-Type": "application/json"}

    answered = await memory.request(
        method, f"/v1/people/{UUID(int=7)}", content=body, headers=headers
    )

    assert answered.status_code in (400, 422)


async def test_no_values(memory: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """No answer and no log has an attribute's value that the caller did not send."""
    body = {"name": "x" * 101, "email": {"secret": "s3cret"}, "is_admin": "s3cret"}
    answered = await memory.put(f"/v1/people/{UUID(int=7)}", json=body)

    assert answered.status_code == 422
    assert "s3cret" not in answered.text + caplog.text


async def test_migrated() -> None:
    """A person that lacks every optional attribute, as after a migration, is served like any
    other."""
    transport = Rough(TABLES)
    async with serving(lambda: nullcontext(rough_database(transport))) as client:
        await client.put(f"/v1/people/{ADA}", json={"name": "Ada"})
        strip_optional(transport, TABLES)

        seen = await etag(client)
        changed = await client.patch(
            f"/v2/people/{ADA}", json={"displayName": "A."}, headers={"If-Match": seen}
        )

        assert (changed.status_code, changed.json()["displayName"]) == (200, "A.")
        assert await etag(client) != seen
        strip_optional(transport, TABLES)
        headers = {"If-Match": await etag(client)}
        assert (await client.delete(f"/v2/people/{ADA}", headers=headers)).status_code == 204
