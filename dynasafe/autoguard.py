"""`import dynasafe.autoguard` guards the process as DYNASAFE_GUARD says.

`DYNASAFE_GUARD=warn` (or raise, or repair) calls `dynasafe.guard_process("warn")`. Without the
variable, or with `off`, `0`, `false`, `no` or `none`, nothing happens; another word is an error. So
you can switch it on without a change of code:
`python -c "import dynasafe.autoguard, app; app.main()"`.
"""

from __future__ import annotations

import os
from typing import Any

from dynasafe.guard import guard_process

_OFF = frozenset({"", "off", "0", "false", "no", "none"})

_given = os.environ.get("DYNASAFE_GUARD", "").strip()
_mode: Any = _given.lower()
if _mode not in _OFF:
    if _mode not in ("warn", "raise", "repair"):
        from dynasafe.errors import ValueOutOfRangeError
        from dynasafe.findings.quoting import quoted

        raise ValueOutOfRangeError(
            "DYNASAFE_GUARD",
            f"'warn', 'raise', 'repair' or 'off' is expected, not {quoted(_given)}",
        )
    guard_process(_mode)
