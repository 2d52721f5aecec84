"""The items that the examples of code that is not async share."""

from __future__ import annotations

from dynasafe import Attr, Item, attribute


class Person(Item):
    """A person, who is counted when they visit."""

    id: Attr[str] = attribute(key="partition")
    name: Attr[str] = attribute(default="")
    visits: Attr[int] = attribute(default=0)
    written_by: Attr[str] = attribute(default_factory=str, write_id=True)
