"""Evaluates expressions on items as DynamoDB does, without DynamoDB.

Trees are resolved, items and values are in wire form, and arguments are not changed.

Sources: "Update expressions in DynamoDB"; "Condition and filter expressions, operators, and
functions in DynamoDB"; "Using projection expressions in DynamoDB"; checked against DynamoDB Local.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, Literal, NoReturn, assert_never

from dynasafe.errors import InvalidRequestError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions.nodes import (
    AddAction,
    And,
    Arithmetic,
    Between,
    Comparison,
    ConditionLeaf,
    ConditionNode,
    DeleteAction,
    Function,
    IfNotExists,
    In,
    ListAppend,
    Not,
    Operand,
    Or,
    Path,
    RemoveAction,
    SetAction,
    Size,
    Update,
    UpdateAction,
    Value,
)
from dynasafe.findings.finding import Finding, Where
from dynasafe.limits import (
    MAX_ITEM_BYTES,
    MAX_NESTING_LEVELS,
    MAX_NUMBER_MAGNITUDE,
    MIN_NUMBER_MAGNITUDE,
)
from dynasafe.values.convert import to_attribute_map, to_attribute_value
from dynasafe.values.numbers import encode_number
from dynasafe.values.wire import (
    ELEMENTS,
    AttributeValue,
    bytes_of,
    fine_item_size_bytes,
    is_equal,
    is_ordered,
    item_size_bytes,
    member,
    scalar,
    scalars,
)

AttributeMap = Mapping[str, AttributeValue]
# Enough for the sum of the largest and the smallest number.
_EXACT = Context(prec=300, Emax=999, Emin=-999)


def attributes_of(item: object) -> AttributeMap:
    """The item in wire form, from a mapping of Python values or an Item; empty for None.

    Raises:
        InvalidValueError: it is neither, or DynamoDB cannot store one of its values.
    """
    if item is None:
        return {}
    if isinstance(item, Mapping):
        return to_attribute_map(item)
    value = to_attribute_value(item)
    if "M" not in value:
        raise UnsupportedTypeError(
            "item", f"a mapping or an Item is expected, not {type(item).__name__}"
        )
    attributes: AttributeMap = value["M"]
    return attributes


# Conditions


def holds(node: ConditionNode, item: AttributeMap) -> bool:
    """Whether the condition holds for the item. A missing item is empty."""
    return truth(node, lambda leaf: _leaf_holds(leaf, item)) is True


def truth(
    node: ConditionNode, truth_of_leaf: Callable[[ConditionLeaf], bool | None]
) -> bool | None:
    """Whether the condition holds, from the truth of its leaves; None if that is unknown."""
    # A list instead of recursion: depth costs memory, not Python frames. Read from its end, the
    # terms of a node come right before it.
    nodes: list[ConditionNode] = []
    todo: list[ConditionNode] = [node]
    while todo:
        each = todo.pop()
        nodes.append(each)
        if isinstance(each, And | Or):
            todo += each.terms
        elif isinstance(each, Not):
            todo.append(each.term)
    truths: list[bool | None] = []
    for each in reversed(nodes):
        if isinstance(each, Not):
            inner = truths.pop()
            truths.append(None if inner is None else not inner)
        elif isinstance(each, And | Or):
            terms = truths[-len(each.terms) :]
            del truths[-len(each.terms) :]
            decisive = isinstance(each, Or)
            other = None if None in terms else not decisive
            truths.append(decisive if decisive in terms else other)
        else:
            truths.append(truth_of_leaf(each))
    return truths[0]


def _leaf_holds(node: ConditionLeaf, item: AttributeMap) -> bool:
    match node:
        case Comparison():
            return _compares(node, item)
        case Between():
            value = _operand(node.operand, item)
            low, high = _operand(node.low, item), _operand(node.high, item)
            return is_ordered(low, value) and is_ordered(value, high)
        case In():
            value = _operand(node.operand, item)
            choices = (_operand(choice, item) for choice in node.choices)
            return value is not None and any(
                choice is not None and is_equal(value, choice) for choice in choices
            )
        case Function():
            return _function(node, item)
        case _:
            assert_never(node)


def _compares(node: Comparison, item: AttributeMap) -> bool:
    left, right = _operand(node.left, item), _operand(node.right, item)
    match node.operator:
        case "=":
            return left is not None and right is not None and is_equal(left, right)
        case "<>":
            return left is None or right is None or not is_equal(left, right)
        case "<":
            return is_ordered(left, right) and not is_ordered(right, left)
        case "<=":
            return is_ordered(left, right)
        case ">":
            return is_ordered(right, left) and not is_ordered(left, right)
        case ">=":
            return is_ordered(right, left)


def _function(node: Function, item: AttributeMap) -> bool:
    first = _operand(node.arguments[0], item)
    if node.name == "attribute_exists":
        return first is not None
    if node.name == "attribute_not_exists":
        return first is None
    second = _operand(node.arguments[1], item)
    if first is None or second is None:
        return False
    first_type, content = member(first)
    second_type, wanted = member(second)
    match node.name:
        case "attribute_type":
            return bool(first_type == wanted)
        case "begins_with":
            return (
                first_type == second_type
                and first_type in ("S", "B")
                and scalar(first_type, content).startswith(scalar(second_type, wanted))
            )
        case "contains":
            if first_type in ("S", "B"):
                return first_type == second_type and scalar(second_type, wanted) in scalar(
                    first_type, content
                )
            if first_type in ELEMENTS:
                return ELEMENTS[first_type] == second_type and scalar(
                    second_type, wanted
                ) in scalars(first_type, content)
            return first_type == "L" and any(is_equal(each, second) for each in content)


# Operands


def _operand(operand: Operand, item: AttributeMap) -> AttributeValue | None:
    """The operand of a condition; None if it is missing."""
    match operand:
        case Path():
            return value_at(operand, item)
        case Value():
            return operand.attribute_value
        case Size():
            inner = _operand(operand.operand, item)
            return None if inner is None else _size(inner)
        case _:
            raise TypeError(f"a condition has no {type(operand).__name__}")


def _size(value: AttributeValue) -> AttributeValue | None:
    type_name, content = member(value)
    match type_name:
        case "S":
            return {"N": str(len(content.encode("utf-16-le", "surrogatepass")) // 2)}
        case "B":
            return {"N": str(len(bytes_of(content)))}
        case "L" | "M" | "SS" | "NS" | "BS":
            return {"N": str(len(content))}
        case _:
            return None


def value_at(path: Path, item: AttributeMap) -> AttributeValue | None:
    """The value at a document path; None if it is missing."""
    here: AttributeValue | None = {"M": item}
    for element in path.elements:
        here = _child(here, element)
    return here


def _child(value: AttributeValue | None, element: object) -> AttributeValue | None:
    if value is None:
        return None
    type_name, content = member(value)
    if type_name == "M" and isinstance(element, str):
        child: AttributeValue | None = content.get(element)
        return child
    if type_name == "L" and isinstance(element, int) and element < len(content):
        element_value: AttributeValue = content[element]
        return element_value
    return None


# Updates


def apply(
    update: Update, item: AttributeMap, sizes_bytes: Mapping[int, int] | None = None
) -> dict[str, AttributeValue]:
    """The item after the update. Every operand is read from the item before the update.

    Args:
        sizes_bytes: the sizes of valid literals in wire form, by identity, if they are known.

    Raises:
        InvalidRequestError: DynamoDB would refuse the update for this item.
    """
    tree = _Tree(item)
    refusals: list[tuple[list[str], InvalidRequestError]] = []
    for action in update.actions:
        try:
            tree.require(action.path)
            new = _new_value(action, item)
        except InvalidRequestError as refusal:
            refusals.append((list(map(str, action.path.elements)), refusal))
            continue
        if new is None:
            tree.remove(action.path)
        else:
            tree.set(action.path, new)
    if refusals:
        # If there are several, DynamoDB Local reports that of the last path.
        raise max(refusals, key=lambda refusal: refusal[0])[1]
    changed = tree.finished()
    _require_fitting(changed, sizes_bytes or {})
    return changed


def changed_attributes(update: Update, item: AttributeMap) -> dict[str, AttributeValue]:
    """The attributes that UPDATED_OLD returns from the item before the update, and UPDATED_NEW from
    the item after it."""
    return project([action.path for action in update.actions], item)


def _new_value(action: UpdateAction, item: AttributeMap) -> AttributeValue | None:
    """The value that an action leaves at its path; None if it leaves none."""
    old = value_at(action.path, item)
    match action:
        case SetAction():
            _require_defaults(action.value, item)
            return _set_operand(action.value, item)
        case RemoveAction():
            return None
        case AddAction():
            return _added(old, _literal(action.value))
        case DeleteAction():
            return None if old is None else _without(old, _literal(action.value))


def _require_defaults(operand: Operand, item: AttributeMap) -> None:
    """A missing default is refused first, even if it is not needed."""
    match operand:
        case IfNotExists():
            _require_defaults(operand.default, item)
            _set_operand(operand.default, item)
        case ListAppend() | Arithmetic():
            _require_defaults(operand.left, item)
            _require_defaults(operand.right, item)
        case _:
            pass


def _set_operand(operand: Operand, item: AttributeMap) -> AttributeValue:
    match operand:
        case Value():
            return operand.attribute_value
        case Path():
            found = value_at(operand, item)
            if found is None:
                _refuse(
                    "DYS303",
                    "The provided expression refers to an attribute that does not exist in the "
                    "item",
                    "give a default: if_not_exists(path, value)",
                )
            return found
        case IfNotExists():
            old = value_at(operand.path, item) if isinstance(operand.path, Path) else None
            return _set_operand(operand.default, item) if old is None else old
        case ListAppend():
            left = _operand_of_type("L", operand.left, item)
            right = _operand_of_type("L", operand.right, item)
            return {"L": [*left["L"], *right["L"]]}
        case Arithmetic():
            left = _operand_of_type("N", operand.left, item)
            right = _operand_of_type("N", operand.right, item)
            return _sum(left, right, operand.operator)
        case _:
            raise TypeError(f"SET has no {type(operand).__name__}")


def _operand_of_type(type_name: str, operand: Operand, item: AttributeMap) -> AttributeValue:
    value = _set_operand(operand, item)
    if type_name not in value:
        _refuse_operand()
    return value


def _sum(
    left: AttributeValue, right: AttributeValue, operator: Literal["+", "-"]
) -> AttributeValue:
    one, other = Decimal(left["N"]), Decimal(right["N"])
    exact = _EXACT.add(one, other) if operator == "+" else _EXACT.subtract(one, other)
    try:
        return {"N": encode_number(exact)}
    except ValueOutOfRangeError:
        is_large = exact.adjusted() > MAX_NUMBER_MAGNITUDE
        is_small = exact.adjusted() < MIN_NUMBER_MAGNITUDE
        message = (
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range"
            if is_large
            else "Number underflow. Attempting to store a number with magnitude smaller than "
            "supported range"
            if is_small
            else "Attempting to store more than 38 significant digits in a Number"
        )
        _refuse("DYS119", message, "keep numbers within 38 digits and DynamoDB's range")


def _added(old: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    type_name, content = member(value)
    if old is None:
        return value
    if type_name not in old:
        _refuse_operand()
    if type_name == "N":
        return _sum(old, value, "+")
    seen = scalars(type_name, old[type_name])
    more = [each for each in content if scalar(ELEMENTS[type_name], each) not in seen]
    return {type_name: [*old[type_name], *more]}


def _without(old: AttributeValue, value: AttributeValue) -> AttributeValue | None:
    type_name, content = member(value)
    if type_name not in old:
        _refuse_operand()
    gone = scalars(type_name, content)
    left = [each for each in old[type_name] if scalar(ELEMENTS[type_name], each) not in gone]
    return {type_name: left} if left else None


def _literal(operand: Operand) -> AttributeValue:
    if not isinstance(operand, Value):
        raise TypeError(f"ADD and DELETE take a value, not {type(operand).__name__}")
    return operand.attribute_value


class _Tree:
    """An item during its update: changed paths are copied, the rest is shared.

    List indexes are those of the item before the update. What is set past the end of a list stands
    there in the order of the indexes, and what is removed goes at the very end.
    """

    def __init__(self, item: AttributeMap) -> None:
        self._item: dict[str, Any] = dict(item)
        self._own: set[int] = {id(self._item)}
        self._past_end: dict[int, tuple[list[Any], dict[int, AttributeValue]]] = {}
        self._removed: dict[int, tuple[list[Any], set[int]]] = {}

    def require(self, path: Path) -> None:
        """Require that the map or list of the last element exists."""
        parent, last = self._parent(path), path.elements[-1]
        if isinstance(last, str) is not isinstance(parent, dict):
            _refuse_path()

    def set(self, path: Path, value: AttributeValue) -> None:
        parent, last = self._parent(path), path.elements[-1]
        if isinstance(parent, dict) and isinstance(last, str):
            parent[last] = value
        elif isinstance(parent, list) and isinstance(last, int):
            if last < len(parent):
                parent[last] = value
            else:
                self._past_end.setdefault(id(parent), (parent, {}))[1][last] = value

    def remove(self, path: Path) -> None:
        parent, last = self._parent(path), path.elements[-1]
        if isinstance(parent, dict) and isinstance(last, str):
            parent.pop(last, None)
        elif isinstance(parent, list) and isinstance(last, int):
            self._removed.setdefault(id(parent), (parent, set()))[1].add(last)

    def finished(self) -> dict[str, AttributeValue]:
        for elements, removed in self._removed.values():
            elements[:] = [each for index, each in enumerate(elements) if index not in removed]
        for elements, added in self._past_end.values():
            elements += [added[index] for index in sorted(added)]
        return self._item

    def _parent(self, path: Path) -> dict[str, Any] | list[Any]:
        """The map or list that contains the last element of the path, copied for the change."""
        here: Any = self._item
        for element in path.elements[:-1]:
            if isinstance(here, dict):
                value = here.get(element) if isinstance(element, str) else None
            else:
                is_index = isinstance(element, int) and element < len(here)
                value = here[element] if is_index else None
            if value is None or not ("L" in value or "M" in value):
                _refuse_path()
            type_name, content = member(value)
            if id(content) not in self._own:
                content = list(content) if type_name == "L" else dict(content)
                self._own.add(id(content))
                here[element] = {type_name: content}
            here = content
        container: dict[str, Any] | list[Any] = here
        return container


def _require_fitting(item: AttributeMap, sizes_bytes: Mapping[int, int]) -> None:
    known_bytes = 0
    if sizes_bytes:
        known = [sizes_bytes[id(value)] for value in item.values() if id(value) in sizes_bytes]
        known_bytes = sum(known) - len(known)
        # Their names count still, and the one byte of a NULL in the place of each.
        item = {
            name: {"NULL": True} if id(value) in sizes_bytes else value
            for name, value in item.items()
        }
    of_fine = fine_item_size_bytes(item)
    if known_bytes + (of_fine if of_fine >= 0 else item_size_bytes(item)) > MAX_ITEM_BYTES:
        _refuse(
            "DYS135",
            "Item size to update has exceeded the maximum allowed size",
            "keep items to 400 KB: split it, or keep large values elsewhere",
        )
    todo = [] if of_fine >= 0 else [(value, 2) for value in item.values()]
    while todo:
        value, level = todo.pop()
        type_name, content = member(value)
        if type_name not in ("L", "M"):
            continue
        if level > MAX_NESTING_LEVELS:
            _refuse(
                "DYS115",
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
                "levels beyond supported limit",
                f"nest at most {MAX_NESTING_LEVELS} levels, of which the item is the first",
            )
        children = content if type_name == "L" else content.values()
        todo += [(child, level + 1) for child in children]


# Projections


def project(paths: Iterable[Path], item: AttributeMap) -> dict[str, AttributeValue]:
    """The part of an item that a projection returns: the values at the paths, in their places."""
    found: dict[Any, Any] = {}
    for path in paths:
        value = value_at(path, item)
        if value is None:
            continue
        here = found
        for element in path.elements[:-1]:
            here = here.setdefault(element, {})
        here[path.elements[-1]] = _Leaf(value)
    return {name: _assembled(child) for name, child in found.items()}


class _Leaf:
    def __init__(self, value: AttributeValue) -> None:
        self.value = value


def _assembled(found: Any) -> AttributeValue:
    """A value from the found parts, without gaps in lists."""
    if isinstance(found, _Leaf):
        return found.value
    if any(isinstance(element, int) for element in found):
        return {"L": [_assembled(found[index]) for index in sorted(found)]}
    return {"M": {name: _assembled(child) for name, child in found.items()}}


# Refusals


def _refuse(code: str, message: str, fix: str) -> NoReturn:
    finding = Finding(
        code=code, message=message, where=Where(parameter="UpdateExpression"), fix=fix
    )
    raise InvalidRequestError("UpdateItem", (finding,))


def _refuse_operand() -> NoReturn:
    _refuse(
        "DYS302",
        "An operand in the update expression has an incorrect data type",
        "give an operand of the type that the item's attribute has",
    )


def _refuse_path() -> NoReturn:
    _refuse(
        "DYS301",
        "The document path provided in the update expression is invalid for update",
        "set the map or list that the path goes through first",
    )
