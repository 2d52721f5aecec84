"""FastAPI: people over two versions of an API, on one client that the application opens and closes.

What it does: version 1 speaks snake_case, and the last write wins. Version 2 speaks camelCase, and
a change names the version that it was made from (ETag and If-Match), so that nobody overwrites
what they have not seen. Both share one table.

Threat model: Any client sends any body to any id, and races with others; it sees statuses and
messages, and operators see logs, neither of which may show stored values. Without authentication in
front, everybody may change everybody.

What it guarantees:
- One client per process, made when the application starts and closed when it ends, whatever the
  number of requests.
- Of 50 changes of one ETag at once, one is made; the others are answered with 412.
- An ETag is never used again: not after the person was deleted and created again.
- A change that may have been made is answered with 504, and is never reported as done or failed.
- What the caller sent wrong is answered with 422; a mistake of ours with 500, and is logged.
- A body with lone surrogates, NaN or thousands of brackets is answered with 400 or 422.
- No answer and no log has an attribute's value that the caller did not send.
- A person that lacks every optional attribute, as after a migration, is served like any other.

What it leaves to you: authentication, which belongs in front (a dependency of both routers), TLS,
and a limit on bodies (uvicorn has none: set it in the proxy). Scanning the table for lists costs
as much as reading it. The client chooses the id of a new person (a UUID), so that it can ask
afterwards what happened to the write whose answer was lost.

The table: `people`, partition key `id`. Needs `pip install dynasafe fastapi uvicorn`; run it with
`uvicorn fastapi_app:app`; `python fastapi_app.py` asks it once, in memory (needs httpx).
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    retry_conflicts,
    settle,
)
from dynasafe.errors import (
    CircuitOpenError,
    ConditionalCheckFailedError,
    DynasafeError,
    InvalidRequestError,
    InvalidValueError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ThrottledError,
    TransactionCanceledError,
    VersionConflictError,
)
from dynasafe.typing import Condition

logger = logging.getLogger(__name__)

CHANGED = "It was changed meanwhile. Fix: read it again."
Connect = Callable[[], AbstractAsyncContextManager[AsyncDynamoDB]]


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    is_admin: Attr[bool] = attribute(default=False, patchable=False)
    incarnation: Attr[str] = attribute(default="", patchable=False)
    """Another one each time that a person is created, so that no ETag comes back."""
    version: Attr[int] = attribute(default=0, version=True)


TABLES: dict[str, type[Item]] = {"people": Person}


# What stands in front of both versions: the client, the table, and what an error becomes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The error that a caller sees."""

    status: int
    detail: object
    retry_after_s: int | None = None


def problem_of(error: DynasafeError) -> Problem:
    """What a caller sees. No message of dynasafe holds an attribute's value."""
    match error:
        case VersionConflictError():
            return Problem(status=412, detail=CHANGED)
        case ConditionalCheckFailedError():
            return Problem(status=409, detail="It is there already, or not as expected.")
        case ThrottledError():
            # The table's limit, not the caller's: 429 would blame them.
            return Problem(status=503, detail="Too many requests.", retry_after_s=1)
        case InvalidRequestError() | InvalidValueError():
            # What the caller sent was checked before: this request is our own mistake.
            return Problem(status=500, detail="The request was refused.")
        case CircuitOpenError():
            # A breaker that was opened by hand is open for as long as it pleases.
            seconds = max(1, math.ceil(min(error.retry_after_s, 60)))
            return Problem(status=503, detail="Not now.", retry_after_s=seconds)
        case NotSentError():
            return Problem(status=503, detail="Not now.", retry_after_s=1)
        case TransactionCanceledError():
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                return Problem(status=409, detail="It is there already, or not as expected.")
            return Problem(status=503, detail="Not now.", retry_after_s=1)
        case OutcomeUnknownError():
            return Problem(
                status=504,
                detail="The change may or may not have been made. Fix: read it before a repeat.",
            )
        case NoAnswerError():
            return Problem(status=504, detail="There was no answer. Nothing was changed.")
        case _:
            return Problem(status=500, detail="The request was refused.")


async def answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DynasafeError)
    problem = problem_of(error)
    if problem.status >= 500:
        logger.error("%s %s: %s", request.method, request.url.path, error)
    headers = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    return JSONResponse({"detail": problem.detail}, problem.status, headers)


async def answer_unfit(request: Request, error: Exception) -> Response:
    """The values that pydantic refused, without the input: it may be secret, or not fit into
    JSON."""
    assert isinstance(error, RequestValidationError)
    detail = [{name: each[name] for name in ("loc", "msg", "type")} for each in error.errors()]
    text = json.dumps({"detail": detail}, default=str, ensure_ascii=True)
    return Response(text, 422, media_type="application/json")


