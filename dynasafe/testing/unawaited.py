"""forbid_unawaited: a coroutine that nobody awaited fails the test.

Source: "Detect never-awaited coroutines", Python documentation, Developing with asyncio.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NEVER_AWAITED = "was never awaited"
_ORIGIN_DEPTH = 12


class UnawaitedError(AssertionError):
    """Coroutines were made and never awaited: what they should have done was not done."""


@contextmanager
def forbid_unawaited() -> Iterator[None]:
    """Fail if a coroutine that is made within the block is never awaited.

    Python only warns of it, when the coroutine is collected. The error has the lines that made it.

    Raises:
        UnawaitedError: at the end of the block.
    """
    found: list[str] = []
    depth = sys.get_coroutine_origin_tracking_depth()
    gc.collect()  # what was made before the block is not its fault
    with warnings.catch_warnings():
        show = warnings.showwarning

        def collect(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
            text = str(message)
            if issubclass(category, RuntimeWarning) and _NEVER_AWAITED in text:
                found.append(text)
            else:
                show(message, category, *args, **kwargs)

        warnings.filterwarnings("always", f".*{_NEVER_AWAITED}", RuntimeWarning)
        warnings.showwarning = collect
        sys.set_coroutine_origin_tracking_depth(max(depth, _ORIGIN_DEPTH))
        try:
            yield
        except BaseException as error:
            gc.collect()
            for text in found:
                error.add_note(text)
            raise
        finally:
            sys.set_coroutine_origin_tracking_depth(depth)
        gc.collect()
    if found:
        raise UnawaitedError("\n".join([*found, "Mend: write `await` before the call"]))
