"""Guards for existing boto3 and aioboto3 clients, added by one line.

    guard(client)               # refuses invalid requests before they are sent
    guard_process("warn")       # warns, for every client that any package makes from now on

A guard uses the events of botocore, which every client emits, sync or async.

Source: "Extensibility guide", Boto3 documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dynasafe.events import Hook
    from dynasafe.guard.process import ProcessGuard
    from dynasafe.guard.settings import GuardErrors, GuardMode

GuardedT = TypeVar("GuardedT")

# The modules behind these functions load the rules, and some of them botocore. A program that
# guards nothing loads none of them.


def guard(
    client: GuardedT,
    mode: GuardMode = "raise",
    *,
    errors: GuardErrors = "botocore",
    safe_retries: bool = True,
    schema: object = None,
    hooks: Sequence[Hook] = (),
) -> GuardedT:
    """Guard a client, a resource, a Table, or all DynamoDB clients that a session makes later.

    A second call replaces the settings of the first.

    Args:
        client: of boto3, aioboto3, botocore or aiobotocore.
        mode: "raise" refuses a request that DynamoDB would refuse. "warn" sends it, and logs each
            finding once for each place in the caller's code. "repair" removes members that are
            None or empty, names and values that no expression uses, and keys that a batch reads
            twice, and replaces reserved words by placeholders. It logs each repair, and other
            findings, as "warn" does.
        errors: "botocore": the error is an InvalidRequestError, and also the ClientError or
            ParamValidationError that botocore would raise. "dynasafe": only an
            InvalidRequestError, which a handler of ClientError does not catch; for tests.
        safe_retries: whether the client stops repeating writes whose answer was lost, unless a
            repeat changes nothing. The caller gets botocore's error, with a note.
        schema: the schemas of the tables, as in `check_request`; or "describe", which calls
            DescribeTable once for each table, at its first use.
        hooks: called with each RequestRefused and RequestRepaired.

    Returns:
        The client itself.

    Raises:
        InvalidRequestError: later, by the guarded calls, in mode "raise".
        UnsupportedTypeError: `client` is not a client, resource, Table or session.
        ValueOutOfRangeError: an unknown mode or value of `errors`.
    """
    from dynasafe.guard.clients import attach
    from dynasafe.guard.settings import Settings

    attach(
        client,
        Settings(
            mode=mode,
            errors=errors,
            safe_retries=safe_retries,
            schema=schema,
            hooks=tuple(hooks),
        ),
    )
    return client


def unguard(client: GuardedT) -> GuardedT:
    """Remove the guard. Without one, nothing happens.

    Clients that a guarded session has made keep their guards.
    """
    from dynasafe.guard.clients import detach

    detach(client)
    return client


def guard_process(
    mode: GuardMode = "warn",
    *,
    errors: GuardErrors = "botocore",
    safe_retries: bool = True,
    schema: object = None,
    hooks: Sequence[Hook] = (),
) -> ProcessGuard:
    """Guard every DynamoDB client that any package makes in this process from now on.

    It does not cover clients of existing sessions, except those that boto3's default session makes
    later. So call it first in `main`, before other packages make their clients.
    `guard(client, ...)` and `unguard(client)` override it for one client.

    Args: the same as for `guard`.

    Returns:
        A context manager that restores the previous guard at the end of a block.

    Raises:
        GuardUnavailableError: this version of botocore cannot be guarded.
    """
    from dynasafe.guard.process import switch_on
    from dynasafe.guard.settings import Settings

    return switch_on(
        Settings(
            mode=mode,
            errors=errors,
            safe_retries=safe_retries,
            schema=schema,
            hooks=tuple(hooks),
        )
    )


def unguard_process() -> None:
    """End `guard_process`, also for the clients that it already guards."""
    from dynasafe.guard.process import switch_off

    switch_off()
