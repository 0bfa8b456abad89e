"""Categories: the tree that products are sorted into."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import CategoryId
from src.domain.shared.text import TextChecks

DEEPEST = 20


class CategoryNotFound(NotFound):
    code = "category_not_found"


class CategoryCycle(Conflict):
    """A category would be its own ancestor, or lie too deep."""

    code = "category_cycle"


class CategoryNameTaken(Conflict):
    code = "category_name_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryCreated(DomainEvent):
    action = "category.created"
    resource_type: str = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryChanged(DomainEvent):
    action = "category.changed"
    resource_type: str = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A node of the tree; *parent_id* None stands at its root. *name* is unique in the organisation."""

    id: CategoryId
    name: str
    parent_id: CategoryId | None
    created_at: datetime
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        checks.done()

    def create(self) -> Change["Category"]:
        return Change(None, self, (CategoryCreated(resource_id=self.id, at=self.created_at),))

    def become(self, *, name: str, parent_id: CategoryId | None, at: datetime) -> Change[Self]:
        changed = replace(self, name=name, parent_id=parent_id)
        return Change(self, changed, (CategoryChanged(resource_id=self.id, at=at),))


Tree = Mapping[CategoryId, Category]


def lineage(category_id: CategoryId | None, tree: Tree) -> tuple[CategoryId, ...]:
    """The category and its ancestors, the nearest first. Raises CategoryNotFound, CategoryCycle."""
    path: list[CategoryId] = []
    while category_id is not None:
        if category_id in path or len(path) == DEEPEST:
            raise CategoryCycle(
                f"A category cannot lie below itself, nor deeper than {DEEPEST} levels.", category_id=str(category_id)
            )
        path.append(category_id)
        category = tree.get(category_id)
        if category is None:
            raise CategoryNotFound("There is no such category.", category_id=str(category_id))
        category_id = category.parent_id
    return tuple(path)


def check_tree(category: Category, tree: Tree) -> None:
    """Raises CategoryNotFound and CategoryCycle when *tree* with *category* in it would be no tree any more.

    The depth of everything below it counts too, so moving a branch is looked at as a whole.
    """
    moved = {**tree, category.id: category}
    for one in moved:
        lineage(one, moved)
