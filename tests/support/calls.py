"""Requests of all kinds on one table with indexes, which DynamoDB may accept or refuse."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import uuid4

from tests.support.triples import NAMES, Triples

AttributeMap = dict[str, Any]
Call = tuple[str, AttributeMap]

TABLE = "calls"
DESCRIPTION: AttributeMap = {
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "g", "AttributeType": "S"},
        {"AttributeName": "h", "AttributeType": "N"},
        {"AttributeName": "i", "AttributeType": "B"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_g",
            "KeySchema": [
                {"AttributeName": "g", "KeyType": "HASH"},
                {"AttributeName": "h", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
        {
            "IndexName": "by_h",
            "KeySchema": [{"AttributeName": "h", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by_i",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "i", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a"]},
        },
    ],
}
INDEXES = ("by_g", "by_h", "by_i")
KEY_VALUES: dict[str, list[AttributeMap]] = {
    "pk": [{"S": "p"}, {"S": "q"}],
    "sk": [{"N": "1"}, {"N": "2"}, {"N": "-1"}, {"N": "10"}, {"N": "1.0"}],
    "g": [{"S": "x"}, {"S": "y"}],
    "h": [{"N": "1"}, {"N": "2"}, {"N": "-1"}],
    "i": [{"B": "YQ=="}, {"B": "YWI="}, {"B": "/w=="}],
}
KEYS = {None: ("pk", "sk"), "by_g": ("g", "h"), "by_h": ("h",), "by_i": ("pk", "i")}


class Calls:
    """Makes calls from one source of chance; its tokens are of its own all the same."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._tokens = [str(uuid4()), str(uuid4())]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def value(self, name: str) -> AttributeMap:
        return self.random.choice(KEY_VALUES[name])

    def key(self) -> AttributeMap:
        return {"pk": self.value("pk"), "sk": self.value("sk")}

    def item(self) -> AttributeMap:
        item = {**Triples(self.random).item(), **self.key()}
        for name in ("g", "h", "i"):
            if self.chance(0.6):
                item[name] = self.value(name)
        return item

    def items(self) -> list[AttributeMap]:
        """Some items of different keys, for a batch."""
        items = [self.item() for _ in range(self.random.randint(3, 12))]
        unique = {(item["pk"]["S"], float(item["sk"]["N"])): item for item in items}
        return list(unique.values())

    def call(self) -> Call:
        make = self.random.choice(
            [
                *(self.read, self.scan, self.batch, self.transaction),
                *(self.write, self.query) * 2,
            ]
        )
        operation, params = make()
        if operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"):
            params["TableName"] = TABLE
        if self.chance(0.3):
            params["ReturnConsumedCapacity"] = self.random.choice(["TOTAL", "INDEXES", "NONE"])
        return operation, params

    def projection(self, made: Triples) -> AttributeMap:
        like = self.item()
        paths = [made.path(like)[0] for _ in range(self.random.randint(1, 3))]
        return {"ProjectionExpression": ", ".join(dict.fromkeys(paths))}

    def read(self) -> Call:
        made = Triples(self.random)
        params: AttributeMap = {"Key": self.key()}
        if self.chance(0.5):
            params.update(self.projection(made))
        if self.chance(0.3):
            params["ConsistentRead"] = True
        return "GetItem", {**params, **placeholders(made)}

    def write(self) -> Call:
        kind, params = self.part(self.random.choice(["Put", "Update", "Update", "Delete"]))
        values = ["NONE", "ALL_OLD"]
        if kind == "Update":
            # UPDATED_OLD and UPDATED_NEW of the emulator are not those of the service.
            values.append("ALL_NEW")
        if self.chance(0.6):
            params["ReturnValues"] = self.random.choice(values)
        return f"{kind}Item", params

    def part(self, kind: str) -> Call:
        """A write without its table."""
        made = Triples(self.random)
        like = self.item()
        params: AttributeMap = {"Item": like} if kind == "Put" else {"Key": self.key()}
        if kind == "Update" and self.chance(0.9):
            params["UpdateExpression"] = self.update(made, like)
        if kind == "ConditionCheck" or self.chance(0.3):
            params["ConditionExpression"] = made.condition(like)
            if self.chance(0.5):
                params["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return kind, {**params, **placeholders(made)}

    def update(self, made: Triples, like: AttributeMap) -> str:
        """Sometimes of a key of an index."""
        if self.chance(0.7):
            return made.update({name: like[name] for name in NAMES if name in like})
        name = self.random.choice(["g", "h", "i"])
        match self.random.randint(0, 2):
            case 0:
                return f"REMOVE {name}"
            case 1:
                return self.random.choice(["SET g = pk", "SET h = sk", "SET h = h + h"])
            case _:
                return f"SET {name} = {made.placeholder(self.value(name))}"

    def query(self) -> Call:
        made = Triples(self.random)
        index = self.random.choice([None, None, *INDEXES])
        partition, *sort = KEYS[index]
        condition = f"{partition} = {made.placeholder(self.value(partition))}"
        for name in sort:
            if self.chance(0.5):
                condition += f" AND {self.sort_condition(made, name)}"
        params: AttributeMap = {"KeyConditionExpression": condition}
        if self.chance(0.4):
            params["ScanIndexForward"] = False
        return "Query", {**params, **self.page(made, index)}

    def sort_condition(self, made: Triples, name: str) -> str:
        value = made.placeholder(self.value(name))
        if self.chance(0.25):
            other = made.placeholder(self.value(name))
            return f"{name} BETWEEN {value} AND {other}"
        if name == "i" and self.chance(0.3):
            return f"begins_with({name}, {value})"
        return f"{name} {self.random.choice(['=', '<', '<=', '>', '>='])} {value}"

    def scan(self) -> Call:
        made = Triples(self.random)
        params: AttributeMap = {}
        if self.chance(0.3):
            params["TotalSegments"] = self.random.randint(1, 3)
            params["Segment"] = 0
        return "Scan", {**params, **self.page(made, self.random.choice([None, None, *INDEXES]))}

    def page(self, made: Triples, index: str | None) -> AttributeMap:
        params: AttributeMap = {}
        if index is not None:
            params["IndexName"] = index
        # The emulator refuses a filter of what a local index does not project.
        if self.chance(0.4) and index != "by_i":
            params["FilterExpression"] = made.condition(self.item())
        if self.chance(0.3):
            params.update(self.projection(made))
        elif self.chance(0.3):
            params["Select"] = self.random.choice(
                ["COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"]
            )
        if self.chance(0.5):
            params["Limit"] = self.random.randint(1, 4)
        if self.chance(0.2):
            params["ConsistentRead"] = True
        return {**params, **placeholders(made)}

    def batch(self) -> Call:
        if self.chance(0.5):
            made = Triples(self.random)
            keys = {(key["pk"]["S"], float(key["sk"]["N"])): key for key in map(_key, self.items())}
            entry: AttributeMap = {"Keys": list(keys.values())}
            if self.chance(0.4):
                entry.update(self.projection(made))
                entry |= placeholders(made)
            return "BatchGetItem", {"RequestItems": {TABLE: entry}}
        writes: list[AttributeMap] = [
            {"DeleteRequest": {"Key": _key(item)}}
            if self.chance(0.3)
            else {"PutRequest": {"Item": item}}
            for item in self.items()
        ]
        return "BatchWriteItem", {"RequestItems": {TABLE: writes}}

    def transaction(self) -> Call:
        count = self.random.randint(1, 3)
        if self.chance(0.3):
            gets = [{"Get": {"TableName": TABLE, **self.read()[1]}} for _ in range(count)]
            for get in gets:
                get["Get"].pop("ConsistentRead", None)
            return "TransactGetItems", {"TransactItems": gets}
        kinds = ["Put", "Update", "Delete", "ConditionCheck"]
        parts = [self.part(self.random.choice(kinds)) for _ in range(count)]
        items = [{kind: {"TableName": TABLE, **params}} for kind, params in parts]
        params: AttributeMap = {"TransactItems": items}
        if self.chance(0.3):
            params["ClientRequestToken"] = self.random.choice(self._tokens)
        return "TransactWriteItems", params


def _key(item: AttributeMap) -> AttributeMap:
    return {"pk": item["pk"], "sk": item["sk"]}


def placeholders(made: Triples) -> AttributeMap:
    found: dict[str, Any] = {
        "ExpressionAttributeNames": made.names,
        "ExpressionAttributeValues": made.values,
    }
    return {member: dict(each) for member, each in found.items() if each}
