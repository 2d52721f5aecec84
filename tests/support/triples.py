"""Items, and updates and conditions on them, which DynamoDB may accept or refuse."""

from __future__ import annotations

from random import Random
from typing import Any

# Of several refusals DynamoDB Local tells the one of the path that comes last in a hash table of
# Java; these names come there in the order of the alphabet.
ODD_NAMES = ("function", "é", "é.g")
NAMES = ("a", "b", "c", "d", *ODD_NAMES)
TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
CONTAINERS = ("L", "M") * 2
SETS = ("SS", "NS", "BS")
COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
EDGES: tuple[str, ...] = (
    "9E125",
    "-9E125",
    "1E-130",
    "1.5E-130",
    "9" * 38,
    "-" + "9" * 38,
    "1E38",
    "1E-38",
)
EDGES += ("0." + "1" * 38, "1" + "0" * 37, "12345678901234567890123456789012345678", "0")

Value = dict[str, Any]


class Triples:
    """Makes items, updates and conditions from one source of chance.

    What the expressions need stands in `names` and `values`.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.names: dict[str, str] = {}
        self.values: dict[str, Value] = {}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Values

    def value(self, depth: int = 0) -> Value:
        types = ("S", "N", "N", "B", "BOOL", "NULL", *SETS)
        return self.of_type(self.random.choice(types + CONTAINERS if depth < 3 else types), depth)

    def of_type(self, type_name: str, depth: int = 0) -> Value:
        random = self.random
        match type_name:
            case "S":
                return {"S": random.choice(["", "a", "ab", "abc", "b", "é", "日本", "😀x"])}
            case "N":
                return {"N": self.number()}
            case "B":
                return {"B": random.choice(["", "YQ==", "YWI=", "YWJj", "/w==", "AAE="])}
            case "BOOL":
                return {"BOOL": self.chance(0.5)}
            case "NULL":
                return {"NULL": True}
            case "SS":
                return {"SS": random.sample(["a", "b", "c", "é"], random.randint(1, 3))}
            case "NS":
                return {"NS": random.sample(["1", "2", "3.5", "-1", "1E2"], random.randint(1, 3))}
            case "BS":
                return {"BS": random.sample(["YQ==", "YWI=", "/w=="], random.randint(1, 2))}
            case "L":
                return {"L": [self.value(depth + 1) for _ in range(random.randint(0, 3))]}
            case _:
                names = random.sample(NAMES, random.randint(0, 3))
                return {"M": {name: self.value(depth + 1) for name in names}}

    def number(self) -> str:
        if self.chance(0.15):
            return self.random.choice(EDGES)
        return self.random.choice(["0", "1", "2", "10", "-1", "1.5", "0.1", "-3.25", "100"])

    def item(self) -> dict[str, Value]:
        names = self.random.sample(NAMES, self.random.randint(0, 4))
        return {name: self.value() for name in names}

    # Paths and other operands

    def placeholder(self, value: Value) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name

    def name(self, name: str) -> str:
        if name not in ODD_NAMES:
            return name
        placeholder = f"#n{ODD_NAMES.index(name)}"
        self.names[placeholder] = name
        return placeholder

    def path(self, item: dict[str, Value]) -> tuple[str, Value | None]:
        """A path and what is there; mostly one that the item has, or nearly has."""
        random = self.random
        name = random.choice(list(item) or NAMES) if self.chance(0.8) else random.choice(NAMES)
        text, value = self.name(name), item.get(name)
        while value is not None and self.chance(0.6):
            ((type_name, content),) = value.items()
            if type_name == "L":
                index = random.randint(0, len(content) + (1 if self.chance(0.2) else 0))
                text += f"[{index}]"
                value = content[index] if index < len(content) else None
            elif type_name == "M":
                name = random.choice(list(content) or NAMES)
                text += f".{self.name(name)}"
                value = content.get(name)
            else:
                break
        if self.chance(0.06):
            text, value = text + random.choice([".a", "[0]", "[7]"]), None
        return text, value

    def like(self, value: Value | None) -> Value:
        """The value itself, one of its type, or any."""
        if value is None or self.chance(0.15):
            return self.value()
        return value if self.chance(0.3) else self.of_type(next(iter(value)))

    def operand(self, item: dict[str, Value], near: Value | None) -> str:
        """An operand of a condition, to stand beside a value."""
        if self.chance(0.8):
            return self.placeholder(self.like(near))
        path, _ = self.path(item)
        return f"size({path})" if self.chance(0.25) else path

    def content_of(self, value: Value | None) -> Value:
        """Something that the value contains, or nearly contains."""
        if value is not None and self.chance(0.6):
            ((type_name, content),) = value.items()
            match type_name:
                case "S":
                    start = self.random.randint(0, len(content))
                    return {"S": content[start : self.random.randint(start, len(content))]}
                case "B":
                    return {"B": self.random.choice(["", "YQ==", "Yg==", "YWI=", "/w=="])}
                case "SS" | "NS" | "BS":
                    return {type_name[0]: self.random.choice(content)}
                case "L" if content:
                    return dict(self.random.choice(content))
                case _:
                    pass
        return self.value()

    # Updates

    def update(self, item: dict[str, Value]) -> str:
        clauses: dict[str, list[str]] = {}
        for _ in range(self.random.choice([1, 1, 2, 2, 3, 4])):
            clause = self.random.choice(["SET", "SET", "SET", "REMOVE", "ADD", "DELETE"])
            clauses.setdefault(clause, []).append(self._action(clause, item))
        return " ".join(f"{clause} {', '.join(actions)}" for clause, actions in clauses.items())

    def _action(self, clause: str, item: dict[str, Value]) -> str:
        path, value = self.path(item)
        if clause == "SET":
            return f"{path} = {self._new_value(path, value, item)}"
        if clause == "REMOVE":
            return path
        allowed = ("N", *SETS) if clause == "ADD" else SETS
        type_name = next(iter(value)) if value is not None else None
        if type_name not in allowed or self.chance(0.1):
            type_name = self.random.choice(allowed)
        return f"{path} {self.placeholder(self.of_type(type_name))}"

    def _new_value(self, path: str, value: Value | None, item: dict[str, Value]) -> str:
        match self.random.randint(0, 7):
            case 0:
                return self._part(item, self.value())
            case 1 | 2 | 3:
                left = path if value is not None and "N" in value else self._part(item, "N")
                operands = [left, self._part(item, "N")]
                self.random.shuffle(operands)
                return f" {self.random.choice('+-')} ".join(operands)
            case 4:
                left = path if value is not None and "L" in value else self._part(item, "L")
                operands = [left, self._part(item, "L")]
                self.random.shuffle(operands)
                return f"list_append({', '.join(operands)})"
            case 5:
                return f"if_not_exists({self.path(item)[0]}, {self._part(item, self.value())})"
            case _:
                return self.placeholder(self.value())

    def _part(self, item: dict[str, Value], wanted: str | Value) -> str:
        """An operand of a SET: a value, mostly; a path; a default for one; a list of two."""
        value = self.of_type(wanted) if isinstance(wanted, str) else wanted
        match self.random.randint(0, 9):
            case 0 | 1:
                return self.path(item)[0]
            case 2 | 3:
                default = self.placeholder(value) if self.chance(0.7) else self.path(item)[0]
                return f"if_not_exists({self.path(item)[0]}, {default})"
            case 4 if "L" in value:
                return f"list_append({self.placeholder(value)}, {self.path(item)[0]})"
            case _:
                return self.placeholder(value)

    # Conditions

    def condition(self, item: dict[str, Value], depth: int = 0) -> str:
        random = self.random
        if depth < 2 and self.chance(0.3):
            joint = random.choice([" AND ", " OR "])
            terms = [self.condition(item, depth + 1) for _ in range(random.randint(2, 3))]
            return f"({joint.join(terms)})"
        if self.chance(0.15):
            return f"NOT {self.condition(item, depth + 1)}"
        path, value = self.path(item)
        match random.randint(0, 12):
            case 0:
                return f"attribute_exists({path})"
            case 1:
                return f"attribute_not_exists({path})"
            case 2:
                own = next(iter(value)) if value is not None else "S"
                wanted = own if self.chance(0.4) else random.choice(TYPES)
                return f"attribute_type({path}, {self.placeholder({'S': wanted})})"
            case 3:
                is_binary = value is not None and "B" in value
                prefix = self.placeholder(self.of_type("B" if is_binary else random.choice("SSB")))
                return f"begins_with({path}, {prefix if self.chance(0.8) else self.path(item)[0]})"
            case 4:
                content = self.placeholder(self.content_of(value))
                return f"contains({path}, {content if self.chance(0.85) else self.path(item)[0]})"
            case 5:
                size = {"N": str(random.randint(0, 4))}
                return f"size({path}) {random.choice(COMPARATORS)} {self.operand(item, size)}"
            case 6:
                count = random.randint(1, 3)
                choices = ", ".join(self.operand(item, value) for _ in range(count))
                return f"{path} IN ({choices})"
            case 7 | 8:
                is_ordered = value is not None and next(iter(value)) in "SNB"
                near = value if is_ordered else self.of_type(random.choice("SNB"))
                what = path if self.chance(0.8) else f"size({path})"
                low, high = self.operand(item, near), self.operand(item, near)
                return f"{what} BETWEEN {low} AND {high}"
            case _:
                sides = [path, self.operand(item, value)]
                random.shuffle(sides)
                return f" {random.choice(COMPARATORS)} ".join(sides)
