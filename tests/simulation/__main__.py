"""`python -m tests.simulation SEED`: the history of one seed."""

from __future__ import annotations

import sys

from tests.simulation.world import simulate

for seed in sys.argv[1:]:
    history = simulate(int(seed))
    history.tally.ends.clear()
    sys.stdout.write(f"{history}\n")
