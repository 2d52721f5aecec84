"""UpdateBuilder: the parameters of an UpdateItem call, built from typed actions.

Sources: "Update expressions in DynamoDB"; "UpdateItem", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, Self, TypeVar, cast, overload

from dynasafe.attribute_value import (
    AttributeValue,
    from_attribute_map,
    from_attribute_value,
    to_attribute_map,
)
from dynasafe.errors import (
    EmptyUpdateError,
    InvalidRequestError,
    InvalidValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.expressions import evaluate
from dynasafe.expressions.attributes import Attr, Computed, attr
from dynasafe.expressions.conditions import Condition, ConditionLike, condition_node
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.nodes import ConditionNode, Update, conjunction
from dynasafe.expressions.path_set import PathSet
from dynasafe.expressions.render import Placeholders, render_condition, render_update
from dynasafe.expressions.update_actions import Action, Payload, Step, Verb, update_of
from dynasafe.expressions.update_shapes import Escape, ShapeTree, UpdateShape, Written
from dynasafe.findings import Finding, Where
from dynasafe.item import Item, Schema, decode_item, encode_key, schema_of

T = TypeVar("T")
ItemT = TypeVar("ItemT", bound=Item)
U = TypeVar("U")
NumberT = TypeVar("NumberT", bound=int | float | Decimal | None)
SetT = TypeVar("SetT", bound="set[Any] | frozenset[Any] | None")
AddT = TypeVar("AddT", bound="int | float | Decimal | set[Any] | frozenset[Any] | None")

ReturnValues = Literal["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"]
ReturnConsumedCapacity = Literal["INDEXES", "TOTAL", "NONE"]
ReturnItemCollectionMetrics = Literal["SIZE", "NONE"]
ReturnValuesOnConditionCheckFailure = Literal["ALL_OLD", "NONE"]
NonePolicy = Literal["remove", "null", "skip"]


_ADDED = frozenset({int, float, Decimal, set, frozenset})


class UpdateBuilder:
    """An update that cannot be malformed, as a chain of actions.

    The builder is mutable, so that `if phone: update.set(...)` keeps the action, and freezes when
    it is built or sent, so that a shared one cannot carry values from one request to another.

    Args:
        item_class: checks names, types and keys against this Item class. Without one, any name
            and any supported value is taken.
        escape: "auto" aliases names that need it, "always" aliases all.
    """

    __slots__ = (
        "_condition",
        "_escape",
        "_has_operands",
        "_is_frozen",
        "_paths",
        "_schema",
        "_shape",
        "_steps",
    )

    def __init__(self, item_class: type[Item] | None = None, *, escape: Escape = "auto") -> None:
        if escape not in ("auto", "always"):
            raise ValueOutOfRangeError("escape", f"'auto' or 'always', not {escape!r}")
        self._schema: Schema | None = None if item_class is None else schema_of(item_class)
        self._escape: Escape = escape
        self._steps: list[Step] = []
        self._shape: UpdateShape | None = _root(self._schema, escape)
        self._paths: PathSet | None = None
        self._condition: ConditionNode | None = None
        self._has_operands = False
        self._is_frozen = False

    # Actions

    @overload
    def set(self, attribute: Attr[T], value: T | Attr[T] | Computed[T]) -> Self: ...
    @overload
    def set(self, attribute: str, value: object) -> Self: ...
    def set(self, attribute: Attr[Any] | str, value: Any) -> Self:
        """SET the attribute to a value, to another attribute's, or to a computed one."""
        if value.__class__ is Attr or value.__class__ is Computed:
            self._take(Action("set", self._target(attribute)), value.node)
            self._shape = None
            self._has_operands = True
            return self
        return self._act("set", attribute, value)

    @overload
    def set_if_not_exists(self, attribute: Attr[T], value: T) -> Self: ...
    @overload
    def set_if_not_exists(self, attribute: str, value: object) -> Self: ...
    def set_if_not_exists(self, attribute: Attr[Any] | str, value: object) -> Self:
        """SET the attribute where the item lacks it: `a = if_not_exists(a, :v)`."""
        return self._act("set_if_not_exists", attribute, value)

    @overload
    def append(self, attribute: Attr[list[U]], values: Iterable[U]) -> Self: ...
    @overload
    def append(self, attribute: Attr[list[U] | None], values: Iterable[U]) -> Self: ...
    @overload
    def append(self, attribute: str, values: Iterable[object]) -> Self: ...
    def append(self, attribute: Attr[Any] | str, values: Iterable[Any]) -> Self:
        """SET the list to itself and the values at its end; a missing list counts as empty."""
        return self._act("append", attribute, values)

    @overload
    def prepend(self, attribute: Attr[list[U]], values: Iterable[U]) -> Self: ...
    @overload
    def prepend(self, attribute: Attr[list[U] | None], values: Iterable[U]) -> Self: ...
    @overload
    def prepend(self, attribute: str, values: Iterable[object]) -> Self: ...
    def prepend(self, attribute: Attr[Any] | str, values: Iterable[Any]) -> Self:
        """SET the list to the values and itself after them; a missing list counts as empty."""
        return self._act("prepend", attribute, values)

    @overload
    def increment(self, attribute: Attr[NumberT], amount: NumberT) -> Self: ...
    @overload
    def increment(self, attribute: str, amount: int | float | Decimal) -> Self: ...
    def increment(self, attribute: Attr[Any] | str, amount: Any) -> Self:
        """SET the number to itself plus the amount; a missing number counts as zero."""
        return self._act("increment", attribute, amount)

    @overload
    def add(self, attribute: Attr[AddT], value: AddT) -> Self: ...
    @overload
    def add(self, attribute: str, value: object) -> Self: ...
    def add(self, attribute: Attr[Any] | str, value: object) -> Self:
        """ADD a number to a number, or members to a set; a missing attribute is created."""
        return self._act("add", attribute, value)

    @overload
    def delete(self, attribute: Attr[SetT], members: SetT) -> Self: ...
    @overload
    def delete(self, attribute: str, members: object) -> Self: ...
    def delete(self, attribute: Attr[Any] | str, members: object) -> Self:
        """DELETE members from a set; the attribute goes with its last member."""
        return self._act("delete", attribute, members)

    def remove(self, *attributes: Attr[Any] | str) -> Self:
        """REMOVE attributes, or elements of lists."""
        for attribute in attributes:
            self._act("remove", attribute, None)
        return self

    def condition(self, condition: ConditionLike) -> Self:
        """Write only if the condition holds too; several calls are ANDed."""
        self._require_mutable()
        node = condition_node(condition)
        self._condition = node if self._condition is None else conjunction(self._condition, node)
        return self

    # Patches

    @classmethod
    def from_patch(
        cls,
        patch: object,
        *,
        allow: Iterable[str],
        none: NonePolicy | None = None,
        escape: Escape = "auto",
    ) -> Self:
        """An update from untrusted data: SET of each allowed attribute.

        Args:
            patch: a mapping, pydantic model (the fields that were set), dataclass, or Item.
            allow: the attributes that may be set. Anything else is refused, all at once.
            none: what None means: "remove" the attribute, store "null", or "skip" it. Without
                it, None is refused.

        Raises:
            InvalidRequestError: an attribute is not allowed, or its None is undecided.
        """
        return cls(escape=escape).patch(patch, allow=allow, none=none)

    def patch(
        self,
        patch: object,
        *,
        allow: Iterable[str] | None = None,
        none: NonePolicy | None = None,
    ) -> Self:
        """Add the patch's attributes. With an Item class, its patchable ones are allowed.

        Raises:
            InvalidRequestError: an attribute is not allowed, or its None is undecided, or would
                leave an item that the Item class cannot read.
        """
        self._require_mutable()
        if none not in (None, "remove", "null", "skip"):
            raise ValueOutOfRangeError("none", f"'remove', 'null' or 'skip', not {none!r}")
        if allow is None and self._schema is None:
            raise TypeError(
                "a patch without an Item class needs allow=, the attributes that it may set"
            )
        if isinstance(allow, str):
            raise TypeError("allow= is a collection of names, not one str")
        values = _patch_values(patch)
        allowed = None if allow is None else frozenset(allow)
        targets, findings = self._patch_targets(values, allowed)
        undecided = [name for name, value in values.items() if value is None] if not none else []
        if undecided:
            names = ", ".join(sorted(undecided))
            findings.append(
                _finding(
                    "DYS142",
                    f"The patch holds None for: {names}",
                    "patch",
                    "say what None means: none='remove', none='null' or none='skip'",
                )
            )
        lost = [
            name for name in targets if values[name] is None and self._needs(targets[name], none)
        ]
        if lost:
            names = ", ".join(sorted(lost))
            findings.append(
                _finding(
                    "DYS144",
                    f"The patch takes away what an item needs: {names}",
                    "patch",
                    "give values: without them the item could not be read any more. Or allow None "
                    "in the annotation for none='null', or give a default for none='remove'",
                )
            )
        if findings:
            raise InvalidRequestError("UpdateItem", findings)
        for name, value in values.items():
            target = targets[name]
            if value is not None:
                self.set(target, value)
            elif none == "remove":
                self.remove(target)
            elif none == "null":
                self._shape = None
                self._take(Action("set", target), {"NULL": True})
        return self

    def _needs(self, target: Attr[Any], none: NonePolicy | None) -> bool:
        """Whether an item could not be read any more with what None means."""
        if self._schema is None or none in (None, "skip"):
            return False
        if none == "remove":
            return not self._schema.by_name[target.path.attribute_name].has_default
        try:
            target.codec.encode(None)
        except InvalidValueError:
            return True
        return False

    def _patch_targets(
        self, values: Mapping[str, object], allowed: frozenset[str] | None
    ) -> tuple[dict[str, Attr[Any]], list[Finding]]:
        targets: dict[str, Attr[Any]] = {}
        refused = []
        findings = []
        by_name: dict[str, str] = {}
        for name in values:
            found = self._schema.find(name) if self._schema else None
            permitted = allowed is None or name in allowed
            if self._schema is not None:
                permitted = permitted and found is not None and found.is_patchable
            if not permitted or not isinstance(name, str) or not name:
                refused.append(str(name))
                continue
            # A patch names attributes, not places inside them: a dot is part of the name.
            targets[name] = (
                attr(name=name)
                if self._schema is None or found is None
                else getattr(self._schema.item_class, found.field_name)
            )
            stored_name = str(targets[name].path.elements[0])
            if stored_name in by_name:
                findings.append(
                    _finding(
                        "DYS143",
                        f"The patch sets {stored_name!r} twice: as {by_name[stored_name]!r} and "
                        f"as {name!r}",
                        "patch",
                        "send one of the two",
                    )
                )
            by_name[stored_name] = name
        if refused:
            findings.insert(
                0,
                _finding(
                    "DYS141",
                    f"The patch sets attributes that are not allowed: {', '.join(sorted(refused))}",
                    "patch",
                    "remove them from the patch, or name them in allow=; with an Item class, "
                    "keys, versions, write ids and attributes with patchable=False cannot be set",
                ),
            )
        return targets, findings

    # What it is

    @property
    def is_empty(self) -> bool:
        """Whether there are no actions; a condition is not one."""
        return not self._steps

    @property
    def is_idempotent(self) -> bool:
        """Whether sending the update twice leaves the item as sending it once does."""
        return self.is_idempotent_under(self._condition)

    def is_idempotent_under(self, condition: ConditionNode | None) -> bool:
        """Whether it is idempotent under a condition, whatever its own."""
        written = self._written()
        if written is not None and (condition is None or written.is_idempotent):
            return written.is_idempotent
        return is_idempotent(self.update, condition)

    @property
    def update(self) -> Update:
        """The syntax tree of the actions."""
        return update_of(self._steps)

    @property
    def condition_node(self) -> ConditionNode | None:
        """The syntax tree of the condition."""
        return self._condition

    @property
    def escape(self) -> Escape:
        return self._escape

    def copy(self) -> Self:
        """A builder with the same actions, which is not frozen."""
        twin = type(self).__new__(type(self))
        twin._schema = self._schema
        twin._escape = self._escape
        twin._steps = self._steps.copy()
        twin._shape = self._shape
        twin._paths = None if self._paths is None else self._paths.copy()
        twin._condition = self._condition
        twin._has_operands = self._has_operands
        twin._is_frozen = False
        return twin

    def __copy__(self) -> Self:
        return self.copy()

    # A dry run

    @overload
    def apply(self, item: ItemT) -> ItemT: ...
    @overload
    def apply(self, item: Mapping[str, object]) -> dict[str, Any]: ...
    def apply(self, item: Any) -> Any:
        """The item after the update, as DynamoDB would store it; nothing is sent or changed.

        The condition is not asked: see `matches`.

        Args:
            item: the whole item, an instance or a mapping of Python values by stored name.

        Raises:
            InvalidRequestError: what DynamoDB refuses for this item, such as a path into an
                attribute that is not there.
            InvalidValueError: DynamoDB cannot store a value of the item.
            StoredValueError: what comes out does not fit the item's class.
        """
        changed = evaluate.apply(self.update, evaluate.attributes_of(item))
        return (
            decode_item(type(item), changed)
            if isinstance(item, Item)
            else from_attribute_map(changed)
        )

    def matches(self, item: Mapping[str, object] | Item | None) -> bool:
        """Whether the condition holds for the item; without a condition it does.

        Args:
            item: as of `Condition.matches`.
        """
        return self._condition is None or Condition(self._condition).matches(item)

    # The request

    def build(
        self,
        *,
        key: Mapping[str, object] | Item,
        return_values: ReturnValues | None = None,
        return_consumed_capacity: ReturnConsumedCapacity | None = None,
        return_item_collection_metrics: ReturnItemCollectionMetrics | None = None,
        return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure | None = None,
    ) -> dict[str, Any]:
        """Keyword arguments for `update_item` of a boto3 or aioboto3 Table: Python values.

        Every member is present and non-empty, or absent. Freezes the builder.

        Raises:
            EmptyUpdateError: there are no actions.
            InvalidRequestError: the update changes a key attribute.
            InvalidValueError: the key does not fit the Item class.
        """
        params = self._build(
            {},
            key,
            return_values,
            return_consumed_capacity,
            return_item_collection_metrics,
            return_values_on_condition_check_failure,
        )
        for member in ("Key", "ExpressionAttributeValues"):
            if member in params:
                params[member] = {
                    name: from_attribute_value(value) for name, value in params[member].items()
                }
        return params

    def build_client(
        self,
        *,
        table_name: str,
        key: Mapping[str, object] | Item,
        return_values: ReturnValues | None = None,
        return_consumed_capacity: ReturnConsumedCapacity | None = None,
        return_item_collection_metrics: ReturnItemCollectionMetrics | None = None,
        return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure | None = None,
    ) -> dict[str, Any]:
        """Keyword arguments for `update_item` of a boto3 or aioboto3 client: AttributeValues.

        As `build`, with TableName and the values in wire form.
        """
        return self._build(
            {"TableName": table_name},
            key,
            return_values,
            return_consumed_capacity,
            return_item_collection_metrics,
            return_values_on_condition_check_failure,
        )

    def _build(
        self,
        params: dict[str, Any],
        key: Mapping[str, object] | Item,
        return_values: str | None,
        return_consumed_capacity: str | None,
        return_item_collection_metrics: str | None,
        return_values_on_condition_check_failure: str | None,
    ) -> dict[str, Any]:
        params["Key"] = self._encode_key(key)
        params.update(self.expressions())
        if return_values is not None:
            params["ReturnValues"] = return_values
        if return_consumed_capacity is not None:
            params["ReturnConsumedCapacity"] = return_consumed_capacity
        if return_item_collection_metrics is not None:
            params["ReturnItemCollectionMetrics"] = return_item_collection_metrics
        if return_values_on_condition_check_failure is not None:
            params["ReturnValuesOnConditionCheckFailure"] = return_values_on_condition_check_failure
        return params

    def freeze(self) -> None:
        """Refuse any more changes.

        Raises:
            EmptyUpdateError: there are no actions.
        """
        if not self._steps:
            raise EmptyUpdateError
        self._is_frozen = True

    def expressions(self, extra_condition: ConditionNode | None = None) -> dict[str, Any]:
        """The expressions and their placeholders, in wire form; freezes the builder.

        Raises:
            EmptyUpdateError: there are no actions.
        """
        self.freeze()
        written = self._written()
        if written is not None and self._condition is None and extra_condition is None:
            return written.members(self._steps)
        terms = [node for node in (self._condition, extra_condition) if node is not None]
        if written is None:
            placeholders = Placeholders(escape=self._escape)
            text = render_update(self.update, placeholders)
        else:
            placeholders = written.placeholders(self._steps, self._escape)
            text = written.text
        members: dict[str, Any] = {"UpdateExpression": text}
        if terms:
            members["ConditionExpression"] = render_condition(conjunction(*terms), placeholders)
        if placeholders.names:
            members["ExpressionAttributeNames"] = placeholders.names
        if placeholders.values:
            members["ExpressionAttributeValues"] = placeholders.values
        return members

    def _encode_key(self, key: Mapping[str, object] | Item) -> dict[str, AttributeValue]:
        if self._schema is not None:
            return encode_key(self._schema, key)
        if isinstance(key, Item):
            encoded = encode_key(key.__dynasafe_schema__, key)
        else:
            encoded = cast(dict[str, AttributeValue], to_attribute_map(key))
        if not encoded:
            raise ValueOutOfRangeError("Key", "the key is empty. Mend: give the primary key")
        self.require_not_in_key(encoded)
        return encoded

    def require_not_in_key(self, key: Container[str]) -> None:
        """Refuse an update of a key attribute.

        Raises:
            InvalidRequestError: an action's path begins with a name of the key.
        """
        if self._shape is not None and self._steps:
            roots: Iterable[str] = self._shape.written(self._steps).roots
        else:
            roots = [action.target.path.attribute_name for action, _ in self._steps]
        for name in roots:
            if name in key:
                raise _key_error(name)

    # Within

    def _written(self) -> Written | None:
        """The text of the actions, unless DynamoDB computes something in one of them."""
        if self._shape is not None:
            return self._shape.written(self._steps)
        return None if self._has_operands else Written(self._steps, self._escape)

    def _require_mutable(self) -> None:
        if self._is_frozen:
            raise TypeError(
                "This UpdateBuilder was built or sent already, and is frozen. "
                "Mend: change update.copy(), or make a new builder per request."
            )

    def _target(self, attribute: Attr[Any] | str) -> Attr[Any]:
        self._require_mutable()
        schema = self._schema
        if isinstance(attribute, Attr):
            if schema is None:
                return attribute
            if attribute.owner is None:
                return self._typed(attribute)
            if not issubclass(schema.item_class, attribute.owner):
                raise UnsupportedTypeError(
                    str(attribute.path),
                    f"an attribute of {attribute.owner.__name__} in an update of "
                    f"{schema.item_class.__name__}. Mend: use that class's own attribute; for one "
                    "inside a nested Item, Outer.inner[Inner.attribute]",
                )
            return attribute
        if not isinstance(attribute, str):
            raise UnsupportedTypeError(
                "",
                f"an attribute is an Attr or a document path, not {type(attribute).__name__}",
            )
        return self._typed(attr(attribute))

    def _typed(self, untyped: Attr[Any]) -> Attr[Any]:
        """The Item class's own attribute at this path."""
        if self._schema is None:
            return untyped
        name, *rest = untyped.path.elements
        found = self._schema.find(str(name))
        if found is None:
            raise UnsupportedTypeError(
                str(untyped.path),
                f"{self._schema.item_class.__name__} has no attribute {name!r}. Mend: declare it, "
                "or use UpdateBuilder() without an Item class",
            )
        typed: Attr[Any] = getattr(self._schema.item_class, found.field_name)
        for element in rest:
            typed = typed[element]
        return typed

    def _act(self, verb: Verb, attribute: Attr[Any] | str, value: Any) -> Self:
        """Add an action with a value of its own."""
        shape = self._shape
        of = attribute.__class__
        is_known = of is Attr or of is str
        # What else ADD is given may be a number once, and a set of members once.
        is_known = is_known and (verb != "add" or value.__class__ in _ADDED)
        if shape is None or self._is_frozen or not is_known:
            action = Action(verb, self._target(attribute))
            self._take(action, action.payload(value))
            self._shape = None
            return self
        # ADD of a number adds up, ADD of members does not: they are two kinds.
        kind = verb if verb != "add" else value.__class__
        name = attribute.identity if of is Attr else attribute  # type: ignore[union-attr]
        found = shape.known(kind, name)
        if found is None:
            action = Action(verb, self._target(attribute))
            self._take(action, action.payload(value))
            self._shape = shape.extended(kind, name, action)
        else:
            action, shape = found
            self._steps.append((action, action.payload(value)))
            self._shape = shape
        return self

    def _take(self, action: Action, payload: Payload) -> None:
        """Add the step, if its path clashes with none."""
        self._require_mutable()
        target = action.target
        if self._schema is not None:
            name = target.path.elements[0]
            if name in self._schema.key_names:
                raise _key_error(str(name))
        if self._paths is None or len(self._paths) != len(self._steps):
            self._paths = PathSet()
            for step, _ in self._steps:
                self._paths.add(step.target.path.elements)
        clash = self._paths.add(target.path.elements)
        if clash is not None:
            message = f"Invalid UpdateExpression: {clash.message}"
            finding = _finding(clash.code, message, "UpdateExpression", clash.mend)
            raise InvalidRequestError("UpdateItem", [finding])
        self._steps.append((action, payload))


