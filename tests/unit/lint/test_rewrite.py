"""Actions, conditions and values, written with UpdateBuilder."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.support.linting import left, migrated

LEFT: list[tuple[str, str, list[str]]] = [
    (
        "bytes of a variable",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'B': y}})",
        ["a value is no display of an AttributeValue"],
    ),
    (
        "a map with more",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'M': {**x}}})",
        ["a map with **"],
    ),
    (
        "two types",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'S': x, 'N': '1'}})",
        ["a value is no display of an AttributeValue"],
    ),
    (
        "an unknown type",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'Q': x}})",
        ["a value is no display of an AttributeValue"],
    ),
    (
        "a value from elsewhere",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': x})",
        ["a value is no display of an AttributeValue"],
    ),
    (
        "a number when Decimal is taken",
        "Decimal = 1\nclient.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'N': x}})",
        ["the name Decimal is taken"],
    ),
    (
        "a key from elsewhere",
        "client.update_item(TableName='people', Key=k, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'S': x}})",
        ["Key is no display of AttributeValues"],
    ),
    (
        "a key with more",
        "client.update_item(TableName='people', Key={**k}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'S': x}})",
        ["Key is no display of AttributeValues"],
    ),
    (
        "begins_with of two attributes",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression='begins_with(a, b)', ExpressionAttributeValues={':v': x})",
        ["begins_with of two attributes"],
    ),
    (
        "attribute_type of a variable",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression='attribute_type(a, :t)', ExpressionAttributeValues={':v': x, ':t': y})",
        ["attribute_type of a type that is not literal"],
    ),
    (
        "a value on the left",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression=':w < a', ExpressionAttributeValues={':v': x, ':w': y})",
        ["a condition whose left side is no attribute"],
    ),
    (
        "contains of a path",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression='contains(a, b)', ExpressionAttributeValues={':v': x})",
        ["contains of two attributes"],
    ),
    (
        "a value that nothing uses",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': x, ':w': g()})",
        ["a value that no expression uses"],
    ),
    (
        "if_not_exists of paths",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = if_not_exists(b, c)')",
        ["a computed value that UpdateBuilder does not write"],
    ),
    (
        "list_append of two paths",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = list_append(b, c)')",
        ["list_append without if_not_exists(..., an empty list)"],
    ),
    (
        "a condition on a negative",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression='a > :v', ExpressionAttributeValues={':v': -1})",
        ["a value that is used twice and is no name"],
    ),
    (
        "a name used twice",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET #a = #a + :v', ExpressionAttributeNames={'#a': g()}, ExpressionAttributeValues={':v': 1})",
        ["a name that is used twice and is no variable"],
    ),
    (
        "a table's name on a Table",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': 1}, TableName='people')",
        ["TableName on a Table"],
    ),
    ("no key", "table.update_item(UpdateExpression='REMOVE a')", ["no Key"]),
    (
        "no table",
        "client.update_item(Key={'id': {'S': 'a'}}, UpdateExpression='REMOVE a')",
        ["no TableName"],
    ),
    (
        "members that are spread",
        "p = {'Key': k, 'UpdateExpression': 'REMOVE a'}\ntable.update_item(**p)",
        ["members in a dict that is spread"],
    ),
    (
        "members spread in a function",
        "def f(k):\n    p = {'Key': k, 'UpdateExpression': 'REMOVE a'}\n    table.update_item(**p)",
        ["members in a dict that is spread"],
    ),
    (
        "members spread for two calls",
        "def f(k):\n    p = {'Key': k, 'UpdateExpression': 'REMOVE a'}\n    table.update_item(**p)\n    table.update_item(**p)",
        ["members in a dict that is spread", "members in a dict that is spread"],
    ),
    (
        "a condition from elsewhere",
        "table.update_item(Key=k, UpdateExpression='REMOVE a', ConditionExpression=c)",
        ["ConditionExpression is not literal"],
    ),
]
MIGRATED: list[tuple[str, str, str]] = [
    (
        "a set of texts",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :v', ExpressionAttributeValues={':v': {'SS': ['x', y]}})",
        "client.update_item(\n    **UpdateBuilder()\n    .add(\"a\", {'x', y})\n    .build_client(table_name='people', key={'id': 'a'})\n)",
    ),
    (
        "a set of numbers",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='ADD a :v', ExpressionAttributeValues={':v': {'NS': ['1', str(y)]}})",
        "client.update_item(\n    **UpdateBuilder()\n    .add(\"a\", {1, Decimal(str(y))})\n    .build_client(table_name='people', key={'id': 'a'})\n)",
    ),
    (
        "bytes",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'B': b'x'}})",
        "client.update_item(\n    **UpdateBuilder()\n    .set(\"a\", b'x')\n    .build_client(table_name='people', key={'id': 'a'})\n)",
    ),
    (
        "null",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'NULL': True}})",
        "client.update_item(\n    **UpdateBuilder()\n    .set(\"a\", None)\n    .build_client(table_name='people', key={'id': 'a'})\n)",
    ),
    (
        "a list",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'L': [{'S': x}, {'N': '1'}]}})",
        "client.update_item(\n    **UpdateBuilder()\n    .set(\"a\", [x, 1])\n    .build_client(table_name='people', key={'id': 'a'})\n)",
    ),
    (
        "a map",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'M': {'x': {'S': x}}}})",
        "client.update_item(\n    **UpdateBuilder()\n    .set(\"a\", {'x': x})\n    .build_client(table_name='people', key={'id': 'a'})\n)",
    ),
    (
        "a number as text",
        "client.update_item(TableName='people', Key={'id': {'S': 'a'}}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': {'N': x}})",
        "client.update_item(\n    **UpdateBuilder()\n    .set(\"a\", Decimal(x))\n    .build_client(table_name='people', key={'id': 'a'})\n)",
    ),
    (
        "two attributes",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression='a < b', ExpressionAttributeValues={':v': x})",
        'table.update_item(\n    **UpdateBuilder()\n    .set("a", x)\n    .condition(attr("a") < attr("b"))\n    .build(key={\'id\': \'a\'})\n)',
    ),
    (
        "a size on the right",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression='a < size(b)', ExpressionAttributeValues={':v': x})",
        'table.update_item(\n    **UpdateBuilder()\n    .set("a", x)\n    .condition(attr("a") < attr("b").size())\n    .build(key={\'id\': \'a\'})\n)',
    ),
    (
        "in of attributes",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ConditionExpression='a IN (b, :v)', ExpressionAttributeValues={':v': x})",
        'table.update_item(\n    **UpdateBuilder()\n    .set("a", x)\n    .condition(attr("a").is_in([attr("b"), x]))\n    .build(key={\'id\': \'a\'})\n)',
    ),
    (
        "add of a path",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = b + c')",
        'table.update_item(\n    **UpdateBuilder()\n    .set("a", attr("b") + attr("c"))\n    .build(key={\'id\': \'a\'})\n)',
    ),
    (
        "a name of an attribute",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET #a = #a + :v', ExpressionAttributeNames={'#a': self.name}, ExpressionAttributeValues={':v': 1})",
        "table.update_item(\n    **UpdateBuilder()\n    .set(attr(name=self.name), attr(name=self.name) + 1)\n    .build(key={'id': 'a'})\n)",
    ),
    (
        "a name of code within a path",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET #a.b = :v', ExpressionAttributeNames={'#a': name}, ExpressionAttributeValues={':v': 1})",
        "table.update_item(\n    **UpdateBuilder()\n    .set(attr(name=name)[\"b\"], 1)\n    .build(key={'id': 'a'})\n)",
    ),
    (
        "SET of nested brackets",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = (b + :v)', ExpressionAttributeValues={':v': 1})",
        "table.update_item(\n    **UpdateBuilder()\n    .set(\"a\", attr(\"b\") + 1)\n    .build(key={'id': 'a'})\n)",
    ),
    (
        "something with the method",
        "def f(x, k):\n    x.update_item(Key=k, UpdateExpression='REMOVE a')",
        'def f(x, k):\n    x.update_item(\n        **UpdateBuilder()\n        .remove("a")\n        .build(key=k)\n    )',
    ),
    (
        "a float",
        "table.update_item(Key={'id': 'a'}, UpdateExpression='SET a = :v', ExpressionAttributeValues={':v': 1.5})",
        "table.update_item(\n    **UpdateBuilder()\n    .set(\"a\", 1.5)\n    .build(key={'id': 'a'})\n)",
    ),
]


@pytest.mark.parametrize(("name", "code", "reasons"), LEFT, ids=[name for name, *_ in LEFT])
def test_left(name: str, code: str, reasons: list[str]) -> None:
    """What has no form of its own stays, with the reason."""
    assert left(code) == reasons


@pytest.mark.parametrize(("name", "before", "after"), MIGRATED, ids=[name for name, *_ in MIGRATED])
def test_migrated(name: str, before: str, after: str) -> None:
    """Each form of a value, a name and a condition is written in Python."""
    assert migrated(before) == after
