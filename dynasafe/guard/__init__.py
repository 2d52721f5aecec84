"""The protection of dynasafe for boto3 and aioboto3 clients that exist already, by one line.

    guard(client)               # refuses what DynamoDB would refuse, before it is sent
    guard_process("warn")       # the same for every client that any package makes from now on

It works through the events of botocore, which each client, sync or async, emits.

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

    Guarding twice is harmless: the second settings hold.

    Args:
        client: of boto3, aioboto3, botocore or aiobotocore.
        mode: "raise" refuses a request that DynamoDB would refuse. "warn" sends it, and logs each
            finding once for each place in the caller's code. "repair" drops members that are None
            or empty, names and values that no expression uses, and keys that a batch reads twice;
            it writes reserved words as placeholders; what remains is logged as in "warn".
        errors: "botocore": the refusal is an InvalidRequestError, and the ClientError or
            ParamValidationError that the caller expects of botocore too. "dynasafe": it is an
            InvalidRequestError alone, which no handler of ClientError swallows; for tests.
        safe_retries: the client no longer repeats a write whose answer was lost, unless the repeat
            changes nothing. The caller gets botocore's error of the lost answer, with a note.
        schema: of the tables, as in `check_request`; or "describe": each table's schema comes from
            DescribeTable, which is asked once, when the table is first used.
        hooks: called with each RequestRefused and RequestRepaired.

    Returns:
        The client itself.

    Raises:
        InvalidRequestError: later, by the guarded calls, in mode "raise".
        UnsupportedTypeError: it is nothing that can be guarded.
        ValueOutOfRangeError: an unknown mode or kind of errors.
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
    """Take the guard away; without one, nothing happens.

    Clients that a guarded session has made keep theirs.
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
    """Guard every DynamoDB client of the process that any package makes from now on.

    Clients of sessions that exist already are not covered, but for those that boto3's default
    session makes later. So call it first in `main`, before other packages make their clients.
    `guard(client, ...)` and `unguard(client)` override it for one client.

    Args: as of `guard`.

    Returns:
        A context manager, for a guard that ends with a block: it brings back what was before.

    Raises:
        GuardUnavailableError: this botocore has no list of built-in handlers to add to.
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
    """End `guard_process`, for the clients that it guards already too."""
    from dynasafe.guard.process import switch_off

    switch_off()
