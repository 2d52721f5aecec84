"""Items: classes whose annotations say how a table's items look in Python.

    class Person(Item):
        id: Attr[str] = attribute(key="partition")
        name: Attr[str]

`Person.name` is an `Attr[str]` to build expressions with; `person.name` is a `str`.
"""

from __future__ import annotations

import re
import sys
import typing
from collections.abc import Callable, Mapping
from reprlib import recursive_repr
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    dataclass_transform,
    overload,
)

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
)
from dynasafe.expressions.document_path import DocumentPath
from dynasafe.findings.quoting import listed, quoted
from dynasafe.items.attributes import Attr
from dynasafe.items.owners import HasSchema
from dynasafe.items.schema import (
    MISSING,
    AttributeSchema,
    Options,
    Schema,
    attribute,
    own_annotations,
)
from dynasafe.values.arguments import require_choice
from dynasafe.values.containers import parsed_members
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from dynasafe.values.plain import as_json, as_python
from dynasafe.values.whole_items import (
    NOT_AN_ATTRIBUTE_VALUE,
    decode_item,
    encode_item,
    known_fields,
    made_item,
)
from dynasafe.values.wire import LEVELS, AttributeValue

ItemT = TypeVar("ItemT", bound="Item")


class OfClass:
    """A class attribute that is computed from the schema at first use."""

    def __init__(self, make: Callable[[Schema], Any]) -> None:
        self._make = make

    def __get__(self, instance: object, owner: type) -> Any:
        schema: Schema = owner.__dynasafe_schema__  # type: ignore[attr-defined]
        if self not in schema.caches:
            schema.caches[self] = self._make(schema)
        return schema.caches[self]


@dataclass_transform(kw_only_default=True, field_specifiers=(attribute,))
class Item(HasSchema):
    """The base of item classes. Instances are made with keyword arguments only.

    Python code uses the names of the class, even if `attribute(name=...)` gives the stored
    attribute another name.

    Stored attributes that the class does not know are kept, and written back when the instance is
    put again.
    """

    __dynasafe_schema__: ClassVar[Schema]
    if not TYPE_CHECKING:
        # For dataclasses and inspect. Type checkers know it already.
        __dataclass_fields__ = OfClass(lambda schema: dataclass_fields(schema))
        __signature__ = OfClass(lambda schema: signature(schema))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        attributes: dict[str, AttributeSchema] = {}
        annotations: dict[str, object] = {}
        # The declarations of each base. The first base comes last, because it overrides the others.
        for base in reversed(cls.__mro__[1:]):
            inherited: Schema | None = base.__dict__.get("__dynasafe_schema__")
            if inherited is not None:
                own = [name for name in own_annotations(base) if name in inherited.annotations]
                attributes |= {name: inherited.by_field_name[name] for name in own}
                annotations |= {name: inherited.annotations[name] for name in own}
        for field_name, annotation in own_annotations(cls).items():
            if not _is_attr(annotation):
                if _is_class_var(annotation):
                    continue
                raise TypeError(
                    f"{cls.__name__}.{field_name}: write its type as Attr[...], or ClassVar[...] "
                    "if it is not an attribute of the item"
                )
            given = cls.__dict__.get(field_name, MISSING)
            options = given if isinstance(given, Options) else _plain_default(given)
            attributes[field_name] = AttributeSchema(
                name=options.name or field_name, field_name=field_name, options=options
            )
            annotations[field_name] = annotation
        cls.__dynasafe_schema__ = Schema(
            item_class=cls,
            attributes=tuple(attributes.values()),
            annotations=annotations,
            namespace=_named_locals(annotations),
        )
        for each in attributes.values():
            # A class that inherits an attribute owns it too, with its own codecs.
            setattr(cls, each.field_name, Attr(DocumentPath((each.name,)), owner=cls))
        cls.__dynasafe_schema__.require_distinct_unions()

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
            problems += [f"unknown: {listed(values)}"] if values else []
            raise TypeError(f"{type(self).__name__}: {'; '.join(problems)}")

    if not TYPE_CHECKING:
        # Hidden from type checkers: with it, they would allow any name.
        def __setattr__(self, name, value):
            if name not in self.__dynasafe_schema__.by_field_name and not name.startswith("_"):
                raise AttributeError(f"{type(self).__name__} has no attribute {quoted(name)}")
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

    @overload
    def to_dict(self) -> dict[str, Any]: ...
    @overload
    def to_dict(self, *, mode: Literal["python", "json"]) -> dict[str, Any]: ...
    def to_dict(self, *, mode: str = "python") -> dict[str, Any]:
        """The values by their names in Python; nested Items, models and dataclasses as dicts.

        Args:
            mode: "python" leaves the values as they are. "json" gives values for json.dumps:
                text for dates, UUIDs, Decimals (as pydantic does) and bytes (base64), lists for
                sets. `from_dict` reads both.

        Raises:
            UnsupportedTypeError: a value has no JSON form.
        """
        require_choice("mode", mode, ("python", "json"))
        plain: Callable[[Any], Any] = as_python if mode == "python" else as_json
        state = self.__dict__
        names = self.__dynasafe_schema__.by_field_name
        values: dict[str, Any] = {}
        name = ""
        try:
            for name in names:
                if name in state:
                    values[name] = plain(state[name])
        except InvalidValueError as error:
            raise error.within(name) from None
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """An instance from values by name, in Python or in DynamoDB, also from their JSON forms.

        Raises:
            InvalidValueError: a value is missing, unknown or not of its type. You may show
                `public_message` to its sender.
        """
        if not isinstance(values, Mapping):
            raise UnsupportedTypeError("", f"a mapping is expected, not {type(values).__name__}")
        schema = cls.__dynasafe_schema__
        known = known_fields(schema)
        parsed = parsed_members(known, values)
        if cls.__init__ is Item.__init__:
            made = made_item(cls, parsed)
            if made is not None:
                return made
        try:
            return cls(**parsed)
        except TypeError as error:
            if isinstance(error, InvalidValueError):
                raise
        present = {known[name][0] for name in values}
        missing = next(
            each.field_name
            for each in schema.attributes
            if each.field_name not in present and not each.has_default
        )
        raise UnsupportedTypeError(missing, "is missing")

    @classmethod
    def from_image(cls, image: Mapping[str, Any]) -> Self:
        """An instance from an item of DynamoDB Streams: `record["dynamodb"]["NewImage"]`.

        Takes AttributeValues as clients return them, and as JSON has them, with bytes as base64.

        Raises:
            StoredValueError: the item does not fit the class.
        """
        if not isinstance(image, Mapping):
            raise UnsupportedTypeError(
                "image",
                f"a mapping of AttributeValues is expected, not {type(image).__name__}. Fix: a "
                "stream has images if its view type says so",
            )
        for name, value in image.items():
            if not isinstance(value, Mapping):
                raise StoredValueError(str(name), NOT_AN_ATTRIBUTE_VALUE)
        item = decode_item(cls, image)
        unknown = item.__dict__.get("_unknown_attributes")
        if unknown:
            item.__dict__["_unknown_attributes"] = to_attribute_map(from_attribute_map(unknown))
        return item

    def __dynasafe_encode__(self, levels: int = LEVELS) -> dict[str, AttributeValue]:
        return encode_item(self, levels)

    @classmethod
    def __dynasafe_decode__(
        cls, attribute_map: Mapping[str, AttributeValue], levels: int = LEVELS
    ) -> Self:
        return decode_item(cls, attribute_map, levels)


