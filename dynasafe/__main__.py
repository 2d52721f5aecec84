"""`python -m dynasafe`."""

from __future__ import annotations

import sys

from dynasafe.cli import main

sys.exit(main())