def patch_of(body: BaseModel) -> UpdateBuilder:
    """The update of a body.

    Raises:
        HTTPException: 422, the body cannot be stored.
    """
    try:
        return UpdateBuilder(Person).patch(body, none="remove")
    except InvalidRequestError as error:
        raise HTTPException(422, [finding.message for finding in error.findings]) from error
    except InvalidValueError as error:
        raise HTTPException(422, str(error)) from error


def people_of(request: Request) -> AsyncTable[Person]:
    """The table, which the application has opened."""
    people: AsyncTable[Person] = request.app.state.people
    return people


People = Annotated[AsyncTable[Person], Depends(people_of)]
Limit = Annotated[int, Query(ge=1, le=100)]


def open_database() -> AsyncDynamoDB:
    """Region and credentials come from the environment."""
    return AsyncDynamoDB.connect(timeout_s=5.0, attempt_timeout_s=2.0)


def create_app(connect: Connect = open_database) -> FastAPI:
    """The application.

    Args:
        connect: makes the client, which is opened when the application starts.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connect() as db:
            app.state.people = db.table("people", Person)
            yield

    app = FastAPI(lifespan=lifespan)
    app.add_exception_handler(DynasafeError, answer_error)
    app.add_exception_handler(RequestValidationError, answer_unfit)
    app.include_router(v1)
    app.include_router(v2)
    return app


async def read(people: AsyncTable[Person], person_id: UUID) -> Person:
    person = await people.get_item({"id": str(person_id)}, consistent_read=True)
    if person is None:
        raise HTTPException(404, "There is no such person.")
    return person


async def create(people: AsyncTable[Person], person: Person) -> None:
    person.incarnation = uuid4().hex
    is_new = Person.id.not_exists()
    try:
        await retry_conflicts(
            lambda: settle(people.put_item(person, condition=is_new, exactly_once=True))
        )
    except ConditionalCheckFailedError as error:
        raise HTTPException(409, "There is a person of this id already.") from error


async def read_page(
    people: AsyncTable[Person], limit: int, after: UUID | None
) -> tuple[list[Person], str | None]:
    """So many people, and the id after which the next page begins; that one may be empty."""
    start = None if after is None else {"id": str(after)}
    scan = people.scan(limit=limit, max_items=limit, exclusive_start_key=start)
    page = await scan.to_list()
    return page, page[-1].id if len(page) == limit else None


# Version 1: snake_case, and the last write wins.


class NewPersonV1(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    email: str | None = Field(default=None, max_length=200)


class PersonPatchV1(BaseModel):
    """What is left out stays; null takes the e-mail address away."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", min_length=1, max_length=100)
    email: str | None = Field(default=None, max_length=200)


class PersonV1(BaseModel):
    id: str
    name: str
    email: str | None


class PeopleV1(BaseModel):
    people: list[PersonV1]
    after: str | None


def show_v1(person: Person) -> PersonV1:
    return PersonV1(id=person.id, name=person.name, email=person.email)


v1 = APIRouter(prefix="/v1/people")


@v1.put("/{person_id}", status_code=201)
async def create_v1(people: People, person_id: UUID, body: NewPersonV1) -> PersonV1:
    person = Person(id=str(person_id), name=body.name, email=body.email)
    await create(people, person)
    return show_v1(person)


@v1.get("/{person_id}")
async def get_v1(people: People, person_id: UUID) -> PersonV1:
    return show_v1(await read(people, person_id))


@v1.get("")
async def list_v1(people: People, limit: Limit = 25, after: UUID | None = None) -> PeopleV1:
    page, next_after = await read_page(people, limit, after)
    return PeopleV1(people=[show_v1(person) for person in page], after=next_after)


@v1.patch("/{person_id}")
async def patch_v1(people: People, person_id: UUID, body: PersonPatchV1) -> PersonV1:
    update = patch_of(body)
    if update.is_empty:
        return show_v1(await read(people, person_id))
    # The version goes up all the same, so that callers of version 2 notice.
    update.increment(Person.version, 1).condition(Person.id.exists())
    key = {"id": str(person_id)}
    try:
        result = await retry_conflicts(
            lambda: settle(
                people.update_item(key, update, return_values="ALL_NEW", exactly_once=True)
            )
        )
    except ConditionalCheckFailedError as error:
        raise HTTPException(404, "There is no such person.") from error
    return show_v1(result.attributes)


@v1.delete("/{person_id}", status_code=204)
async def delete_v1(people: People, person_id: UUID) -> None:
    await people.delete_item({"id": str(person_id)})


