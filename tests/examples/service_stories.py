"""One call of each service, and of each recipe that is an entry point: their faces are async."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from dynasafe import AsyncDynamoDB
from examples.accounts import errors as accounts_errors
from examples.accounts import models as accounts_models
from examples.accounts import service as accounts
from examples.accounts import texts as accounts_texts
from examples.recipes import fastapi_app, lambda_handler
from examples.registry import errors as registry_errors
from examples.registry import models as registry_models
from examples.registry import service as registry
from tests.examples import stories
from tests.examples.stories import SECRET, Story


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


async def hold_project(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    service = registry.Registry(db)
    id_ = f"j{number}"
    await service.projects.create(
        registry_models.Project(id=id_, owner_id="p1", name="x", created_at=now)
    )
    await service.projects.update(id_, {"name": "y"})
    return await service.projects.delete(id_)


async def live(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    work = accounts_texts.Work(n=2**4, p=1)
    service = accounts.Accounts(db, secret=SECRET, audit_key=SECRET, work=work)
    email = f"{number}@example.org"
    mail = await service.sign_up(email, "correct horse", now=now)
    assert mail.token is not None
    await service.confirm_email(mail.person_id, mail.token, now=now)
    signed_in = await service.sign_in(email, "correct horse", now=now)
    return await service.delete(signed_in.session, "correct horse", now=now)


SERVICE_STORIES = {
    "accounts": Story(module=accounts_models, act=live, refusals=(accounts_errors.AccountsError,)),
    "fastapi_app": Story(module=fastapi_app, act=create),
    "lambda_handler": Story(
        module=lambda_handler, act=invoke, items={"people": [lambda_handler.Person(id="p1")]}
    ),
    "registry": Story(
        module=registry_models,
        act=hold_project,
        refusals=(registry_errors.RegistryError,),
        items={
            "people": [
                registry_models.Person(
                    id="p1", name="Ada", created_at=datetime.fromisoformat("2026-11-24T00:00:00Z")
                )
            ]
        },
    ),
}
ALL_STORIES = dict(sorted({**stories.STORIES, **SERVICE_STORIES}.items()))
