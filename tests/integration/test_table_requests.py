"""CreateTable, UpdateTable and PartiQL: the verdict of DynamoDB Local on generated requests."""

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import Any

from dynasafe.testing.engines import Engine
from tests.support.requests import TABLE, send
from tests.support.words import check_as_before

COUNT = 3000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 150

OF_THE_TABLE = (
    "Key attribute's data type should match its data type in table's schema",
    "The requested throughput value equals the current value",
    "invalid attribute, SchemaElement redefined should be of same type",
    "Requested resource not found",
)
"""What the engine says of a table as it is."""
ACCEPTED_BY_THE_EMULATOR = {
    "Neither ReadCapacityUnits nor WriteCapacityUnits can be": "ProvisionedThroughput, "
    "CreateTable, API Reference; dynalite",
    "ProvisionedThroughput should not be specified for index": "dynalite, validations/createTable",
    "ReadCapacityUnits and WriteCapacityUnits must both be": "BillingMode, UpdateTable, API "
    "Reference; dynalite",
    "Some AttributeDefinitions are not used": "AttributeDefinitions, CreateTable, API Reference: "
    "for the keys of the table and its indexes",
    "Number of parameters in request and statement don't": "ExecuteStatement, API Reference: "
    "Parameters; the emulator overlooks those that are too many",
}
"""How ours begins, and the source that says that the emulator is wrong."""


