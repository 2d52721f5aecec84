"""Attributes as typed operands: the left side of every condition and update.

`Person.visits` is an `Attr[int]`; `attr("address.city")` is an `Attr[Any]` for untyped items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar, overload
from uuid import UUID

from dynasafe.errors import (
    InvalidPathError,
    InvalidValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.expressions.document_path import DocumentPath
from dynasafe.expressions.nodes import (
    Arithmetic,
    Between,
    Comparison,
    ComparisonOperator,
    Function,
    IfNotExists,
    In,
    Operand,
    Path,
    Size,
    Value,
    conjunction,
    disjunction,
)
from dynasafe.items.conditions import Bindable, Condition, Made
from dynasafe.items.owners import HasSchema, Owned, OwnerT, T, T_co
from dynasafe.values.arguments import elements_of
from dynasafe.values.codec import Codec
from dynasafe.values.codecs import codec_for
from dynasafe.values.wire import AttributeValue, is_ordered

U = TypeVar("U")
NestedT = TypeVar("NestedT", bound=HasSchema)
InstanceT = TypeVar("InstanceT", bound=HasSchema)

AttributeType = Literal["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"]

_MAX_CHOICES = 100

_ANY: Codec[Any] = codec_for(Any)
_INT: Codec[int] = codec_for(int)
_NULL = {"NULL": True}
_ORDERED = frozenset({"S", "N", "B"})


class Choices(Protocol[T_co]):
    """Values to choose from: a list, tuple, set or similar, but not a str."""

    def __contains__(self, value: object, /) -> bool: ...
    def __iter__(self) -> Iterator[T_co]: ...


class IsDataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class IsModel(Protocol):
    def model_dump(self) -> dict[str, Any]: ...


class ComparedWithAnotherType:
    """The result of `Person.visits == "3"` for type checkers: not a condition."""


class Readable(Bindable, Owned, Generic[T_co, OwnerT]):
    """An operand with a value in the stored item: an attribute, or the size of one."""

    __slots__ = ()

    @property
    def node(self) -> Operand:
        raise NotImplementedError


class Comparable(Readable[T, OwnerT]):
    """An operand that a condition can compare with a value or an attribute."""

    __slots__ = ()

    def _value(self, value: object) -> Operand:
        raise NotImplementedError

    def _compare(
        self, operator: ComparisonOperator, other: object, make: Callable[..., Condition[Any]]
    ) -> Condition[Any]:
        operand = self._value(other) if operator in ("=", "<>") else self._ordered(other, operator)
        return Condition.made(Comparison(operator, self.node, operand), make, self, other)

    def _ordered(self, value: object, operator: str) -> Operand:
        """The value, if its type has an order. DynamoDB refuses to compare other types with < or
        >."""
        operand = self._value(value)
        if isinstance(operand, Value) and operand.attribute_value.keys().isdisjoint(_ORDERED):
            raise UnsupportedTypeError(
                str(self), f"{operator} takes text, numbers or bytes, not {type(value).__name__}"
            )
        return operand

    def _equals_none(self, value: object) -> bool:
        """Whether a comparison with the value means that the attribute is not stored."""
        return False

    def _is_none(self) -> list[Any]:
        """Absent, or NULL, which earlier code or others may have stored."""
        return [
            Function("attribute_not_exists", (self.node,)),
            Comparison("=", self.node, Value(_NULL)),
        ]

    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def __eq__(  # type: ignore[overload-overlap]
            self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
            other: int | Readable[int | None, OwnerT],
        ) -> Condition[OwnerT]: ...
        @overload
        def __eq__(  # pyright: ignore[reportOverlappingOverload]
            self, other: T | Readable[T | None, OwnerT]
        ) -> Condition[OwnerT]: ...
        @overload
        def __eq__(self, other: object) -> ComparedWithAnotherType: ...
        def __eq__(self, other: object) -> Any: ...

        @overload  # type: ignore[override]
        def __ne__(  # type: ignore[overload-overlap]
            self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
            other: int | Readable[int | None, OwnerT],
        ) -> Condition[OwnerT]: ...
        @overload
        def __ne__(  # pyright: ignore[reportOverlappingOverload]
            self, other: T | Readable[T | None, OwnerT]
        ) -> Condition[OwnerT]: ...
        @overload
        def __ne__(self, other: object) -> ComparedWithAnotherType: ...
        def __ne__(self, other: object) -> Any: ...

        @overload
        def __lt__(
            self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
            other: int | Readable[int | None, OwnerT],
        ) -> Condition[OwnerT]: ...
        @overload
        def __lt__(self, other: T | Readable[T | None, OwnerT]) -> Condition[OwnerT]: ...
        def __lt__(self, other: object) -> Condition[OwnerT]: ...

        @overload
        def __le__(
            self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
            other: int | Readable[int | None, OwnerT],
        ) -> Condition[OwnerT]: ...
        @overload
        def __le__(self, other: T | Readable[T | None, OwnerT]) -> Condition[OwnerT]: ...
        def __le__(self, other: object) -> Condition[OwnerT]: ...

        @overload
        def __gt__(
            self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
            other: int | Readable[int | None, OwnerT],
        ) -> Condition[OwnerT]: ...
        @overload
        def __gt__(self, other: T | Readable[T | None, OwnerT]) -> Condition[OwnerT]: ...
        def __gt__(self, other: object) -> Condition[OwnerT]: ...

        @overload
        def __ge__(
            self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
            other: int | Readable[int | None, OwnerT],
        ) -> Condition[OwnerT]: ...
        @overload
        def __ge__(self, other: T | Readable[T | None, OwnerT]) -> Condition[OwnerT]: ...
        def __ge__(self, other: object) -> Condition[OwnerT]: ...

    else:

        def __eq__(self, other):
            if self._equals_none(other):
                return Condition.made(disjunction(*self._is_none()), _equal, self, other)
            return self._compare("=", other, _equal)

        def __ne__(self, other):
            if self._equals_none(other):
                is_there = Function("attribute_exists", (self.node,))
                is_value = Comparison("<>", self.node, Value(_NULL))
                return Condition.made(conjunction(is_there, is_value), _not_equal, self, other)
            return self._compare("<>", other, _not_equal)

        def __lt__(self, other):
            return self._compare("<", other, Comparable.__lt__)

        def __le__(self, other):
            return self._compare("<=", other, Comparable.__le__)

        def __gt__(self, other):
            return self._compare(">", other, Comparable.__gt__)

        def __ge__(self, other):
            return self._compare(">=", other, Comparable.__ge__)

    # An operand compares into a condition, so it cannot be looked up in a set or a dict.
    __hash__: ClassVar[None]  # type: ignore[assignment]

    @overload
    def between(
        self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
        low: int | Decimal | Readable[int | Decimal | None, OwnerT],
        high: int | Decimal | Readable[int | Decimal | None, OwnerT],
    ) -> Condition[OwnerT]: ...
    @overload
    def between(
        self, low: T | Readable[T | None, OwnerT], high: T | Readable[T | None, OwnerT]
    ) -> Condition[OwnerT]: ...
    def between(self, low: object, high: object) -> Condition[Any]:
        """`low <= self <= high`."""
        lowest, highest = self._ordered(low, "BETWEEN"), self._ordered(high, "BETWEEN")
        if isinstance(lowest, Value) and isinstance(highest, Value):
            _require_bounds(str(self), lowest.attribute_value, highest.attribute_value)
        node = Between(self.node, lowest, highest)
        return Condition.made(node, Comparable.between, self, low, high)

    @overload
    def is_in(
        self: Comparable[Decimal, OwnerT] | Comparable[Decimal | None, OwnerT],
        choices: Choices[int | Decimal | None],
    ) -> Condition[OwnerT]: ...
    @overload
    def is_in(self, choices: tuple[T, ...]) -> Condition[OwnerT]: ...
    @overload
    def is_in(self, choices: Choices[T]) -> Condition[OwnerT]: ...
    @overload
    def is_in(self, choices: Iterator[T]) -> Condition[OwnerT]: ...
    def is_in(self, choices: Any) -> Condition[Any]:
        """Whether the operand equals one of 1 to 100 choices.

        Raises:
            UnsupportedTypeError: a str or a mapping is not a collection of choices.
            ValueOutOfRangeError: there are no choices, or more than 100.
        """
        return _is_in(
            self,
            *elements_of(
                str(self), choices, "a list of values", fix="is_in([value]) for a single one"
            ),
        )


def _equal(left: Any, right: object) -> Condition[Any]:
    made: Condition[Any] = left == right
    return made


def _not_equal(left: Any, right: object) -> Condition[Any]:
    made: Condition[Any] = left != right
    return made


def _is_in(operand: Comparable[Any, Any], *choices: object) -> Condition[Any]:
    if not choices:
        raise ValueOutOfRangeError(
            str(operand),
            "IN takes 1 to 100 values, not 0: nothing could match. Fix: leave the condition out, "
            "or do not send the request",
        )
    if len(choices) > _MAX_CHOICES:
        raise ValueOutOfRangeError(
            str(operand),
            f"IN takes 1 to {_MAX_CHOICES} values, not {len(choices)}. Fix: join several is_in "
            "with |",
        )
    stored = [choice for choice in choices if not operand._equals_none(choice)]
    terms = [] if len(stored) == len(choices) else operand._is_none()
    if stored:
        terms.append(In(operand.node, tuple(operand._value(choice) for choice in stored)))
    return Condition.made(disjunction(*terms), _is_in, operand, *choices)


def _require_bounds(path: str, low: AttributeValue, high: AttributeValue) -> None:
    if low.keys() != high.keys():
        raise UnsupportedTypeError(path, "the bounds of BETWEEN are of one type")
    if not is_ordered(low, high):
        raise ValueOutOfRangeError(
            path, "the lower bound of BETWEEN is above the upper one. Fix: give them in order"
        )


class SizeOf(Comparable[int, OwnerT]):
    """`size(path)`: the length of a string or binary, or the number of elements."""

    __slots__ = ("_attribute", "_node")

    def __init__(self, attribute: Attr[Any, OwnerT]) -> None:
        self._attribute = attribute
        self._node = Size(attribute.node)

    @property
    def node(self) -> Size:
        return self._node

    def is_of(self, item_class: type) -> bool:
        return self._attribute.is_of(item_class)

    def bound(self, schema: Any) -> SizeOf[Any]:
        return SizeOf(self._attribute.bound(schema))

    def _value(self, value: object) -> Operand:
        if isinstance(value, Attr | SizeOf):
            return value.node
        try:
            return Value(_INT.encode(value), "size")  # type: ignore[arg-type]
        except InvalidValueError as error:
            raise error.within(str(self)) from None

    def __str__(self) -> str:
        return f"size({self._attribute})"


class Computed(Made, Owned, Generic[T_co, OwnerT]):
    """A value that DynamoDB computes in SET from the stored item."""

    __slots__ = ("codec", "node", "path")

    def __init__(
        self,
        node: Operand,
        codec: Codec[Any],
        path: DocumentPath,
        make: Callable[..., Computed[Any, Any]],
        *operands: object,
    ) -> None:
        self.node: Operand = node
        self.codec: Codec[Any] = codec
        self.path: DocumentPath = path
        self._is_made_by(make, *operands)

    if TYPE_CHECKING:

        @overload
        def __add__(  # type: ignore[overload-overlap]
            self: Computed[int | None, OwnerT], other: int | _Number[int, OwnerT]
        ) -> Computed[int, OwnerT]: ...
        @overload
        def __add__(  # type: ignore[overload-overlap]
            self: Computed[float | None, OwnerT], other: float | _Number[float, OwnerT]
        ) -> Computed[float, OwnerT]: ...
        @overload
        def __add__(
            self: Computed[Decimal | int | None, OwnerT],
            other: Decimal | int | _Number[Decimal | int, OwnerT],
        ) -> Computed[Decimal, OwnerT]: ...
        def __add__(self, other: object) -> Computed[Any, Any]: ...

        @overload
        def __sub__(  # type: ignore[overload-overlap]
            self: Computed[int | None, OwnerT], other: int | _Number[int, OwnerT]
        ) -> Computed[int, OwnerT]: ...
        @overload
        def __sub__(  # type: ignore[overload-overlap]
            self: Computed[float | None, OwnerT], other: float | _Number[float, OwnerT]
        ) -> Computed[float, OwnerT]: ...
        @overload
        def __sub__(
            self: Computed[Decimal | int | None, OwnerT],
            other: Decimal | int | _Number[Decimal | int, OwnerT],
        ) -> Computed[Decimal, OwnerT]: ...
        def __sub__(self, other: object) -> Computed[Any, Any]: ...

    else:

        def __add__(self, other):
            return _sum(self, other)

        def __sub__(self, other):
            return _difference(self, other)


if TYPE_CHECKING:
    from typing_extensions import TypeAliasType

    _Number = TypeAliasType(
        "_Number",
        Readable[T | None, OwnerT] | Computed[T | None, OwnerT],
        type_params=(T, OwnerT),
    )


class Attr(Comparable[T, OwnerT]):
    """An attribute of an item, or a place inside one, with its Python type.

    In an Item class it is a descriptor: an `Attr[T]` on the class, a plain `T` on an instance.
    """

    __slots__ = (
        "_codec",
        "_node",
        "_none_is_absent",
        "hint",
        "identity",
        "owner",
        "path",
        "text",
    )

    def __init__(
        self,
        path: DocumentPath,
        codec: Codec[T] | None = None,
        owner: type | None = None,
        none_is_absent: bool | None = None,
    ) -> None:
        elements = path.elements
        self.path: DocumentPath = path
        self.owner: type | None = owner
        self._codec = codec
        self._node: Path | None = None
        self._none_is_absent = none_is_absent
        self.identity: object = (elements, owner, codec)
        """The same for attributes with the same path, class and type."""
        if len(elements) == 1:
            (name,) = elements
            self.text: str = str(name)
            self.hint: str = self.text
            """The innermost name of the path, which names its placeholders."""
        else:
            self.text = str(path)
            self.hint = next(name for name in reversed(elements) if isinstance(name, str))

    @property
    def node(self) -> Path:
        if self._node is None:
            self._node = Path(self.path.elements)
        return self._node

    @property
    def codec(self) -> Codec[T]:
        """How the attribute's values are written and read."""
        if self._codec is None:
            # An Item class resolves its annotations at first use, when forward references are
            # defined.
            self._codec = (
                _ANY
                if self.owner is None
                else self.owner.__dynasafe_schema__.codec(self.path.attribute_name)  # type: ignore[attr-defined]
            )
        return self._codec

    @property
    def none_is_absent(self) -> bool:
        """Whether None is left out or removed instead of stored."""
        if self._none_is_absent is None:
            self._none_is_absent = (
                self.owner is not None
                and self.owner.__dynasafe_schema__.by_name[  # type: ignore[attr-defined]
                    self.path.attribute_name
                ].none_is_absent
            )
        return self._none_is_absent

    def is_absent(self, value: object) -> bool:
        """Whether the value is not stored: None, or an empty set, which is the default."""
        if value is None:
            return self.none_is_absent
        if self.owner is None or len(self.path.elements) > 1 or value:
            return False
        schema = self.owner.__dynasafe_schema__  # type: ignore[attr-defined]
        is_default: bool = schema.by_name[self.path.attribute_name].is_empty_set_absent
        return is_default

    def is_of(self, item_class: type) -> bool:
        return self.owner is item_class

    def bound(self, schema: Any) -> Attr[Any, Any]:
        own: Attr[Any, Any] = schema.own(self)
        return own

    def encoded(self, value: object, codec: Codec[Any] | None = None) -> dict[str, Any]:
        """The value in wire form, written by the attribute's own codec or the given one.

        Raises:
            InvalidValueError: the codec does not accept the value. The error has the attribute's
                path.
        """
        try:
            return (self.codec if codec is None else codec).encode(value)  # type: ignore[arg-type]
        except InvalidValueError as error:
            raise error.within(self.text) from None

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[InstanceT]) -> Attr[T, InstanceT]: ...
        @overload
        def __get__(self, instance: HasSchema, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

        def __set__(self, instance: HasSchema, value: T) -> None: ...

    else:
        # No __set__ at run time: then the values in an instance's __dict__ take precedence over
        # this descriptor, and reading an attribute needs no Python call.
        def __get__(self, instance, owner):
            if instance is None:
                return self
            raise AttributeError(f"{owner.__name__} has no value for {str(self.path)!r}")

    def _value(self, value: object) -> Operand:
        if isinstance(value, Attr | SizeOf):
            return value.node
        if isinstance(value, Computed):
            raise UnsupportedTypeError(
                str(self.path), "a computed value stands in SET only, not in a condition"
            )
        return Value(self.encoded(value), self.hint)

    def _equals_none(self, value: object) -> bool:
        return value is None and self.none_is_absent

    @overload
    def __getitem__(
        self: Attr[NestedT | None, OwnerT], element: Attr[U, NestedT]
    ) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(self: Attr[NestedT, OwnerT], element: Attr[U, NestedT]) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(self: Readable[list[U] | None, OwnerT], element: int) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(
        self: Readable[tuple[U, ...] | None, OwnerT], element: int
    ) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(self: Attr[Sequence[U], OwnerT], element: int) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(self: Attr[Sequence[U] | None, OwnerT], element: int) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(
        self: Readable[dict[str, U] | None, OwnerT], element: str
    ) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(
        self: Readable[Mapping[str, U] | None, OwnerT], element: str
    ) -> Attr[U, OwnerT]: ...
    @overload
    def __getitem__(
        self: Readable[IsDataclass | IsModel | None, OwnerT], element: str
    ) -> Attr[Any, OwnerT]: ...
    def __getitem__(self: Any, element: int | str | Attr[Any, Any]) -> Attr[Any, Any]:
        """The place below: a list index, a map key, or an attribute of a nested Item.

        Raises:
            UnsupportedTypeError: the type has no such part.
            ValueOutOfRangeError: no document path leads there, as for a negative index.
        """
        this: Attr[Any, Any] = self
        if not isinstance(element, Attr):
            return this._below(element)
        if element.owner is not None and not this.codec.is_of(element.owner):
            raise UnsupportedTypeError(
                str(this.path),
                f"{this.codec.name} has no attributes of {element.owner.__name__}. Fix: use an "
                "attribute of the Item class that the annotation names",
            )
        for each in element.path.elements:
            this = this._below(each)
        return this

    def _below(self, element: int | str) -> Attr[Any, Any]:
        if isinstance(element, bool) or not isinstance(element, int | str):
            raise UnsupportedTypeError(
                str(self.path),
                f"a list index, a map key or an attribute is expected, not "
                f"{type(element).__name__}",
            )
        try:
            part = self.codec.part(element)
            below = DocumentPath((*self.path.elements, part.element))
        except ValueOutOfRangeError:
            raise
        except UnsupportedTypeError as error:
            raise UnsupportedTypeError(str(self.path), error.reason) from None
        except ValueError as error:
            raise InvalidPathError(str(self.path), str(error)) from None
        return Attr(below, part.codec, self.owner, part.none_is_absent)

    def exists(self) -> Condition[OwnerT]:
        """Whether the item has the attribute, whatever its value (NULL too)."""
        node = Function("attribute_exists", (self.node,))
        return Condition.made(node, Attr.exists, self)

    def not_exists(self) -> Condition[OwnerT]:
        """Whether the item lacks the attribute."""
        node = Function("attribute_not_exists", (self.node,))
        return Condition.made(node, Attr.not_exists, self)

    def is_type(self, attribute_type: AttributeType) -> Condition[OwnerT]:
        """Whether the attribute has the DynamoDB type, as in "S" or "NS"."""
        if not isinstance(attribute_type, str):
            raise UnsupportedTypeError(
                str(self.path), f"a type is a str as 'S', not {type(attribute_type).__name__}"
            )
        node = Function("attribute_type", (self.node, Value({"S": attribute_type}, "type")))
        return Condition.made(node, Attr.is_type, self, attribute_type)

    @overload
    def begins_with(
        self: Readable[str | date | UUID | None, OwnerT], prefix: str
    ) -> Condition[OwnerT]: ...
    @overload
    def begins_with(self: Readable[bytes | None, OwnerT], prefix: bytes) -> Condition[OwnerT]: ...
    @overload
    def begins_with(self: Attr[str | U, OwnerT], prefix: str) -> Condition[OwnerT]: ...
    def begins_with(self: Any, prefix: str | bytes) -> Condition[Any]:
        """Whether the string or binary begins with the prefix."""
        this: Attr[Any, Any] = self
        if not isinstance(prefix, str | bytes):
            raise UnsupportedTypeError(
                str(this.path), f"begins_with takes str or bytes, not {type(prefix).__name__}"
            )
        stored = this.codec.key_type_name
        if stored not in (None, "S", "B"):
            raise UnsupportedTypeError(
                str(this.path),
                f"begins_with is for text and bytes, but {this.codec.name} is stored as {stored}. "
                "Fix: compare with <, > or between()",
            )
        value = Value(this.encoded(prefix, _ANY), this.hint)
        node = Function("begins_with", (this.node, value))
        return Condition.made(node, Attr.begins_with, this, prefix)

    @overload
    def contains(
        self: Readable[str | date | UUID | None, OwnerT], member: str
    ) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Readable[bytes | None, OwnerT], member: bytes) -> Condition[OwnerT]: ...
    @overload
    def contains(
        self: Readable[list[U] | set[U] | None, OwnerT], member: U
    ) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Attr[frozenset[U], OwnerT], member: U) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Attr[frozenset[U] | None, OwnerT], member: U) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Attr[tuple[U, ...], OwnerT], member: U) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Attr[tuple[U, ...] | None, OwnerT], member: U) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Attr[Sequence[U], OwnerT], member: U) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Attr[Sequence[U] | None, OwnerT], member: U) -> Condition[OwnerT]: ...
    @overload
    def contains(self: Attr[str | U, OwnerT], member: str) -> Condition[OwnerT]: ...
    def contains(self: Any, member: object) -> Condition[Any]:
        """Whether a string or binary holds a part, or a set or list holds a member."""
        this: Attr[Any, Any] = self
        if isinstance(member, Bindable):
            raise UnsupportedTypeError(
                str(this.path), f"contains takes a value, not {type(member).__name__}"
            )
        node = Function("contains", (this.node, this._member(member)))
        return Condition.made(node, Attr.contains, this, member)

    def _member(self, member: object) -> Value:
        codec = self.codec
        if codec.key_type_name in ("S", "B"):
            members: Codec[Any] = codec_for(str if codec.key_type_name == "S" else bytes)
        else:
            try:
                members = codec.part(0).codec
            except UnsupportedTypeError as error:
                # One of several types, perhaps text.
                if not isinstance(member, str) or codec.key_type_name is not None:
                    raise UnsupportedTypeError(str(self.path), error.reason) from None
                members = _ANY
        return Value(self.encoded(member, members), self.hint)

    def size(self) -> SizeOf[OwnerT]:
        """`size(path)`, which you can compare with an int."""
        return SizeOf(self)

    @overload
    def if_not_exists(self: Attr[U | None, OwnerT], default: U) -> Computed[U, OwnerT]: ...
    @overload
    def if_not_exists(self, default: T) -> Computed[T, OwnerT]: ...
    def if_not_exists(self: Any, default: Any) -> Computed[Any, Any]:
        """The stored value, or the default if the attribute is missing; for SET."""
        this: Attr[Any, Any] = self
        if this._equals_none(default):
            raise UnsupportedTypeError(
                str(this.path), "None is not stored here. Fix: give a default that is a value"
            )
        if isinstance(default, Bindable):
            raise UnsupportedTypeError(
                str(this.path), f"if_not_exists takes a value, not {type(default).__name__}"
            )
        value = Value(this.encoded(default), f"{this.hint}_default")
        node = IfNotExists(this.node, value)
        return Computed(node, this.codec, this.path, Attr.if_not_exists, this, default)

    if TYPE_CHECKING:

        @overload
        def __add__(  # type: ignore[overload-overlap]
            self: Attr[int, OwnerT] | Attr[int | None, OwnerT], other: int | _Number[int, OwnerT]
        ) -> Computed[int, OwnerT]: ...
        @overload
        def __add__(  # type: ignore[overload-overlap]
            self: Readable[float | None, OwnerT], other: float | _Number[float, OwnerT]
        ) -> Computed[float, OwnerT]: ...
        @overload
        def __add__(
            self: Readable[Decimal | int | None, OwnerT],
            other: Decimal | int | _Number[Decimal | int, OwnerT],
        ) -> Computed[Decimal, OwnerT]: ...
        def __add__(self, other: object) -> Computed[Any, Any]: ...

        @overload
        def __sub__(  # type: ignore[overload-overlap]
            self: Attr[int, OwnerT] | Attr[int | None, OwnerT], other: int | _Number[int, OwnerT]
        ) -> Computed[int, OwnerT]: ...
        @overload
        def __sub__(  # type: ignore[overload-overlap]
            self: Readable[float | None, OwnerT], other: float | _Number[float, OwnerT]
        ) -> Computed[float, OwnerT]: ...
        @overload
        def __sub__(
            self: Readable[Decimal | int | None, OwnerT],
            other: Decimal | int | _Number[Decimal | int, OwnerT],
        ) -> Computed[Decimal, OwnerT]: ...
        def __sub__(self, other: object) -> Computed[Any, Any]: ...

        def __bool__(self) -> OnlyInstancesHaveValues: ...

        __iter__: ClassVar[None]

    else:

        def __add__(self, other):
            return _sum(self, other)

        def __sub__(self, other):
            return _difference(self, other)

        def __bool__(self):
            raise TypeError(
                f"{self.path} is an attribute of the Item class, not a value. Fix: read it from "
                "an instance, or use .exists() for a condition."
            )

        def __iter__(self):
            # Without it, Python would iterate over __getitem__(0), (1), ... without end.
            raise TypeError(
                f"{self.path} is an attribute of the Item class, not a value. Fix: read it from "
                "an instance."
            )

    def __repr__(self) -> str:
        owner = "" if self.owner is None else f"{self.owner.__name__}: "
        return f"Attr({owner}{self.path})"

    def __str__(self) -> str:
        return str(self.path)