# Version 2: camelCase, and If-Match.


class BodyV2(BaseModel):
    """`name`, as the table has it, is `displayName` in JSON."""

    model_config = ConfigDict(extra="forbid")


class NewPersonV2(BodyV2):
    name: str = Field(alias="displayName", min_length=1, max_length=100)
    email: str | None = Field(default=None, max_length=200)


class PersonPatchV2(BodyV2):
    """What is left out stays; null takes the e-mail address away."""

    name: str = Field(default="", alias="displayName", min_length=1, max_length=100)
    email: str | None = Field(default=None, max_length=200)


class PersonV2(BodyV2):
    id: str
    name: str = Field(alias="displayName")
    email: str | None


class PeopleV2(BodyV2):
    people: list[PersonV2]
    after: str | None


def show_v2(person: Person) -> PersonV2:
    return PersonV2(id=person.id, displayName=person.name, email=person.email)


def etag_of(person: Person) -> str:
    return f'"{person.incarnation}.{person.version}"'


def is_same(person: Person) -> Condition:
    """That the person was not deleted and created again. An older item has no incarnation."""
    if not person.incarnation:
        return Person.id.exists() & Person.incarnation.not_exists()
    return Person.incarnation == person.incarnation


async def read_matching(
    people: AsyncTable[Person], person_id: UUID, if_match: str | None
) -> Person:
    """The person, if they are still as the caller has seen them."""
    if if_match is None:
        raise HTTPException(428, "Fix: say in If-Match which ETag the change was made from.")
    person = await read(people, person_id)
    tags = {tag.strip() for tag in if_match.split(",")}
    if not tags & {"*", etag_of(person)}:
        raise HTTPException(412, CHANGED)
    return person


IfMatch = Annotated[str | None, Header()]

v2 = APIRouter(prefix="/v2/people")


@v2.put("/{person_id}", status_code=201)
async def create_v2(
    people: People, person_id: UUID, body: NewPersonV2, response: Response
) -> PersonV2:
    person = Person(id=str(person_id), name=body.name, email=body.email)
    await create(people, person)
    response.headers["ETag"] = etag_of(person)
    return show_v2(person)


@v2.get("/{person_id}")
async def get_v2(people: People, person_id: UUID, response: Response) -> PersonV2:
    person = await read(people, person_id)
    response.headers["ETag"] = etag_of(person)
    return show_v2(person)


@v2.get("")
async def list_v2(people: People, limit: Limit = 25, after: UUID | None = None) -> PeopleV2:
    page, next_after = await read_page(people, limit, after)
    return PeopleV2(people=[show_v2(person) for person in page], after=next_after)


@v2.patch("/{person_id}")
async def patch_v2(
    people: People,
    person_id: UUID,
    body: PersonPatchV2,
    response: Response,
    if_match: IfMatch = None,
) -> PersonV2:
    person = await read_matching(people, person_id, if_match)
    update = patch_of(body)
    if not update.is_empty:
        update.condition(is_same(person))
        # By the instance, not by its key: so its version is checked once more, where it counts.
        try:
            result = await settle(
                people.update_item(person, update, return_values="ALL_NEW", exactly_once=True)
            )
        except ConditionalCheckFailedError as error:
            raise HTTPException(412, CHANGED) from error
        person = result.attributes
    response.headers["ETag"] = etag_of(person)
    return show_v2(person)


@v2.delete("/{person_id}", status_code=204)
async def delete_v2(people: People, person_id: UUID, if_match: IfMatch = None) -> None:
    person = await read_matching(people, person_id, if_match)
    try:
        await settle(people.delete_item(person, condition=is_same(person), exactly_once=True))
    except ConditionalCheckFailedError as error:
        raise HTTPException(412, CHANGED) from error


app = create_app()


async def main() -> None:
    """Create a person, and change it twice from one ETag, on a table in memory."""
    import httpx

    from dynasafe.testing import fake_database

    in_memory = create_app(lambda: fake_database(people=Person))
    transport = httpx.ASGITransport(in_memory)
    async with (
        in_memory.router.lifespan_context(in_memory),
        httpx.AsyncClient(transport=transport, base_url="http://memory") as client,
    ):
        url = f"/v2/people/{uuid4()}"
        created = await client.put(url, json={"displayName": "Ada"})
        headers = {"If-Match": created.headers["etag"]}
        for name in ("Ada L.", "Grace"):
            changed = await client.patch(url, json={"displayName": name}, headers=headers)
            print(changed.status_code, changed.json())


if __name__ == "__main__":
    asyncio.run(main())
