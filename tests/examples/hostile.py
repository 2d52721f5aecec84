"""One call of each recipe with texts of a stranger, and the errors that it may raise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from dynasafe import AsyncDynamoDB
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.typing import Write
from examples.accounts import errors as accounts_errors
from examples.accounts import service as accounts
from examples.accounts import texts as accounts_texts
from examples.recipes import (
    audit_log,
    cascade_delete,
    email_verification,
    field_names,
    http_paging,
    idempotency_keys,
    lambda_handler,
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
    sqs_consumer,
    tenants,
    unique_email,
    webhook_consumer,
)
from examples.registry import errors as registry_errors
from examples.registry import service as registry

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=90)
SECRET = b"s" * 32
TEXTS = (
    "",
    " ",
    "\ud800",
    "\x00",
    "\u202e\u200b",
    "x" * 3_000,
    "[" * 20_000,
    '{"a":' * 10_000,
    "{",
    "null",
    "NaN",
    "a#b",
    "../../etc/passwd",
    "${jndi:x}",
    "' OR 1=1 --",
    "W10=",
    "W1tbW1tbW1s=",
    "x.y",
    "9" * 5_000,
)


@dataclass(frozen=True, kw_only=True)
class Stranger:
    call: Callable[[AsyncDynamoDB, str], Sequence[Awaitable[object]]]
    """Calls of the recipe, each with the text in a place that is a stranger's."""
    refusals: tuple[type[Exception], ...] = ()
    """The recipe's own errors; that nothing was sent may come too."""


