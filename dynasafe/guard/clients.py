"""Attaches a guard to clients, and to the sessions that make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynasafe.errors import UnsupportedTypeError
from dynasafe.guard.checks import RequestChecks
from dynasafe.guard.retries import SafeRetries
from dynasafe.guard.settings import Settings, Switch

MAKING_CLIENT = "creating-client-class.dynamodb"
_SESSION = "dynasafe-guard-session"
# The first handlers get the parameters as the caller gave them, also None, which boto3's own code
# for Tables does not expect. The last handlers get them after boto3's Table converted Python values
# to AttributeValues.
_HANDLERS = (
    ("before-parameter-build.dynamodb", "dynasafe-guard-first"),
    ("before-parameter-build.dynamodb", "dynasafe-guard-last"),
    ("before-parse.dynamodb", "dynasafe-guard-parse"),
    ("needs-retry.dynamodb", "dynasafe-guard-retry"),
    ("after-call.dynamodb", "dynasafe-guard-answer"),
    ("after-call-error.dynamodb", "dynasafe-guard-error"),
)


def attach(target: Any, settings: Settings) -> None:
    """Guard a client, a resource, a Table, or all DynamoDB clients that a session makes later.

    Raises:
        UnsupportedTypeError: it is not one of these.
    """
    detach(target)
    switch = Switch(settings)
    client = _client_of(target)
    if client is not None:
        attach_to_client(client, switch)
    else:
        add_base = adds_base(lambda: switch)
        _session_events(target).register(MAKING_CLIENT, add_base, unique_id=_SESSION)


def detach(target: Any) -> None:
    """Remove the guard, if there is one."""
    client = _client_of(target)
    if client is None:
        _session_events(target).unregister(MAKING_CLIENT, unique_id=_SESSION)
        return
    for event, unique_id in _HANDLERS:
        client.meta.events.unregister(event, unique_id=unique_id)


def attach_to_client(client: Any, switch: Switch) -> None:
    """Guard a client, with the settings of the switch."""
    detach(client)
    checks, retries = RequestChecks(client, switch), SafeRetries(client, switch)
    events = client.meta.events
    for register, (event, unique_id), handler in zip(
        (
            events.register_first,
            events.register_last,
            events.register_last,
            events.register_first,
            events.register_last,
            events.register_last,
        ),
        _HANDLERS,
        (
            checks.before_others,
            checks.after_others,
            retries.before_parse,
            retries.needs_retry,
            retries.after_call,
            retries.after_call_error,
        ),
        strict=True,
    ):
        register(event, handler, unique_id=unique_id)


def adds_base(switch_now: Callable[[], Switch]) -> Callable[..., None]:
    """A handler of `creating-client-class` that guards each client of the class.

    boto3 adds its own methods to clients and resources in the same way.
    """

    class Guarded:
        """A base class of clients that guards each one when it is made."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            attach_to_client(self, switch_now())

    def add_base(base_classes: list[type], **_: Any) -> None:
        if Guarded not in base_classes:
            base_classes.insert(0, Guarded)

    return add_base


def _client_of(target: Any) -> Any:
    """The client, or the client of a resource; None if it may be a session."""
    meta = getattr(target, "meta", None)
    client = getattr(meta, "client", target)
    if not hasattr(getattr(client, "meta", None), "events"):
        return None
    service = client.meta.service_model.service_name
    if service != "dynamodb":
        raise UnsupportedTypeError("client", f"a client of DynamoDB is expected, not of {service}")
    return client


def _session_events(session: Any) -> Any:
    events = getattr(session, "events", None)  # of a boto3 or aioboto3 session
    if events is None and hasattr(session, "get_component"):
        events = session.get_component("event_emitter")  # of a botocore session
    if events is None or not hasattr(events, "register_first"):
        raise UnsupportedTypeError(
            "client",
            "a client, resource, Table or session of boto3 or aioboto3 is expected, not "
            f"{type(session).__name__}",
        )
    return events
