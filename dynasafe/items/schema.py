"""Schemas: the attributes of an Item class, with their names, codecs and roles."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Mapping, Set
from types import MappingProxyType, SimpleNamespace, UnionType
from typing import Any, Literal, Protocol, TypedDict, TypeVar, Unpack, overload, runtime_checkable

from dynasafe.errors import (
    InvalidValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
    did_you_mean,
)
from dynasafe.expressions.document_path import DocumentPath
from dynasafe.findings.quoting import listed, quoted
from dynasafe.items.attributes import Attr
from dynasafe.items.owners import HasSchema
from dynasafe.records import Record, assign
from dynasafe.values.classes import undefined
from dynasafe.values.codec import Codec, Part
from dynasafe.values.codecs import codec_for
from dynasafe.values.converted import AttributeCodec
from dynasafe.values.models import AmbiguousUnionError
from dynasafe.values.scalars import EpochIntCodec, EpochSecondsCodec, is_datetime
from dynasafe.values.unions import optional
from dynasafe.values.wire import AttributeValue

T = TypeVar("T")

KeyRole = Literal["partition", "sort"]
NoneRule = Literal["absent", "null"]
StoredAs = Literal["epoch_seconds"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


@runtime_checkable
class CodecLike(Protocol):
    """Writes and reads the values of one attribute."""

    def encode(self, value: Any, /) -> object:
        """The value as a supported type, such as `str`."""

    def decode(self, stored: Any, /) -> Any:
        """The value from the stored one. Raises ValueError if that does not fit."""


class Options(Record):
    """The arguments of `attribute()`."""

    __slots__ = __match_args__ = (
        "key",
        "name",
        "none",
        "stored_as",
        "codec",
        "default",
        "default_factory",
        "patchable",
        "ttl",
        "version",
        "write_id",
    )
    key: KeyRole | None
    name: str | None
    none: NoneRule | None
    stored_as: StoredAs | None
    codec: CodecLike | None
    default: Any
    default_factory: Callable[[], Any] | None
    patchable: bool
    ttl: bool
    version: bool
    write_id: bool

    def __init__(
        self,
        *,
        key: KeyRole | None = None,
        name: str | None = None,
        none: NoneRule | None = None,
        stored_as: StoredAs | None = None,
        codec: CodecLike | None = None,
        default: Any = MISSING,
        default_factory: Callable[[], Any] | None = None,
        patchable: bool = True,
        ttl: bool = False,
        version: bool = False,
        write_id: bool = False,
    ) -> None:
        assign(self, "key", key)
        assign(self, "name", name)
        assign(self, "none", none)
        assign(self, "stored_as", stored_as)
        assign(self, "codec", codec)
        assign(self, "default", default)
        assign(self, "default_factory", default_factory)
        assign(self, "patchable", patchable)
        assign(self, "ttl", ttl)
        assign(self, "version", version)
        assign(self, "write_id", write_id)


class AttributeOptions(TypedDict, total=False):
    """The options of `attribute()` for any attribute."""

    key: KeyRole | None
    name: str | None
    none: NoneRule | None
    stored_as: StoredAs | None
    codec: CodecLike | None
    patchable: bool
    ttl: bool


@overload
def attribute(
    *,
    default: T,
    version: bool = False,
    write_id: bool = False,
    **options: Unpack[AttributeOptions],
) -> Attr[T]: ...
@overload
def attribute(
    *,
    default_factory: Callable[[], T],
    write_id: bool = False,
    **options: Unpack[AttributeOptions],
) -> Attr[T]: ...
@overload
def attribute(**options: Unpack[AttributeOptions]) -> Any: ...
def attribute(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    key: KeyRole | None = None,
    name: str | None = None,
    none: NoneRule | None = None,
    stored_as: StoredAs | None = None,
    codec: CodecLike | None = None,
    patchable: bool = True,
    ttl: bool = False,
    version: bool = False,
    write_id: bool = False,
) -> Any:
    """The default, the name, the key role and other settings of an attribute.

    Args:
        default: the value if neither the caller nor the stored item has one.
        default_factory: makes that value, if it is mutable: a list, a dict, an Item.
        key: "partition" or "sort" for a part of the primary key.
        name: the attribute's name in DynamoDB, if it differs from the one in Python.
        none: how None is stored. "absent" leaves the attribute out, so that it can be the key of
            a sparse index; this is the default if the default value is None. "null" stores NULL.
        stored_as: "epoch_seconds" stores a datetime as a number of seconds, rounded up.
        codec: writes and reads the values of this attribute, whatever their type.
        patchable: whether `UpdateBuilder.patch` may set it.
        ttl: store a datetime as epoch seconds, as Time to Live needs it.
            Source: "Computing Time to Live (TTL) in DynamoDB".
        version: a number that a write of an instance checks and advances. A batch only advances
            it. Source: "Optimistic locking with version number".
        write_id: a string that a table sets to a new random id with each write, by which a write
            whose answer was lost can be recognised in the stored item.
    """
    if default is not MISSING and default_factory is not None:
        raise TypeError("attribute() takes default= or default_factory=, not both")
    if key not in (None, "partition", "sort"):
        raise ValueError(f"key= is 'partition' or 'sort', not {key!r}")
    if name == "":
        raise ValueError("name= must not be empty: DynamoDB has no attribute without a name")
    if none not in (None, "absent", "null"):
        raise ValueError(f"none= is 'absent' or 'null', not {none!r}")
    if none == "absent" and default is not None:
        raise TypeError("none='absent' needs default=None: what is absent is read as the default")
    if stored_as not in (None, "epoch_seconds"):
        raise ValueError(f"stored_as= is 'epoch_seconds', not {stored_as!r}")
    if codec is not None and (ttl or stored_as):
        raise TypeError("attribute() takes codec= or how it is stored, not both")
    if codec is not None and not isinstance(codec, CodecLike):
        raise TypeError("codec= is an object with the methods encode(value) and decode(stored)")
    if type(default).__hash__ is None:  # it is mutable; dataclasses refuse it too
        raise TypeError(
            f"a {type(default).__name__} as default= would be shared by all items. "
            f"Fix: default_factory={type(default).__name__}, or a function that makes one"
        )
    return Options(
        key=key,
        name=name,
        none=none,
        stored_as=stored_as,
        codec=codec,
        default=default,
        default_factory=default_factory,
        patchable=patchable,
        ttl=ttl,
        version=version,
        write_id=write_id,
    )


class AttributeSchema(Record):
    """One attribute of an Item class."""

    __slots__ = __match_args__ = ("name", "field_name", "options")
    name: str
    """The attribute's name in DynamoDB."""
    field_name: str
    """The attribute's name in Python."""
    options: Options

    def __init__(self, *, name: str, field_name: str, options: Options) -> None:
        assign(self, "name", name)
        assign(self, "field_name", field_name)
        assign(self, "options", options)

    @property
    def has_default(self) -> bool:
        return self.options.default is not MISSING or self.options.default_factory is not None

    def default(self) -> Any:
        """The default; only for an attribute that has one."""
        factory = self.options.default_factory
        return self.options.default if factory is None else factory()

    @property
    def none_is_absent(self) -> bool:
        """Whether None is left out. Key attributes must be present."""
        options = self.options
        return options.default is None and options.none != "null" and not self.is_key

    @property
    def is_empty_set_absent(self) -> bool:
        """Whether an empty set is left out, because it is the default."""
        default = self.default() if self.has_default else None
        return isinstance(default, set | frozenset) and not default

    @property
    def is_key(self) -> bool:
        return self.options.key is not None

    @property
    def is_required(self) -> bool:
        """Whether an item needs it to be read; a key is in each item."""
        return not self.has_default and not self.is_key

    @property
    def is_patchable(self) -> bool:
        options = self.options
        return options.patchable and not (self.is_key or options.version or options.write_id)


