"""Patches: data from outside, as SET and REMOVE of allowed attributes.

Values are read from their JSON forms by the attributes' types. Each wrong field is refused, with a
message that may be shown to the sender.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from dynasafe.errors import InvalidPatchError, InvalidValueError, UnsupportedTypeError
from dynasafe.findings.finding import Finding
from dynasafe.findings.quoting import listed, printable, quoted
from dynasafe.items.attributes import Attr, attr
from dynasafe.items.item import Item
from dynasafe.items.schema import Schema
from dynasafe.items.update_steps import UpdateSteps, update_finding
from dynasafe.values.arguments import elements_of
from dynasafe.values.convert import require_room
from dynasafe.values.models import dataclass_fields, fields_of, is_dataclass, is_model

NonePolicy = Literal["remove", "null", "skip"]

_SETS = (set, frozenset)


def allowed_names(schema: Schema | None, allow: Iterable[str | Attr[Any]]) -> frozenset[str]:
    """The names in DynamoDB of the attributes that a patch may set.

    Raises:
        UnsupportedTypeError: it is no collection of names and attributes, or the class has no such
            attribute.
    """
    expected = "a collection of names"
    return frozenset(_allowed_name(schema, each) for each in elements_of("allow", allow, expected))


def _allowed_name(schema: Schema | None, given: object) -> str:
    if isinstance(given, Attr):
        path = (given if schema is None else schema.own(given)).path
        name, is_whole = path.attribute_name, len(path.elements) == 1
    elif isinstance(given, str):
        name, is_whole = str.__str__(given), True
    else:
        raise UnsupportedTypeError(
            "allow", f"names and attributes are expected, not {type(given).__name__}"
        )
    if not is_whole:
        raise UnsupportedTypeError("allow", "a part of an attribute. Fix: allow the whole one")
    if schema is None:
        return name
    found = schema.find(name)
    if found is None:
        raise UnsupportedTypeError("allow", schema.lacks(name))
    return found.name


def patched(
    steps: UpdateSteps, patch: object, allowed: frozenset[str] | None, none: NonePolicy | None
) -> UpdateSteps:
    """The steps with those of the patch added: all of them or none.

    Raises:
        InvalidPatchError: with each field that is refused, or if it has no fields.
    """
    reading = _Patch(steps, allowed, none)
    for name, value in patch_values(patch).items():
        # A subclass of str may compare equal to another text.
        reading.take(str.__str__(name) if isinstance(name, str) else name, value)
    return reading.finished()


class _Patch:
    """A patch that is being added to the steps of an update."""

    def __init__(
        self, steps: UpdateSteps, allowed: frozenset[str] | None, none: NonePolicy | None
    ) -> None:
        self._steps = steps.copy()
        self._allowed = allowed
        self._none = none
        self._names: dict[str, str] = {}
        self._refused: dict[str, list[str]] = {}
        self._problems: dict[str, str] = {}
        self._findings: list[Finding] = []

    @property
    def _schema(self) -> Schema | None:
        return self._steps.schema

    def take(self, name: object, value: object) -> None:
        """Add the action of one field, or the reason why it is refused."""
        target = self._target(name)
        if target is None:
            return
        assert isinstance(name, str)
        try:
            if value is None:
                self._take_none(name, target)
            else:
                self._set(name, target, value)
        except InvalidValueError as error:
            place = error.path.removeprefix(target.text).removeprefix(".")
            why = error.reason.partition(". Fix: ")[0]
            self._problems[name] = f"{printable(place)}: {why}" if place else why
            self._findings.append(
                update_finding("DYS110", str(error), "patch", "send a value of its type")
            )

    def _target(self, name: object) -> Attr[Any] | None:
        """The attribute that the field names. A dot is part of the name."""
        schema = self._schema
        found = schema.find(name) if schema is not None and isinstance(name, str) else None
        if not isinstance(name, str) or not name or (schema is not None and found is None):
            self._refuse("DYS141", "unknown", name, "unknown field")
            return None
        stored_name = name if found is None else found.name
        is_allowed = self._allowed is None or stored_name in self._allowed
        if not is_allowed or (found is not None and not found.is_patchable):
            self._refuse("DYS141", "not allowed", name, "must not be set")
            return None
        target: Attr[Any] = (
            attr(name=name)
            if schema is None or found is None
            else getattr(schema.item_class, found.field_name)
        )
        other = self._names.setdefault(target.text, name)
        if other is not name:
            self._problems[name] = f"is given twice, also as {other}"
            self._findings.append(
                update_finding(
                    "DYS143",
                    f"The patch sets {quoted(target.text)} twice: as {quoted(other)} and as "
                    f"{quoted(name)}",
                    "patch",
                    "send one of the two",
                )
            )
            return None
        return target

    def _refuse(self, code: str, kind: str, name: object, problem: str) -> None:
        self._refused.setdefault(f"{code} {kind}", []).append(str(name))
        self._problems[str(name)] = problem

    def _take_none(self, name: str, target: Attr[Any]) -> None:
        none: Any = self._none
        if none is None and self._schema is not None:
            if target.none_is_absent:
                none = "remove"
            elif target.codec.takes_none:
                none = "null"
        if none is None:
            is_needed = self._schema is not None
            code, kind = ("DYS144", "needed") if is_needed else ("DYS142", "undecided")
            self._refuse(code, kind, name, "must not be null")
        elif self._needs(target, none):
            self._refuse("DYS144", "needed", name, "must not be null")
        elif none == "remove":
            self._steps.act("remove", target, None)
        elif none == "null":
            self._steps.set_null(target)

    def _needs(self, target: Attr[Any], none: NonePolicy) -> bool:
        """Whether the item could not be read after the patch's None."""
        if self._schema is None or none == "skip":
            return False
        if none == "remove":
            return not self._schema.by_name[target.path.attribute_name].has_default
        return not (target.codec.takes_none or target.none_is_absent)

    def _set(self, name: str, target: Attr[Any], value: object) -> None:
        if type(value) in (list, dict) and (self._schema is None or target.codec.keeps_size):
            try:
                require_room(value)
            except InvalidValueError as error:
                raise error.within(target.text) from None
        if self._schema is not None:
            try:
                value = target.codec.parse(value)
            except InvalidValueError as error:
                raise error.within(target.text) from None
        is_empty_set = isinstance(value, _SETS) and not value
        if is_empty_set and (self._schema is None or target.is_absent(value)):
            self._steps.act("remove", target, None)
        elif is_empty_set:
            self._refuse("DYS144", "needed", name, "must not be empty")
        else:
            self._steps.act("set", target, value)

    def finished(self) -> UpdateSteps:
        for key, names in sorted(self._refused.items()):
            words, fix = _REFUSALS[key]
            message = f"The patch {words}: {listed(sorted(names))}"
            self._findings.append(update_finding(key.split()[0], message, "patch", fix))
        if self._problems:
            findings = sorted(self._findings, key=lambda finding: finding.code)
            raise InvalidPatchError(findings, self._problems)
        return self._steps