class TableRequests:
    """CreateTable and UpdateTable, most of them right, some broken in up to two places."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def make(self) -> tuple[str, dict[str, Any]]:
        """An operation, and a request of it."""
        match self.random.randrange(4):
            case 0:
                return "UpdateTable", self.update()
            case 1:
                return "ExecuteStatement", self.statement()
            case _:
                return "CreateTable", self.create()

    def create(self) -> dict[str, Any]:
        has_sort = self.chance(0.6)
        keys = ["pk", "sk"][: 1 + has_sort]
        names = list(keys)
        params: dict[str, Any] = {"TableName": "made", "KeySchema": self.key(keys)}
        if self.chance(0.5):
            params["BillingMode"] = "PAY_PER_REQUEST"
        else:
            params["ProvisionedThroughput"] = self.units()
            if self.chance(0.3):
                params["BillingMode"] = "PROVISIONED"
        if self.chance(0.4):
            indexes = [self.index(params) for _ in range(self.random.choice([1, 1, 2]))]
            params["GlobalSecondaryIndexes"] = indexes
            names += [each["AttributeName"] for one in indexes for each in one["KeySchema"]]
        if has_sort and self.chance(0.3):
            local = self.index({}, ["pk", self.random.choice("lm")])
            params["LocalSecondaryIndexes"] = [local]
            names.append(local["KeySchema"][1]["AttributeName"])
        params["AttributeDefinitions"] = [
            {"AttributeName": name, "AttributeType": self.random.choice("SNB")}
            for name in dict.fromkeys(names)
        ]
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            self.break_table(params)
        return params

    def update(self) -> dict[str, Any]:
        params: dict[str, Any] = {"TableName": "changed"}
        if self.chance(0.4):
            params["BillingMode"] = self.random.choice(["PAY_PER_REQUEST", "PROVISIONED"])
        if self.chance(0.3):
            params["ProvisionedThroughput"] = self.units()
        if self.chance(0.4):
            change: dict[str, Any] = {}
            if self.chance(0.8):
                index = self.index({"BillingMode": "PAY_PER_REQUEST"})
                change["Create"] = index
                params["AttributeDefinitions"] = [
                    {"AttributeName": each["AttributeName"], "AttributeType": "S"}
                    for each in index["KeySchema"]
                ]
                if self.chance(0.2):
                    del params["AttributeDefinitions"]
            if self.chance(0.3):
                change["Delete"] = {"IndexName": "no-index"}
            params["GlobalSecondaryIndexUpdates"] = [change]
        return params

    def statement(self) -> dict[str, Any]:
        text = self.random.choice(
            [
                'SELECT * FROM "requests" WHERE pk = ?',
                "SELECT * FROM \"requests\" WHERE pk = '?' AND sk = ?",
                'SELECT * FROM "requests" WHERE pk = ? AND sk = ?',
            ]
        )
        params: dict[str, Any] = {"Statement": text}
        parameters = [{"S": "a"}, {"N": "1"}][: self.random.choice([0, 1, 1, 2])]
        return params | ({"Parameters": parameters} if parameters else {})

    def key(self, names: list[str]) -> list[dict[str, str]]:
        kinds = ("HASH", "RANGE", "RANGE")
        return [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, kinds, strict=False)
        ]

    def units(self) -> dict[str, int]:
        return {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}

    def index(self, params: dict[str, Any], names: list[str] | None = None) -> dict[str, Any]:
        kind = self.random.choice(["ALL", "KEYS_ONLY", "INCLUDE"])
        projection: dict[str, Any] = {"ProjectionType": kind}
        if kind == "INCLUDE":
            projection["NonKeyAttributes"] = ["a"]
        keys = names or self.random.sample(["g", "h", "pk"], self.random.choice([1, 2]))
        index = {
            "IndexName": f"by-{self.random.choice('abcdefgh')}-{'l' if names else 'g'}",
            "KeySchema": self.key(keys),
            "Projection": projection,
        }
        if names is None and params.get("BillingMode") != "PAY_PER_REQUEST":
            index["ProvisionedThroughput"] = self.units()
        return index

    def break_table(self, params: dict[str, Any]) -> None:
        keys, definitions = params["KeySchema"], params["AttributeDefinitions"]
        indexes = params.get("GlobalSecondaryIndexes", [])
        match self.random.randrange(12):
            case 0:
                keys.reverse()
            case 1:
                keys.append({"AttributeName": "pk", "KeyType": "RANGE"})
            case 2:
                definitions.append({"AttributeName": "other", "AttributeType": "S"})
            case 3:
                definitions.pop(self.random.randrange(len(definitions)))
            case 4:
                params.pop("ProvisionedThroughput", None)
            case 5:
                params["BillingMode"] = "PAY_PER_REQUEST"
            case 6:
                params["TableName"] = self.random.choice(["ab", "x!", "n" * 256])
            case 7:
                keys[0]["KeyType"] = self.random.choice(["RANGE", "KEY"])
            case 8 if definitions:
                definitions[0]["AttributeType"] = self.random.choice(["BOOL", "SS", "X"])
            case 9 if indexes:
                indexes.append(dict(indexes[0]))
            case 10 if indexes:
                indexes[0]["Projection"] = self.random.choice(
                    [{}, {"ProjectionType": "ALL", "NonKeyAttributes": ["a"]}]
                )
            case 11:
                params["LocalSecondaryIndexes"] = [self.index({}, self.random.choice(LOCAL))]
            case _:
                pass


LOCAL = [["pk"], ["g", "l"], ["pk", "l"]]
CHANGED = {
    "TableName": "changed",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}


def is_named(theirs: str, ours: list[str]) -> bool:
    if theirs:
        return theirs.startswith(OF_THE_TABLE)
    return all(any(words in each for words in ACCEPTED_BY_THE_EMULATOR) for each in ours)


def test_generated_tables(dynamodb_local: Engine) -> None:
    """Table requests are accepted or refused as by the engine, but for the named differences."""
    url = dynamodb_local.endpoint_url
    assert send(url, "CreateTable", TABLE) == ("", "")
    counts: Counter[tuple[str, bool]] = Counter()
    try:
        for seed in range(COUNT):
            made = TableRequests(Random(seed))
            operation, body = made.make()
            if operation == "UpdateTable":
                assert send(url, "CreateTable", CHANGED) == ("", "")
            code, theirs = send(url, operation, body)
            for name in ("made", "changed"):
                send(url, "DeleteTable", {"TableName": name})
            ours = [each.message for each in check_as_before(operation, body, form="wire")]
            is_same = bool(code) is bool(ours)
            assert is_same or is_named(theirs, ours), (operation, body, theirs, ours)
            counts[operation, bool(code)] += 1
    finally:
        send(url, "DeleteTable", {"TableName": "requests"})
    assert min(counts.values()) > COUNT // 100, counts
    assert len(counts) == 6, counts