_SETS = (set, frozenset)


def is_nothing(value: object) -> bool:
    """Whether DynamoDB may store no value for it: None, or an empty set."""
    return value is None or (isinstance(value, _SETS) and not value)


class OnlyInstancesHaveValues:
    """The type of `bool(Person.name)` for type checkers, which `if`, `and` and `not` refuse."""


def _sum(left: Attr[Any, Any] | Computed[Any, Any], right: object) -> Computed[Any, Any]:
    return _arithmetic("+", left, right, _sum)


def _difference(left: Attr[Any, Any] | Computed[Any, Any], right: object) -> Computed[Any, Any]:
    return _arithmetic("-", left, right, _difference)


def _arithmetic(
    operator: Literal["+", "-"],
    left: Attr[Any, Any] | Computed[Any, Any],
    right: object,
    make: Callable[..., Computed[Any, Any]],
) -> Computed[Any, Any]:
    for operand in (left, right):
        if isinstance(operand, Computed) and isinstance(operand.node, Arithmetic):
            raise UnsupportedTypeError(
                str(left.path),
                "DynamoDB adds or subtracts two operands in one SET action, not more. Fix: "
                "combine the Python numbers first, as in `attribute + (a + b)`",
            )
    if isinstance(right, Attr | Computed):
        operand = right.node
    else:
        try:
            encoded = left.codec.encode(right)
        except InvalidValueError as error:
            raise error.within(str(left.path)) from None
        if "N" not in encoded:
            raise UnsupportedTypeError(
                str(left.path), f"only numbers are added, not {type(right).__name__}"
            )
        names = (name for name in reversed(left.path.elements) if isinstance(name, str))
        operand = Value(encoded, next(names))
    node = Arithmetic(operator, left.node, operand)
    return Computed(node, left.codec, left.path, make, left, right)


