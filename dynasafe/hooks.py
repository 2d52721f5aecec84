"""How events reach hooks and the log.

A hook that raises is logged and otherwise ignored, so that observing a call cannot break it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

_PASSED_ON = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What a hook may raise to end the process."""
_ids = count(1)
_DEBUG = 10
_logger: logging.Logger | None = None


def logger() -> logging.Logger:
    """The logger of dynasafe. `logging` takes some milliseconds to load, and often nobody logs."""
    global _logger
    if _logger is None:
        import logging

        _logger = logging.getLogger("dynasafe")
    return _logger


def is_logged() -> bool:
    """Whether events are logged. Where `logging` is not loaded, nobody has asked for them."""
    known = _logger
    if known is None:
        if "logging" not in sys.modules:
            return False
        known = logger()
    return known.isEnabledFor(_DEBUG)


def new_call_id() -> int:
    """An id that no other call of this process has."""
    return next(_ids)


def emit(hooks: Iterable[Callable[[Any], object]], event: object) -> None:
    """Log the event at DEBUG, and give it to every hook."""
    if is_logged():
        logger().debug("%s", event)
    for hook in hooks:
        try:
            answer = hook(event)
            if answer is not None and isinstance(answer, Coroutine):
                answer.close()
                logger().error(
                    "A dynasafe hook is async, and did not run: a hook is a plain function"
                )
        except _PASSED_ON:
            raise
        except BaseException:  # one that raises CancelledError cancels nothing
            logger().exception("A dynasafe hook raised on %s", type(event).__name__)


@contextmanager
def surrounded(hooks: Iterable[Callable[[Any], object]], started: object) -> Iterator[None]:
    """Within the context managers of the hooks that have one; the last one is left first.

    As with events, a hook that raises is logged and otherwise ignored. It cannot replace or
    swallow the error of the call.
    """
    entered: list[AbstractContextManager[object]] = []
    for hook in hooks:
        around = getattr(hook, "around", None)
        if around is not None:
            try:
                manager: AbstractContextManager[object] = around(started)
                manager.__enter__()
                entered.append(manager)
            except _PASSED_ON:
                raise
            except BaseException:
                logger().exception("A dynasafe hook raised on %s", type(started).__name__)
    try:
        yield
    except BaseException as error:
        _leave(entered, error)
        raise
    _leave(entered, None)


def _leave(entered: list[AbstractContextManager[object]], error: BaseException | None) -> None:
    for manager in reversed(entered):
        try:
            if error is None:
                manager.__exit__(None, None, None)
            else:
                manager.__exit__(type(error), error, error.__traceback__)
        except BaseException as raised:
            if raised is error:
                continue  # a generator's context manager passes it on
            if isinstance(raised, _PASSED_ON):
                raise
            logger().exception("A dynasafe hook raised at the end of a call")
