"""Only `make lint-corpus` has the packages of others, and says so by DYNASAFE_LINT_CORPUS."""

from __future__ import annotations

import os

collect_ignore = [] if "DYNASAFE_LINT_CORPUS" in os.environ else ["test_corpus.py"]
