"""Projects: create, get, update, list those of an owner, and delete."""

# Made from examples/registry/projects.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Mapping

from dynasafe import Table, UpdateBuilder
from dynasafe.errors import ConditionalCheckFailedError

from .errors import AlreadyExistsError, NotFoundError
from .holdings import Holdings
from .models import Project
from .paging import PageOf, first_page, read_cursor

BY_OWNER = "by_owner"


class Projects:
    """The projects of the registry, each of which belongs to a person.

    What stays unknown of a write reaches the caller as OutcomeUnknownError: read the project
    before you repeat it.
    """

    def __init__(self, table: Table[Project], holdings: Holdings) -> None:
        self._table = table
        self._holdings = holdings

    def create(self, project: Project) -> None:
        """Store a project of a new id, of an owner who is there.

        Raises:
            NotFoundError: there is no such owner.
            AlreadyExistsError: the id is in use.
        """
        put = self._table.put(project, condition=Project.id.not_exists())
        if not self._holdings.change(project.owner_id, +1, put):
            raise AlreadyExistsError("project", project.id)

    def get(self, project_id: str) -> Project:
        """The project as of the last write.

        Raises:
            NotFoundError
        """
        project = self._table.get_item({"id": project_id}, consistent_read=True)
        if project is None:
            raise NotFoundError("project", project_id)
        return project

    def update(self, project_id: str, patch: Mapping[str, object]) -> Project:
        """Change what the patch names, and nothing else: the project afterwards.

        Raises:
            NotFoundError
            InvalidRequestError: the patch names what must not be changed, or taken away.
        """
        update = UpdateBuilder(Project).patch(patch, none="remove")
        if update.is_empty:
            return self.get(project_id)
        update.condition(Project.id.exists())
        try:
            result = self._table.update_item({"id": project_id}, update, return_values="ALL_NEW")
        except ConditionalCheckFailedError as error:
            raise NotFoundError("project", project_id) from error
        return result.attributes

    def list(self, owner_id: str, *, limit: int = 25, cursor: str | None = None) -> PageOf[Project]:
        """A page of the owner's projects, the newest first; the last seconds' may be missing.

        Raises:
            BadCursorError
        """
        start = None
        if cursor is not None:
            start = read_cursor(cursor, "id", "owner_id", times=("created_at",))
            start["owner_id"] = owner_id  # whatever the cursor says: nobody pages through another's
        return first_page(
            self._table.query(
                Project.owner_id == owner_id,
                index_name=BY_OWNER,
                scan_index_forward=False,
                limit=limit,
                exclusive_start_key=start,
            )
        )

    def delete(self, project_id: str) -> None:
        """Delete the project; one that is not there is no error."""
        key = {"id": project_id}
        project = self._table.get_item(key, consistent_read=True)
        if project is not None:
            delete = self._table.delete(key, condition=Project.id.exists())
            self._holdings.change(project.owner_id, -1, delete)
