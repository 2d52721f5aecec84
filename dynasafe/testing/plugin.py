"""The pytest plugin: fixtures on an engine of your choice, and switches that find hidden bugs.

    pytest --dynamodb=dynalite --dynamodb-guard=raise --forbid-unawaited --forbid-blocking

It loads by itself if `dynasafe[testing]` is installed. Without moto or a new enough pytest it does
nothing, because an application may have dynasafe but not test with it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import pytest

LEAST_PYTEST: Final = (8, 4)
_PYTEST: Final = tuple(map(int, pytest.__version__.split(".")[:2]))

pytest_plugins: list[str] = (
    ["dynasafe.testing.pytest_hooks"] if _PYTEST >= LEAST_PYTEST and find_spec("moto") else []
)