def _plain_default(given: Any) -> Options:
    attribute_default = attribute(default=given) if given is not MISSING else Options()
    assert isinstance(attribute_default, Options)
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


def _named_locals(annotations: Mapping[str, object]) -> Mapping[str, object]:
    """The locals of the function with the class statement that the annotations name.

    Other locals are not kept: they may be large or secret.
    """
    frame = sys._getframe(2)
    local = frame.f_locals
    if local is frame.f_globals:
        return {}
    words = re.findall(r"\w+", " ".join(map(str, annotations.values())))
    return {word: local[word] for word in words if word in local}


def dataclass_fields(schema: Schema) -> dict[str, Any]:
    """The attributes as fields of a dataclass, for code that expects these."""
    import dataclasses

    made = dataclasses.make_dataclass(
        "Fields",
        [
            (each.field_name, _value_type(schema, each), _dataclass_field(each))
            for each in schema.attributes
        ],
        kw_only=True,
    )
    return {each.name: each for each in dataclasses.fields(made)}


def _dataclass_field(each: AttributeSchema) -> Any:
    import dataclasses

    options = each.options
    if options.default_factory is not None:
        return dataclasses.field(default_factory=options.default_factory)
    if options.default is not MISSING:
        return dataclasses.field(default=options.default)
    return dataclasses.field()


def _value_type(schema: Schema, each: AttributeSchema) -> Any:
    """The type of the values: `str` for `Attr[str]`. It is text if the annotation is."""
    annotation = schema.annotations[each.field_name]
    if isinstance(annotation, str):
        return annotation.partition("[")[2].strip().removesuffix("]")
    return typing.get_args(annotation)[0]


def signature(schema: Schema) -> Any:
    """The signature with which instances are made."""
    import inspect

    return inspect.Signature(
        [
            inspect.Parameter(
                each.field_name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_shown_default(each),
                annotation=_value_type(schema, each),
            )
            for each in schema.attributes
        ]
    )


def _shown_default(each: AttributeSchema) -> Any:
    if not each.has_default:
        from inspect import Parameter

        return Parameter.empty
    return each.options.default if each.options.default is not MISSING else ...
