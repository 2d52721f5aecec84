"""Requests of every kind for one table, valid ones and broken ones."""

from __future__ import annotations

import json
import re
import socket
from base64 import b64encode
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

from dynasafe.validation.shapes import Shape

TABLE: dict[str, Any] = {
    "TableName": "requests",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": type_name}
        for name, type_name in {"pk": "S", "sk": "N", "g": "S", "h": "N", "l": "N"}.items()
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "keys-only",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "all",
            "KeySchema": [
                {"AttributeName": "g", "KeyType": "HASH"},
                {"AttributeName": "h", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "local",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "l", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
OPERATIONS = [
    *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
    *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
]
_SCOPE = "test/20260101/us-east-1/dynamodb/aws4_request"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260101T000000Z",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature=0",
}
"""What an engine wants beside the operation; it checks no signature."""


class Connection:
    """A kept connection to an engine: requests go one by one, or many at once.

    http.client would send each request in two parts, and wake the engine twice.
    """

    def __init__(self, endpoint_url: str) -> None:
        host, port = endpoint_url.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._answers = self._socket.makefile("rb")
        own = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        self._head = f"POST / HTTP/1.1\r\nHost: {host}:{port}\r\n{own}"

    def exchange(self, operation: str, *bodies: Any) -> list[tuple[int, Any]]:
        """The status and the JSON of each answer.

        Raises:
            ConnectionError: the engine has closed the connection.
        """
        self._socket.sendall(b"".join(self._request(operation, each) for each in bodies))
        return [self._answer() for _ in bodies]

    def _request(self, operation: str, body: Any) -> bytes:
        data = json.dumps(body, default=_plain).encode()
        target = f"X-Amz-Target: DynamoDB_20120810.{operation}\r\n"
        return f"{self._head}{target}Content-Length: {len(data)}\r\n\r\n".encode() + data

    def _answer(self) -> tuple[int, Any]:
        first = self._answers.readline()
        if not first:
            raise ConnectionError("the connection was closed before the answer")
        length = 0
        while line := self._answers.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return int(first.split()[1]), json.loads(self._answers.read(length) or b"{}")

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


def _plain(value: object) -> object:
    """Bytes and mappings as JSON has them."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def as_json(value: Any) -> Any:
    """The same as JSON has it: binary values are text."""
    return json.loads(json.dumps(value, default=_plain))


_KEPT: dict[str, Connection] = {}


def send(endpoint_url: str, operation: str, body: Any) -> tuple[str, str]:
    """The body as it is, past every check of a client; the error's code and message, or empty."""
    status, answer = _exchange(endpoint_url, operation, body)
    if status == 200:
        return "", ""
    code = answer.get("__type", str(status)).split("#")[-1]
    return code, str(answer.get("message", answer.get("Message")))


def _exchange(endpoint_url: str, operation: str, body: Any) -> tuple[int, Any]:
    kept = _KEPT.pop(endpoint_url, None)
    connection = kept or Connection(endpoint_url)
    try:
        (answer,) = connection.exchange(operation, body)
    except ConnectionError:
        connection.close()
        if kept is None:
            raise
        # The engine closed it, since it was idle for long.
        return _exchange(endpoint_url, operation, body)
    _KEPT[endpoint_url] = connection
    return answer


# Nearly of a shape

_BAD_TEXTS = ["hi", "", "a;", "x" * 256]
_PARTS: list[Any] = [True, False, 23, 1.5, "hi", "", [], {}, ["x"], {"a": "b"}, "true", "abcd"]
_TYPES = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"]
FAULT_RATES = (0.0, 0.03, 0.12, 0.12, 0.12)


def near(shape: Shape, random: Random, fault_rate: float) -> Any:
    """JSON that nearly has the shape: a part is something else as often as `fault_rate` says."""

    def is_wrong(times: float = 1.0) -> bool:
        return random.random() < times * fault_rate

    if is_wrong():
        return random.choice(_PARTS)
    match shape.kind:
        case "String":
            if is_wrong(2.5):
                return random.choice(_BAD_TEXTS)
            return random.choice(shape.choices or ["requests", "abc"])
        case "Boolean":
            return random.random() < 0.5
        case "Integer":
            return random.choice([-1, 0] if is_wrong(4) else [1, 5])
        case "Number" | "Timestamp":
            return random.choice([1, 1.5])
        case "AttributeValue":
            nested: list[Any] = [{"x": {"S": "a"}}, [{"S": "b"}]]
            if is_wrong(4):
                return {random.choice(_TYPES): random.choice(_PARTS + nested)}
            return random.choice([{"S": "a"}, {"N": "1"}])
        case "List" | "Map":
            each = shape.each
            assert each is not None
            count = 0 if is_wrong(2) else random.choice([1, 2])
            if shape.kind == "List":
                return [near(each, random, fault_rate) for _ in range(count)]
            names = [random.choice(["pks", "requests", "abc"]) for _ in range(count)]
            return {name: near(each, random, fault_rate) for name in names}
        case "Struct":
            return {
                name: near(member, random, fault_rate)
                for name, member in shape.members.items()
                if (not is_wrong() if member.is_required else random.random() < 0.15)
            }


RANDOMS = st.integers(0, 2**64 - 1).map(Random)
"""By its seed: Hypothesis's own randoms like extremes, of which few requests make sense."""


# Requests that make sense, and broken ones


class Requests:
    """Makes requests from one source of chance."""

    names = ("a", "b", "c", "g", "h", "l", "pk", "sk")
    operators = (
        *("EQ", "NE", "LE", "LT", "GE", "GT", "IN", "BETWEEN", "NULL", "NOT_NULL", "CONTAINS"),
        *("NOT_CONTAINS", "BEGINS_WITH"),
    )
    # Of each kind: those that nothing but a value can make wrong, and those that are wrong.
    conditions = (
        (
            "a = :v",
            "attribute_exists(b)",
            "size(a) > :n",
            "a BETWEEN :n AND :m",
            "contains(#n, :v)",
            "NOT begins_with(c, :v)",
            "a IN (:v, :n)",
            "b[0].c <> :v OR attribute_type(a, :t)",
        ),
        ("g = :v", "pk.x = :v", "a =", "status = :v", "zz = :zz", "h.x = :n"),
    )
    updates = (
        (
            "SET a = :v",
            "ADD a :n",
            "REMOVE b, c[0]",
            "SET g = :v",
            "SET h = :n, a = if_not_exists(b, :v)",
            "SET a = if_not_exists(a, :n) + :n",
            "REMOVE g",
            "SET l = :n",
        ),
        (
            "SET pk = :v",
            "DELETE c :v",
            "SET a = a + :n",
            "SET #n = list_append(a, :v)",
            "SET g.x = :v",
            "ADD h :n",
            "SET a = pk.x",
        ),
    )
    projections = (
        ("a, b", "pk", "#n, c[0]", "h", "pk, sk", "a.b, c"),
        ("a, a", "g.x"),
    )
    key_conditions = (
        (
            "pk = :v",
            "pk = :v AND sk = :n",
            "pk = :v AND sk BETWEEN :n AND :m",
            "pk = :v AND sk > :n",
        ),
        (
            "g = :v",
            "g = :v AND h < :n",
            "pk = :v AND l = :n",
            "sk = :n",
            "pk = :v AND a = :n",
            "pk > :v",
            "pk = :v AND begins_with(sk, :v)",
            "g = :v AND a = :v",
        ),
    )

    def __init__(self, random: Random) -> None:
        self.random = random
        self.is_careful = self.chance(0.5)

    def make(self) -> tuple[str, dict[str, Any]]:
        """An operation, and a request of it.

        Half of them are made with care, so that few are wrong; the others are broken in up to two
        places besides.
        """
        operation = self.random.choice(OPERATIONS)
        body = self._body(operation)
        for _ in range(0 if self.is_careful else self.random.choice([0, 1, 1, 2])):
            self._break(body)
        return operation, body

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def mistake(self, probability: float) -> bool:
        return not self.is_careful and self.chance(probability)

    # Values

    def text(self) -> dict[str, Any]:
        return {"S": self.random.choice("abc")}

    def number(self) -> dict[str, Any]:
        return {"N": self.random.choice("123")}

    def value(self) -> dict[str, Any]:
        choices: list[dict[str, Any]] = [
            self.text(),
            self.number(),
            {"BOOL": True},
            {"NULL": True},
            {"SS": ["a", "b"]},
            {"NS": ["1"]},
            {"L": [self.text()]},
            {"M": {"x": self.number()}},
            {"B": "YWI="},
            {"BS": ["YWI="]},
        ]
        return self.random.choice(choices)

    def bad_value(self) -> dict[str, Any]:
        choices: list[dict[str, Any]] = [
            {},
            {"S": "a", "N": "1"},
            {"N": "x"},
            {"NS": []},
            {"SS": ["a", "a"]},
            {"NULL": False},
            {"S": ""},
            {"N": "1" * 39},
            {"L": [{"N": "x"}]},
            {"M": {"x": {}}},
            {"N": "1E126"},
        ]
        return self.random.choice(choices)

    def key(self) -> dict[str, Any]:
        if self.mistake(0.07):
            return self.some(self.value, 3)
        return {"pk": self.text(), "sk": self.number()}

    def item(self) -> dict[str, Any]:
        if self.mistake(0.1):
            return self.some(self.value, 2)
        key = {"pk": self.text(), "sk": self.number()}
        others = self.some(self.value, 2)
        if self.is_careful:
            return {**others, **key, "g": self.text(), "h": self.number(), "l": self.number()}
        return {**key, **others}

    def some(self, make: Callable[[], Any], most: int) -> dict[str, Any]:
        count = self.random.randint(0, most)
        return {self.random.choice(self.names): make() for _ in range(count)}

    # Members

    def legacy_condition(self) -> dict[str, Any]:
        operator = self.random.choice(self.operators)
        count = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}.get(operator, 1)
        if self.chance(0.1):
            count = self.random.choice([0, 1, 2])
        make = self.random.choice([self.text, self.number, self.value])
        condition: dict[str, Any] = {"ComparisonOperator": operator}
        if count or self.chance(0.1):
            condition["AttributeValueList"] = [make() for _ in range(count)]
        return condition

    def expected(self) -> dict[str, Any]:
        match self.random.randint(0, 3):
            case 0:
                return {"Value": self.value()}
            case 1:
                exists = {"Exists": self.chance(0.5)}
                return {**exists, "Value": self.text()} if self.chance(0.4) else exists
            case 2:
                operator = self.random.choice(self.operators)
                return {"ComparisonOperator": operator, "Value": self.value()}
            case _:
                extra = {"Exists": True} if self.chance(0.1) else {}
                return {**self.legacy_condition(), **extra}

    def fine_expected(self) -> dict[str, Any]:
        choices: list[dict[str, Any]] = [
            {"Exists": False},
            {"Value": self.value()},
            {"ComparisonOperator": "GE", "AttributeValueList": [self.number()]},
            {"ComparisonOperator": "NULL"},
        ]
        return self.random.choice(choices)

    def legacy_update(self) -> dict[str, Any]:
        update: dict[str, Any] = {}
        if self.chance(0.8):
            update["Action"] = self.random.choice(["PUT", "ADD", "DELETE"])
        if self.chance(0.85):
            update["Value"] = self.value()
        return update

    def expression(
        self, body: dict[str, Any], member: str, texts: tuple[tuple[str, ...], tuple[str, ...]]
    ) -> None:
        fine, wrong = texts
        body[member] = text = self.random.choice(fine if self.is_careful else fine + wrong)
        makers: dict[str, Callable[[], dict[str, Any]]] = {
            ":v": self.text,
            ":n": self.number,
            ":m": lambda: {"N": "5"} if self.is_careful else self.number(),
            ":t": lambda: {"S": "N"},
        }
        for name, make in makers.items():
            if re.search(rf"{name}\b", text):
                values = body.setdefault("ExpressionAttributeValues", {})
                values.setdefault(name, self.value() if self.mistake(0.1) else make())
        if "#n" in text:
            name = self.random.choice(["d", "status"] if self.is_careful else ["a", "g", "pk"])
            body.setdefault("ExpressionAttributeNames", {})["#n"] = name

    # Requests

    def _body(self, operation: str) -> dict[str, Any]:
        match operation:
            case "GetItem":
                return self._get(TableName="requests")
            case "PutItem" | "UpdateItem" | "DeleteItem":
                body = self._write(operation.removesuffix("Item"), TableName="requests")
                self._add_legacy(operation, body)
                return body
            case "Query" | "Scan":
                return self._page(operation)
            case "BatchGetItem":
                entry: dict[str, Any] = {"Keys": self._list(self.key, 3)}
                if self.chance(0.4):
                    self.expression(entry, "ProjectionExpression", self.projections)
                return {"RequestItems": {"requests": entry}}
            case "BatchWriteItem":
                return {"RequestItems": {"requests": self._list(self._batch_entry, 3)}}
            case "TransactGetItems":
                return {
                    "TransactItems": self._list(lambda: {"Get": self._get(TableName="requests")}, 2)
                }
            case _:
                return {"TransactItems": self._list(self._transact_entry, 2)}

    def _list(self, make: Callable[[], Any], most: int) -> list[Any]:
        return [make() for _ in range(self.random.randint(1, most))]

    def _get(self, **members: Any) -> dict[str, Any]:
        body = {**members, "Key": self.key()}
        if self.chance(0.5):
            self.expression(body, "ProjectionExpression", self.projections)
        return body

    def _write(self, action: str, **members: Any) -> dict[str, Any]:
        part = {"Item": self.item()} if action == "Put" else {"Key": self.key()}
        body = {**members, **part}
        if action == "Update" and (self.is_careful or self.chance(0.7)):
            self.expression(body, "UpdateExpression", self.updates)
        if action == "ConditionCheck" or self.chance(0.3):
            self.expression(body, "ConditionExpression", self.conditions)
        return body

    def _add_legacy(self, operation: str, body: dict[str, Any]) -> None:
        if self.is_careful:
            if not {"ConditionExpression", "UpdateExpression"} & body.keys():
                body["Expected"] = {"a": self.fine_expected()}
            return
        if operation == "UpdateItem" and self.chance(0.3):
            body["AttributeUpdates"] = self.some(self.legacy_update, 2)
        if self.chance(0.3):
            body["Expected"] = self.some(self.expected, 2)
        if self.chance(0.1):
            body["ConditionalOperator"] = "AND"
        if self.chance(0.1):
            body["ReturnValues"] = self.random.choice(["ALL_OLD", "ALL_NEW", "NONE", "UPDATED_OLD"])

    def _page(self, operation: str) -> dict[str, Any]:
        return self._fine_page(operation) if self.is_careful else self._any_page(operation)

    def _fine_page(self, operation: str) -> dict[str, Any]:
        body: dict[str, Any] = {"TableName": "requests"}
        if operation == "Scan":
            optional: list[dict[str, Any]] = [
                {},
                {"IndexName": self.random.choice(["keys-only", "all", "local"])},
                {"TotalSegments": 2, "Segment": self.random.choice([0, 1])},
                {"ExclusiveStartKey": {"pk": self.text(), "sk": self.number()}},
            ]
            body |= self.random.choice(optional)
        elif self.chance(0.2):
            equal = {"ComparisonOperator": "EQ", "AttributeValueList": [self.text()]}
            return {**body, "KeyConditions": {"pk": equal}}
        else:
            self.expression(body, "KeyConditionExpression", self.key_conditions)
        if self.chance(0.5):
            self.expression(body, "FilterExpression", self.conditions)
        if self.chance(0.3) and "IndexName" not in body:
            self.expression(body, "ProjectionExpression", self.projections)
        elif self.chance(0.3):
            body["Select"] = "COUNT"
        return body

    def _any_page(self, operation: str) -> dict[str, Any]:
        body: dict[str, Any] = {"TableName": "requests"}
        if operation == "Query":
            if self.chance(0.6):
                self.expression(body, "KeyConditionExpression", self.key_conditions)
            elif self.chance(0.9):
                equal = {"ComparisonOperator": "EQ", "AttributeValueList": [self.text()]}
                first = {"pk": equal} if self.chance(0.7) else {}
                body["KeyConditions"] = {**first, **self.some(self.legacy_condition, 1)}
        elif self.chance(0.2):
            body["TotalSegments"] = self.random.choice([1, 2])
            body["Segment"] = self.random.choice([0, 1])
        if self.chance(0.4):
            self.expression(body, "FilterExpression", self.conditions)
        elif self.chance(0.4):
            body[f"{operation}Filter"] = self.some(self.legacy_condition, 2)
        if self.chance(0.3):
            self.expression(body, "ProjectionExpression", self.projections)
        elif self.chance(0.3):
            body["AttributesToGet"] = self.random.sample(self.names, self.random.randint(1, 3))
        optional: list[tuple[float, str, list[Any]]] = [
            (0.2, "Select", ["COUNT", "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES"]),
            (0.1, "Select", ["ALL_PROJECTED_ATTRIBUTES"]),
            (0.3, "IndexName", ["keys-only", "all", "local", "nope"]),
            (0.2, "ConsistentRead", [True, False]),
            (0.1, "ConditionalOperator", ["OR"]),
            (0.2, "ExclusiveStartKey", self._start_keys()),
        ]
        for probability, member, choices in optional:
            if self.chance(probability):
                body[member] = self.random.choice(choices)
        return body

    def _start_keys(self) -> list[dict[str, Any]]:
        key = {"pk": self.text(), "sk": self.number()}
        return [
            key,
            {**key, "g": self.text()},
            {**key, "g": self.text(), "h": self.number()},
            {**key, "l": self.number()},
            {"pk": self.text()},
        ]

    def _batch_entry(self) -> dict[str, Any]:
        if self.chance(0.5):
            return {"PutRequest": {"Item": self.item()}}
        return {"DeleteRequest": {"Key": self.key()}}

    def _transact_entry(self) -> dict[str, Any]:
        action = self.random.choice(["Put", "Delete", "Update", "ConditionCheck"])
        return {action: self._write(action, TableName="requests")}

    # Faults

    def _break(self, body: dict[str, Any]) -> None:
        spots = [spot for spot in _spots(body) if spot[1] != "TableName"]
        values = [(parent, name) for parent, name in spots if _is_value(parent[name])]
        chance = self.random.random()
        if chance < 0.5 and values:
            parent, name = self.random.choice(values)
            parent[name] = self.bad_value()
        elif chance < 0.8 and spots:
            parent, name = self.random.choice(spots)
            del parent[name]
        elif "TableName" in body and chance < 0.9:
            body["ExpressionAttributeNames"] = {"#x": "a"}
        elif "TableName" in body:
            values_ = body.get("ExpressionAttributeValues", {})
            body["ExpressionAttributeValues"] = {**values_, ":x": self.text()}


def _spots(part: Any) -> list[tuple[Any, Any]]:
    spots: list[tuple[Any, Any]] = []
    if isinstance(part, dict):
        for name, inner in part.items():
            spots += [(part, name), *_spots(inner)]
    elif isinstance(part, list):
        for inner in part:
            spots += _spots(inner)
    return spots


def _is_value(part: Any) -> bool:
    return isinstance(part, dict) and len(part) == 1 and next(iter(part)) in _TYPES