def log(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    trail = audit_log.AuditLog(db, key=SECRET)
    return [
        trail.append(text, actor="ada", action="x", at=NOW),
        trail.append("p1", actor=text, action=text, at=NOW, details={"x": text}),
    ]


def cascade(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    projects = cascade_delete.Projects(db)
    task = cascade_delete.Task(project_id="j1", id=text, text=text)
    return [projects.delete(text, now=NOW), projects.add_task(task)]


def verify(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    verification = email_verification.EmailVerification(db)
    return [
        verification.request(text, now=NOW),
        verification.confirm(text, text, now=NOW),
        verification.confirm("p1", text, now=NOW),
    ]


def store(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    people = field_names.People(db)
    return [
        people.store(text),
        people.get(text),
        people.patch("p1", text),
        people.patch(text, "{}"),
    ]


def page(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    orders = http_paging.Orders(db, http_paging.Cursors([SECRET]))
    return [orders.list("ada", now=NOW, cursor=text), orders.list(text, now=NOW)]


def post(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    async def work() -> tuple[idempotency_keys.Response, Sequence[Write]]:
        return idempotency_keys.Response(status=201, body="x"), []

    keys = idempotency_keys.IdempotencyKeys(db)
    request = text.encode("utf-8", "surrogatepass")
    return [
        keys.run("ada", text, b"x", work, now=NOW),
        keys.run("ada", "k", request, work, now=NOW),
    ]


def invoke(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    people = db.table("people", lambda_handler.Person)

    def event(person_id: str, subject: Any, body: str) -> dict[str, Any]:
        claims = {"jwt": {"claims": {"sub": subject}}}
        return {
            "requestContext": {"http": {"method": "PATCH"}, "authorizer": claims},
            "pathParameters": {"id": person_id},
            "body": body,
        }

    return [
        lambda_handler.serve(event("p1", "p1", text), people, 30.0),
        lambda_handler.serve(event(text, text, "{}"), people, 30.0),
        lambda_handler.serve(event("p1", text, "{}"), people, 30.0),
    ]


def hold(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    return [lease.Leases(db, length=timedelta(minutes=1)).acquire(text, now=NOW)]


def edit(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    documents = optimistic_locking.Documents(db)
    document = optimistic_locking.Document(id=text, title=text)
    return [documents.get(text), documents.create(document), documents.save(document)]


def place(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    orders = outbox.Orders(db)
    return [orders.place(text, now=NOW), orders.move(text, outbox.Status.PAID, now=NOW)]


async def patch_text(db: AsyncDynamoDB, text: str) -> object:
    patch = partial_update.PersonPatch.model_validate_json(text)
    return await partial_update.People(db).patch("p1", patch)


async def patch_name(db: AsyncDynamoDB, text: str) -> object:
    return await partial_update.People(db).patch("p1", partial_update.PersonPatch(name=text))


def patch(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    people = partial_update.People(db)
    named = partial_update.PersonPatch(name="x")
    return [patch_text(db, text), patch_name(db, text), people.patch(text, named)]


def sign_in(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    work = password_management.Work(n=2**4, p=1)
    passwords = password_management.Passwords(db, secret=SECRET, work=work)
    return [
        passwords.create(text, "x"),
        passwords.create("p2", text),
        passwords.verify(text, text, now=NOW, device=text),
        passwords.verify("p1", text, now=NOW),
        passwords.change("p1", text, text, now=NOW),
    ]


def reset(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    resets = password_reset.PasswordReset(db, work=password_reset.Work(n=2**4, p=1))
    return [
        resets.request(text, now=NOW),
        resets.reset("p1", text, text or "x", now=NOW),
        resets.reset(text, "x.y", "x", now=NOW),
    ]


def delete(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    people = person_deletion.People(db)
    return [
        people.subscribe("p1", text),
        people.unsubscribe(text, text),
        people.lead(text, text),
        people.delete_softly(text, now=NOW),
        people.restore(text, now=NOW),
        people.erase(text),
    ]


def limit(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    minute = timedelta(minutes=1)
    return [
        rate_limiting.RateLimiter(db, limit=1, length=minute).take(text, now=NOW),
        rate_limiting.TokenBucket(db, limit=1, length=minute).take(text, now=NOW),
    ]


def look(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    dashboard, kind = security_dashboard.SecurityDashboard(db), security_dashboard.Kind.LOCKED_OUT
    event = security_dashboard.Event(
        id=text, kind=kind.value, at=NOW, person_id=text or "x", address=text, expires_at=LATER
    )
    return [
        dashboard.of_kind(kind, since=NOW, until=NOW, cursor=text),
        dashboard.of_person(text, since=NOW, until=NOW),
        dashboard.record(event),
    ]


def check(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    found = sessions.Sessions(db)
    return [
        found.check(text, now=NOW),
        found.close(text),
        found.close_all(text),
        found.open(text, epoch=0, now=NOW),
    ]


def consume(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    attributes = {"ApproximateReceiveCount": "1"}
    records = [{"messageId": "1", "body": text, "attributes": attributes}]
    consumer = sqs_consumer.StockConsumer(db)
    return [consumer.consume({"Records": records}, now=NOW, timeout_s=30.0)]


async def note_of(db: AsyncDynamoDB, tenant_id: str) -> object:
    return await tenants.Notes(db, tenant_id).list()


def note(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    notes = tenants.Notes(db, "acme")
    return [note_of(db, text), notes.get(text), notes.store("n1", text), notes.list(after=text)]


def register(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    people = unique_email.People(db)
    return [
        people.register(unique_email.Person(id="p1", email=text), now=NOW),
        people.register(unique_email.Person(id=text, email="a@example.org"), now=NOW),
        people.change_email("p1", text, now=NOW),
        people.find(text, now=NOW),
        people.remove(text),
    ]


def deliver(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    consumer = webhook_consumer.WebhookConsumer(db, secret=SECRET)
    body, sent_at = text.encode("utf-8", "surrogatepass"), int(NOW.timestamp())
    signed = webhook_consumer.sign(body, sent_at=sent_at, secret=SECRET)
    return [
        consumer.receive(body, signature=signed, sent_at=sent_at, now=NOW),
        consumer.receive(b"{}", signature=text, sent_at=sent_at, now=NOW),
    ]


def browse(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    service = registry.Registry(db)
    return [
        service.people.get(text),
        service.people.list(cursor=text),
        service.people.update("p1", {text: text}),
        service.projects.list("p1", cursor=text),
        service.subscriptions.list(text, cursor=text),
        service.subscriptions.get("p1", text),
    ]


def live(db: AsyncDynamoDB, text: str) -> Sequence[Awaitable[object]]:
    work = accounts_texts.Work(n=2**4, p=1)
    service = accounts.Accounts(db, secret=SECRET, audit_key=SECRET, work=work)
    return [
        service.sign_up(text, "correct horse", now=NOW),
        service.sign_up("ada@example.org", text, now=NOW),
        service.sign_in(text, text, now=NOW),
        service.sign_in("ada@example.org", text, now=NOW, device=text),
        service.confirm_email(text, text, now=NOW),
        service.who(text, now=NOW),
        service.sign_out(text),
        service.request_reset(text, now=NOW),
        service.reset(text, text, "correct horse", now=NOW),
    ]


STRANGERS = {
    "accounts": Stranger(call=live, refusals=(accounts_errors.AccountsError,)),
    "audit_log": Stranger(call=log),
    "cascade_delete": Stranger(call=cascade, refusals=(cascade_delete.NoSuchProjectError,)),
    "email_verification": Stranger(call=verify, refusals=(email_verification.InvalidTokenError,)),
    "field_names": Stranger(call=store, refusals=(ValidationError,)),
    "http_paging": Stranger(call=page, refusals=(http_paging.BadCursorError,)),
    "idempotency_keys": Stranger(
        call=post,
        refusals=(idempotency_keys.BadKeyError, idempotency_keys.KeyReusedError),
    ),
    "lambda_handler": Stranger(call=invoke, refusals=(lambda_handler.BadBodyError,)),
    "lease": Stranger(call=hold, refusals=(lease.LeaseTakenError,)),
    "optimistic_locking": Stranger(
        call=edit,
        refusals=(
            optimistic_locking.NoSuchDocumentError,
            optimistic_locking.DocumentExistsError,
            optimistic_locking.DocumentChangedError,
        ),
    ),
    "outbox": Stranger(call=place, refusals=(outbox.OrderConflictError,)),
    "partial_update": Stranger(call=patch, refusals=(ValidationError,)),
    "password_management": Stranger(
        call=sign_in,
        refusals=(
            password_management.WrongPasswordError,
            password_management.LockedOutError,
            password_management.UnfitPasswordError,
            ConditionalCheckFailedError,  # of `create`, where there is a password
        ),
    ),
    "password_reset": Stranger(
        call=reset,
        refusals=(password_reset.InvalidTokenError, password_reset.UnfitPasswordError),
    ),
    "person_deletion": Stranger(call=delete, refusals=(person_deletion.NoSuchPersonError,)),
    "rate_limiting": Stranger(call=limit),
    "registry": Stranger(
        call=browse,
        refusals=(registry_errors.RegistryError, registry_errors.BadCursorError),
    ),
    "security_dashboard": Stranger(
        call=look,
        refusals=(security_dashboard.BadCursorError, security_dashboard.EventExistsError),
    ),
    "sessions": Stranger(call=check, refusals=(sessions.NotSignedInError,)),
    "sqs_consumer": Stranger(call=consume),
    "tenants": Stranger(call=note, refusals=(tenants.BadIdError, tenants.NoSuchNoteError)),
    "unique_email": Stranger(
        call=register,
        refusals=(
            unique_email.BadEmailError,
            unique_email.EmailTakenError,
            unique_email.PersonChangedError,
            unique_email.PersonExistsError,
        ),
    ),
    "webhook_consumer": Stranger(
        call=deliver,
        refusals=(webhook_consumer.BadEventError, webhook_consumer.BadSignatureError),
    ),
}
WITHOUT_STRANGERS = {
    "backfill": "it takes no text from outside",
    "fastapi_app": "test_fastapi_app sends hostile bodies; ids are UUIDs",
    "sharded_counter": "it takes no text from outside",
}
