"""pydantic models and dataclasses: their stored form, and how it is read.

A model is recognised by its methods, so pydantic is not imported here. None is left out if it is
the default, and an empty set always, because DynamoDB has none.

Source: "Serialization" and "Models", pydantic documentation.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary, ref

from dynasafe.errors import UnsupportedTypeError

_SETS = (set, frozenset)


class ModelField:
    """A field of a model: its names in the stored form and in Python."""

    __slots__ = (
        "annotation",
        "is_excluded",
        "is_required",
        "name",
        "none_is_absent",
        "read_name",
        "stored_name",
    )

    def __init__(self, name: str, field: Any) -> None:
        self.name: str = name
        self.annotation: Any = field.annotation
        self.stored_name: str = field.serialization_alias or field.alias or name
        self.read_name: str = _first_alias(field.validation_alias) or field.alias or name
        self.is_required: bool = field.is_required()
        self.none_is_absent: bool = not self.is_required and field.default is None
        self.is_excluded: bool = bool(field.exclude)


def _first_alias(alias: Any) -> str | None:
    """The name that a model reads, from one alias or several."""
    for each in getattr(alias, "choices", [alias]):
        if isinstance(each, str):
            return each
    return None


def is_model(python_type: type) -> bool:
    return callable(getattr(python_type, "model_dump", None)) and callable(
        getattr(python_type, "model_validate", None)
    )


def is_dataclass(python_type: type) -> bool:
    """Whether it is a dataclass. `dataclasses` is not imported, because that is slow."""
    return hasattr(python_type, "__dataclass_fields__")


def dataclass_fields(value: Any) -> tuple[Any, ...]:
    """The fields of a dataclass, or of an instance of one."""
    import dataclasses

    return dataclasses.fields(value)


_stored_fields: WeakKeyDictionary[type, tuple[tuple[str, bool], ...]] = WeakKeyDictionary()


def stored_fields(python_type: type) -> tuple[tuple[str, bool], ...]:
    """The fields of a dataclass: the name, and whether None is the default."""
    found = _stored_fields.get(python_type)
    if found is None:
        found = tuple((each.name, each.default is None) for each in dataclass_fields(python_type))
        _stored_fields[python_type] = found
    return found


def fields_of(model: Any) -> dict[str, ModelField]:
    """The fields by their names in Python."""
    fields = getattr(model, "model_fields", None) or {}
    return {name: ModelField(name, field) for name, field in fields.items()}


class _Names:
    """What writing and reading asks of a model's fields, without what could keep its class."""

    __slots__ = ("by_name", "excluded", "fields", "read", "renamed", "written")

    def __init__(self, model: Any) -> None:
        found = fields_of(model)
        self.fields: int = id(getattr(model, "model_fields", None))
        self.written: list[tuple[str, str, bool]] = [
            (each.name, each.stored_name, each.none_is_absent) for each in found.values()
        ]
        self.read: dict[str, str] = {each.stored_name: each.read_name for each in found.values()}
        self.by_name: dict[str, str] = {each.name: each.read_name for each in found.values()}
        self.renamed: dict[str, str] = {
            name: read for name, read in self.read.items() if name != read
        }
        self.excluded: frozenset[str] = frozenset(
            name for name, each in found.items() if each.is_excluded
        )


_names: WeakKeyDictionary[type, _Names] = WeakKeyDictionary()


def _names_of(model: Any) -> _Names:
    found = _names.get(model)
    # A model whose annotations name what is not yet defined gets its fields later.
    if found is None or found.fields != id(getattr(model, "model_fields", None)):
        found = _Names(model)
        if getattr(model, "__pydantic_complete__", False):
            _names[model] = found
    return found


class PlainModel:
    """A model with fields of Python's own types alone, and of such models.

    It has no aliases, serializers, or fields that are computed, private or excluded. So what is
    stored of it is what its __dict__ has.
    """

    __slots__ = ("fields", "is_surely_read", "of")

    def __init__(self, model: Any) -> None:
        self.of: Any = ref(model)
        """The class, weakly: a class that is made at run time is not kept."""
        self.fields: dict[str, PlainField] = {}
        self.is_surely_read: bool = True
        """Whether what is stored is surely read again: neither it nor a model in it has validators
        or constraints."""


