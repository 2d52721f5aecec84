"""Only `make dist-check` has distributions to test, and says so by DYNASAFE_DIST."""

from __future__ import annotations

import os

collect_ignore = (
    [] if "DYNASAFE_DIST" in os.environ else ["test_distributions.py", "test_new_user.py"]
)