@overload
def attr(path: str, /) -> Attr[Any]: ...
@overload
def attr(*, name: str) -> Attr[Any]: ...
def attr(path: str | None = None, /, *, name: str | None = None) -> Attr[Any]:
    """An attribute of an untyped item.

    If the table or the UpdateBuilder has an Item class, it stands for the class's attribute of that
    name, in Python or in DynamoDB, and has its type.

    Args:
        path: a document path: dots separate names, `[n]` is a list index.
        name: instead of a path, the exact name of one attribute, which may have dots.

    Raises:
        UnsupportedTypeError: it is not a str.
        ValueOutOfRangeError: the text is not a document path.
    """
    if type(path) is str and name is None and path.isidentifier() and path.isascii():
        return Attr(DocumentPath((path,)))  # the commonest
    if (path is None) == (name is None):
        raise UnsupportedTypeError("", "attr() takes a document path, or name=, and not both")
    given = path if name is None else name
    if not isinstance(given, str):
        raise UnsupportedTypeError(
            "", f"an attribute is named by a str, not {type(given).__name__}"
        )
    try:
        parsed = DocumentPath.parse(given) if name is None else DocumentPath((given,))
    except ValueError as error:
        raise InvalidPathError("", f"{error}. Fix: attr(name=...) takes any name") from None
    return Attr(parsed)
