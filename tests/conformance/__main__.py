"""A public conformance suite against DynamoDB Local, with check_request in front of it.

    python -m tests.conformance ../dynamodb-conformance [--plain] [--date 2026-05-14]

The suite is a copy of https://github.com/paritysuite/dynamodb-conformance. Its expectations are
answers of the service at its date, so that findings are worded as the service did then. Where the
copy is no checkout of git, `--date` says which that is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dynasafe.testing.engines import start_engine
from dynasafe.validation.words import HISTORY, Words
from tests.conformance.proxy import checking_proxy
from tests.conformance.remaining import reason

WANTED = {"all": 0.96, "tier3": 0.94}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path, help="its folder")
    parser.add_argument("--date", help="the day of its answers, where the folder is no checkout")
    parser.add_argument("--plain", action="store_true", help="the engine alone, to compare with")
    parser.add_argument("--files", nargs="*", default=[], help="test files only, for vitest")
    given = parser.parse_args()
    words = words_of(given.suite, given.date)
    with ExitStack() as stack:
        engine = stack.enter_context(start_engine("dynamodb-local"))
        url = engine.endpoint_url
        if not given.plain:
            url = stack.enter_context(checking_proxy(url, words))
        results = run(given.suite, url, given.files)
    print(f"words of {words.since}, {'DynamoDB Local alone' if given.plain else 'with dynasafe'}")
    return report(results, is_judged=not given.plain and not given.files)


def words_of(suite: Path, date: str | None) -> Words:
    """The words of the service at the date of the suite."""
    if date is None and (suite / ".git").exists():
        command = ["git", "-C", str(suite), "log", "-1", "--format=%cs"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        date = shown.stdout.strip()
    wanted = date or HISTORY[-1].since
    return next(each for each in reversed(HISTORY) if each.since <= wanted)


def run(suite: Path, url: str, files: list[str]) -> dict[str, Any]:
    if not (suite / "node_modules").is_dir():
        options = ["--ignore-scripts", "--no-audit", "--no-fund"]
        if subprocess.run(["npm", "ci", *options], cwd=suite, check=False).returncode:
            # Not every registry still has the versions of the lock file; any other does as well.
            install = ["npm", "install", "--no-package-lock", *options]
            subprocess.run(install, cwd=suite, check=True)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "results.json"
        subprocess.run(
            ["npx", "vitest", "run", "--reporter=json", f"--outputFile={output}", *files],
            cwd=suite,
            env={**os.environ, "DYNAMODB_ENDPOINT": url, "AWS_REGION": "us-east-1"},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        results: dict[str, Any] = json.loads(output.read_text())
    return results


def report(results: dict[str, Any], *, is_judged: bool) -> int:
    passed: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    surprises = 0
    for file in results["testResults"]:
        tier = next((part for part in Path(file["name"]).parts if part.startswith("tier")), "")
        for test in file["assertionResults"]:
            is_passed = test["status"] == "passed"
            for name in ("all", tier):
                counts[name] += 1
                passed[name] += is_passed
            if not is_passed:
                file_name = Path(file["name"]).name
                why = reason(file_name, test["fullName"])
                surprises += why is None
                first_line = "".join(test.get("failureMessages", []))[:160].partition("\n")[0]
                print(f"FAILED {file_name}: {test['fullName']}: {why or f'?? {first_line}'}")
    for name in sorted(counts):
        print(f"{name}: {passed[name]} of {counts[name]}, {passed[name] / counts[name]:.1%}")
    is_enough = all(passed[name] >= share * counts[name] for name, share in WANTED.items())
    return 0 if (is_enough and not surprises) or not is_judged else 1


sys.exit(main())
