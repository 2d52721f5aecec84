"""Calls of update_item, rewritten to UpdateBuilder."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from dynasafe.expressions.parser import parse_update
from dynasafe.lint.migrate import migrate_source
from dynasafe.lint.source import Source
from dynasafe.values.convert import to_attribute_map
from tests.support.linting import SYNC, left, migrated


def update(text: str, values: str = "", *, condition: str = "", names: str = "") -> str:
    members = [f'Key={{"id": "a"}}, UpdateExpression="{text}"']
    if condition:
        members.append(f'ConditionExpression="{condition}"')
    if names:
        members.append(f"ExpressionAttributeNames={{{names}}}")
    if values:
        members.append(f"ExpressionAttributeValues={{{values}}}")
    return f"table.update_item({', '.join(members)})\n"


LINKS = [
    ("SET a = :v", "", '.set("a", v)'),
    ("SET a = if_not_exists(a, :v)", "", '.set_if_not_exists("a", v)'),
    ("SET a = if_not_exists(b, :v)", "", '.set("a", attr("b").if_not_exists(v))'),
    ("SET a = if_not_exists(a, :zero) + :v", "", '.increment("a", v)'),
    ("SET a = a + :v", "", '.set("a", attr("a") + v)'),
    ("SET a = b - :v", "", '.set("a", attr("b") - v)'),
    ("SET a = list_append(if_not_exists(a, :empty), :v)", "", '.append("a", v)'),
    ("SET a = list_append(:v, if_not_exists(a, :empty))", "", '.prepend("a", v)'),
    ("SET a.b[0] = :v", "", '.set("a.b[0]", v)'),
    ("SET a = b", "", '.set("a", attr("b"))'),
    ("REMOVE a, b[1]", "", '.remove("a", "b[1]")'),
    ("ADD a :v", "", '.add("a", v)'),
    ("DELETE a :v", "", '.delete("a", v)'),
    ("SET a = :v", "attribute_exists(id)", '.condition(attr("id").exists())'),
    ("SET a = :v", "a < :v AND b = :v", '.condition((attr("a") < v) & (attr("b") == v))'),
    ("SET a = :v", "NOT contains(a, :v)", '.condition(~attr("a").contains(v))'),
    ("SET a = :v", "size(b) > :n", '.condition(attr("b").size() > n)'),
    ("SET a = :v", "b IN (:v, :n)", '.condition(attr("b").is_in([v, n]))'),
    ("SET a = :v", "b BETWEEN :v AND :n", '.condition(attr("b").between(v, n))'),
    ("SET a = :v", "attribute_type(b, :t)", '.condition(attr("b").is_type("S"))'),
]


@pytest.mark.parametrize(("text", "condition", "link"), LINKS)
def test_link(text: str, condition: str, link: str) -> None:
    """Each form of an action and of a condition has its method."""
    written = f"{text} {condition}"
    known = {":v": "v", ":n": "n", ":zero": "0", ":empty": "[]", ":t": '"S"'}
    values = ", ".join(
        f'"{name}": {code}' for name, code in known.items() if name in written.replace(")", " ")
    )

    made = migrated(update(text, values, condition=condition))

    assert link in made.splitlines()[2 if not condition else 3].strip()


def test_whole_call() -> None:
    """The call, its receiver and its options stay; the import is added once."""
    code = """
    def f(name):
        try:
            return table.update_item(
                Key={"id": "a"},
                UpdateExpression="SET #n = :n",
                ExpressionAttributeNames={"#n": "name"},
                ExpressionAttributeValues={":n": name},
                ReturnValues="ALL_NEW",
            )["Attributes"]
        except client.exceptions.ResourceNotFoundException:
            return None
    """
    expected = """
    def f(name):
        try:
            return table.update_item(
                **UpdateBuilder()
                .set("name", name)
                .build(key={"id": "a"}, return_values="ALL_NEW")
            )["Attributes"]
        except client.exceptions.ResourceNotFoundException:
            return None
    """
    whole = migrate_source(Source(SYNC + dedent(code), "app.py")).text

    assert migrated(code) == dedent(expected)
    assert whole.count("from dynasafe import UpdateBuilder\n") == 1


def test_incident() -> None:
    """Names that no text uses go, whatever they are: with any, the call was refused."""
    code = """
    def f(names, name):
        table.update_item(
            Key={"id": "a"},
            UpdateExpression="SET nickname = :n",
            ExpressionAttributeNames=names if names else None,
            ExpressionAttributeValues={":n": name},
        )
    """

    assert '.set("nickname", name)' in migrated(code)


def test_client() -> None:
    """AttributeValues become Python values; a number that is text becomes a Decimal."""
    code = """
    client.update_item(
        TableName=people,
        Key={"id": {"S": key}},
        UpdateExpression="SET a = :a, b = :b, c = :c, d = :d",
        ExpressionAttributeValues={
            ":a": {"N": str(len(key))},
            ":b": {"N": number},
            ":c": {"L": [{"S": "x"}, {"BOOL": True}]},
            ":d": {"SS": ["x", "y"]},
        },
    )
    """
    expected = """
    client.update_item(
        **UpdateBuilder()
        .set("a", len(key))
        .set("b", Decimal(number))
        .set("c", ["x", True])
        .set("d", {"x", "y"})
        .build_client(table_name=people, key={"id": key})
    )
    """

    assert migrated(code) == dedent(expected)


def test_meta_client() -> None:
    """A resource's client keeps its TableName, beside Python values."""
    code = """
    dynamodb.meta.client.update_item(TableName="people", Key={"id": "a"},
        UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": 1})
    """
    expected = """
    dynamodb.meta.client.update_item(
        TableName="people",
        **UpdateBuilder()
        .set("a", 1)
        .build(key={"id": "a"})
    )
    """

    assert migrated(code) == dedent(expected)


