"""What a case is known by: its images' bytes, so that verdicts outlive other weights, another table or a new name."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cxrkit.errors import CxrkitError, ImageError

if TYPE_CHECKING:
    from cxrkit.review.table import ReviewSet

_REMEMBERED = 300_000
"""Files whose digest is kept in memory: as many cases as a table may have, of up to three images."""


def case_key(paths: Sequence[Path]) -> str:
    """Key of a case: SHA-256 of its image's bytes; of several images SHA-256 over their digests in order.

    A pair the other way round is another case. Digests are remembered by path, size and time of the last change.

    Args:
        paths: the images in the order of the task's inputs, such as ReviewSet.paths gives.

    Returns:
        64 hexadecimal digits.

    Raises:
        ImageError: a file cannot be read.
    """
    digests = [_digest_of(path) for path in paths]
    if len(digests) == 1:
        return digests[0].hex()
    return hashlib.sha256(b"".join(digests)).hexdigest()


def case_keys(
    review: "ReviewSet", rows: Iterable[int], on_case: Callable[[], None] = lambda: None
) -> dict[int, str | None]:
    """Keys of many cases.

    Args:
        review: its root folder has to be known.
        rows: of its table.
        on_case: called after each.

    Returns:
        By row in their order; None where an image is not found or cannot be read.
    """
    found: dict[int, str | None] = {}
    for row in rows:
        try:
            found[int(row)] = case_key(review.paths(int(row)))
        except CxrkitError:
            found[int(row)] = None
        on_case()
    return found


def _digest_of(path: Path) -> bytes:
    try:
        now = path.stat()
        return _digest(path, now.st_size, now.st_mtime_ns)
    except OSError:
        raise ImageError("The file could not be opened. Check that it is there and that you may read it.") from None


@lru_cache(_REMEMBERED)
def _digest(path: Path, size: int, modified: int) -> bytes:
    """SHA-256 of a file as it was at this size and time, which only tell one state from another."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
