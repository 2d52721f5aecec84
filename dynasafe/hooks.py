"""Sends events to hooks and to the log.

An error in a hook is logged and otherwise ignored, so observing a call cannot break it.
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
"""Errors in a hook that are not ignored, because they end the process."""
_ids = count(1)
_DEBUG = 10
_logger: logging.Logger | None = None


def logger() -> logging.Logger:
    """The logger of dynasafe, made at first use: `logging` takes some milliseconds to load."""
    global _logger
    if _logger is None:
        import logging

        _logger = logging.getLogger("dynasafe")
    return _logger


def is_logged() -> bool:
    """Whether events are logged. If `logging` is not loaded, nobody wants them."""
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
        except BaseException:  # a CancelledError from a hook cancels nothing
            logger().exception("A dynasafe hook raised on %s", type(event).__name__)


@contextmanager
def surrounded(hooks: Iterable[Callable[[Any], object]], started: object) -> Iterator[None]:
    """Runs inside the context managers of the hooks that have one. The last one exits first.

    As with events, an error in a hook is logged and otherwise ignored. It cannot replace or swallow
    the error of the call.
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
                continue  # a context manager made from a generator raises it again
            if isinstance(raised, _PASSED_ON):
                raise
            logger().exception("A dynasafe hook raised at the end of a call")
