"""Tables of the notes database, and what version of them this program writes."""

import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, ForeignKey, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

SCHEMA = 1
"""Version of these tables. Raise it with every change of them: a program refuses tables newer than its own."""

LONGEST_NOTE, LONGEST_TAG, LONGEST_LABEL, LONGEST_INITIALS = 4000, 40, 80, 4
"""In characters."""

_SHA256_DIGITS = 64


class UtcTime(TypeDecorator[datetime.datetime]):
    """A moment; SQLite keeps no time zone, so it gets UTC and is given UTC back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        """To UTC."""
        return None if value is None else value.astimezone(datetime.UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime.datetime | None:
        """From UTC where no zone is stated."""
        if value is None:
            return None
        moment: datetime.datetime = value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value
        return moment.astimezone(datetime.UTC)


class Base(DeclarativeBase):
    """Of all tables."""


class SchemaRow(Base):
    """The version with which the tables were made; one row."""

    __tablename__ = "cxrkit_schema"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class EntryRow(Base):
    """One thing that a reviewer saved. Rows are added and never changed, so nobody overwrites another's."""

    __tablename__ = "review_entry"
    __table_args__ = (Index("review_entry_case", "task", "case_key"),)

    # SQLite numbers rows by itself only where the key is an INTEGER.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    case_key: Mapped[str] = mapped_column(String(_SHA256_DIGITS))
    task: Mapped[str] = mapped_column(String(LONGEST_LABEL))
    label: Mapped[str] = mapped_column(String(LONGEST_LABEL))
    reviewer: Mapped[str] = mapped_column(String(LONGEST_INITIALS))
    verdict: Mapped[str] = mapped_column(String(LONGEST_LABEL))
    note: Mapped[str] = mapped_column(Text)
    weights: Mapped[str] = mapped_column(String(_SHA256_DIGITS))
    written: Mapped[datetime.datetime] = mapped_column(UtcTime)
    tags: Mapped[list["TagRow"]] = relationship(lazy="raise")


class TagRow(Base):
    """A tag of an entry."""

    __tablename__ = "review_tag"

    entry_id: Mapped[int] = mapped_column(ForeignKey(EntryRow.id), primary_key=True)
    tag: Mapped[str] = mapped_column(String(LONGEST_TAG), primary_key=True, index=True)
