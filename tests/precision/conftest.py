"""Only `make lint-corpus` and `make migrate-corpus` have the code of others, and say so."""

from __future__ import annotations

import os

_NEEDED = {
    "test_corpus.py": "DYNASAFE_LINT_CORPUS",
    "test_migrate_corpus.py": "DYNASAFE_MIGRATE_CORPUS",
}
collect_ignore = [file for file, name in _NEEDED.items() if name not in os.environ]
