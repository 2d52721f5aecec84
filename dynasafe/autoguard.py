"""`import dynasafe.autoguard` guards the process as DYNASAFE_GUARD says.

`DYNASAFE_GUARD=warn` (or raise, or repair) calls `dynasafe.guard_process("warn")`; without the
variable, or with `off`, nothing happens. So you can switch it on without a change of code:
`python -c "import dynasafe.autoguard, app; app.main()"`.
"""

from __future__ import annotations

import os
from typing import Any

from dynasafe.guard import guard_process

_mode: Any = os.environ.get("DYNASAFE_GUARD", "").strip().lower()
if _mode not in ("", "off"):
    guard_process(_mode)