def test_condition_of_boto3() -> None:
    """A condition of boto3 is taken as it is."""
    code = """
    table.update_item(Key={"id": "a"}, UpdateExpression="REMOVE a",
        ConditionExpression=Attr("a").exists() & Attr("b").gt(1))
    """

    assert '.condition(Attr("a").exists() & Attr("b").gt(1))' in migrated(code)


FACES = [
    ("db = DynamoDB(client)\n    people = db.table('people')\n    ", "", ""),
    ("with DynamoDB.connect() as db:\n        people = db.table('people')\n        ", "", ""),
    (
        "async with AsyncDynamoDB.connect() as db:\n        people = db.table('people')\n        ",
        "(await ",
        ")",
    ),
]


@pytest.mark.parametrize(("made_by", "before", "after"), FACES)
def test_face(made_by: str, before: str, after: str) -> None:
    """A table of dynasafe that is still called as boto3's gets its own method's arguments."""
    call = (
        "people.update_item(Key=key, UpdateExpression='SET a = :a', "
        "ExpressionAttributeValues={':a': 1}, ReturnValues='ALL_NEW')"
    )
    function = (
        f"async def f(key, client):\n    {made_by}return {before}{call}{after}['Attributes']\n"
    )
    source = "from dynasafe import AsyncDynamoDB, DynamoDB\n\n\n" + function

    made = migrate_source(Source(source, "app.py"))

    assert (made.count, made.left) == (1, ())
    whole = " ".join(made.text.split())
    assert (
        f'return {before}people.update_item( key, UpdateBuilder() .set("a", 1), '
        f"return_values='ALL_NEW', ){after}.attributes"
    ) in whole


def test_face_that_grows() -> None:
    """So does one whose expression grows; one whose answer is used otherwise stays."""
    code = """
    from dynasafe import Table

    def f(people: Table, name):
        parts, values = [], {}
        if name:
            parts.append("nickname = :n")
            values[":n"] = name
        people.update_item(Key={"id": "a"}, UpdateExpression="SET " + ", ".join(parts),
            ExpressionAttributeValues=values)
        return people.update_item(Key={"id": "a"}, UpdateExpression="REMOVE a")
    """
    made = migrate_source(Source(dedent(code), "app.py"))

    assert 'people.update_item({"id": "a"}, update)' in made.text
    assert [each.reason for each in made.left] == ["its answer is used as boto3's"]


def test_names_that_are_no_paths() -> None:
    """A name with a dot is a name, not a path."""
    made = migrated(update("SET #a = :v, b.#a = :v", '":v": 1', names='"#a": "x.y"'))

    assert '.set(attr(name="x.y"), 1)' in made
    assert '.set(attr(name="b")["x.y"], 1)' in made


def test_names_that_are_code() -> None:
    """A name that the code gives is a name too, wherever it stands."""
    made = migrated(
        update(
            "SET #tags.#k = :v, #k = :v",
            '":v": v',
            names='"#tags": "tags", "#k": key',
            condition="attribute_exists(#k)",
        )
    )

    assert '.set(attr("tags")[key], v)' in made.replace('attr(name="tags")', 'attr("tags")')
    assert ".set(attr(name=key), v)" in made
    assert ".condition(attr(name=key).exists())" in made


