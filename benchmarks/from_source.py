"""The functions of dynasafe alone, of its sources, without compiled code.

Run where Python finds the sources before what is installed: `benchmarks.functions` does.
"""

from __future__ import annotations

from benchmarks.figures import FROM_SOURCE, OURS
from benchmarks.functions import run

if __name__ == "__main__":
    run("benchmarks.from_source", is_compiled=False, names={OURS: FROM_SOURCE})
