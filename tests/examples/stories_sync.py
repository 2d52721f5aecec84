"""One call of each recipe that has a face of its own, for the tests that all recipes share."""

# Made from tests/examples/stories.py by `make twins`: change that one.

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from dynasafe import DynamoDB
from dynasafe.testing import table_description
from dynasafe.typing import Write
from examples.accounts_sync import errors as accounts_errors
from examples.accounts_sync import models as accounts_models
from examples.accounts_sync import service as accounts
from examples.accounts_sync import texts as accounts_texts
from examples.recipes_sync import (
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
from examples.registry_sync import errors as registry_errors
from examples.registry_sync import models as registry_models
from examples.registry_sync import service as registry

SECRET = b"s" * 32
Act = Callable[[DynamoDB, datetime, int], object]


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

    def begin(self, db: DynamoDB) -> None:
        for name, items in self.items.items():
            for item in deepcopy(items):  # a put raises the version of what it is given
                db.table(name, type(item)).put_item(item)


def verify(db: DynamoDB, now: datetime, number: int) -> object:
    verification = email_verification.EmailVerification(db)
    requested = verification.request("p1", now=now)
    assert requested is not None
    return verification.confirm("p1", requested[1], now=now)


CHEAP = password_management.Work(n=2**4, p=1)


def sign_in(db: DynamoDB, now: datetime, number: int) -> object:
    passwords = password_management.Passwords(db, secret=SECRET, work=CHEAP)
    person_id = f"p{number}"
    passwords.create(person_id, "first")
    passwords.verify(person_id, "first", now=now)
    return passwords.change(person_id, "first", "second", now=now)


def reset(db: DynamoDB, now: datetime, number: int) -> object:
    resets = password_reset.PasswordReset(db, work=password_reset.Work(n=2**4, p=1))
    token = resets.request("p1", now=now)
    assert token is not None
    return resets.reset("p1", token, f"password {number}", now=now)


def log(db: DynamoDB, now: datetime, number: int) -> object:
    trail = audit_log.AuditLog(db, key=SECRET)
    trail.append(f"p{number % 10}", actor="ada", action=f"{number}", at=now)
    return trail.verify(f"p{number % 10}")


def register(db: DynamoDB, now: datetime, number: int) -> object:
    people, id_ = unique_email.People(db), f"p{number}"
    person = unique_email.Person(id=id_, email=f"{number % 30}@example.org")
    people.register(person, now=now)
    people.change_email(id_, f"{number % 30}@example.com", now=now)
    return people.remove(id_)


def delete(db: DynamoDB, now: datetime, number: int) -> object:
    people = person_deletion.People(db)
    people.subscribe("p1", f"s{number}")
    people.unsubscribe("p1", f"s{number}")
    people.lead("t1", "p1")
    people.delete_softly("p2", now=now)
    return people.restore("p2", now=now)


def limit(db: DynamoDB, now: datetime, number: int) -> object:
    minute = timedelta(minutes=1)
    rate_limiting.RateLimiter(db, limit=5, length=minute).take("ada", now=now)
    return rate_limiting.TokenBucket(db, limit=5, length=minute).take("ada", now=now)


def deliver(db: DynamoDB, now: datetime, number: int) -> object:
    event = {"type": "payment", "id": f"e{number}", "account_id": "a1", "amount_cents": 1}
    body, sent_at = json.dumps(event).encode(), int(now.timestamp())
    signature = webhook_consumer.sign(body, sent_at=sent_at, secret=SECRET)
    consumer = webhook_consumer.WebhookConsumer(db, secret=SECRET)
    return consumer.receive(body, signature=signature, sent_at=sent_at, now=now)


def record(db: DynamoDB, now: datetime, number: int) -> object:
    later, kind = now + timedelta(days=90), security_dashboard.Kind.LOCKED_OUT
    event = security_dashboard.Event(
        id=f"e{number}", kind=kind.value, at=now, person_id="p1", expires_at=later
    )
    dashboard = security_dashboard.SecurityDashboard(db)
    dashboard.record(event)
    return dashboard.of_kind(kind, since=now, until=now)


def store(db: DynamoDB, now: datetime, number: int) -> object:
    body = {"id": "p1", "firstName": f"{number}", "lastName": "x"}
    return field_names.People(db).store(json.dumps(body))


def patch(db: DynamoDB, now: datetime, number: int) -> object:
    return partial_update.People(db).patch(
        "p1", partial_update.PersonPatch(name=f"{number}", phone=None)
    )


def edit(db: DynamoDB, now: datetime, number: int) -> object:
    documents = optimistic_locking.Documents(db)
    return documents.edit("d1", lambda document: document.lines.append(f"{number}"))


def consume(db: DynamoDB, now: datetime, number: int) -> object:
    body = json.dumps({"id": f"m{number}", "stock_id": "apples", "count": 1})
    attributes = {"ApproximateReceiveCount": "1"}
    records = [{"messageId": f"{number}", "body": body, "attributes": attributes}]
    consumer = sqs_consumer.StockConsumer(db)
    answer = consumer.consume({"Records": records}, now=now, timeout_s=30.0)
    if answer["batchItemFailures"]:
        raise sqs_consumer.NotYetError
    return answer


def post(db: DynamoDB, now: datetime, number: int) -> object:
    def work() -> tuple[idempotency_keys.Response, Sequence[Write]]:
        return idempotency_keys.Response(status=201, body="x"), []

    keys = idempotency_keys.IdempotencyKeys(db)
    return keys.run("ada", f"k{number % 20}", b"x", work, now=now)


def open_session(db: DynamoDB, now: datetime, number: int) -> object:
    found = sessions.Sessions(db)
    token = found.open("ada", epoch=0, now=now)
    return found.check(token, now=now + sessions.TOUCH_EVERY)


def hold(db: DynamoDB, now: datetime, number: int) -> object:
    leases = lease.Leases(db, length=timedelta(minutes=1))
    held = leases.acquire("nightly", now=now)
    leases.renew(held, now=now)
    leases.write_report(held, "r1", f"{number}")
    return leases.release(held)


def place(db: DynamoDB, now: datetime, number: int) -> object:
    def publish(event: outbox.Event) -> None:
        pass

    outbox.Orders(db).place(f"o{number}", now=now)
    outbox.Orders(db).move(f"o{number}", outbox.Status.PAID, now=now)
    return outbox.Relay(db, publish).sweep(before=now - timedelta(days=1))


def note(db: DynamoDB, now: datetime, number: int) -> object:
    notes = tenants.Notes(db, "acme")
    notes.store(f"n{number}", "x")
    notes.patch(f"n{number}", {"text": "y"})
    return notes.delete(f"n{number}")


def count(db: DynamoDB, now: datetime, number: int) -> object:
    return sharded_counter.ShardedCounter(db, "likes", shards=3).add()


def page(db: DynamoDB, now: datetime, number: int) -> object:
    orders = http_paging.Orders(db, http_paging.Cursors([SECRET]))
    first = orders.list("ada", limit=1, now=now)
    return orders.list("ada", limit=1, now=now, cursor=first.cursor)


def fill(db: DynamoDB, now: datetime, number: int) -> object:
    def no_wait(delay_s: float) -> None:
        pass

    return backfill.Backfill(db, f"job {number}", sleep=no_wait).run()


def cascade(db: DynamoDB, now: datetime, number: int) -> object:
    projects = cascade_delete.Projects(db)
    projects.add_task(cascade_delete.Task(project_id="j1", id=f"t{number}"))
    return projects.delete("j2", now=now)


def hold_project(db: DynamoDB, now: datetime, number: int) -> object:
    service = registry.Registry(db)
    id_ = f"j{number}"
    service.projects.create(
        registry_models.Project(id=id_, owner_id="p1", name="x", created_at=now)
    )
    service.projects.update(id_, {"name": "y"})
    return service.projects.delete(id_)


def live(db: DynamoDB, now: datetime, number: int) -> object:
    work = accounts_texts.Work(n=2**4, p=1)
    service = accounts.Accounts(db, secret=SECRET, audit_key=SECRET, work=work)
    email = f"{number}@example.org"
    mail = service.sign_up(email, "correct horse", now=now)
    assert mail.token is not None
    service.confirm_email(mail.person_id, mail.token, now=now)
    signed_in = service.sign_in(email, "correct horse", now=now)
    return service.delete(signed_in.session, "correct horse", now=now)


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