def test_dicts_of_their_own() -> None:
    """Dicts that are made for the call alone go into it; others stay, and so does the call."""
    code = """
    def f(event):
        names = {"#n": event["attribute"]}
        values = {":n": event["name"]}
        table.update_item(
            Key={"id": "a"},
            UpdateExpression="SET #n = :n",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
    """
    expected = """
    def f(event):
        table.update_item(
            **UpdateBuilder()
            .set(attr(name=event["attribute"]), event["name"])
            .build(key={"id": "a"})
        )
    """
    assert migrated(code).strip() == dedent(expected).strip()

    for other in (
        code.replace("    table.update_item(", "    event.clear()\n        table.update_item("),
        code.replace('event["name"]', "next(event)"),
        code.replace("    table.update_item(", "    print(values)\n        table.update_item("),
    ):
        assert left(other) == ["ExpressionAttributeNames is not literal"] or left(other) == [
            "ExpressionAttributeValues is not literal"
        ]


def test_text_of_constants() -> None:
    """Constants and str.format are read, and so are keys that are constants."""
    code = """
    COLUMN = "#s"
    VALUE = ":s"
    table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET {} = {}".format(COLUMN, VALUE),
        ExpressionAttributeNames={COLUMN: "status"},
        ExpressionAttributeValues={VALUE: status},
    )
    """

    assert '.set("status", status)' in migrated(code)


# ruff: noqa: E501
LEFT = [
    ('table.update_item(Key=k, UpdateExpression=text)', "UpdateExpression is not literal"),
    ("def f(parts):\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts))", "what the expression is made of is bound twice"),
    ("def f(a):\n    parts = []\n    for each in a:\n        parts.append('a = a')\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts))", "the expression grows in a loop"),
    ("def f(a):\n    parts, values = [], {}\n    for k, v in a.items():\n        parts.append(f'{k} = :v')\n        values[':v'] = v\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)", "the expression grows in a loop, with a placeholder that may stay the same"),
    ("def f(a):\n    parts, values = [], {}\n    for k, v in a:\n        parts.append(f'{k} = :{k}')\n        values[f':{k}'] = v\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts), ExpressionAttributeValues=values)", "the expression grows in a loop, with a placeholder that may stay the same"),
    ("def f(a):\n    parts = []\n    if a:\n        parts.append(a)\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts))", "a part of the expression is not literal"),
    ("def f(a):\n    parts = []\n    if a:\n        parts.append('a = b')\n    print(parts)\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts))", "the expression's parts are used elsewhere"),
    ("def f(a):\n    parts = []\n    if a:\n        parts.append('a = b')  # why\n        parts.append('c = d')\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts))", "a comment, or another statement, on the line"),
    ("def f(update):\n    parts = []\n    table.update_item(Key=k, UpdateExpression='SET ' + ', '.join(parts))", "the name update is taken"),
    ('table.update_item(Key=k, UpdateExpression="REMOVE a", **more)', "** or positional arguments"),
    (update("SET a = :v", "**values"), "a key of ExpressionAttributeValues is not literal"),
    (update("SET a = list_append(a, :v)", '":v": v'), "list_append without if_not_exists(..., an empty list)"),
    (update("SET a = :v, b = :v", '":v": f()'), "a value that is used twice and is no name"),
    (update("SET a = :v b", '":v": v'), "the expression is malformed: Syntax error; token: \"b\", near: \":v b\""),
    ('table.update_item(Key=k, AttributeUpdates={})', "legacy or unknown parameters"),
    ('table.update_item(  # why\n    Key=k, UpdateExpression="REMOVE a")', "a comment within the call"),
    ('attr = 1\n' + update("REMOVE a"), "the name attr is taken"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "reason"), LEFT, ids=[each[1] for each in LEFT])
def test_left(code: str, reason: str) -> None:
    """What cannot be proved stays, with the reason."""
    assert left(code) == [reason]


GROWN = [
    """
    def f(it, a=None, b=None):
        parts, names, values = [], {}, {}
        if a:
            parts.append("#n = :n")
            names["#n"] = "name"
            values[":n"] = a
        if b:
            parts.append("visits = if_not_exists(visits, :zero) + :one")
            values[":zero"] = 0
            values[":one"] = b
        if not parts:
            return None
        return it.update_item(
            Key={"id": "a"},
            UpdateExpression="SET " + ", ".join(parts),
            ExpressionAttributeNames=names if names else None,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
    """,
    """
    def f(it, a=None, b=None):
        text = "SET updated = :u"
        values = {":u": 7}
        names = {}
        if a:
            text += ", #n = :n"
            values[":n"] = a
            names["#n"] = "name"
        else:
            text += ", other = :o"
            values[":o"] = 1
        if b:
            values[":b"] = [b]
            text += ", list = list_append(if_not_exists(list, :e), :b),"
            values[":e"] = []
        it.update_item(
            Key={"id": "a"},
            UpdateExpression=text.rstrip(","),
            ExpressionAttributeNames=names or None,
            ExpressionAttributeValues=values,
        )
    """,
    """
    def f(it, a=None, b=None):
        sets = ["updated = :u"]
        values = {":u": {"N": "7"}}
        if a:
            sets.append("nickname = :n")
            values[":n"] = {"S": a}
        if b:
            sets.append("count = :c")
            values[":c"] = {"N": str(b)}
        it.update_item(
            TableName="people",
            Key={"id": {"S": "a"}},
            UpdateExpression=f"SET {', '.join(sets)}",
            ExpressionAttributeValues=values,
        )
    """,
]


