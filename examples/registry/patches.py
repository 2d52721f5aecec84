"""Updates from partial bodies, in which None takes an attribute away."""

from __future__ import annotations

from collections.abc import Mapping

from dynasafe import Item, UpdateBuilder


def update_from(
    item_class: type[Item], patch: Mapping[str, object], *, removable: frozenset[str]
) -> UpdateBuilder:
    """An update with the patch's values, from which None removes what may be missing.

    Only what is named in `removable` can be None: an item without a name could not be read again.

    Raises:
        InvalidRequestError: the patch names what must not be changed, or removed.
    """
    removed = {name: None for name, value in patch.items() if value is None}
    others = {name: value for name, value in patch.items() if value is not None}
    update = UpdateBuilder(item_class).patch(removed, allow=removable, none="remove")
    return update.patch(others)
