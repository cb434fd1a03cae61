"""Columns that many tables have."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer

Id = BigInteger().with_variant(Integer, "sqlite")


def own_id() -> Column[int]:
    """The row's own number."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def to(table: str, name: str | None = None, *, null: bool = False, index: bool = True) -> Column[int]:
    """The number of a row in another table."""
    return Column(name or f"{table}_id", Id, ForeignKey(f"{table}.id"), nullable=null, index=index)
