"""Attributes as typed operands: the left side of every condition and update.

`Person.visits` is an `Attr[int]`; `attr("address.city")` is an `Attr[Any]` for untyped items.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar, overload
from uuid import UUID

from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
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
)
from dynasafe.items.conditions import Condition
from dynasafe.values.codecs import Codec, codec_for

T = TypeVar("T")
U = TypeVar("U")
NumberT = TypeVar("NumberT", bound=int | float | Decimal | None)

AttributeType = Literal["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"]

_ANY: Codec[Any] = codec_for(Any)
_INT: Codec[int] = codec_for(int)


class HasSchema(Protocol):
    """An instance of an Item class."""

    __dynasafe_schema__: ClassVar[Any]


NestedT = TypeVar("NestedT", bound=HasSchema | None)


class _Comparable(Generic[T]):
    """An operand that a condition can compare with a value or an attribute."""

    __slots__ = ()

    @property
    def node(self) -> Operand:
        raise NotImplementedError

    def _value(self, value: object) -> Operand:
        raise NotImplementedError

    def _compare(self, operator: ComparisonOperator, other: object) -> Condition:
        return Condition(Comparison(operator, self.node, self._value(other)))

    def __eq__(self, other: T | Attr[T] | SizeOf) -> Condition:  # type: ignore[override]
        return self._compare("=", other)

    def __ne__(self, other: T | Attr[T] | SizeOf) -> Condition:  # type: ignore[override]
        return self._compare("<>", other)

    def __lt__(self, other: T | Attr[T] | SizeOf) -> Condition:
        return self._compare("<", other)

    def __le__(self, other: T | Attr[T] | SizeOf) -> Condition:
        return self._compare("<=", other)

    def __gt__(self, other: T | Attr[T] | SizeOf) -> Condition:
        return self._compare(">", other)

    def __ge__(self, other: T | Attr[T] | SizeOf) -> Condition:
        return self._compare(">=", other)

    # An operand compares into a condition, so it cannot be looked up in a set or a dict.
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def between(self, low: T | Attr[T], high: T | Attr[T]) -> Condition:
        """`low <= self <= high`."""
        return Condition(Between(self.node, self._value(low), self._value(high)))

    def is_in(self, choices: Iterable[T]) -> Condition:
        """Whether the operand equals one of 1 to 100 choices.

        Raises:
            ValueOutOfRangeError: there are no choices, or more than 100.
        """
        values = tuple(self._value(choice) for choice in choices)
        if not 1 <= len(values) <= 100:
            raise ValueOutOfRangeError(
                str(self), f"IN takes 1 to 100 values, not {len(values)}. Fix: split the list"
            )
        return Condition(In(self.node, values))


class SizeOf(_Comparable[int]):
    """`size(path)`: the length of a string or binary, or the number of elements."""

    __slots__ = ("_node",)

    def __init__(self, path: Path) -> None:
        self._node = Size(path)

    @property
    def node(self) -> Size:
        return self._node

    def _value(self, value: object) -> Operand:
        if isinstance(value, Attr | SizeOf):
            return value.node
        return Value(_INT.encode(value), "size")  # type: ignore[arg-type]


class Computed(Generic[T]):
    """A value that DynamoDB computes in SET from the stored item."""

    __slots__ = ("codec", "node", "path")

    def __init__(self, node: Operand, codec: Codec[Any], path: DocumentPath) -> None:
        self.node: Operand = node
        self.codec: Codec[Any] = codec
        self.path: DocumentPath = path

    def __add__(
        self: Computed[NumberT], other: NumberT | Attr[NumberT] | Computed[NumberT]
    ) -> Computed[NumberT]:
        return _arithmetic("+", self, other)

    def __sub__(
        self: Computed[NumberT], other: NumberT | Attr[NumberT] | Computed[NumberT]
    ) -> Computed[NumberT]:
        return _arithmetic("-", self, other)


class Attr(_Comparable[T]):
    """An attribute of an item, or a place inside one, with its Python type.

    In an Item class it is a descriptor: an `Attr[T]` on the class, a plain `T` on an instance.
    """

    __slots__ = ("_codec", "_node", "hint", "identity", "owner", "path", "text")

    def __init__(
        self, path: DocumentPath, codec: Codec[T] | None = None, owner: type | None = None
    ) -> None:
        elements = path.elements
        self.path: DocumentPath = path
        self.owner: type | None = owner
        self._codec = codec
        self._node: Path | None = None
        self.identity: object = (elements, owner, codec)
        """Equal for attributes at the same path, of the same class and type."""
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
            # An Item class resolves its annotations at first use, when forward references exist.
            self._codec = (
                _ANY
                if self.owner is None
                else self.owner.__dynasafe_schema__.codec(self.path.attribute_name)  # type: ignore[attr-defined]
            )
        return self._codec

    def encoded(self, value: object, codec: Codec[Any] | None = None) -> dict[str, Any]:
        """The value in wire form, as the attribute's own codec writes it, or another.

        Raises:
            InvalidValueError: the codec does not take the value; with the attribute's path.
        """
        try:
            return (self.codec if codec is None else codec).encode(value)  # type: ignore[arg-type]
        except InvalidValueError as error:
            raise error.within(self.text) from None

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> Attr[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Attr[T] | T: ...

        def __set__(self, instance: object, value: T) -> None: ...

    else:
        # No __set__ at run time: instances keep their values in __dict__, which then wins over
        # this descriptor, so that reading an attribute costs no Python call.
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

    @overload
    def __getitem__(self: Attr[NestedT], element: Attr[U]) -> Attr[U]: ...
    @overload
    def __getitem__(self: Attr[list[U]], element: int) -> Attr[U]: ...
    @overload
    def __getitem__(self: Attr[list[U] | None], element: int) -> Attr[U]: ...
    @overload
    def __getitem__(self: Attr[tuple[U, ...]], element: int) -> Attr[U]: ...
    @overload
    def __getitem__(self: Attr[dict[str, U]], element: str) -> Attr[U]: ...
    @overload
    def __getitem__(self: Attr[dict[str, U] | None], element: str) -> Attr[U]: ...
    def __getitem__(self: Attr[Any], element: int | str | Attr[Any]) -> Attr[Any]:
        """The place below: a list index, a map key, or an attribute of a nested Item."""
        if isinstance(element, Attr):
            nested = DocumentPath((*self.path.elements, *element.path.elements))
            return Attr(nested, element.codec, self.owner)
        below = DocumentPath((*self.path.elements, element))
        return Attr(below, self.codec.child(element), self.owner)

    def exists(self) -> Condition:
        """Whether the item has the attribute, whatever its value (NULL too)."""
        return Condition(Function("attribute_exists", (self.node,)))

    def not_exists(self) -> Condition:
        """Whether the item lacks the attribute."""
        return Condition(Function("attribute_not_exists", (self.node,)))

    def is_type(self, attribute_type: AttributeType) -> Condition:
        """Whether the attribute has the DynamoDB type, as in "S" or "NS"."""
        return Condition(
            Function("attribute_type", (self.node, Value({"S": attribute_type}, "type")))
        )

    @overload
    def begins_with(
        self: Attr[str]
        | Attr[str | None]
        | Attr[datetime]
        | Attr[datetime | None]
        | Attr[date]
        | Attr[date | None]
        | Attr[UUID]
        | Attr[UUID | None],
        prefix: str,
    ) -> Condition: ...
    @overload
    def begins_with(self: Attr[bytes] | Attr[bytes | None], prefix: bytes) -> Condition: ...
    def begins_with(self: Attr[Any], prefix: str | bytes) -> Condition:
        """Whether the string or binary begins with the prefix."""
        if not isinstance(prefix, str | bytes):
            raise UnsupportedTypeError(
                str(self.path), f"begins_with takes str or bytes, not {type(prefix).__name__}"
            )
        value = Value(self.encoded(prefix, _ANY), self.hint)
        return Condition(Function("begins_with", (self.node, value)))

    @overload
    def contains(self: Attr[str] | Attr[str | None], member: str) -> Condition: ...
    @overload
    def contains(self: Attr[set[U]], member: U) -> Condition: ...
    @overload
    def contains(self: Attr[set[U] | None], member: U) -> Condition: ...
    @overload
    def contains(self: Attr[frozenset[U]], member: U) -> Condition: ...
    @overload
    def contains(self: Attr[frozenset[U] | None], member: U) -> Condition: ...
    @overload
    def contains(self: Attr[list[U]], member: U) -> Condition: ...
    @overload
    def contains(self: Attr[list[U] | None], member: U) -> Condition: ...
    def contains(self: Attr[Any], member: object) -> Condition:
        """Whether a string holds a substring, or a set or list holds a member."""
        codec = _ANY if isinstance(member, str) else self.codec.child(0)
        value = Value(self.encoded(member, codec), self.hint)
        return Condition(Function("contains", (self.node, value)))

    def size(self) -> SizeOf:
        """`size(path)`, to be compared with an int."""
        return SizeOf(self.node)

    def if_not_exists(self, default: T) -> Computed[T]:
        """The stored value, or the default where the attribute is missing; for SET."""
        value = Value(self.encoded(default), f"{self.hint}_default")
        return Computed(IfNotExists(self.node, value), self.codec, self.path)

    def __add__(
        self: Attr[NumberT], other: NumberT | Attr[NumberT] | Computed[NumberT]
    ) -> Computed[NumberT]:
        return _arithmetic("+", self, other)

    def __sub__(
        self: Attr[NumberT], other: NumberT | Attr[NumberT] | Computed[NumberT]
    ) -> Computed[NumberT]:
        return _arithmetic("-", self, other)

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self.path} is an attribute of the Item class, not a value. Fix: read it from an "
            "instance, or use .exists() for a condition."
        )

    def __iter__(self) -> Any:
        # Without it Python would iterate through __getitem__(0), (1), ... without end.
        raise TypeError(f"{self.path} is an attribute of the Item class, not a value.")

    def __repr__(self) -> str:
        owner = "" if self.owner is None else f"{self.owner.__name__}: "
        return f"Attr({owner}{self.path})"

    def __str__(self) -> str:
        return str(self.path)


def _arithmetic(
    operator: Literal["+", "-"], left: Attr[Any] | Computed[Any], right: object
) -> Computed[Any]:
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
    return Computed(Arithmetic(operator, left.node, operand), left.codec, left.path)


@overload
def attr(path: str, /) -> Attr[Any]: ...
@overload
def attr(*, name: str) -> Attr[Any]: ...
def attr(path: str | None = None, /, *, name: str | None = None) -> Attr[Any]:
    """An attribute of an untyped item.

    Args:
        path: a document path: dots part names, `[n]` is a list index.
        name: instead of a path, one attribute whose name is taken as it is, dots included.

    Raises:
        ValueOutOfRangeError: the text is not a document path.
    """
    if (path is None) == (name is None):
        raise TypeError("attr() takes a document path, or name=, and not both")
    if type(path) is str and path.isidentifier():
        return Attr(DocumentPath((path,)))
    try:
        parsed = DocumentPath((name,)) if name is not None else DocumentPath.parse(path or "")
    except ValueError as error:
        raise ValueOutOfRangeError("", f"{error}. Fix: attr(name=...) takes any name") from None
    return Attr(parsed)
