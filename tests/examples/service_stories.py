"""One call of each recipe that is an entry point: they are async."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from dynasafe import AsyncDynamoDB
from examples.recipes import fastapi_app, lambda_handler
from tests.examples import stories
from tests.examples.stories import Story


async def invoke(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    """What the handler does, on the loop of the test."""
    claims = {"jwt": {"claims": {"sub": "p1"}}}
    event = {
        "requestContext": {"http": {"method": "PATCH"}, "authorizer": claims},
        "pathParameters": {"id": "p1"},
        "body": json.dumps({"name": f"{number}"}),
    }
    answer = await lambda_handler.serve(event, db.table("people", lambda_handler.Person), 30.0)
    assert answer["statusCode"] == 200
    return answer


async def create(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    people = db.table("people", fastapi_app.Person)
    id_ = UUID(int=number)
    await fastapi_app.create(people, fastapi_app.Person(id=str(id_), name="x"))
    body = fastapi_app.PersonPatchV1(name="y")
    return await fastapi_app.patch_v1(people, id_, body)


SERVICE_STORIES = {
    "fastapi_app": Story(module=fastapi_app, act=create),
    "lambda_handler": Story(
        module=lambda_handler, act=invoke, items={"people": [lambda_handler.Person(id="p1")]}
    ),
}
ALL_STORIES = dict(sorted({**stories.STORIES, **SERVICE_STORIES}.items()))
