"""pydantic models and dataclasses: what is stored of one, and how it is read.

A model is known by its methods: pydantic is imported by those who have models, not here. None is
left out where it is the default, and an empty set always, since DynamoDB has none.

Source: "Serialization" and "Models", pydantic documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynasafe.errors import UnsupportedTypeError

_SETS = (set, frozenset)


class ModelField:
    """A field of a model: what it is called where it is stored and where it is read."""

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
    """The name that a model reads, of an alias or of several."""
    for each in getattr(alias, "choices", [alias]):
        if isinstance(each, str):
            return each
    return None


def is_model(python_type: type) -> bool:
    return callable(getattr(python_type, "model_dump", None)) and callable(
        getattr(python_type, "model_validate", None)
    )


def is_dataclass(python_type: type) -> bool:
    """Whether it is one. To ask `dataclasses` would load it for everyone, and it takes long."""
    return hasattr(python_type, "__dataclass_fields__")


def dataclass_fields(value: Any) -> tuple[Any, ...]:
    """The fields of a dataclass, or of an instance of one."""
    import dataclasses

    return dataclasses.fields(value)


def fields_of(model: Any) -> dict[str, ModelField]:
    """The fields by their names in Python."""
    fields = getattr(model, "model_fields", None) or {}
    return {name: ModelField(name, field) for name, field in fields.items()}


def dumped(value: Any) -> Any:
    """The model as plain values, by stored name.

    Computed fields are left out, since a model does not read them; so are empty sets, which
    DynamoDB does not have, and None where it is the default.
    """
    return _present(value, value.model_dump(by_alias=True, round_trip=True))


def _present(value: Any, dump: Any) -> Any:
    """The dump of a value without what is not stored, at every level."""
    if isinstance(dump, Mapping):
        if is_model(type(value)):
            for field in fields_of(type(value)).values():
                if field.stored_name in dump:
                    each = getattr(value, field.name)
                    is_empty_set = isinstance(each, _SETS) and not each
                    if is_empty_set or (each is None and field.none_is_absent):
                        dump = {n: v for n, v in dump.items() if n != field.stored_name}
                    else:
                        part = _present(each, dump[field.stored_name])
                        dump = {**dump, field.stored_name: part}
        elif isinstance(value, Mapping) and value.keys() == dump.keys():
            return {name: _present(value[name], each) for name, each in dump.items()}
        return dump
    if isinstance(dump, list | tuple) and isinstance(value, list | tuple):
        return [_present(*pair) for pair in zip(value, dump, strict=True)]
    return dump


def loaded(model: Any, stored: Any) -> Any:
    """The model of plain values, which it takes for what they were stored of.

    It reads them as it reads JSON, also where it is strict: DynamoDB has no dates and no Enums.

    Raises:
        ValueError: the model does not take them.
    """
    if isinstance(stored, Mapping):
        read = {each.stored_name: each.read_name for each in fields_of(model).values()}
        stored = {read.get(name, name): each for name, each in stored.items()}
    return model.model_validate(stored, strict=False)


def parsed_model(model: Any, given: Any) -> Any:
    """The model of its JSON form, or of another model, by the names of either."""
    if is_model(type(given)):
        given = dumped(given)
    if isinstance(given, Mapping):
        read = {each.name: each.read_name for each in fields_of(model).values()}
        given = {read.get(name, name): each for name, each in given.items()}
    return loaded(model, given)


def problem_of(error: Exception) -> tuple[str, str]:
    """Where the first problem of a ValidationError is, and what it is, without the value."""
    errors: Any = getattr(error, "errors", None)
    if errors is None:
        return "", ""
    first = errors(include_url=False, include_context=False, include_input=False)[0]
    place = ""
    for part in first["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    kinds = {"missing": "is missing", "extra_forbidden": "unknown field"}
    # What a validator of the user's says may quote the value.
    kinds |= dict.fromkeys(("value_error", "assertion_error"), "is not valid")
    return place, kinds.get(first["type"], str(first["msg"]))


def is_same(one: Any, other: Any) -> bool:
    """Whether both have equal values in the fields that are stored."""
    if type(one) is not type(other):
        return False
    excluded = {name for name, field in fields_of(type(one)).items() if field.is_excluded}
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
    for each in dataclass_fields(value):
        content = getattr(value, each.name)
        is_empty_set = isinstance(content, _SETS) and not content
        if not is_empty_set and not (content is None and each.default is None):
            stored[each.name] = content
    return stored


class AmbiguousUnionError(UnsupportedTypeError):
    """Two types of a union whose stored values look the same.

    It stands here since mypyc compiles no class of exceptions.
    """
