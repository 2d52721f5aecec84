"""One guard for all clients that the process makes.

botocore registers a list of built-in handlers with each new session. The guard adds a handler to
that list, which guards the DynamoDB clients of these sessions.
"""

from __future__ import annotations

import atexit
import sys
from contextlib import AbstractContextManager
from typing import Any, Final

from dynasafe.errors import GuardUnavailableError
from dynasafe.guard.clients import MAKING_CLIENT, adds_base
from dynasafe.guard.settings import Settings, Switch
from dynasafe.hooks import logger

SWITCH: Final = Switch()
"""The switch of the whole process."""

_add_base = adds_base(lambda: SWITCH)
_DEFAULT_SESSION = "dynasafe-guard-process"


class ProcessGuard(AbstractContextManager[None]):
    """The guard of the process, as a context manager: its end restores the previous guard."""

    def __init__(self, before: Settings | None) -> None:
        self._before = before

    def __enter__(self) -> None:
        """Do nothing: the guard is on already."""

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            switch_off()
        else:
            SWITCH.settings = self._before


def switch_on(settings: Settings) -> ProcessGuard:
    """Guard new clients, and those that an earlier process guard covered.

    Raises:
        GuardUnavailableError: this botocore has no list of built-in handlers to add to.
    """
    _add_to_builtin_handlers()
    _add_to_default_session()
    before, SWITCH.settings = SWITCH.settings, settings
    return ProcessGuard(before)


def switch_off() -> None:
    """End the guard, also for clients that it already guards."""
    SWITCH.settings = None
    _log_repeated()


def _add_to_builtin_handlers() -> None:
    import botocore
    import botocore.handlers
    import botocore.session

    handlers = getattr(botocore.handlers, "BUILTIN_HANDLERS", None)
    if not isinstance(handlers, list):
        raise GuardUnavailableError(botocore.__version__)
    entry = (MAKING_CLIENT, _add_base)
    if entry in handlers:
        return
    handlers.append(entry)
    if not _is_heard(botocore.session.Session()):
        handlers.remove(entry)
        raise GuardUnavailableError(botocore.__version__)
    atexit.register(_log_repeated)


def _is_heard(session: Any) -> bool:
    """Whether a new session calls its built-in handlers when it makes a client."""
    bases: list[type] = []
    events = session.get_component("event_emitter")
    events.emit(MAKING_CLIENT, class_attributes={}, base_classes=bases)
    return len(bases) == 1


def _add_to_default_session() -> None:
    """boto3's default session, which `boto3.client()` uses, may already exist."""
    session = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    if session is not None:
        session.events.register(MAKING_CLIENT, _add_base, unique_id=_DEFAULT_SESSION)


def _log_repeated() -> None:
    """Log the counts of findings that were logged only once."""
    for text, count in SWITCH.sightings.take():
        if count > 1:
            logger().warning("%s: %s times", text, count)
