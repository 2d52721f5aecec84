"""Properties of `dynasafe lint`: migrations are proved, fixes end, and nothing makes it raise."""

from __future__ import annotations

import ast
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dynasafe.expressions.parser import parse_condition, parse_update
from dynasafe.lint.engine import check_source
from dynasafe.lint.fixes import fix_source
from dynasafe.lint.migrate import migrate_source
from dynasafe.lint.settings import Selection
from dynasafe.lint.source import Source
from dynasafe.testing import strategies
from dynasafe.values.convert import to_attribute_map
from tests.support.linting import SYNC
from tests.unit.lint.test_rules import ASYNC, ASYNC_CASES, CASES, SYNC_IN_ASYNC

KEY = {"dynasafe-key": "a"}


@st.composite
def requests(draw: st.DrawFn, *, form: str) -> dict[str, Any]:
    """The parameters of an UpdateItem that UpdateBuilder makes."""
    item = draw(strategies.items())
    builder = draw(strategies.updates(item))
    for _ in range(draw(st.integers(0, 2))):
        builder.condition(draw(strategies.conditions(item)))
    return_values: Any = draw(st.sampled_from([None, "ALL_NEW"]))
    if form == "client":
        return builder.build_client(table_name="t", key=KEY, return_values=return_values)
    return builder.build(key=KEY, return_values=return_values)


def written(params: dict[str, Any]) -> str:
    """A function that makes the call."""
    members = "".join(f"        {name}={value!r},\n" for name, value in params.items())
    return f"from decimal import Decimal\n\n\ndef f(it):\n    it.update_item(\n{members}    )\n"


class Recorder:
    """Takes the call of an update, and keeps its parameters."""

    def update_item(self, **params: Any) -> None:
        self.params = params


def run(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    recorder = Recorder()
    namespace["f"](recorder)
    return recorder.params


def trees(params: dict[str, Any], *, form: str) -> tuple[object, object]:
    """The update and the condition, with names and values in their places."""
    values = params.get("ExpressionAttributeValues", {})
    wire = values if form == "client" else to_attribute_map(values)
    names = params.get("ExpressionAttributeNames", {})
    condition = params.get("ConditionExpression")
    return (
        parse_update(params["UpdateExpression"], names, wire),
        None if condition is None else parse_condition(condition, names, wire),
    )


@given(st.data(), st.sampled_from(["resource", "client"]))
def test_migration_keeps_the_tree(data: st.DataObject, form: str) -> None:
    """An update that UpdateBuilder can write is migrated, and makes the same trees."""
    params = data.draw(requests(form=form))
    code = written(params)

    migrated = migrate_source(Source(code, "app.py"))

    assert (migrated.count, migrated.left) == (1, ())
    made = run(migrated.text)
    assert trees(made, form=form) == trees(params, form=form)
    others = {"Key", "ReturnValues", "TableName"}
    assert {name: made[name] for name in others & made.keys()} == {
        name: params[name] for name in others & params.keys()
    }
    again = migrate_source(Source(migrated.text, "app.py"))
    assert again.text == migrated.text


TEXTS = [
    *[(SYNC + each[1]) for each in [*CASES, *SYNC_IN_ASYNC]],
    *[(ASYNC + each[1]) for each in ASYNC_CASES],
]


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4), st.booleans())
def test_fixes_end(texts: list[str], unsafe: bool) -> None:
    """Fixing again changes nothing, the text parses, and no safe fix is left."""
    selection = Selection(select=("DYS", "risk"))
    source = Source("\n\n".join(texts), "app.py")

    fixed = fix_source(source, unsafe=unsafe, selection=selection)
    again = fix_source(Source(fixed.text, "app.py"), unsafe=unsafe, selection=selection)

    ast.parse(fixed.text)
    assert (again.text, again.count) == (fixed.text, 0)
    assert not [each for each in fixed.report.problems if each.safety == "safe"]


NODES = [node for text in TEXTS for node in ast.walk(ast.parse(text)) if isinstance(node, ast.expr)]


@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_nothing_raises(text: str, random: Any) -> None:
    """Whatever stands in the place of an expression, the rules look at it."""
    tree = ast.parse(text)
    for node in list(ast.walk(tree)):
        for name, value in ast.iter_fields(node):
            is_value = isinstance(value, ast.expr) and isinstance(
                getattr(value, "ctx", ast.Load()), ast.Load
            )
            if is_value and random.random() < 0.1 and not isinstance(node, ast.FormattedValue):
                setattr(node, name, random.choice(NODES))
    try:
        changed = ast.unparse(tree)
        source = Source(changed, "app.py")
    except (SyntaxError, RecursionError, ValueError):
        return  # no Python any more

    selection = Selection(select=("DYS", "risk"))
    report = check_source(source, selection=selection)
    for problem in report.problems:
        assert 0 <= problem.span[0] <= problem.span[1] <= len(source.text)
    fix_source(source, unsafe=True, selection=selection)
    migrate_source(source)


def test_decimals_are_written() -> None:
    """A value that is a Decimal stays one."""
    params = {
        "Key": KEY,
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": Decimal("1.5")},
    }

    made = run(migrate_source(Source(written(params), "app.py")).text)

    assert made["ExpressionAttributeValues"] == {":a": Decimal("1.5")}
