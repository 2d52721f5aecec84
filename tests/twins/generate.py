"""Makes the sync face from the async one: what is written once is kept in one place.

    python -m tests.twins.generate          writes the modules that are made, and recipes_sync
    python -m tests.twins.generate --check  says which of them differ

Connections, threads and clocks are written by hand in both faces. All else is the same text
without `await`. A phrase that must differ stands in PHRASES, and must be found.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = {
    **{
        f"dynasafe/sync/{name}.py": f"dynasafe/aio/{name}.py"
        for name in ("contention", "database", "pages", "table")
    },
    "tests/typing/right_sync.py": "tests/typing/right.py",
    "tests/typing/wrong_sync.py": "tests/typing/wrong.py",
    **{
        f"examples/recipes_sync/{path.name}": f"examples/recipes/{path.name}"
        for path in sorted((ROOT / "examples" / "recipes").glob("[a-z]*.py"))
        # examples/sync has a Lambda function and a Flask application of their own.
        if path.stem not in ("lambda_handler", "fastapi_app")
    },
    **{
        f"examples/{package}_sync/{path.name}": f"examples/{package}/{path.name}"
        for package in ("accounts", "registry")
        for path in sorted((ROOT / "examples" / package).glob("*.py"))
        if path.stem != "__init__"
    },
    "tests/examples/stories_sync.py": "tests/examples/stories.py",
}

PHRASES: dict[str, dict[str, str]] = {
    "dynasafe/aio/database.py": {
        '''"""AsyncDynamoDB: one client, with what all its calls share.

async with AsyncDynamoDB.connect(region_name="us-east-1") as db:''': '''"""DynamoDB: one client, with what all its calls share.

with DynamoDB.connect(region_name="us-east-1") as db:''',
        '''"""A client for DynamoDB. One serves a whole process with one event loop.

    `AsyncDynamoDB.connect()` makes one over connections of its own, and closes them at the end of
    its `async with`. `AsyncDynamoDB(client)` sends through a client of aioboto3 or aiobotocore,
    which you close yourself.
''': '''"""A client for DynamoDB, for code that is not async. One serves all threads of a process.

    `DynamoDB.connect()` makes one over connections of its own, and closes them at the end of its
    `with`. `DynamoDB(client)` sends through a client of boto3, which you close yourself.
''',
        "Open the client on the running event loop, as": "Open the client, as",
        "You may enter it again after its end, also on another event loop. It then": (
            "You may enter it again after its end. It then"
        ),
        """or a function that returns one, async or not, and is called again
                before they expire.""": """or a function that returns one, and is called again before they
                expire.""",
        """whose settings and credentials are used. A
                session of aioboto3 makes a client of aioboto3, and requests go through it.""": (
            "whose settings and credentials are used."
        ),
    },
    "dynasafe/aio/table.py": {
        """Many tasks of one event loop may call the methods of
    one table at once.""": "Many threads may call the methods of one table at once.",
    },
    "dynasafe/aio/contention.py": {
        """await settle(db.transact_write_items(writes))
