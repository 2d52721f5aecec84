"""Codecs of classes with fields: dataclasses, TypedDicts, pydantic models and Items."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
    did_you_mean,
)
from dynasafe.values.codec import (
    ANY,
    REFUSALS,
    SETS,
    Codec,
    CodecOfMaps,
    Part,
    a_map,
    is_read_as,
    level_below,
    mismatch,
    stored_level_below,
    stored_mismatch,
)
from dynasafe.values.containers import (
    SetCodec,
    parsed_members,
)
from dynasafe.values.convert import (
    from_attribute_value,
    plainly_encoded,
    to_attribute_value,
)
from dynasafe.values.models import (
    PlainModel,
    dataclass_fields,
    dumped,
    fields_of,
    is_dataclass,
    is_same,
    loaded,
    parsed_model,
    plain_model,
    problem_of,
)
from dynasafe.values.whole_items import decode_item, encode_item, known_fields, made_item
from dynasafe.values.wire import (
    LEVELS,
    AttributeValue,
)
from dynasafe.values.work import worked


class _Field:
    """A field of a dataclass or a TypedDict."""

    __slots__ = ("codec", "default", "is_required", "none_is_absent")

    def __init__(self, codec: Codec[Any], is_required: bool, default: Any) -> None:
        self.codec: Codec[Any] = codec
        self.is_required: bool = is_required
        self.default: Any = default
        self.none_is_absent: bool = default is None

    def is_absent(self, value: Any) -> bool:
        """Whether the value is not stored, because reading gives it back anyway."""
        if value is None:
            return self.none_is_absent
        return isinstance(value, SETS) and not value and self.empty_set is not None

    @property
    def empty_set(self) -> Any:
        """The value that is read if none is stored, if that is an empty set."""
        if self.is_required and isinstance(self.codec, SetCodec):
            return self.codec.make()
        is_set = isinstance(self.default, SETS) and not self.default
        return self.default if is_set else None


class FieldsCodec(CodecOfMaps):
    """A class with named, typed fields, as a map: a dataclass or a TypedDict."""

    def __init__(
        self,
        python_type: type,
        required: frozenset[str],
        defaults: dict[str, Any],
        read: Callable[[Any], Mapping[str, Any] | None],
        make: Callable[..., Any],
        is_made_anew: bool,
        codec_for: Callable[[object], Codec[Any]],
    ) -> None:
        self.name: str = python_type.__name__
        self.python_type: type = python_type
        self._required = required
        self._defaults = defaults
        self._read = read
        self._make = make
        self._is_made_anew = is_made_anew
        self._codec_for = codec_for
        self._resolved: dict[str, _Field] | None = None
        self._known: dict[str, tuple[str, Codec[Any]]] | None = None
        self._names_required: list[str] | None = None

    @property
    def _fields(self) -> dict[str, _Field]:
        # At first use, because a field may have the class itself as its type.
        if self._resolved is None:
            self._resolved = self._resolve()
        return self._resolved

    def parse(self, value: Any) -> Any:
        if type(value) is not dict:
            if self._read(value) is not None and not isinstance(value, Mapping):
                return value
            if is_dataclass(type(value)):
                value = {each.name: getattr(value, each.name) for each in dataclass_fields(value)}
            if not isinstance(value, Mapping):
                raise self.refused()
        fields = self._fields
        if self._known is None:
            self._known = {name: (name, field.codec) for name, field in fields.items()}
        parsed = parsed_members(self._known, value)
        if len(parsed) < len(fields):
            for name, field in fields.items():
                if field.is_required and name not in parsed:
                    if field.empty_set is None:
                        raise UnsupportedTypeError(name, "is missing")
                    parsed[name] = field.empty_set
        if self._make is dict:
            return parsed
        try:
            return self._make(**parsed)
        except REFUSALS:
            raise self.refused() from None

    def _resolve(self) -> dict[str, _Field]:
        hints = hints_of(self.python_type)
        fields: dict[str, _Field] = {}
        for name, default in self._defaults.items():
            hint = hints[name]
            try:
                codec = self._codec_for(hint)
            except UnsupportedTypeError as error:
                raise UnsupportedTypeError(f"{self.name}.{name}", error.reason) from None
            # Python does not see these in annotations that are text.
            of_hint = typing.get_origin(hint)
            is_required = name in self._required and of_hint is not typing.NotRequired
            fields[name] = _Field(codec, is_required or of_hint is typing.Required, default)
        return fields

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        values = value if type(value) is dict and self._make is dict else self._read(value)
        if values is None:
            raise mismatch(self.name, value)
        fields = self._fields
        if self._make is dict and values.keys() != fields.keys():
            self._require_fields(values)
        below = level_below(levels)
        worked(len(fields))
        encoded: dict[str, dict[str, Any]] = {}
        name = ""
        try:
            for name, each in values.items():
                field = fields[name]
                if not field.is_absent(each):
                    encoded[name] = field.codec.encode(each, below)
        except InvalidValueError as error:
            error.within(name)
            raise
        if self._is_made_anew and not is_read_as(self, {"M": encoded}, value):
            raise unreadable(self.name)
        return {"M": encoded}

    def _require_fields(self, values: Mapping[str, Any]) -> None:
        """Refuse values that lack a field, or have one that is unknown."""
        fields = self._fields
        if self._names_required is None:
            self._names_required = [name for name, each in fields.items() if each.is_required]
        missing = [name for name in self._names_required if name not in values]
        unknown = [] if missing else [str(name) for name in values if name not in fields]
        is_unknown = not missing
        wrong = min(missing or unknown) if missing or unknown else None
        if wrong is not None:
            refusal = ValueOutOfRangeError("", f"not a field set of {self.name}")
            raise refusal.within(wrong, is_key=is_unknown)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        content = a_map(self, attribute_value)
        below = stored_level_below(levels)
        worked(len(self._fields))
        values: dict[str, Any] = {}
        name = ""
        try:
            for name, field in self._fields.items():
                if name in content:
                    values[name] = field.codec.decode(content[name], below)
                elif field.is_required:
                    values[name] = field.empty_set
                    if values[name] is None:
                        raise stored_mismatch(self.name, attribute_value)
        except StoredValueError as error:
            if name in content:
                error.within(name)
            raise
        try:
            return self._make(**values)
        except REFUSALS:
            raise stored_mismatch(self.name, attribute_value) from None

    def part(self, element: str | int) -> Part:
        field = self._fields.get(element) if isinstance(element, str) else None
        if field is None:
            raise UnsupportedTypeError(
                str(element),
                f"{self.name} has no such field.{did_you_mean(element, self._fields)}",
            )
        is_required = field.is_required and not isinstance(field.codec, SetCodec)
        return Part(element, field.codec, field.none_is_absent, is_required)


class ModelCodec(Codec[Any]):
    """A pydantic model, as a map of its dump."""

    type_name: str | None = "M"

    def __init__(self, model: Any, codec_for: Callable[[object], Codec[Any]]) -> None:
        self._codec_for = codec_for
        self.name: str = model.__name__
        self.python_type: type = model
        if not fields_of(model) or "root" in fields_of(model):  # it may be of any type
            self.type_name: str | None = None
        self._validator: Any = None
        self._found_plain: PlainModel | None = None

    @property
    def _plain(self) -> PlainModel | None:
        """The model's fields, if it is a plain one."""
        # A model that is built again has a new validator.
        validator = getattr(self.python_type, "__pydantic_validator__", None)
        if validator is not self._validator or validator is None:
            self._validator = validator
            self._found_plain = plain_model(self.python_type)
        return self._found_plain

    @property
    def words(self) -> str:
        return "an object"

    def parse(self, value: Any) -> Any:
        if type(value) is self.python_type:
            return value
        try:
            if type(value) is dict and self._plain is not None:
                return self._validator.validate_python(value, strict=False)
            return parsed_model(self.python_type, value)
        except REFUSALS as error:
            place, why = problem_of(error)
            raise UnsupportedTypeError(place, why or f"{self.words} is expected") from None

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) is not self.python_type:
            raise mismatch(self.name, value)
        plain = self._plain
        written = None if plain is None else plainly_encoded(value, plain, levels)
        if written is not None and plain is not None and plain.is_surely_read:
            return written
        encoded = to_attribute_value(dumped(value), levels) if written is None else written
        try:
            is_same_again = is_same(loaded(self.python_type, from_attribute_value(encoded)), value)
        except REFUSALS:
            is_same_again = False
        if not is_same_again:
            raise unreadable(self.name)
        return encoded

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        try:
            stored = from_attribute_value(attribute_value, levels)
            if self._plain is not None:
                return self._validator.validate_python(stored, strict=False)
            return loaded(self.python_type, stored)
        except REFUSALS:
            raise stored_mismatch(self.name, attribute_value) from None

    def part(self, element: str | int) -> Part:
        fields = fields_of(self.python_type)
        for name, field in fields.items():
            if element in (name, field.stored_name):
                try:
                    codec = self._codec_for(field.annotation)
                except UnsupportedTypeError:  # pydantic knows more types
                    codec = ANY
                is_required = field.is_required and not isinstance(codec, SetCodec)
                return Part(field.stored_name, codec, field.none_is_absent, is_required)
        raise UnsupportedTypeError(
            str(element), f"{self.name} has no such field.{did_you_mean(element, fields)}"
        )


