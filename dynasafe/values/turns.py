"""Long work gives other threads their turn.

Compiled code keeps the interpreter's lock for as long as it runs, so it asks for a turn by itself.
This module is not compiled: the interpreter hands its lock over when it enters a function, if
another thread waits.

Source: "Thread State and the Global Interpreter Lock", Python documentation.
"""

from __future__ import annotations


def let_others_run() -> None:
    """Hand the interpreter's lock to a thread that has waited for it long enough."""
