"""The command: all figures, as JSON and in the tables of docs/performance.md.

python -m benchmarks          # some minutes; writes benchmarks/results.json and the docs
python -m benchmarks --fast   # under two minutes; shows that it works, writes under build/
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import (
    bodies,
    calls,
    cold_start,
    functions,
    imports,
    linting,
    memory,
    scans,
    sync_calls,
    telemetry,
)
from benchmarks.agreement import require_same_work
from benchmarks.figures import Figure, to_json
from benchmarks.picture import write as write_picture
from benchmarks.tables import between_markers, markdown

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
RESULTS = HERE / "results.json"
FAST_DIRECTORY = HERE.parent / "build" / "benchmarks-fast"

PACKAGES = (
    *("dynasafe", "aioboto3", "aiobotocore", "boto3", "botocore", "aiohttp"),
    *(
        "aiodynamo",
        "pynamodb",
        "pydynox",
        "dynamoxy",
        "capo-dynamodb",
        "aws-sdk-dynamodb",
        "pyperf",
    ),
)


def circumstances() -> dict[str, Any]:
    """The machine and the versions that the figures depend on."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "packages": _versions(),
    }


def _versions() -> dict[str, str]:
    """The versions of installed libraries. Some need a newer Python than dynasafe."""
    versions = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())


def measure(directory: Path, *, is_fast: bool) -> list[Figure]:
    return [
        *functions.measure(directory, 1 if is_fast else 5, is_fast=is_fast),
        *calls.measure(2 if is_fast else 15, is_fast=is_fast),
        *sync_calls.measure(2 if is_fast else 9, is_fast=is_fast),
        *cold_start.measure(1 if is_fast else 9),
        imports.measure(1 if is_fast else 5),
        *linting.measure(1 if is_fast else 9),
        *memory.measure(is_fast=is_fast),
        *scans.measure(1 if is_fast else 5, is_fast=is_fast),
        bodies.measure(is_fast=is_fast),
        telemetry.measure(2 if is_fast else 15, is_fast=is_fast),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="show that it works, in little time")
    is_fast: bool = parser.parse_args().fast
    require_same_work()
    given = circumstances()
    missing = [name for name in PACKAGES if name not in given["packages"]]
    if missing and not is_fast:
        raise SystemExit(f"not installed: {', '.join(missing)}. Fix: Python 3.12 or newer")
    directory = FAST_DIRECTORY if is_fast else HERE.parent / "build"
    directory.mkdir(parents=True, exist_ok=True)
    record = given | {"figures": [to_json(each) for each in measure(directory, is_fast=is_fast)]}
    results = directory / RESULTS.name if is_fast else RESULTS
    results.write_text(json.dumps(record, indent=2) + "\n")
    tables = markdown(record)
    print(tables)
    if not is_fast:
        PAGE.write_text(between_markers(PAGE.read_text(), tables))
        write_picture(record)


if __name__ == "__main__":
    main()
