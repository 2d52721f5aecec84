"""A small service: people, their projects and their subscriptions, without a framework.

What it does: create, get, partial update, pages and delete of each resource, in layers: `models`
has the items, one module per resource what can be done with them, `service` the one client.

Threat model: Any caller sends any id, patch or cursor, also of another owner, and races with
others. Nobody is authenticated here: do that in front.

What it guarantees:
- A project or a subscription is never left without its person, however many requests race.
- A patch changes what it names; keys, owners and prices stay.
- A malformed cursor raises BadCursorError, whatever it holds.
- A cursor of one owner shows nothing of another one's.
- A person without `holdings`, as after a migration, gets projects and can be deleted.
- Through conflicts and lost answers, what is created is created once.

What it leaves to you: who may do what; cursors that hold keys in plain sight (see http_paging).

The tables: see `models`. Needs `pip install dynasafe`; `python -m registry` runs it in memory.
"""