_roots: dict[Escape, UpdateShape] = {each: ShapeTree(each).root for each in ("auto", "always")}


def _root(schema: Schema | None, escape: Escape) -> UpdateShape:
    """Where chains of actions begin."""
    if schema is None:
        return _roots[escape]
    root: UpdateShape | None = schema.caches.get(escape)
    if root is None:
        root = schema.caches[escape] = ShapeTree(escape).root
    return root


def _finding(code: str, message: str, parameter: str, mend: str) -> Finding:
    return Finding(code=code, message=message, where=Where(parameter=parameter), mend=mend)


def _key_error(name: str) -> InvalidRequestError:
    finding = _finding(
        "DYS120",
        "One or more parameter values were invalid: Cannot update attribute "
        f"{name}. This attribute is part of the key",
        "UpdateExpression",
        "put a new item and delete the old one, in one transaction",
    )
    return InvalidRequestError("UpdateItem", [finding])


def _patch_values(patch: object) -> Mapping[str, object]:
    if isinstance(patch, Mapping):
        return patch
    if isinstance(patch, Item):
        return _changed_values(patch)
    dump: Any = getattr(patch, "model_dump", None)
    if callable(dump):
        return cast("Mapping[str, object]", dump(exclude_unset=True))
    if dataclasses.is_dataclass(patch) and not isinstance(patch, type):
        return {each.name: getattr(patch, each.name) for each in dataclasses.fields(patch)}
    raise UnsupportedTypeError(
        "patch",
        f"a mapping, pydantic model, dataclass or Item is expected, not {type(patch).__name__}",
    )


def _changed_values(item: Item) -> dict[str, object]:
    """The values that differ from their defaults, without the key and the version."""
    schema = item.__dynasafe_schema__
    values = {}
    for each in schema.attributes:
        if each.is_key or each.options.version or each.options.write_id:
            continue
        value = getattr(item, each.field_name)
        if not (each.has_default and value == each.default()):
            values[each.field_name] = value
    return values
