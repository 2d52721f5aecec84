"""Every reserved word, in three spellings, wherever a name can stand, on Amazon's own engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynasafe import UpdateBuilder, attr
from dynasafe.expressions.render import Placeholders, render_condition, render_projection
from dynasafe.expressions.reserved_words import RESERVED_WORDS
from dynasafe.items.conditions import condition_node
from dynasafe.items.projections import projection_node
from dynasafe.testing.engines import Engine
from tests.integration.conftest import boto3_client, key_schema

SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "mixed": str.title,
}
WORDS = sorted(RESERVED_WORDS)
BATCH = 25


def members(placeholders: Placeholders) -> dict[str, Any]:
    found = {
        "ExpressionAttributeNames": placeholders.names,
        "ExpressionAttributeValues": placeholders.values,
    }
    return {name: member for name, member in found.items() if member}


def test_list_has_573_words() -> None:
    """The list has as many words as the Developer Guide's."""
    assert len(WORDS) == 573


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_reserved_words_work_as_names(dynamodb_local: Engine, spelling: str) -> None:
    """Each reserved word works as an attribute's name in updates, projections and filters."""
    client = boto3_client(dynamodb_local)
    table = f"reserved-{spelling}"
    client.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **key_schema(pk="S"))
    key = {"pk": "k"}
    names = [SPELLINGS[spelling](word) for word in WORDS]
    try:
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            update = UpdateBuilder()
            for name in batch:
                update.set(attr(name=name), name)
                update.condition(attr(name=name).not_exists())
            params = update.build_client(table_name=table, key=key)
            assert len(params["ExpressionAttributeNames"]) == len(batch)
            client.update_item(**params)

            placeholders = Placeholders()
            text = render_projection(projection_node([attr(name=n) for n in batch]), placeholders)
            found = client.get_item(
                TableName=table,
                Key={"pk": {"S": "k"}},
                ProjectionExpression=text,
                **members(placeholders),
            )["Item"]
            assert found == {name: {"S": name} for name in batch}

            placeholders = Placeholders()
            is_stored = attr(name=batch[0]) == batch[0]
            for name in batch[1:]:
                is_stored &= attr(name=name) == name
            text = render_condition(condition_node(is_stored), placeholders)
            scanned = client.scan(TableName=table, FilterExpression=text, **members(placeholders))
            assert scanned["Count"] == 1
    finally:
        client.delete_table(TableName=table)


def test_reserved_words_work_as_keys(dynamodb_local: Engine) -> None:
    """Each reserved word works as the name of a key in a query.

    573 x 3 tables would take long, so one table with another key is queried: DynamoDB parses the
    expression first, and reports the missing key only if it could.
    """
    client = boto3_client(dynamodb_local)
    table = "reserved-keys"
    client.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **key_schema(pk="S"))
    try:
        for word in WORDS:
            for spell in SPELLINGS.values():
                placeholders = Placeholders()
                node = condition_node(attr(name=spell(word)) == "x")
                text = render_condition(node, placeholders)
                with pytest.raises(client.exceptions.ClientError) as caught:
                    client.query(
                        TableName=table, KeyConditionExpression=text, **members(placeholders)
                    )
                message = caught.value.response["Error"]["Message"]
                assert message == "Query condition missed key schema element", (word, message)
    finally:
        client.delete_table(TableName=table)


@pytest.mark.parametrize("word", ["NAME", "status", "Timestamp", "REMOVE", "add", "_a", "1a"])
def test_bare_name_is_refused(dynamodb_local: Engine, word: str) -> None:
    """The engine refuses such a name without its alias, and accepts it with one."""
    client = boto3_client(dynamodb_local)
    table = f"bare-{word.strip('_')}-names"
    client.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **key_schema(pk="S"))
    try:
        with pytest.raises(client.exceptions.ClientError, match="ValidationException"):
            client.update_item(
                TableName=table,
                Key={"pk": {"S": "k"}},
                UpdateExpression=f"SET {word} = :v",
                ExpressionAttributeValues={":v": {"S": "x"}},
            )
        client.update_item(
            **UpdateBuilder().set(word, "x").build_client(table_name=table, key={"pk": "k"})
        )
    finally:
        client.delete_table(TableName=table)