_REFUSALS = {
    "DYS141 unknown": (
        "sets attributes that are unknown",
        "remove them from the patch, or declare them in the Item class",
    ),
    "DYS141 not allowed": (
        "sets attributes that are not allowed",
        "remove them from the patch, or name them in allow=; with an Item class, keys, versions, "
        "write ids and attributes with patchable=False cannot be set",
    ),
    "DYS142 undecided": (
        "holds None for",
        "say what None means: none='remove', none='null' or none='skip'",
    ),
    "DYS144 needed": (
        "takes away what an item needs",
        "give values: without them the item could not be read any more. Or allow None in the "
        "annotation for none='null', or give a default for none='remove'",
    ),
}


def patch_values(patch: object) -> Mapping[Any, object]:
    """The values of a patch by name.

    Raises:
        InvalidPatchError: the value is not a patch, as a list in a JSON body.
    """
    if isinstance(patch, Mapping):
        return patch
    for is_kind, values in _KINDS:
        if is_kind(patch):
            return values(patch)
    finding = update_finding(
        "DYS110",
        f"The patch is of type {type(patch).__name__}",
        "patch",
        "give a mapping, a pydantic model, a dataclass or an Item",
    )
    raise InvalidPatchError([finding], {"patch": "an object with fields is expected"})


def _changed_values(item: Any) -> dict[str, object]:
    """The values that differ from their defaults, without the key and the version."""
    values = {}
    for each in item.__dynasafe_schema__.attributes:
        if each.is_key or each.options.version or each.options.write_id:
            continue
        value = getattr(item, each.field_name)
        if not (each.has_default and value == each.default()):
            values[each.field_name] = value
    return values


def _set_values(model: Any) -> dict[str, object]:
    """The fields that were set, so that a default does not overwrite what is stored."""
    fields = fields_of(type(model))
    if not fields:
        return dict(model.model_dump(exclude_unset=True))
    values = {
        name: getattr(model, name)
        for name, field in fields.items()
        if name in model.model_fields_set and not field.is_excluded
    }
    return {**values, **(model.model_extra or {})}


def _field_values(instance: Any) -> dict[str, object]:
    return {each.name: getattr(instance, each.name) for each in dataclass_fields(instance)}


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], dict[str, object]]], ...] = (
    (lambda patch: isinstance(patch, Item), _changed_values),
    (lambda patch: is_model(type(patch)), _set_values),
    (lambda patch: is_dataclass(type(patch)), _field_values),
)
