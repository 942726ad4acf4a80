"""An audit's record as Markdown, and the part of README that is written from it."""

import re

from cxrkit.audit import Record, audit_sections
from cxrkit.errors import InputError
from cxrkit.report import sections_markdown

_PART = re.compile(r"(<!-- audit -->\n).*?(<!-- end -->)", re.DOTALL)


def audit_markdown(record: Record) -> str:
    """A short table for each kind of finding."""
    return sections_markdown(audit_sections(record))


def check_part(readme: str) -> None:
    """Refuse a text that has no part for an audit: before minutes of work, not after."""
    if not _PART.search(readme):
        raise InputError("This text has no part that starts with <!-- audit --> and ends with <!-- end -->. Add it.")


def with_audit(readme: str, record: Record) -> str:
    """README with the part between `<!-- audit -->` and `<!-- end -->` written anew from a record.

    Raises:
        InputError: it has no such part.
    """
    check_part(readme)
    table = audit_markdown(record)
    return _PART.sub(lambda match: f"{match[1]}{table}\n{match[2]}", readme)
