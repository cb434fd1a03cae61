"""What the tables have in common: where they are declared, how they name things, columns that many have."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")


def own_id() -> Column[int]:
    """The row's own number."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def to(table: str, name: str | None = None, *, null: bool = False, index: bool = True) -> Column[int]:
    """The number of a row in another table."""
    return Column(name or f"{table}_id", Id, ForeignKey(f"{table}.id"), nullable=null, index=index)