LOOPED = [
    """
    def f(it, data):
        try:
            parts, names, values = [], {}, {}
            for key, value in data.items():
                parts.append(f"#{key} = :{key}")
                names[f"#{key}"] = key
                values[f":{key}"] = value
            if parts:
                it.update_item(
                    Key={"id": "a"},
                    UpdateExpression="SET " + ", ".join(parts),
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                )
        except ValueError:
            pass
    """,
    """
    def f(it, data):
        text = "SET updated = :u"
        values = {":u": 7}
        names = {}
        for at, key in enumerate(data):
            text += f", #k{at} = :v{at}"
            names[f"#k{at}"] = key
            values[f":v{at}"] = data[key]
        it.update_item(
            Key={"id": "a"},
            UpdateExpression=text,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
    """,
    """
    def f(it, data):
        parts, values = [], {}
        for key in data:
            parts.append(f"{key} = :{key}")
            values[f":{key}"] = data[key]
        if parts:
            it.update_item(
                Key={"id": "a"},
                UpdateExpression=f"SET {', '.join(parts)}",
                ExpressionAttributeValues=values,
            )
    """,
]


COMPREHENDED = [
    """
    def f(it, data):
        if not data:
            return
        it.update_item(
            Key={"id": "a"},
            UpdateExpression="SET " + ", ".join(f"#{key} = :{key}" for key in data),
            ExpressionAttributeNames={f"#{key}": key for key in data},
            ExpressionAttributeValues={f":{key}": value for key, value in data.items()},
        )
    """,
    """
    def f(it, data):
        if data:
            it.update_item(
                Key={"id": "a"},
                UpdateExpression=f"SET {', '.join([f'{k} = :{k}' for k in data.keys()])}",
                ExpressionAttributeValues={f":{k}": data[k] for k in data},
            )
    """,
]


def test_comprehended_otherwise() -> None:
    """What is not for sure every entry of the mapping stays."""
    for code in (
        COMPREHENDED[0].replace("for key in data),", "for key in data if key),"),
        COMPREHENDED[0].replace(": value for", ": str(value) for"),
        COMPREHENDED[0].replace("= :{key}", "= #{key} + :{key}"),
        COMPREHENDED[0].replace("if not data:", "data = dict(data)\n        if not data:"),
    ):
        made = migrate_source(Source(dedent(code), "app.py"))
        assert (made.count, len(made.left)) == (0, 1), made.text


@pytest.mark.parametrize("code", LOOPED + COMPREHENDED)
@pytest.mark.parametrize("data", [{}, {"a": "x"}, {"a": "x", "b": 3}, {"b": [1], "c": None}])
def test_looped(code: str, data: dict[str, Any]) -> None:
    """Whatever a loop goes over, the new code makes the same trees as the old."""
    source = Source(dedent(code), "app.py")
    made = migrate_source(source)
    assert (made.count, made.left) == (1, ())

    old, new = (run(text, {"data": data}) for text in (source.text, made.text))

    assert trees(new) == trees(old)
    assert "UpdateBuilder" in made.text


@pytest.mark.parametrize("code", GROWN)
@pytest.mark.parametrize("given", [{}, {"a": "x"}, {"b": 3}, {"a": "x", "b": 3}])
def test_grown(code: str, given: dict[str, Any]) -> None:
    """Whatever branches are taken, the new code makes the same trees as the old."""
    source = Source(dedent(code), "app.py")
    made = migrate_source(source)
    assert (made.count, made.left) == (1, ())

    old, new = (run(text, given) for text in (source.text, made.text))

    assert trees(new) == trees(old)
    assert "UpdateBuilder()" in made.text


class Recorder:
    """Takes the call of an update, and keeps its parameters."""

    params: dict[str, Any] | None = None

    def update_item(self, **params: Any) -> None:
        self.params = params


def run(text: str, given: dict[str, Any]) -> dict[str, Any] | None:
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    recorder = Recorder()
    namespace["f"](recorder, **given)
    return recorder.params


def trees(params: dict[str, Any] | None) -> object:
    if params is None:
        return None
    values = params["ExpressionAttributeValues"]
    wire = values if "TableName" in params else to_attribute_map(values)
    names = params.get("ExpressionAttributeNames") or {}
    rest = {name: params.get(name) for name in ("Key", "TableName", "ReturnValues")}
    return parse_update(params["UpdateExpression"], names, wire), rest
