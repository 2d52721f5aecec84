"""Type variables of expressions: the type of a value, and the Item class that it belongs to.

Type checkers know the class of each attribute, condition and update. At run time these classes have
one parameter less, and attributes store their owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    OwnerT = TypeVar("OwnerT", contravariant=True, default=Any)
    V = TypeVar("V", default=Any)
else:
    from typing import TypeVar

    OwnerT = TypeVar("OwnerT", contravariant=True)
    V = TypeVar("V")

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class HasSchema:
    """The base of Item, for modules that do not import Item."""

    __slots__ = ()

    __dynasafe_schema__: ClassVar[Any]


class Owned:
    """A generic class whose owner only type checkers know: `Attr[str]` is one for any owner."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __class_getitem__(cls, parameters):
            given = parameters if isinstance(parameters, tuple) else (parameters,)
            return super().__class_getitem__((*given, Any)[: len(cls.__parameters__)])