class ItemCodec(CodecOfMaps):
    def __init__(self, item_class: Any) -> None:
        self.python_type: Any = item_class
        self.name: str = item_class.__name__
        self._found_made_plainly: bool | None = None

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) is not self.python_type:
            raise mismatch(self.name, value)
        return {"M": encode_item(value, level_below(levels))}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        content = a_map(self, attribute_value)
        return decode_item(self.python_type, content, stored_level_below(levels))

    def parse(self, value: Any) -> Any:
        if type(value) is self.python_type:
            return value
        if type(value) is not dict:
            if not isinstance(value, Mapping):
                raise self.refused()
        elif self._is_made_plainly:
            known = known_fields(self.python_type.__dynasafe_schema__)
            made = made_item(self.python_type, parsed_members(known, value))
            if made is not None:
                return made
        return self.python_type.from_dict(value)

    @property
    def _is_made_plainly(self) -> bool:
        """Whether the class makes instances as Item does."""
        if self._found_made_plainly is None:
            of_class = self.python_type
            base = [each for each in of_class.__mro__ if "__dynasafe_decode__" in vars(each)][-1]
            self._found_made_plainly = (
                of_class.__init__ is base.__init__
                and of_class.from_dict.__func__ is base.from_dict.__func__
            )
        return self._found_made_plainly

    def is_of(self, item_class: type) -> bool:
        return issubclass(self.python_type, item_class)

    def part(self, element: str | int) -> Part:
        part: Part = self.python_type.__dynasafe_schema__.part(element)
        return part


def hints_of(python_type: type) -> dict[str, Any]:
    """The annotations of a class.

    Raises:
        TypeError: one names something that is not defined.
    """
    try:
        return typing.get_type_hints(
            python_type, localns={python_type.__name__: python_type}, include_extras=True
        )
    except NameError as error:
        raise undefined(python_type.__name__, error) from error


def undefined(place: str, error: NameError) -> TypeError:
    """The message for an annotation that does not resolve."""
    return TypeError(
        f"{place}: its annotation names {error.name!r}, which is not defined. Fix: define or "
        "import it in the class's module"
    )


def unreadable(name: str) -> UnsupportedTypeError:
    return UnsupportedTypeError(
        "",
        f"this {name} would not be read back as it is, so that it is not written. Fix: let it be "
        "made of the fields that are stored: defaults for the others, validators that accept what "
        "serializers write, and nothing set after it was made",
    )