class PlainField:
    """A field of a plain model: the types that its value may have."""

    __slots__ = ("element", "kinds", "model", "none_is_absent")

    def __init__(
        self, kinds: frozenset[type], model: PlainModel | None, element: PlainField | None
    ) -> None:
        self.kinds: frozenset[type] = kinds
        self.model: PlainModel | None = model
        """A nested model that the value may be."""
        self.element: PlainField | None = element
        """Each element, if the value may be a list."""
        self.none_is_absent: bool = False


def plain_model(model: Any, within: dict[type, PlainModel] | None = None) -> PlainModel | None:
    """The fields of a plain model, or None for any other.

    Args:
        within: the models around it, which it may hold again.
    """
    base = next((each for each in model.__mro__ if each.__module__ == "pydantic.main"), None)
    if base is None or not getattr(model, "__pydantic_complete__", False):
        return None
    if any(_function(model, name) is not _function(base, name) for name in _OWN_METHODS):
        return None
    config, decorators = model.model_config, model.__pydantic_decorators__
    if (
        not config.keys() <= _HARMLESS_SETTINGS
        or config.get("extra") == "allow"
        or any(
            getattr(decorators, name)
            for name in decorators.__dataclass_fields__
            if name not in _VALIDATORS
        )
        or model.__private_attributes__
        or model.__pydantic_root_model__
        or model.__pydantic_custom_init__
        or model.__pydantic_post_init__ is not None
    ):
        return None
    models = {} if within is None else within
    if model in models:
        return models[model]
    found = models[model] = PlainModel(model)
    fields = model.model_fields.items()
    if any(getattr(decorators, name, None) for name in _VALIDATORS) or any(
        field.metadata for _, field in fields
    ):
        for each in models.values():
            each.is_surely_read = False
    for name, field in fields:
        plain = None if _is_special(field) else _plain_field(field.annotation, models)
        if plain is None:
            return None
        plain.none_is_absent = not field.is_required() and field.default is None
        found.fields[name] = plain
    return found


_VALIDATORS = ("validators", "field_validators", "root_validators", "model_validators")
_HARMLESS_SETTINGS = frozenset(
    {
        "extra",
        "from_attributes",
        "frozen",
        "json_schema_extra",
        "populate_by_name",
        "title",
        "validate_assignment",
    }
)
"""Settings that change nothing about how a model's fields are written and read."""
_OWN_METHODS = (
    "__eq__",
    "__get_pydantic_core_schema__",
    "__getattribute__",
    "__init__",
    "__iter__",
    "__new__",
    "model_dump",
    "model_post_init",
    "model_validate",
)
_PLAIN_TYPES = frozenset({str, int, bool, float, Decimal})
_NONE_TYPE = type(None)


def _function(model: Any, name: str) -> Any:
    found = getattr(model, name, None)
    return getattr(found, "__func__", found)


def _is_special(field: Any) -> bool:
    """Whether a field is written or read in a way of its own."""
    aliases = field.alias or field.validation_alias or field.serialization_alias
    is_excluded = field.exclude or getattr(field, "exclude_if", None)
    # Constraints change nothing about how it is written; a serializer stands there too.
    is_more = any(type(each).__module__ != "annotated_types" for each in field.metadata)
    return bool(aliases or is_excluded or is_more or field.discriminator)


def _plain_field(hint: Any, models: dict[type, PlainModel]) -> PlainField | None:
    if typing.get_origin(hint) is list:
        element = _plain_field(typing.get_args(hint)[0], models)
        return None if element is None else PlainField(frozenset(), None, element)
    kinds = {hint}
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        kinds = {*typing.get_args(hint)}
    values = kinds - {_NONE_TYPE}
    if len(values) != 1:
        return None
    (kind,) = values
    if kind in _PLAIN_TYPES:
        return PlainField(frozenset(kinds), None, None)
    if isinstance(kind, type) and is_model(kind):
        model = plain_model(kind, models)
        return None if model is None else PlainField(frozenset(kinds - values), model, None)
    return None


