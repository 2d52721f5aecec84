"""Items: classes whose annotations say how a table's items look in Python.

    class Person(Item):
        id: Attr[str] = attribute(key="partition")
        name: Attr[str]

`Person.name` is an `Attr[str]` to build expressions with; `person.name` is a `str`.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from reprlib import recursive_repr
from types import MappingProxyType, SimpleNamespace, UnionType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, overload

from typing_extensions import dataclass_transform

from dynasafe.errors import StoredValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions.document_path import DocumentPath
from dynasafe.items.attributes import Attr
from dynasafe.values.codecs import Codec, EpochSecondsCodec, codec_for, undefined
from dynasafe.values.convert import AttributeValue, too_deep

T = TypeVar("T")
ItemT = TypeVar("ItemT", bound="Item")

KeyRole = Literal["partition", "sort"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
_SETS = (set, frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
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
    return _Options(
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
    options: _Options

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

    item_class: type[Item]
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
    _key_encoders: tuple[tuple[str, Callable[[Any], AttributeValue]], ...] | None = field(
        init=False, default=None
    )
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

    def _only(self, what: str, wanted: Callable[[_Options], bool]) -> AttributeSchema | None:
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
    def key_encoders(self) -> tuple[tuple[str, Callable[[Any], AttributeValue]], ...]:
        """The name in DynamoDB of each attribute of the key, with what encodes it."""
        if self._key_encoders is None:
            self._key_encoders = tuple(
                (each.name, self.codecs[each.name].encoder(each.name))
                for each in self.key_attributes
            )
        return self._key_encoders

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


def schema_of(item_class: type[Item]) -> Schema:
    """The schema of an Item class.

    Raises:
        TypeError: it is another class, or Item itself.
    """
    try:
        return item_class.__dynasafe_schema__
    except AttributeError:
        raise TypeError(f"{item_class!r} is no subclass of Item with attributes") from None


@dataclass_transform(kw_only_default=True, field_specifiers=(attribute,))
class Item:
    """The base of item classes. Instances are made with keyword arguments only.

    Python code names attributes as the class does, also where `attribute(name=...)` gives the
    stored attribute another name.

    Attributes of the stored item that the class does not know are kept, and written back when the
    instance is put again: reading and putting an item loses nothing.
    """

    __dynasafe_schema__: ClassVar[Schema]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        attributes: dict[str, AttributeSchema] = {}
        annotations: dict[str, object] = {}
        # What each base itself declares, the first base's last, since it overrides the others'.
        for base in reversed(cls.__mro__[1:]):
            inherited: Schema | None = base.__dict__.get("__dynasafe_schema__")
            if inherited is not None:
                own = [
                    name for name in inspect.get_annotations(base) if name in inherited.annotations
                ]
                attributes |= {name: inherited.by_field_name[name] for name in own}
                annotations |= {name: inherited.annotations[name] for name in own}
        for field_name, annotation in inspect.get_annotations(cls).items():
            if not _is_attr(annotation):
                if _is_class_var(annotation):
                    continue
                raise TypeError(
                    f"{cls.__name__}.{field_name}: write its type as Attr[...], or ClassVar[...] "
                    "if it is not an attribute of the item"
                )
            given = cls.__dict__.get(field_name, MISSING)
            options = given if isinstance(given, _Options) else _plain_default(given)
            attributes[field_name] = AttributeSchema(
                name=options.name or field_name, field_name=field_name, options=options
            )
            annotations[field_name] = annotation
        cls.__dynasafe_schema__ = Schema(
            item_class=cls,
            attributes=tuple(attributes.values()),
            annotations=annotations,
            namespace=_local_namespace(),
        )
        for each in attributes.values():
            # A class that inherits an attribute is its owner too: its codecs are its own.
            setattr(cls, each.field_name, Attr(DocumentPath((each.name,)), owner=cls))

    def __init__(self, **values: Any) -> None:
        state = self.__dict__
        missing = []
        for each in self.__dynasafe_schema__.attributes:
            field_name = each.field_name
            if field_name in values:
                state[field_name] = values.pop(field_name)
            elif each.has_default:
                state[field_name] = each.default()
            else:
                missing.append(field_name)
        if missing or values:
            problems = [f"missing: {', '.join(missing)}"] if missing else []
            problems += [f"unknown: {', '.join(values)}"] if values else []
            raise TypeError(f"{type(self).__name__}: {'; '.join(problems)}")

    if not TYPE_CHECKING:
        # Hidden from type checkers, which would allow any name because of it.
        def __setattr__(self, name, value):
            if name not in self.__dynasafe_schema__.by_field_name and not name.startswith("_"):
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            self.__dict__[name] = value

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    __hash__: ClassVar[None]  # type: ignore[assignment]  # an Item is mutable

    @recursive_repr()
    def __repr__(self) -> str:
        fields = ", ".join(
            f"{each.field_name}={self.__dict__.get(each.field_name, MISSING)!r}"
            for each in self.__dynasafe_schema__.attributes
        )
        return f"{type(self).__name__}({fields})"

    def __dynasafe_encode__(self, path: str = "") -> dict[str, AttributeValue]:
        return encode_item(self, path)

    @classmethod
    def __dynasafe_decode__(
        cls, attribute_map: Mapping[str, AttributeValue], path: str = ""
    ) -> Self:
        return decode_item(cls, attribute_map, path)


def encode_item(item: Item, path: str = "") -> dict[str, AttributeValue]:
    """The item in wire form.

    An empty set is left out, since DynamoDB has none, where the attribute's default is one too.

    Raises:
        InvalidValueError: a value is not of its attribute's type, or DynamoDB cannot store it.
    """
    state = item.__dict__
    encoded: dict[str, AttributeValue] = {}
    try:
        for each, field_name, name, codec in item.__dynasafe_schema__.coded:
            value = state.get(field_name, MISSING)
            place = f"{path}.{name}" if path else name
            if value is MISSING:
                raise ValueOutOfRangeError(place, "the attribute has no value")
            is_empty_set = isinstance(value, _SETS) and not value
            if is_empty_set and each.has_default and not each.default():
                continue
            encoded[name] = codec.encode(value, place)
    except RecursionError:
        raise too_deep(path) from None
    unknown = state.get("_unknown_attributes")
    return {**unknown, **encoded} if unknown else encoded


def decode_item(
    item_class: type[ItemT], attribute_map: Mapping[str, AttributeValue], path: str = ""
) -> ItemT:
    """The instance that the item in wire form stands for.

    Raises:
        StoredValueError: a stored value does not fit its attribute's type, or one without a
            default is missing.
    """
    schema = item_class.__dynasafe_schema__
    item = item_class.__new__(item_class)
    state = item.__dict__
    known = 0
    for each, field_name, name, codec in schema.coded:
        attribute_value = attribute_map.get(name)
        place = f"{path}.{name}" if path else name
        if attribute_value is not None:
            known += 1
            state[field_name] = codec.decode(attribute_value, place)
        elif each.has_default:
            state[field_name] = each.default()
        else:
            raise StoredValueError(
                place,
                f"the stored item lacks this attribute, and {item_class.__name__} has no default "
                "for it. Fix: give it a default, or read with a projection that includes it",
            )
    if known < len(attribute_map):
        state["_unknown_attributes"] = {
            name: value for name, value in attribute_map.items() if name not in schema.by_name
        }
    return item


def encode_key(schema: Schema, key: Mapping[str, object] | Item) -> dict[str, AttributeValue]:
    """The primary key in wire form, from a mapping by either name, or from an instance.

    Raises:
        InvalidValueError: a part of the key is missing, extra, or of the wrong type.
    """
    if type(key) is dict and len(key) == len(schema.key_encoders):
        encoded: dict[str, AttributeValue] = {}
        for name, encode in schema.key_encoders:
            if name not in key:
                break
            encoded[name] = encode(key[name])
        else:
            return encoded
    if isinstance(key, Item):
        if not isinstance(key, schema.item_class):
            raise UnsupportedTypeError(
                "", f"the key is of {type(key).__name__}, not of {schema.item_class.__name__}"
            )
        state = key.__dict__
        keys = schema.key_attributes
        given = {each.name: state[each.field_name] for each in keys if each.field_name in state}
    elif not isinstance(key, Mapping):
        raise UnsupportedTypeError(
            "Key", f"a mapping or an Item is expected, not {type(key).__name__}"
        )
    else:
        given = {}
        for name, value in key.items():
            found = schema.find(name)
            given[found.name if found else name] = value
    expected = [each.name for each in schema.key_attributes]
    if given.keys() != set(expected) or (len(given) != len(key) if isinstance(key, Mapping) else 0):
        raise ValueOutOfRangeError(
            "Key",
            f"the primary key of {schema.item_class.__name__} is {', '.join(expected) or 'nothing'}"
            f", but {', '.join(map(str, given)) or 'nothing'} was given. Fix: give exactly its "
            "attributes",
        )
    return {name: encode(given[name]) for name, encode in schema.key_encoders}


def _plain_default(given: Any) -> _Options:
    attribute_default = attribute(default=given) if given is not MISSING else _Options()
    assert isinstance(attribute_default, _Options)
    return attribute_default


def _is_attr(annotation: object) -> bool:
    if isinstance(annotation, str):
        name, bracket, _ = annotation.partition("[")
        return bracket != "" and name.rpartition(".")[2].strip() == "Attr"
    return typing.get_origin(annotation) is Attr


def _is_class_var(annotation: object) -> bool:
    if isinstance(annotation, str):
        return annotation.partition("[")[0].rpartition(".")[2].strip() == "ClassVar"
    return typing.get_origin(annotation) is ClassVar or annotation is ClassVar


def _local_namespace() -> Mapping[str, object]:
    """What is defined in the function that holds the class statement, for its annotations."""
    frame = sys._getframe(2)
    return {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
