"""Schemas: the attributes of an Item class, with their names, codecs and roles."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType, SimpleNamespace, UnionType
from typing import Any, Literal, TypeVar, overload

from dynasafe.errors import UnsupportedTypeError
from dynasafe.items.attributes import Attr, HasSchema
from dynasafe.values.codecs import Codec, EpochSecondsCodec, codec_for, undefined

T = TypeVar("T")

KeyRole = Literal["partition", "sort"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `attribute()` was given."""

    key: KeyRole | None = None
    name: str | None = None
    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    patchable: bool = True
    ttl: bool = False
    version: bool = False
    write_id: bool = False


@overload
def attribute(
    *,
    default: T,
    key: KeyRole | None = None,
    name: str | None = None,
    patchable: bool = True,
    ttl: bool = False,
    version: bool = False,
) -> Attr[T]: ...
@overload
def attribute(
    *,
    default_factory: Callable[[], T],
    key: KeyRole | None = None,
    name: str | None = None,
    patchable: bool = True,
    ttl: bool = False,
    write_id: bool = False,
) -> Attr[T]: ...
@overload
def attribute(
    *,
    key: KeyRole | None = None,
    name: str | None = None,
    patchable: bool = True,
    ttl: bool = False,
) -> Any: ...
def attribute(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    key: KeyRole | None = None,
    name: str | None = None,
    patchable: bool = True,
    ttl: bool = False,
    version: bool = False,
    write_id: bool = False,
) -> Any:
    """Say more of an attribute than its type does.

    Args:
        default: the value where neither the caller nor the stored item has one.
        default_factory: makes that value, where it is mutable: a list, a dict, an Item.
        key: "partition" or "sort" for a part of the primary key.
        name: the attribute's name in DynamoDB, where it differs from the one in Python.
        patchable: whether `UpdateBuilder.patch` may set it.
        ttl: store a datetime as epoch seconds, as Time to Live needs it.
            Source: "Computing Time to Live (TTL) in DynamoDB".
        version: a number that every write of the item checks and advances.
            Source: "Optimistic locking with version number".
        write_id: a string that every write of the item through AsyncTable sets to a fresh random
            id, by which a write whose answer was lost can be recognised in the stored item.
    """
    if default is not MISSING and default_factory is not None:
        raise TypeError("attribute() takes default= or default_factory=, not both")
    if key not in (None, "partition", "sort"):
        raise ValueError(f"key= is 'partition' or 'sort', not {key!r}")
    if name == "":
        raise ValueError("name= must not be empty: DynamoDB has no attribute without a name")
    if type(default).__hash__ is None:  # it is mutable, as dataclasses have it too
        raise TypeError(
            f"a {type(default).__name__} as default= would be shared by all items. "
            f"Fix: default_factory={type(default).__name__}, or a function that makes one"
        )
    return Options(
        key=key,
        name=name,
        default=default,
        default_factory=default_factory,
        patchable=patchable,
        ttl=ttl,
        version=version,
        write_id=write_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSchema:
    """One attribute of an Item class."""

    name: str
    """The attribute's name in DynamoDB."""
    field_name: str
    """The attribute's name in Python."""
    options: Options

    @property
    def has_default(self) -> bool:
        return self.options.default is not MISSING or self.options.default_factory is not None

    def default(self) -> Any:
        """The default; only for an attribute that has one."""
        factory = self.options.default_factory
        return self.options.default if factory is None else factory()

    @property
    def is_key(self) -> bool:
        return self.options.key is not None

    @property
    def is_patchable(self) -> bool:
        options = self.options
        return options.patchable and not (self.is_key or options.version or options.write_id)


@dataclass(slots=True)
class Schema:
    """The attributes of an Item class, by either name, and the ones with a role."""

    item_class: type[HasSchema]
    attributes: tuple[AttributeSchema, ...]
    annotations: Mapping[str, object]
    namespace: Mapping[str, object]
    by_name: Mapping[str, AttributeSchema] = field(init=False)
    by_field_name: Mapping[str, AttributeSchema] = field(init=False)
    key_names: Set[str] = field(init=False)
    partition_key: AttributeSchema | None = field(init=False)
    sort_key: AttributeSchema | None = field(init=False)
    version: AttributeSchema | None = field(init=False)
    ttl: AttributeSchema | None = field(init=False)
    write_id: AttributeSchema | None = field(init=False)
    _codecs: dict[str, Codec[Any]] | None = field(init=False, default=None)
    _coded: tuple[tuple[AttributeSchema, str, str, Codec[Any]], ...] | None = field(
        init=False, default=None
    )
    _key_codecs: tuple[tuple[str, Codec[Any]], ...] | None = field(init=False, default=None)
    caches: dict[str, Any] = field(init=False, default_factory=dict)
    """What others keep about the class, as long as it lives."""

    def __post_init__(self) -> None:
        by_name: dict[str, AttributeSchema] = {}
        for each in self.attributes:
            other = by_name.setdefault(each.name, each)
            if other is not each:
                raise TypeError(
                    f"{self._class_name}: {other.field_name} and {each.field_name} are both named "
                    f"{each.name!r} in DynamoDB"
                )
        self.by_name = MappingProxyType(by_name)
        self.by_field_name = MappingProxyType({each.field_name: each for each in self.attributes})
        for each in self.attributes:
            if self.by_field_name.get(each.name, each) is not each:
                raise TypeError(
                    f"{self._class_name}: {each.field_name} is named {each.name!r} in DynamoDB, "
                    "which is another attribute's name in Python, so that it would mean either. "
                    "Fix: rename one of them in Python"
                )
        self._require_names_of_bases()
        self.partition_key = self._only("key='partition'", lambda o: o.key == "partition")
        self.sort_key = self._only("key='sort'", lambda o: o.key == "sort")
        self.version = self._only("version=True", lambda o: o.version)
        self.ttl = self._only("ttl=True", lambda o: o.ttl)
        self.write_id = self._only("write_id=True", lambda o: o.write_id)
        self.key_names = frozenset(each.name for each in self.key_attributes)
        if self.sort_key is not None and self.partition_key is None:
            raise TypeError(f"{self._class_name} has a sort key, but no partition key")

    def _require_names_of_bases(self) -> None:
        """What is built with a base's attribute, as a condition, holds for the class's own."""
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
        """The partition key, then the sort key, as far as there are any."""
        return tuple(key for key in (self.partition_key, self.sort_key) if key is not None)

    @property
    def codecs(self) -> dict[str, Codec[Any]]:
        """The codec of each attribute, by its name in DynamoDB."""
        if self._codecs is None:
            self._codecs = self._resolve_codecs()
        return self._codecs

    @property
    def coded(self) -> tuple[tuple[AttributeSchema, str, str, Codec[Any]], ...]:
        """Each attribute, its name in Python and in DynamoDB, and its codec."""
        if self._coded is None:
            self._coded = tuple(
                (each, each.field_name, each.name, self.codecs[each.name])
                for each in self.attributes
            )
        return self._coded

    @property
    def key_codecs(self) -> tuple[tuple[str, Codec[Any]], ...]:
        """The name in DynamoDB of each attribute of the key, with its codec."""
        if self._key_codecs is None:
            self._key_codecs = tuple(
                (each.name, self.codecs[each.name]) for each in self.key_attributes
            )
        return self._key_codecs

    def codec(self, name: str) -> Codec[Any]:
        return self.codecs[name]

    def find(self, name: str) -> AttributeSchema | None:
        """The attribute of this name in DynamoDB, or else in Python."""
        return self.by_name.get(name) or self.by_field_name.get(name)

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
                if "__dynasafe_schema__" in cls.__dict__
                and each.field_name in inspect.get_annotations(cls)
            )
            schema: Schema = owner.__dict__["__dynasafe_schema__"]
            module = sys.modules.get(owner.__module__)
            try:
                hint = typing.get_type_hints(
                    SimpleNamespace(__annotations__={"it": self.annotations[each.field_name]}),
                    {**vars(typing), **(vars(module) if module else {}), "Attr": Attr},
                    {**schema.namespace, owner.__name__: owner},
                )["it"]
            except NameError as error:
                raise undefined(f"{self._class_name}.{each.field_name}", error) from error
            except (AttributeError, SyntaxError, TypeError) as error:
                raise TypeError(
                    f"{self._class_name}.{each.field_name}: its annotation cannot be read. Fix: "
                    "write Attr[...] with a type"
                ) from error
            types[each.name] = typing.get_args(hint)[0]
        return types

    def _resolve_codecs(self) -> dict[str, Codec[Any]]:
        codecs = {}
        types = self.types()
        for each in self.attributes:
            hint = types[each.name]
            try:
                codecs[each.name] = self._ttl_codec(hint) if each.options.ttl else codec_for(hint)
            except UnsupportedTypeError as error:
                place = f"{self._class_name}.{each.field_name}"
                raise UnsupportedTypeError(place, error.reason) from None
            if each.options.version and hint is not int:
                raise TypeError(f"{self._class_name}.{each.field_name}: a version is an Attr[int]")
            if each.options.write_id and hint is not str:
                raise TypeError(f"{self._class_name}.{each.field_name}: a write id is an Attr[str]")
        return codecs

    def _ttl_codec(self, hint: object) -> Codec[Any]:
        is_union = typing.get_origin(hint) in (typing.Union, UnionType)
        members = [
            each
            for each in (typing.get_args(hint) if is_union else (hint,))
            if each is not type(None)
        ]
        if members == [datetime]:
            epoch_seconds: Codec[Any] = EpochSecondsCodec()
            return epoch_seconds if hint is datetime else epoch_seconds.optional()
        if members == [int]:
            return codec_for(hint)
        raise TypeError(f"{self._class_name}: a TTL attribute is a datetime, or an int in seconds")


def schema_of(item_class: type[HasSchema]) -> Schema:
    """The schema of an Item class.

    Raises:
        TypeError: it is another class, or Item itself.
    """
    try:
        schema: Schema = item_class.__dynasafe_schema__
    except AttributeError:
        raise TypeError(f"{item_class!r} is no subclass of Item with attributes") from None
    return schema
