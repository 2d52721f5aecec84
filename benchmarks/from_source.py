"""Only the functions of dynasafe, from its sources, without compiled code.

`benchmarks.functions` runs it so that Python finds the sources before the installed package.
"""

from __future__ import annotations

from benchmarks.figures import FROM_SOURCE, OURS
from benchmarks.functions import run

if __name__ == "__main__":
    run("benchmarks.from_source", is_compiled=False, names={OURS: FROM_SOURCE})
