"""Items, and updates and conditions on them, which DynamoDB may accept or refuse."""

from __future__ import annotations

from random import Random
from typing import Any

NAMES = ("a", "b", "c", "d")
TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")


class Triples:
    """Makes items, updates and conditions from one source of chance."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.values: dict[str, Any] = {}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Values

    def value(self, depth: int = 0) -> dict[str, Any]:
        types = ("S", "N", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", *(("L", "M") * 2))
        return self.of_type(self.random.choice(types if depth < 3 else types[:6]), depth)

    def of_type(self, type_name: str, depth: int = 0) -> dict[str, Any]:
        random = self.random
        match type_name:
            case "S":
                return {"S": random.choice(["", "a", "ab", "abc", "b", "é", "日本", "😀x"])}
            case "N":
                return {"N": self.number()}
            case "B":
                return {"B": random.choice(["YQ==", "YWI=", "YWJj", "/w==", "AAE="])}
            case "BOOL":
                return {"BOOL": self.chance(0.5)}
            case "NULL":
                return {"NULL": True}
            case "SS":
                return {"SS": random.sample(["a", "b", "c", "é"], random.randint(1, 3))}
            case "NS":
                return {"NS": random.sample(["1", "2", "3.5", "-1"], random.randint(1, 3))}
            case "BS":
                return {"BS": random.sample(["YQ==", "YWI=", "/w=="], random.randint(1, 2))}
            case "L":
                return {"L": [self.value(depth + 1) for _ in range(random.randint(0, 3))]}
            case _:
                names = random.sample(NAMES, random.randint(0, 3))
                return {"M": {name: self.value(depth + 1) for name in names}}

    def number(self) -> str:
        odd = ["1E125", "-1E125", "1E-130", "9" * 38, "0." + "1" * 38, "1" + "0" * 37, "0"]
        if self.chance(0.08):
            return self.random.choice(odd)
        return self.random.choice(["0", "1", "2", "10", "-1", "1.5", "0.1", "-3.25", "100"])

    def item(self) -> dict[str, Any]:
        names = self.random.sample(NAMES, self.random.randint(0, 4))
        return {name: self.value() for name in names}

    # Expressions

    def placeholder(self, value: dict[str, Any]) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name

    def path(self, item: dict[str, Any]) -> str:
        """Mostly one that the item has, or nearly has."""
        random = self.random
        name = random.choice(list(item) or NAMES) if self.chance(0.8) else random.choice(NAMES)
        text, value = name, item.get(name)
        while value is not None and self.chance(0.6):
            ((type_name, content),) = value.items()
            if type_name == "L":
                index = random.randint(0, len(content) + (1 if self.chance(0.2) else 0))
                text += f"[{index}]"
                value = content[index] if index < len(content) else None
            elif type_name == "M":
                key = random.choice(list(content) or NAMES)
                if self.chance(0.15):
                    key = random.choice(NAMES)
                text += f".{key}"
                value = content.get(key)
            else:
                break
        if self.chance(0.06):
            text += random.choice([".a", "[0]", "[7]"])
        return text

    def type_at(self, path: str, item: dict[str, Any]) -> str | None:
        value: Any = {"M": item}
        for part in path.replace("[", ".[").split("."):
            if not isinstance(value, dict):
                return None
            if part.startswith("["):
                content, index = value.get("L", []), int(part[1:-1])
                value = content[index] if index < len(content) else None
            else:
                value = value.get("M", {}).get(part)
        return next(iter(value)) if isinstance(value, dict) else None

    def like(self, path: str, item: dict[str, Any]) -> dict[str, Any]:
        """A value, mostly of the type of what is at the path."""
        type_name = self.type_at(path, item)
        if type_name is None or self.chance(0.15):
            return self.value()
        return self.of_type(type_name)

    def update(self, item: dict[str, Any]) -> str:
        clauses: dict[str, list[str]] = {}
        for _ in range(self.random.choice([1, 1, 2, 2, 3, 4])):
            clause = self.random.choice(["SET", "SET", "SET", "REMOVE", "ADD", "DELETE"])
            clauses.setdefault(clause, []).append(self._action(clause, item))
        return " ".join(f"{clause} {', '.join(actions)}" for clause, actions in clauses.items())

    def _action(self, clause: str, item: dict[str, Any]) -> str:
        path = self.path(item)
        match clause:
            case "SET":
                return f"{path} = {self._operand(path, item)}"
            case "REMOVE":
                return path
            case "ADD":
                allowed = ("N", "SS", "NS", "BS")
            case _:
                allowed = ("SS", "NS", "BS")
        type_name = self.type_at(path, item)
        if type_name not in allowed or self.chance(0.1):
            type_name = self.random.choice(allowed)
        return f"{path} {self.placeholder(self.of_type(type_name))}"

    def _operand(self, path: str, item: dict[str, Any]) -> str:
        match self.random.randint(0, 6):
            case 0:
                return self.path(item)
            case 1 | 2:
                number = self.placeholder(self.of_type("N"))
                source = path if self.chance(0.6) else self.path(item)
                if self.chance(0.3):
                    zero = self.placeholder({"N": "0"})
                    source = f"if_not_exists({source}, {zero})"
                return f"{source} {self.random.choice('+-')} {number}"
            case 3:
                parts = [path, self.placeholder(self.of_type("L"))]
                self.random.shuffle(parts)
                return f"list_append({', '.join(parts)})"
            case 4:
                return f"if_not_exists({self.path(item)}, {self.placeholder(self.value())})"
            case _:
                return self.placeholder(self.value())

    def condition(self, item: dict[str, Any], depth: int = 0) -> str:
        random = self.random
        if depth < 2 and self.chance(0.3):
            joint = random.choice([" AND ", " OR "])
            terms = [self.condition(item, depth + 1) for _ in range(random.randint(2, 3))]
            return f"({joint.join(terms)})"
        if self.chance(0.15):
            return f"NOT {self.condition(item, depth + 1)}"
        path = self.path(item)
        literal = self.placeholder(self.like(path, item))
        match random.randint(0, 7):
            case 0:
                return f"attribute_exists({path})"
            case 1:
                return f"attribute_not_exists({path})"
            case 2:
                wanted = {"S": random.choice(TYPES)}
                return f"attribute_type({path}, {self._again(literal, wanted)})"
            case 3:
                prefix = self.of_type(random.choice("SSB"))
                return f"begins_with({path}, {self._again(literal, prefix)})"
            case 4:
                return f"contains({path}, {self._again(literal, self.value())})"
            case 5:
                operator = random.choice(["=", "<>", "<", "<=", ">", ">="])
                size = {"N": str(random.randint(0, 4))}
                return f"size({path}) {operator} {self._again(literal, size)}"
            case 6:
                if self.chance(0.5):
                    more = self.placeholder(self.like(path, item))
                    return f"{path} IN ({literal}, {more})"
                type_name = random.choice("SNB")
                low, high = self.of_type(type_name), self.of_type(type_name)
                return f"{path} BETWEEN {self._again(literal, low)} AND {self.placeholder(high)}"
            case _:
                operator = random.choice(["=", "=", "<>", "<", "<=", ">", ">="])
                other = literal if self.chance(0.7) else self.path(item)
                if other is not literal:
                    del self.values[literal]
                return f"{path} {operator} {other}"

    def _again(self, placeholder: str, value: dict[str, Any]) -> str:
        self.values[placeholder] = value
        return placeholder
