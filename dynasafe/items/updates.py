"""UpdateBuilder: the parameters of an UpdateItem call, built from typed actions.

Sources: "Update expressions in DynamoDB"; "UpdateItem", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Self, TypeVar, cast, overload

from dynasafe.errors import (
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.expressions import evaluate
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.nodes import ConditionNode, Update
from dynasafe.expressions.render import Escape, render
from dynasafe.items.attributes import Attr, Choices, Computed, Readable, is_nothing
from dynasafe.items.conditions import Condition, ConditionLike, as_condition
from dynasafe.items.item import Item
from dynasafe.items.owners import OwnerT
from dynasafe.items.owners import V as T
from dynasafe.items.patches import NonePolicy, allowed_names, patched
from dynasafe.items.schema import Schema, schema_of
from dynasafe.items.update_steps import UpdateSteps
from dynasafe.values.arguments import require_choice
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from dynasafe.values.plain import for_serializer
from dynasafe.values.whole_items import decode_item
from dynasafe.values.wire import AttributeValue

ItemT = TypeVar("ItemT", bound=Item)
TextT = TypeVar("TextT", bound=str)
"""For Literals: mypy infers a set of str for `{"new"}`, whatever type is expected."""
InstanceT = TypeVar("InstanceT", bound=Item)
NumberT = TypeVar("NumberT", bound=int | float | Decimal | None)

if TYPE_CHECKING:
    from typing_extensions import TypeAliasType

    # Outside the class, in which `set` is a method.
    Elements = Choices[T] | Iterator[T]
    ListOf = TypeAliasType(
        "ListOf",
        Attr[list[T], OwnerT]
        | Attr[list[T] | None, OwnerT]
        | Attr[tuple[T, ...], OwnerT]
        | Attr[tuple[T, ...] | None, OwnerT]
        | Attr[Sequence[T], OwnerT]
        | Attr[Sequence[T] | None, OwnerT],
        type_params=(T, OwnerT),
    )
    MembersOf = set[T] | frozenset[T]
    SetOf = TypeAliasType(
        "SetOf",
        Attr[set[T], OwnerT]
        | Attr[set[T] | None, OwnerT]
        | Attr[frozenset[T], OwnerT]
        | Attr[frozenset[T] | None, OwnerT]
        | Attr[Set[T], OwnerT]
        | Attr[Set[T] | None, OwnerT],
        type_params=(T, OwnerT),
    )

ReturnValues = Literal["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"]
ReturnConsumedCapacity = Literal["INDEXES", "TOTAL", "NONE"]
ReturnItemCollectionMetrics = Literal["SIZE", "NONE"]
ReturnValuesOnConditionCheckFailure = Literal["ALL_OLD", "NONE"]


class CompiledUpdate(NamedTuple):
    """The parts of an update for a request."""

    members: dict[str, Any]
    """The expressions and their placeholders, in wire form."""
    is_idempotent: bool
    """Whether it may be applied twice, under its conditions."""
    has_condition: bool
    """Whether the builder has a condition of its own."""


class UpdateBuilder(Generic[OwnerT]):
    """An update as a chain of actions, from which dynasafe writes the expression.

    Each call changes the builder itself, so that `if phone: update.set(...)` keeps the action. The
    builder freezes when it is built or sent, so that a shared one cannot take values from one
    request to another.

    Args:
        item_class: names, types and keys are checked against this Item class. Without one, any
            name and any supported value is allowed.
        escape: "auto" aliases names that need it, "always" aliases all.
    """

    __slots__ = ("_condition", "_steps")

    @overload
    def __init__(
        self: UpdateBuilder[Any], item_class: None = None, *, escape: Escape = "auto"
    ) -> None: ...
    @overload
    def __init__(
        self: UpdateBuilder[InstanceT], item_class: type[InstanceT], *, escape: Escape = "auto"
    ) -> None: ...
    def __init__(self, item_class: Any = None, *, escape: Escape = "auto") -> None:
        if type(escape) is not str or escape not in ("auto", "always"):
            require_choice("escape", escape, ("auto", "always"))
        schema = None if item_class is None else schema_of(item_class)
        self._steps = UpdateSteps(schema, escape)
        self._condition: Condition[Any] | None = None

    # Actions

    def set(
        self,
        attribute: Attr[T, OwnerT] | str,
        value: T | Readable[T | None, OwnerT] | Computed[T, OwnerT],
    ) -> Self:
        """SET the attribute to a value, to the value of another attribute, or to a computed one.

        If the default is None or an empty set, that value is not stored, but removes the attribute.
        """
        if value.__class__ is Attr or value.__class__ is Computed:
            self._steps.compute(attribute, cast("Any", value))
        elif is_nothing(value) and self._steps.target(attribute).is_absent(value):
            self._steps.act("remove", attribute, None)
        else:
            self._steps.act("set", attribute, value)
        return self

    def set_if_not_exists(self, attribute: Attr[T, OwnerT] | str, value: T) -> Self:
        """SET the attribute if the item lacks it: `a = if_not_exists(a, :v)`.

        If None is not stored for the attribute, None changes nothing.
        """
        self._steps.require_mutable()
        if value is not None or not self._steps.target(attribute).none_is_absent:
            self._steps.act("set_if_not_exists", attribute, value)
        return self

    def append(self, attribute: ListOf[T, OwnerT] | str, values: Elements[T]) -> Self:
        """SET the list to itself plus the values at its end. A missing list counts as empty."""
        self._steps.act("append", attribute, values)
        return self

    def prepend(self, attribute: ListOf[T, OwnerT] | str, values: Elements[T]) -> Self:
        """SET the list to the values plus itself after them. A missing list counts as empty."""
        self._steps.act("prepend", attribute, values)
        return self

    def increment(self, attribute: Attr[NumberT, OwnerT] | str, amount: NumberT | int) -> Self:
        """SET the number to itself plus the amount. A missing number counts as zero."""
        self._steps.act("increment", attribute, amount)
        return self

    @overload
    def add(self, attribute: Attr[NumberT, OwnerT], value: NumberT | int) -> Self: ...
    @overload
    def add(self, attribute: SetOf[T, OwnerT], value: MembersOf[T]) -> Self: ...
    @overload
    def add(self, attribute: SetOf[TextT, OwnerT], value: MembersOf[str]) -> Self: ...
    @overload
    def add(self, attribute: str, value: object) -> Self: ...
    def add(self, attribute: Any, value: object) -> Self:
        """ADD a number to a number, or members to a set. A missing attribute is created."""
        self._steps.act("add", attribute, value)
        return self

    @overload
    def delete(self, attribute: SetOf[T, OwnerT] | str, members: MembersOf[T]) -> Self: ...
    @overload
    def delete(self, attribute: SetOf[TextT, OwnerT], members: MembersOf[str]) -> Self: ...
    def delete(self, attribute: Any, members: object) -> Self:
        """DELETE members from a set. Without members, the attribute is removed."""
        self._steps.act("delete", attribute, members)
        return self

    def remove(self, *attributes: Attr[Any, OwnerT] | str) -> Self:
        """REMOVE attributes, or elements of lists."""
        self._steps.require_mutable()
        for attribute in attributes:
            self._steps.act("remove", attribute, None)
        return self

    def condition(self, condition: ConditionLike[OwnerT]) -> Self:
        """Write only if this condition holds too. Several calls are joined by AND."""
        self._steps.require_mutable()
        made = as_condition(condition, self._steps.schema)
        self._condition = made if self._condition is None else self._condition & made
        return self

    # Patches

    @classmethod
    def from_patch(
        cls,
        patch: object,
        *,
        allow: Iterable[str | Attr[Any]],
        none: NonePolicy | None = None,
        escape: Escape = "auto",
    ) -> Self:
        """An update from untrusted data: SET of each allowed attribute.

        Args:
            patch: a mapping, pydantic model (the fields that were set), dataclass, or Item.
            allow: the attributes that the patch may set. One error names all other fields.
            none: what None means: "remove" the attribute, store "null", or "skip" it. Without
                it, None is refused.

        Raises:
            InvalidPatchError: an attribute is not allowed, or its None is undecided.
        """
        return cls(escape=escape).patch(patch, allow=allow, none=none)

    def patch(
        self,
        patch: object,
        *,
        allow: Iterable[str | Attr[Any]] | None = None,
        none: NonePolicy | None = None,
    ) -> Self:
        """Add the patch's attributes. With an Item class, its patchable ones are allowed.

        *allow* names fewer: by their names in Python or in DynamoDB, or as the class's attributes.

        With an Item class, values are read by the attributes' types, also from their JSON forms:
        dates, UUIDs, Enums, Decimals, sets, nested objects. None and an empty set mean the same as
        in an item: if they are the default, they remove the attribute.

        Raises:
            InvalidPatchError: a field is unknown or not allowed, its value is not of its type, its
                None is undecided, or it would leave an item that does not fit the Item class.
                `error.problems` has a message for each field, which you may show to its sender.
        """
        self._steps.require_mutable()
        if none is not None:
            require_choice("none", none, ("remove", "null", "skip"))
        if allow is None and self._steps.schema is None:
            raise UnsupportedTypeError(
                "allow",
                "a patch without an Item class needs the names of the attributes that it may set. "
                "Fix: allow={...}",
            )
        allowed = None if allow is None else allowed_names(self._steps.schema, allow)
        self._steps = patched(self._steps, patch, allowed, none)
        return self

    # What it is

    def __repr__(self) -> str:
        schema = self._steps.schema
        of_class = "" if schema is None else schema.item_class.__name__
        texts = [] if self.is_empty else [render(self.update).text]
        if self._condition is not None:
            texts.append(f"IF {render(self._condition.node).text}")
        return f"<UpdateBuilder({of_class}): {' '.join(texts) or 'no actions'}>"

    @property
    def is_empty(self) -> bool:
        """Whether there are no actions; a condition is not one."""
        return self._steps.is_empty

    @property
    def is_idempotent(self) -> bool:
        """Whether sending the update twice has the same effect as sending it once."""
        return self.is_idempotent_under(self.condition_node)

    def is_idempotent_under(self, condition: ConditionNode | None) -> bool:
        """Whether it is idempotent under a given condition, without its own."""
        if self._steps.is_idempotent:
            return True
        return condition is not None and is_idempotent(self.update, condition)

    @property
    def update(self) -> Update:
        """The syntax tree of the actions."""
        return self._steps.update

    @property
    def condition_node(self) -> ConditionNode | None:
        """The syntax tree of the condition."""
        return None if self._condition is None else self._condition.node

    @property
    def escape(self) -> Escape:
        return self._steps.escape

    def copy(self) -> Self:
        """A builder with the same actions that is not frozen."""
        twin = type(self).__new__(type(self))
        twin._steps = self._steps.copy()
        twin._condition = self._condition
        return twin

    __copy__ = copy

    def __deepcopy__(self, memo: object) -> Self:
        return self.copy()

    # A dry run

    @overload
    def apply(self, item: ItemT) -> ItemT: ...
    @overload
    def apply(self, item: Mapping[str, object]) -> dict[str, Any]: ...
    def apply(self, item: Any) -> Any:
        """The item after the update, as DynamoDB would store it; nothing is sent or changed.

        The condition is not evaluated: see `matches`.

        Args:
            item: the whole item, an instance or a mapping of Python values by stored name.

        Raises:
            InvalidRequestError: DynamoDB would refuse the update for this item, such as a path
                into a missing attribute.
            InvalidValueError: DynamoDB cannot store a value of the item.
            StoredValueError: the result does not fit the item's class.
        """
        changed = evaluate.apply(self.update, evaluate.attributes_of(item))
        return (
            decode_item(type(item), changed)
            if isinstance(item, Item)
            else from_attribute_map(changed)
        )

    def matches(self, item: Mapping[str, object] | Item | None) -> bool:
        """Whether the condition holds for the item. Without a condition, it is True.

        Args:
            item: as in `Condition.matches`.
        """
        return self._condition is None or self._condition.matches(item)

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

        Empty members are left out. Freezes the builder.

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
                params[member] = for_serializer(from_attribute_map(params[member]))
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

        The same as `build`, with TableName and the values in wire form.
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

    def written_for(self, schema: Schema | None) -> UpdateBuilder[Any]:
        """The update for a table of an Item class: this builder, or a copy.

        A builder without a class, or of a base class, is checked against the table's class.

        Raises:
            UnsupportedTypeError: it belongs to another class, or sets a value that the class could
                not read.
        """
        own = self._steps.schema
        if schema is None or own is schema:
            return self
        if own is not None and not issubclass(schema.item_class, own.item_class):
            raise UnsupportedTypeError(
                "update",
                f"an update of {own.item_class.__name__}, where the table's items are of "
                f"{schema.item_class.__name__}. Fix: UpdateBuilder({schema.item_class.__name__})",
            )
        self.freeze()
        twin = self.copy()
        twin._steps = self._steps.written_for(schema)
        if self._condition is not None:
            twin._condition = self._condition.bound(schema)
        return twin

    def values_for(self, schema: Schema | None) -> object:
        """The values that `written_for` has to check; None if there are none."""
        if schema is None or self._steps.schema is schema:
            return None
        return self._steps.values

    def freeze(self) -> None:
        """Refuse any more changes.

        Raises:
            EmptyUpdateError: there are no actions.
        """
        self._steps.freeze()

    def compile(
        self,
        schema: Schema | None,
        key: Container[str],
        *,
        condition: ConditionNode | None = None,
        own: Iterable[tuple[Attr[Any], object]] = (),
    ) -> CompiledUpdate:
        """The update for an item of a table. Freezes the builder.

        Args:
            schema: the schema of the table's Item class.
            key: the names of the key attributes, which an update must not change.
            condition: must hold too, beside the builder's own.
            own: attributes that are set in addition: a version, a write id.

        Raises:
            EmptyUpdateError: there are no actions.
            InvalidRequestError: an action changes a key attribute.
            UnsupportedTypeError: the update belongs to another class.
        """
        self._steps.freeze()
        builder: UpdateBuilder[Any] = self
        if schema is not None and self._steps.schema is not schema:
            builder = self.written_for(schema)
        if own:
            builder = builder.copy()
            for attribute, value in own:
                builder.set(attribute, value)
        terms = [] if builder._condition is None else [builder._condition.node]
        has_condition = bool(terms)
        if condition is not None:
            terms.append(condition)
        members, is_repeatable = builder._steps.compile(terms, key)
        return CompiledUpdate(members, is_repeatable, has_condition)

    def expressions(self, extra_condition: ConditionNode | None = None) -> dict[str, Any]:
        """The expressions and their placeholders, in wire form; freezes the builder.

        Raises:
            EmptyUpdateError: there are no actions.
        """
        terms = [] if self._condition is None else [self._condition.node]
        if extra_condition is not None:
            terms.append(extra_condition)
        return self._steps.expressions(terms)

    def _encode_key(self, key: Mapping[str, object] | Item) -> dict[str, AttributeValue]:
        schema = self._steps.schema
        if schema is not None:
            return schema.encode_key(key)
        if isinstance(key, Item):
            encoded = schema_of(type(key)).encode_key(key)
        else:
            encoded = cast(dict[str, AttributeValue], to_attribute_map(key))
        if not encoded:
            raise ValueOutOfRangeError("Key", "the key is empty. Fix: give the primary key")
        self.require_not_in_key(encoded)
        return encoded

    def require_not_in_key(self, key: Container[str]) -> None:
        """Refuse an update of a key attribute.

        Raises:
            InvalidRequestError: an action's path begins with a name of the key.
        """
        self._steps.require_not_in_key(key)