await retry_conflicts(read_change_and_store, on=VersionConflictError)""": """settle(lambda: db.transact_write_items(writes))
retry_conflicts(read_change_and_store, on=VersionConflictError)""",
        "async def settle(call: Awaitable[T]) -> T:": "def settle(call: Callable[[], T]) -> T:",
        "        return await call\n    except Outcome": "        return call()\n    except Outcome",
        "call: Callable[[], Awaitable[T]]": "call: Callable[[], T]",
        "call: makes a new awaitable each time.": "call: is called again each time.",
        '"""The result of a call. If': '"""The result of `call()`. If',
    },
    "examples/accounts/service.py": {"Callable[[], Awaitable[T]]": "Callable[[], T]"},
    "examples/recipes/audit_log.py": {
        "import json\n": "import json\nimport threading\n",
        """        async for entry in in_order:
            yield entry""": "        yield from in_order",
    },
    "examples/recipes/backfill.py": {
        "import logging\n": "import logging\nimport time\n",
        "-> Awaitable[None]: ...": "-> None: ...",
        'asyncio.gather(*(self._fill(item["id"]) for item in page.items))': (
            '[self._fill(item["id"]) for item in page.items]'
        ),
    },
    "examples/recipes/idempotency_keys.py": {
        "Awaitable[tuple[Response, Sequence[Write]]]": "tuple[Response, Sequence[Write]]",
    },
    "examples/recipes/optimistic_locking.py": {
        "    await asyncio.gather(*map(append, range(10)))": (
            "    for number in range(10):\n        append(number)"
        ),
    },
    "examples/recipes/outbox.py": {"Awaitable[None]": "None"},
    "examples/recipes/security_dashboard.py": {
        "dict(zip(Kind, await asyncio.gather(*map(count, Kind)), strict=True))": (
            "{kind: count(kind) for kind in Kind}"
        ),
    },
    "examples/recipes/sharded_counter.py": {
        "    await asyncio.gather(*(likes.add() for _ in range(100)))": (
            "    for _ in range(100):\n        likes.add()"
        ),
    },
    "examples/recipes/sqs_consumer.py": {
        "import json\n": "import json\nimport time\n",
        "less than the invocation has left.": (
            """less than the invocation has left. The client's own
                `timeout_s` ends the message that is under way."""
        ),
        "asyncio.get_running_loop().time()": "time.monotonic()",
        """await asyncio.gather(
            *(self._consume_group(group, now, deadline_s) for group in groups.values())
        )""": """[
            self._consume_group(group, now, deadline_s) for group in groups.values()
        ]""",
        """                async with asyncio.timeout_at(deadline_s):
                    await self._consume_one""": """                if time.monotonic() >= deadline_s:
                    raise TimeoutError
                self._consume_one""",
        "and all go at once.": "and stops no other.",
    },
    "examples/registry/paging.py": {"dynasafe.typing import Pages": "dynasafe.sync import Pages"},
    "tests/examples/stories.py": {
        "Awaitable[object]": "object",
        "examples.accounts import": "examples.accounts_sync import",
        "examples.recipes import": "examples.recipes_sync import",
        "examples.registry import": "examples.registry_sync import",
    },
}

WORDS = (
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\basyncio\.to_thread\((\w+), ", r"\1("),
    (r"\basyncio\.run\(main\(\)\)", "main()"),
    (r"\basyncio\.Lock\b", "threading.Lock"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\bsettle\((?=\s*[a-z_.]+\()", "settle(lambda: "),
    (r"\bAsyncDynamoDB\b", "DynamoDB"),
    (r"\bAsyncTable\b", "Table"),
    (r"\bAsyncGenerator\[(.+?), None\](?=[:,)])", r"Generator[\1, None, None]"),
    (r"\bAsyncGenerator\b", "Generator"),
    (r"\bCoroutine\[Any, Any, (.+)\](?=:)", r"\1"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\b__aiter__\b", "__iter__"),
    (r"\b__anext__\b", "__next__"),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\banext\(", "next("),
    (r"\baclosing\b", "closing"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\baclose\b", "close"),
    (r"\bdynasafe\.aio\b", "dynasafe.sync"),
    (
        r"\bdynasafe\.testing import create_tables, fake_database",
        "dynasafe.testing.sync import create_tables, fake_database",
    ),
    (r"\baioboto3 or aiobotocore\b", "boto3"),
    (r"\baioboto3\b", "boto3"),
    (r"\basync iterators\b", "iterators"),
)


def made(target: str) -> str:
    """The text of a sync module, made of the async one."""
    source = MADE[target]
    text = (ROOT / source).read_text()
    for phrase, other in PHRASES.get(source, {}).items():
        if phrase not in text:
            raise ValueError(f"{source} no longer has {phrase!r}")
        text = text.replace(phrase, other)
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    if target.startswith("examples/"):
        text = with_helpers(text)
    head, _, rest = text.partition("\n\nfrom __future__")
    text = (
        f"{head}\n\n# Made from {source} by `make twins`: change that one.\n\nfrom __future__{rest}"
    )
    for command in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
        text = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", target, "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
    return text


def with_helpers(text: str) -> str:
    """The text, with the helpers that both faces have imported from the sync one."""
    block = re.search(r"^from dynasafe import (\([^)]*\)|.*)$", text, re.MULTILINE)
    if block is None:
        return text
    names = re.findall(r"\w+", block[1])
    helpers = [name for name in names if name in ("retry_conflicts", "settle")]
    kept = ", ".join(name for name in names if name not in helpers)
    added = f"\nfrom dynasafe.sync import {', '.join(helpers)}" if helpers else ""
    return text.replace(block[0], f"from dynasafe import {kept}{added}")


def main() -> int:
    is_check = "--check" in sys.argv
    differing = []
    for target in MADE:
        path, text = ROOT / target, made(target)
        if not path.exists() or path.read_text() != text:
            differing.append(target)
            if not is_check:
                path.write_text(text)
    for each in differing:
        print(f"{each} {'differs: make twins' if is_check else 'was made'}")
    return int(is_check and bool(differing))


if __name__ == "__main__":
    sys.exit(main())