def dumped(value: Any) -> Any:
    """The model as plain values, by stored name.

    Left out are computed fields, which a model does not read, empty sets, which DynamoDB does not
    have, and None if it is the default.
    """
    return _present(value, value.model_dump(by_alias=True, round_trip=True))


_SCALARS = frozenset({str, int, float, bool})


def _present(value: Any, dump: Any) -> Any:
    """The dump of a value without the parts that are not stored, at every level."""
    if isinstance(dump, Mapping):
        if is_model(type(value)):
            changes: dict[str, Any] = {}
            absent: set[str] = set()
            for name, stored_name, none_is_absent in _names_of(type(value)).written:
                if stored_name not in dump:
                    continue
                each = getattr(value, name)
                if type(each) in _SCALARS:
                    continue
                is_empty_set = isinstance(each, _SETS) and not each
                if is_empty_set or (each is None and none_is_absent):
                    absent.add(stored_name)
                else:
                    changes[stored_name] = _present(each, dump[stored_name])
            if changes or absent:
                changed = {**dump, **changes}
                return {name: each for name, each in changed.items() if name not in absent}
        elif isinstance(value, Mapping) and value.keys() == dump.keys():
            return {name: _present(value[name], each) for name, each in dump.items()}
        return dump
    if isinstance(dump, list | tuple) and isinstance(value, list | tuple):
        return [_present(*pair) for pair in zip(value, dump, strict=True)]
    return dump


def loaded(model: Any, stored: Any) -> Any:
    """The model from plain stored values.

    It reads them like JSON, also in strict mode: DynamoDB has no dates and no Enums.

    Raises:
        ValueError: the model refuses them.
    """
    if isinstance(stored, Mapping):
        renamed = _names_of(model).renamed
        if renamed:
            stored = {renamed.get(name, name): each for name, each in stored.items()}
    return model.model_validate(stored, strict=False)


def parsed_model(model: Any, given: Any) -> Any:
    """The model from its JSON form or from another model, by stored or Python names."""
    if is_model(type(given)):
        given = dumped(given)
    if isinstance(given, Mapping):
        names = _names_of(model)
        given = {names.by_name.get(name, name): each for name, each in given.items()}
    return loaded(model, given)


def problem_of(error: Exception) -> tuple[str, str]:
    """The place and text of the first problem of a ValidationError, without the value."""
    errors: Any = getattr(error, "errors", None)
    if errors is None:
        return "", ""
    first = errors(include_url=False, include_context=False, include_input=False)[0]
    place = ""
    for part in first["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    kinds = {"missing": "is missing", "extra_forbidden": "unknown field"}
    # The message of a user's validator may quote the value.
    kinds |= dict.fromkeys(("value_error", "assertion_error"), "is not valid")
    return place, kinds.get(first["type"], str(first["msg"]))


def is_same(one: Any, other: Any) -> bool:
    """Whether both have equal values in the fields that are stored."""
    if type(one) is not type(other):
        return False
    excluded = _names_of(type(one)).excluded
    if not excluded:
        return bool(one == other)
    return all(
        getattr(one, name) == getattr(other, name)
        for name in fields_of(type(one))
        if name not in excluded
    )


def fields_stored(value: Any) -> dict[str, Any]:
    """The fields of a dataclass's instance that are stored."""
    stored: dict[str, Any] = {}
    for name, is_none_absent in stored_fields(type(value)):
        content = getattr(value, name)
        is_empty_set = isinstance(content, _SETS) and not content
        if not is_empty_set and not (content is None and is_none_absent):
            stored[name] = content
    return stored


class AmbiguousUnionError(UnsupportedTypeError):
    """Two types of a union whose stored values look the same.

    It is in this module because mypyc does not compile exception classes.
    """
