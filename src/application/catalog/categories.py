"""Grow and prune the tree of categories."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.catalog.category import Category, CategoryNotFound, check_tree
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CategoryId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCategoryCommand:
    name: str
    parent_id: CategoryId | None = None


class CreateCategory:
    """Raises CategoryNotFound, CategoryCycle, CategoryNameTaken."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateCategoryCommand) -> Category:
        async with self._transactions.begin(actor, Permission.EDIT_PRODUCTS) as uow:
            category = Category(
                id=CategoryId(self._ids.new()),
                name=command.name,
                parent_id=command.parent_id,
                created_at=self._clock.now(),
            )
            check_tree(category, await uow.categories.lock_tree())
            stored = await uow.categories.save(category.create())
            await uow.commit()
        return stored


class CategoryChanges(TypedDict, total=False):
    name: str
    parent_id: CategoryId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCategoryCommand:
    category_id: CategoryId
    changes: CategoryChanges
    expected_version: int | None = None


class ChangeCategory:
    """Rename or move. Raises CategoryNotFound, CategoryCycle, CategoryNameTaken, VersionChanged."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeCategoryCommand) -> Category:
        async with self._transactions.begin(actor, Permission.EDIT_PRODUCTS) as uow:
            tree = await uow.categories.lock_tree()
            category = tree.get(command.category_id)
            if category is None:
                raise CategoryNotFound("There is no such category.")
            check_version(category, command.expected_version)
            changed = replace(category, **command.changes)
            check_tree(changed, tree)
            change = category.become(name=changed.name, parent_id=changed.parent_id, at=self._clock.now())
            stored = await uow.categories.save(change)
            await uow.commit()
        return stored


class ListCategories:
    """All of them, by name."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[Category]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return sorted((await uow.categories.tree()).values(), key=lambda category: category.name)


class GetCategory:
    """Raises CategoryNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, category_id: CategoryId) -> Category:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.categories.get(category_id)