class Schema:
    """The attributes of an Item class, by either name, and the ones with a role."""

    __slots__ = (
        "_codecs",
        "_key_codecs",
        "annotations",
        "attributes",
        "by_field_name",
        "by_name",
        "caches",
        "item_class",
        "key_names",
        "namespace",
        "partition_key",
        "sort_key",
        "ttl",
        "version",
        "write_id",
    )

    def __init__(
        self,
        item_class: type[HasSchema],
        attributes: tuple[AttributeSchema, ...],
        annotations: Mapping[str, object],
        namespace: Mapping[str, object],
    ) -> None:
        self.item_class: type[HasSchema] = item_class
        self.attributes: tuple[AttributeSchema, ...] = attributes
        self.annotations: Mapping[str, object] = annotations
        self.namespace: Mapping[str, object] = namespace
        self._codecs: dict[str, Codec[Any]] | None = None
        self._key_codecs: tuple[tuple[str, Codec[Any]], ...] | None = None
        self.caches: dict[object, Any] = {}
        """Caches of other modules about the class, for its lifetime."""
        by_name: dict[str, AttributeSchema] = {}
        for each in self.attributes:
            other = by_name.setdefault(each.name, each)
            if other is not each:
                raise TypeError(
                    f"{self._class_name}: {other.field_name} and {each.field_name} are both named "
                    f"{each.name!r} in DynamoDB"
                )
        self.by_name: Mapping[str, AttributeSchema] = MappingProxyType(by_name)
        self.by_field_name: Mapping[str, AttributeSchema] = MappingProxyType(
            {each.field_name: each for each in self.attributes}
        )
        for each in self.attributes:
            if self.by_field_name.get(each.name, each) is not each:
                raise TypeError(
                    f"{self._class_name}: {each.field_name} is named {each.name!r} in DynamoDB, "
                    "which is another attribute's name in Python, so that it would mean either. "
                    "Fix: rename one of them in Python"
                )
        self._require_names_of_bases()
        self.partition_key: AttributeSchema | None = self._only(
            "key='partition'", lambda o: o.key == "partition"
        )
        self.sort_key: AttributeSchema | None = self._only("key='sort'", lambda o: o.key == "sort")
        self.version: AttributeSchema | None = self._only("version=True", lambda o: o.version)
        self.ttl: AttributeSchema | None = self._only("ttl=True", lambda o: o.ttl)
        self.write_id: AttributeSchema | None = self._only("write_id=True", lambda o: o.write_id)
        self.key_names: Set[str] = frozenset(each.name for each in self.key_attributes)
        if self.sort_key is not None and self.partition_key is None:
            raise TypeError(f"{self._class_name} has a sort key, but no partition key")

    def _require_names_of_bases(self) -> None:
        """Conditions made with a base class's attribute must fit the class's own attribute."""
        for base in self.item_class.__mro__[1:]:
            inherited: Schema | None = base.__dict__.get("__dynasafe_schema__")
            for theirs in inherited.attributes if inherited else ():
                ours = self.by_field_name[theirs.field_name]
                if ours.name != theirs.name:
                    raise TypeError(
                        f"{self._class_name}.{ours.field_name} is named {ours.name!r} in DynamoDB, "
                        f"but {theirs.name!r} in {base.__name__}, whose attribute would mean "
                        "another one. Fix: give it the same name=, or another name in Python"
                    )

    @property
    def _class_name(self) -> str:
        return self.item_class.__name__

    def _only(self, what: str, wanted: Callable[[Options], bool]) -> AttributeSchema | None:
        found = [each for each in self.attributes if wanted(each.options)]
        if len(found) > 1:
            names = ", ".join(each.field_name for each in found)
            raise TypeError(f"{self._class_name} has {what} more than once: {names}")
        return found[0] if found else None

    @property
    def key_attributes(self) -> tuple[AttributeSchema, ...]:
        """The partition key, then the sort key, if the class has them."""
        return tuple(key for key in (self.partition_key, self.sort_key) if key is not None)

    @property
    def codecs(self) -> dict[str, Codec[Any]]:
        """The codec of each attribute, by its name in DynamoDB."""
        if self._codecs is None:
            self._codecs = self._resolve_codecs()
        return self._codecs

    @property
    def key_codecs(self) -> tuple[tuple[str, Codec[Any]], ...]:
        """The name in DynamoDB of each attribute of the key, with its codec."""
        if self._key_codecs is None:
            self._key_codecs = tuple(
                (each.name, self.codecs[each.name]) for each in self.key_attributes
            )
        return self._key_codecs

    def encode_key(self, key: Mapping[str, object] | HasSchema) -> dict[str, AttributeValue]:
        """The primary key in wire form, from a mapping by either name, or from an instance.

        Raises:
            InvalidValueError: a part of the key is missing, extra, or of the wrong type.
        """
        given = key if type(key) is dict and key.keys() == self.key_names else self._key_in(key)
        encoded: dict[str, AttributeValue] = {}
        name = ""
        try:
            for name, codec in self._key_codecs or self.key_codecs:
                encoded[name] = codec.encode(given[name])
        except InvalidValueError as error:
            error.within(name)
            raise
        return encoded

    def _key_in(self, key: object) -> dict[str, object]:
        """The parts of the key by their names in DynamoDB."""
        given: dict[str, object] = {}
        count = 0
        if isinstance(key, HasSchema):
            if not isinstance(key, self.item_class):
                raise UnsupportedTypeError(
                    "", f"the key is of {type(key).__name__}, not of {self._class_name}"
                )
            state = key.__dict__
            for each in self.key_attributes:
                if each.field_name in state:
                    given[each.name] = state[each.field_name]
            count = len(given)
        elif isinstance(key, Mapping):
            for name, value in key.items():
                found = self.find(name)
                given[found.name if found else name] = value
            count = len(key)
        else:
            raise UnsupportedTypeError(
                "Key", f"a mapping or an Item is expected, not {type(key).__name__}"
            )
        expected = [each.name for each in self.key_attributes]
        if given.keys() != set(expected) or len(given) != count:
            raise ValueOutOfRangeError(
                "Key",
                f"the primary key of {self._class_name} is {', '.join(expected) or 'nothing'}, but "
                f"{listed(given) or 'nothing'} was given. Fix: give exactly its "
                "attributes",
            )
        return given

    def codec(self, name: str) -> Codec[Any]:
        return self.codecs[name]

    def find(self, name: str) -> AttributeSchema | None:
        """The attribute of this name in DynamoDB, or else in Python."""
        return self.by_name.get(name) or self.by_field_name.get(name)

    def part(self, element: str | int) -> Part:
        """The attribute of this name, as a part of an instance's value.

        Raises:
            UnsupportedTypeError: there is no such attribute.
        """
        found = self.find(element) if isinstance(element, str) else None
        if found is None:
            raise UnsupportedTypeError(str(element), self.lacks(element))
        return Part(found.name, self.codec(found.name), found.none_is_absent, found.is_required)

    def requires(self, path: DocumentPath) -> bool:
        """Whether an item needs the value at the path to be read."""
        name, *rest = path.elements
        if not rest and isinstance(name, str) and name in self.by_name:
            return self.by_name[name].is_required
        part = self.part(name)
        for element in rest:
            part = part.codec.part(element)
        return part.is_required

    def lacks(self, name: object) -> str:
        """The message for a name that no attribute has."""
        return f"{self._class_name} has no attribute {quoted(name)}." + did_you_mean(
            name, self.by_field_name
        )

    def own(self, attribute: Attr[Any, Any]) -> Attr[Any, Any]:
        """The class's own attribute at this path, by its names in Python or in DynamoDB.

        An untyped attribute whose first name is unknown to the class is returned unchanged.

        Raises:
            UnsupportedTypeError: it is of another class, or a part below has no such name.
        """
        owner = attribute.owner
        if owner is self.item_class:
            return attribute
        if owner is not None and not issubclass(self.item_class, owner):
            raise UnsupportedTypeError(
                str(attribute.path),
                f"an attribute of {owner.__name__}, where those of {self._class_name} are "
                "expected. Fix: use that class's own attribute; for one inside a nested Item, "
                "Outer.inner[Inner.attribute]",
            )
        name, *rest = attribute.path.elements
        found = self.find(str(name))
        if found is None:
            return attribute
        own: Attr[Any, Any] = getattr(self.item_class, found.field_name)
        for element in rest:
            own = own[element]
        return own

    def stored_path(self, path: DocumentPath) -> DocumentPath:
        """The path with the names in DynamoDB."""
        return self.own(Attr(path)).path

    def types(self) -> dict[str, Any]:
        """The type of each attribute's values, by its name in DynamoDB: `str` of an `Attr[str]`.

        Raises:
            TypeError: an annotation names something that is not defined, or cannot be read.
        """
        types = {}
        for each in self.attributes:
            owner = next(
                cls
                for cls in self.item_class.__mro__
                if "__dynasafe_schema__" in cls.__dict__ and each.field_name in own_annotations(cls)
            )
            schema: Schema = owner.__dict__["__dynasafe_schema__"]
            module = sys.modules.get(owner.__module__)
            try:
                hint = typing.get_type_hints(
                    SimpleNamespace(__annotations__={"it": self.annotations[each.field_name]}),
                    {**vars(typing), **(vars(module) if module else {}), "Attr": Attr},
                    {**schema.namespace, owner.__name__: owner},
                )["it"]
                of_values, owner_type = typing.get_args(hint)
                if owner_type is not Any:  # Attr takes one type in an Item class
                    raise TypeError
            except NameError as error:
                raise undefined(f"{self._class_name}.{each.field_name}", error) from error
            except (AttributeError, SyntaxError, TypeError) as error:
                raise TypeError(
                    f"{self._class_name}.{each.field_name}: its annotation cannot be read. Fix: "
                    "write Attr[...] with a type"
                ) from error
            types[each.name] = of_values
        return types

    def require_distinct_unions(self) -> None:
        """Refuse a union of types whose stored values could be either, when the class is made.

        Names in annotations may be defined later, and codecs registered later. Then the check is
        made at first use.

        Raises:
            AmbiguousUnionError: there is such a union.
        """
        try:
            self._resolve_codecs()
        except AmbiguousUnionError:
            raise
        except (TypeError, ValueError, LookupError, AttributeError):
            pass

    def _resolve_codecs(self) -> dict[str, Codec[Any]]:
        codecs = {}
        types = self.types()
        for each in self.attributes:
            hint = types[each.name]
            try:
                codecs[each.name] = self._codec_of(each, hint)
            except UnsupportedTypeError as error:
                place = f"{self._class_name}.{each.field_name}"
                raise type(error)(place, error.reason) from None
            if each.options.version and hint is not int:
                raise TypeError(f"{self._class_name}.{each.field_name}: a version is an Attr[int]")
            if each.options.write_id and hint is not str:
                raise TypeError(f"{self._class_name}.{each.field_name}: a write id is an Attr[str]")
        return codecs

    def _codec_of(self, attribute: AttributeSchema, hint: object) -> Codec[Any]:
        options = attribute.options
        if options.codec is None and not options.ttl and options.stored_as is None:
            return codec_for(hint)
        is_union = typing.get_origin(hint) in (typing.Union, UnionType)
        given = typing.get_args(hint) if is_union else (hint,)
        members = [each for each in given if each is not type(None)]
        codec: Codec[Any]
        if options.codec is not None:
            codec = AttributeCodec(options.codec)
        elif len(members) == 1 and is_datetime(members[0]):
            codec = EpochSecondsCodec()
        elif members == [int] and options.ttl:
            codec = EpochIntCodec()
        elif options.ttl:
            raise TypeError(
                f"{self._class_name}: a TTL attribute is a datetime, or an int in seconds"
            )
        else:
            raise TypeError(
                f"{self._class_name}.{attribute.field_name}: stored_as='epoch_seconds' is for a "
                "datetime"
            )
        return codec if len(members) == len(given) else optional(codec)


def own_annotations(cls: type[Any]) -> Mapping[str, object]:
    """The class's own annotations. `inspect` has a function for this, but takes milliseconds to
    load."""
    own: Mapping[str, object] = type.__dict__["__annotations__"].__get__(cls)  # noqa: RUF063
    return own


def schema_of(item_class: type[HasSchema]) -> Schema:
    """The schema of an Item class.

    Raises:
        TypeError: it is not an Item class, or is Item itself.
    """
    try:
        schema: Schema = item_class.__dynasafe_schema__
    except AttributeError:
        given = item_class.__name__ if isinstance(item_class, type) else type(item_class).__name__
        raise UnsupportedTypeError(
            "item_class", f"a subclass of Item with attributes is expected, not {quoted(given)}"
        ) from None
    return schema
