"""The shape of a table's items in Python: plain dicts, or instances of an Item class."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Generic, TypeVar, cast

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.findings.quoting import printable, quoted
from dynasafe.items.attributes import Attr, IsDataclass, IsModel
from dynasafe.items.item import Item
from dynasafe.items.schema import Schema, schema_of
from dynasafe.values.codec import Codec
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from dynasafe.values.whole_items import decode_item, encode_item
from dynasafe.values.wire import LEVELS, AttributeValue

T = TypeVar("T")
ItemT = TypeVar("ItemT", bound=Item | Mapping[str, object] | IsModel | IsDataclass)

Key = Mapping[str, Any] | Item
"""A primary key: its attributes by name, or an instance that has them."""


class ItemShape(Generic[ItemT]):
    """Writes and reads the items of one table."""

    __slots__ = ("_whole", "item_class", "name", "schema", "table_name")

    def __init__(self, item_class: type[ItemT] | None = None) -> None:
        self.table_name: str | None = None
        """The table's name, for errors."""
        self.schema: Schema | None = None
        self.item_class: type[Item] | None = None
        self._whole: Codec[Any] | None = None
        self.name: str = "dict"
        if item_class is None or item_class is dict:
            return
        if isinstance(item_class, type) and issubclass(item_class, Item):
            self.item_class = item_class
            self.schema = schema_of(item_class)
        else:
            from dynasafe.items.other_classes import codec_of_items, schema_of_fields

            self._whole = codec_of_items(item_class)
            if self._whole is None:
                raise UnsupportedTypeError(
                    "item_class",
                    "an Item class, a pydantic model, a dataclass or a TypedDict is expected, not "
                    f"{quoted(getattr(item_class, '__name__', type(item_class).__name__))}",
                )
            self.schema = schema_of_fields(item_class)
        self.name = item_class.__name__

    def encode(self, item: object) -> dict[str, AttributeValue]:
        """The item in wire form.

        Raises:
            InvalidValueError: it is not an item of this table, or DynamoDB cannot store one of its
                values.
        """
        if self.item_class is None:
            if self._whole is not None:
                return self._encode_whole(item)
            if isinstance(item, Item):
                return encode_item(item)
            if isinstance(item, Mapping):
                return cast(dict[str, AttributeValue], to_attribute_map(item))
            raise UnsupportedTypeError(
                "Item", f"a mapping or an Item is expected, not {type(item).__name__}"
            )
        if type(item) is not self.item_class:
            # An instance of a subclass would be read as one of its base class.
            raise UnsupportedTypeError(
                "Item",
                f"an instance of {self.item_class.__name__} is expected, not {type(item).__name__}",
            )
        return encode_item(item)

    def _encode_whole(self, item: object) -> dict[str, AttributeValue]:
        assert self._whole is not None
        try:
            encoded: dict[str, AttributeValue] = self._whole.encode(item, LEVELS + 1)["M"]
        except InvalidValueError as error:
            if not error.path:
                error.within("Item")
            raise
        return encoded

    def decode(self, attribute_map: Mapping[str, AttributeValue]) -> ItemT:
        """The item in Python.

        Raises:
            StoredValueError: the item does not fit the Item class, or has a value of an unknown
                type.
        """
        try:
            if self._whole is not None:
                return cast(ItemT, self._whole.decode({"M": attribute_map}, LEVELS + 1))
            if self.item_class is None:
                return cast(ItemT, _plain(attribute_map))
            return cast(ItemT, decode_item(self.item_class, attribute_map))
        except StoredValueError as error:
            raise self._of_item(error, attribute_map) from None

    def _of_item(
        self, error: StoredValueError, item: Mapping[str, AttributeValue]
    ) -> StoredValueError:
        """The error with the table and key of the item."""
        error.table_name = self.table_name
        error.item = item
        names = self.schema.key_names if self.schema is not None else ()
        try:
            error.key = from_attribute_map({n: item[n] for n in names if n in item}) or None
        except InvalidValueError:
            error.key = None  # the key itself cannot be read
        return error

    def decode_all(
        self,
        items: Iterable[Mapping[str, AttributeValue]],
        decode: Callable[[Mapping[str, AttributeValue]], T],
    ) -> tuple[list[T], list[StoredValueError]]:
        """The readable items, and an error for each of the others."""
        decoded: list[T] = []
        invalid: list[StoredValueError] = []
        for item in items:
            try:
                decoded.append(decode(item))
            except StoredValueError as error:
                invalid.append(self._of_item(error, item))
        return decoded, invalid

    def decode_refused(
        self, attribute_map: Mapping[str, AttributeValue] | None, refusal: Exception
    ) -> ItemT | None:
        """The item in a refusal, or None.

        If it does not fit the item class, the refusal is still raised, with a note.
        """
        if attribute_map is None:
            return None
        try:
            return self.decode(attribute_map)
        except Exception as error:  # a codec may raise any error, and quote the value
            reason = error if isinstance(error, StoredValueError) else type(error).__name__
            refusal.add_note(f"Its item cannot be read: {reason}")
            return None

    def decode_part(
        self, attribute_map: Mapping[str, AttributeValue], whole: Container[str] = ()
    ) -> dict[str, Any]:
        """Some attributes of an item, by their names in DynamoDB.

        Each has its annotation's type, except for maps and lists that may be incomplete.

        Args:
            whole: names of the attributes that are complete.

        Raises:
            StoredValueError: one does not fit its annotation, or has an unknown type.
        """
        if self.schema is None:
            return _plain(attribute_map)
        codecs = self.schema.codecs
        decoded: dict[str, Any] = {}
        for name, value in attribute_map.items():
            codec = codecs.get(name)
            if codec is None or (name not in whole and ("M" in value or "L" in value)):
                decoded.update(_plain({name: value}))
            else:
                try:
                    decoded[name] = codec.decode(value)
                except StoredValueError as error:
                    error.within(name)
                    raise
        return decoded

    def encode_key(self, key: Key) -> dict[str, AttributeValue]:
        """The primary key in wire form.

        Raises:
            InvalidValueError: it is not a key of this table.
        """
        if not isinstance(key, (dict, Item, Mapping)):
            raise UnsupportedTypeError(
                "Key", f"a mapping or an Item is expected, not {type(key).__name__}"
            )
        if self._whole is not None:
            return self._encode_key_of_fields(key)
        if self.schema is not None:
            return self.schema.encode_key(key)
        if isinstance(key, Item):
            return schema_of(type(key)).encode_key(key)
        if not key:
            raise ValueOutOfRangeError("Key", "the key is empty. Fix: give the primary key")
        return cast(dict[str, AttributeValue], to_attribute_map(key))

    def _encode_key_of_fields(self, key: Mapping[str, Any] | Item) -> dict[str, AttributeValue]:
        """The given parts. Only the table knows which parts the key needs."""
        if isinstance(key, Item) or not key:
            raise UnsupportedTypeError(
                "Key", "a mapping of the primary key's attributes is expected"
            )
        encoded: dict[str, AttributeValue] = {}
        for given, value in key.items():
            try:
                name, codec = self.attribute_codec(given)
                encoded[name] = codec.encode(value)
            except InvalidValueError as error:
                raise error.within(printable(str(given))).within("Key") from None
        return encoded

    def attribute_codec(self, name: object) -> tuple[str, Codec[Any]]:
        """An attribute's name in DynamoDB, and how its values are written.

        Raises:
            UnsupportedTypeError: the class has no attribute of this name.
        """
        if not isinstance(name, str):
            raise UnsupportedTypeError("", f"a name is a str, not {type(name).__name__}")
        if self.schema is None:
            return name, Codec()
        found = self.schema.find(name)
        if found is None:
            raise UnsupportedTypeError("", f"{self.name} has no such attribute")
        return found.name, self.schema.codecs[found.name]

    def attribute(self, name: str) -> Attr[Any]:
        """The Item class's own attribute of this name in DynamoDB."""
        assert self.schema is not None
        found = self.schema.by_name[name]
        attribute: Attr[Any] = getattr(self.schema.item_class, found.field_name)
        return attribute


def _plain(attribute_map: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Each value in Python, by attribute name. Errors are StoredValueErrors."""
    try:
        return from_attribute_map(attribute_map)
    except InvalidValueError as error:
        raise StoredValueError.of(error) from None
