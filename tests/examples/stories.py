"""One call of each recipe that has a face of its own, for the tests that all recipes share."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from dynasafe import AsyncDynamoDB
from dynasafe.testing import table_description
from dynasafe.typing import Write
from examples.accounts import errors as accounts_errors
from examples.accounts import models as accounts_models
from examples.accounts import service as accounts
from examples.accounts import texts as accounts_texts
from examples.recipes import (
    audit_log,
    backfill,
    cascade_delete,
    email_verification,
    field_names,
    http_paging,
    idempotency_keys,
    lease,
    optimistic_locking,
    outbox,
    partial_update,
    password_management,
    password_reset,
    person_deletion,
    rate_limiting,
    security_dashboard,
    sessions,
    sharded_counter,
    sqs_consumer,
    tenants,
    unique_email,
    webhook_consumer,
)
from examples.registry import errors as registry_errors
from examples.registry import models as registry_models
from examples.registry import service as registry

SECRET = b"s" * 32
Act = Callable[[AsyncDynamoDB, datetime, int], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Story:
    module: ModuleType
    act: Act
    """Makes one call, the first with number 0."""
    refusals: tuple[type[Exception], ...] = ()
    """What the call may raise where another was quicker, or the clock is wrong."""
    items: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """What is in the tables at first."""

    def tables(self) -> dict[str, Any]:
        indexes = getattr(self.module, "INDEXES", {})
        return {
            name: table_description(item_class, indexes=indexes.get(name))
            for name, item_class in self.module.TABLES.items()
        }

    async def begin(self, db: AsyncDynamoDB) -> None:
        for name, items in self.items.items():
            for item in deepcopy(items):  # a put raises the version of what it is given
                await db.table(name, type(item)).put_item(item)


async def verify(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    verification = email_verification.EmailVerification(db)
    requested = await verification.request("p1", now=now)
    assert requested is not None
    return await verification.confirm("p1", requested[1], now=now)


CHEAP = password_management.Work(n=2**4, p=1)


async def sign_in(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    passwords = password_management.Passwords(db, secret=SECRET, work=CHEAP)
    person_id = f"p{number}"
    await passwords.create(person_id, "first")
    await passwords.verify(person_id, "first", now=now)
    return await passwords.change(person_id, "first", "second", now=now)


async def reset(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    resets = password_reset.PasswordReset(db, work=password_reset.Work(n=2**4, p=1))
    token = await resets.request("p1", now=now)
    assert token is not None
    return await resets.reset("p1", token, f"password {number}", now=now)


async def log(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    trail = audit_log.AuditLog(db, key=SECRET)
    await trail.append(f"p{number % 10}", actor="ada", action=f"{number}", at=now)
    return await trail.verify(f"p{number % 10}")


async def register(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    people, id_ = unique_email.People(db), f"p{number}"
    person = unique_email.Person(id=id_, email=f"{number % 30}@example.org")
    await people.register(person, now=now)
    await people.change_email(id_, f"{number % 30}@example.com", now=now)
    return await people.remove(id_)


async def delete(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    people = person_deletion.People(db)
    await people.subscribe("p1", f"s{number}")
    await people.unsubscribe("p1", f"s{number}")
    await people.lead("t1", "p1")
    await people.delete_softly("p2", now=now)
    return await people.restore("p2", now=now)


async def limit(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    minute = timedelta(minutes=1)
    await rate_limiting.RateLimiter(db, limit=5, length=minute).take("ada", now=now)
    return await rate_limiting.TokenBucket(db, limit=5, length=minute).take("ada", now=now)


async def deliver(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    event = {"type": "payment", "id": f"e{number}", "account_id": "a1", "amount_cents": 1}
    body, sent_at = json.dumps(event).encode(), int(now.timestamp())
    signature = webhook_consumer.sign(body, sent_at=sent_at, secret=SECRET)
    consumer = webhook_consumer.WebhookConsumer(db, secret=SECRET)
    return await consumer.receive(body, signature=signature, sent_at=sent_at, now=now)


async def record(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    later, kind = now + timedelta(days=90), security_dashboard.Kind.LOCKED_OUT
    event = security_dashboard.Event(
        id=f"e{number}", kind=kind.value, at=now, person_id="p1", expires_at=later
    )
    dashboard = security_dashboard.SecurityDashboard(db)
    await dashboard.record(event)
    return await dashboard.of_kind(kind, since=now, until=now)


async def store(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    body = {"id": "p1", "firstName": f"{number}", "lastName": "x"}
    return await field_names.People(db).store(json.dumps(body))


async def patch(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    return await partial_update.People(db).patch(
        "p1", partial_update.PersonPatch(name=f"{number}", phone=None)
    )


async def edit(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    documents = optimistic_locking.Documents(db)
    return await documents.edit("d1", lambda document: document.lines.append(f"{number}"))


async def consume(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    body = json.dumps({"id": f"m{number}", "stock_id": "apples", "count": 1})
    attributes = {"ApproximateReceiveCount": "1"}
    records = [{"messageId": f"{number}", "body": body, "attributes": attributes}]
    consumer = sqs_consumer.StockConsumer(db)
    answer = await consumer.consume({"Records": records}, now=now, timeout_s=30.0)
    if answer["batchItemFailures"]:
        raise sqs_consumer.NotYetError
    return answer


async def post(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    async def work() -> tuple[idempotency_keys.Response, Sequence[Write]]:
        return idempotency_keys.Response(status=201, body="x"), []

    keys = idempotency_keys.IdempotencyKeys(db)
    return await keys.run("ada", f"k{number % 20}", b"x", work, now=now)


async def open_session(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    found = sessions.Sessions(db)
    token = await found.open("ada", epoch=0, now=now)
    return await found.check(token, now=now + sessions.TOUCH_EVERY)


async def hold(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    leases = lease.Leases(db, length=timedelta(minutes=1))
    held = await leases.acquire("nightly", now=now)
    await leases.renew(held, now=now)
    await leases.write_report(held, "r1", f"{number}")
    return await leases.release(held)


async def place(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    async def publish(event: outbox.Event) -> None:
        pass

    await outbox.Orders(db).place(f"o{number}", now=now)
    await outbox.Orders(db).move(f"o{number}", outbox.Status.PAID, now=now)
    return await outbox.Relay(db, publish).sweep(before=now - timedelta(days=1))


async def note(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    notes = tenants.Notes(db, "acme")
    await notes.store(f"n{number}", "x")
    await notes.patch(f"n{number}", {"text": "y"})
    return await notes.delete(f"n{number}")


async def count(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    return await sharded_counter.ShardedCounter(db, "likes", shards=3).add()


async def page(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    orders = http_paging.Orders(db, http_paging.Cursors([SECRET]))
    first = await orders.list("ada", limit=1, now=now)
    return await orders.list("ada", limit=1, now=now, cursor=first.cursor)


async def fill(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    async def no_wait(delay_s: float) -> None:
        pass

    return await backfill.Backfill(db, f"job {number}", sleep=no_wait).run()


async def cascade(db: AsyncDynamoDB, now: datetime, number: int) -> object:
    projects = cascade_delete.Projects(db)
    await projects.add_task(cascade_delete.Task(project_id="j1", id=f"t{number}"))
    return await projects.delete("j2", now=now)


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


STORIES = {
    "accounts": Story(module=accounts_models, act=live, refusals=(accounts_errors.AccountsError,)),
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
    "audit_log": Story(module=audit_log, act=log, refusals=(audit_log.StreamBusyError,)),
    "backfill": Story(
        module=backfill, act=fill, items={"people": [backfill.Person(id="p1", first_name="Ada")]}
    ),
    "cascade_delete": Story(
        module=cascade_delete,
        act=cascade,
        refusals=(cascade_delete.NoSuchProjectError, cascade_delete.TaskExistsError),
        items={"projects": [cascade_delete.Project(id="j1"), cascade_delete.Project(id="j2")]},
    ),
    "email_verification": Story(
        module=email_verification,
        act=verify,
        refusals=(email_verification.InvalidTokenError,),
        items={"accounts": [email_verification.Account(id="p1", email="ada@example.org")]},
    ),
    "field_names": Story(module=field_names, act=store),
    "http_paging": Story(
        module=http_paging,
        act=page,
        items={"orders": [http_paging.Order(customer_id="ada", place=f"{n}") for n in range(3)]},
    ),
    "idempotency_keys": Story(
        module=idempotency_keys, act=post, refusals=(idempotency_keys.InProgressError,)
    ),
    "lease": Story(module=lease, act=hold, refusals=(lease.LeaseTakenError, lease.LeaseLostError)),
    "optimistic_locking": Story(
        module=optimistic_locking,
        act=edit,
        refusals=(optimistic_locking.DocumentChangedError,),
        items={"documents": [optimistic_locking.Document(id="d1", title="x")]},
    ),
    "outbox": Story(module=outbox, act=place, refusals=(outbox.OrderConflictError,)),
    "partial_update": Story(
        module=partial_update,
        act=patch,
        items={"people": [partial_update.Person(id="p1", name="Ada")]},
    ),
    "password_management": Story(module=password_management, act=sign_in),
    "password_reset": Story(
        module=password_reset,
        act=reset,
        refusals=(password_reset.InvalidTokenError,),
        items={"credentials": [password_reset.Credentials(person_id="p1")]},
    ),
    "person_deletion": Story(
        module=person_deletion,
        act=delete,
        refusals=(
            person_deletion.NoSuchPersonError,
            person_deletion.TeamChangedError,
            person_deletion.SubscriptionConflictError,
        ),
        items={"people": [person_deletion.Person(id=id_, name="x") for id_ in ("p1", "p2")]},
    ),
    "rate_limiting": Story(
        module=rate_limiting, act=limit, refusals=(rate_limiting.RateLimitedError,)
    ),
    "security_dashboard": Story(
        module=security_dashboard, act=record, refusals=(security_dashboard.EventExistsError,)
    ),
    "sessions": Story(
        module=sessions,
        act=open_session,
        refusals=(sessions.NotSignedInError,),
        items={"accounts": [sessions.Account(id="ada")]},
    ),
    "sharded_counter": Story(module=sharded_counter, act=count),
    "sqs_consumer": Story(
        module=sqs_consumer,
        act=consume,
        refusals=(sqs_consumer.NotYetError,),
        items={"stock": [sqs_consumer.Stock(id="apples")]},
    ),
    "tenants": Story(module=tenants, act=note, refusals=(tenants.NoSuchNoteError,)),
    "unique_email": Story(
        module=unique_email,
        act=register,
        refusals=(
            unique_email.EmailTakenError,
            unique_email.PersonExistsError,
            unique_email.PersonChangedError,
        ),
    ),
    "webhook_consumer": Story(
        module=webhook_consumer,
        act=deliver,
        items={"accounts": [webhook_consumer.Account(id="a1")]},
    ),
}
