"""One case of a quiz pack: the bytes of its files, and where its truth lies."""

from dataclasses import dataclass, field

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class PackCase:
    """Files of one row of the table.

    Attributes:
        task: name of the task that reads them.
        row: in the table as a spreadsheet counts it; the header is row 1.
        files: bytes of each image, in the order of the task's inputs.
        suffixes: what each file's name ends in, such as ".dcm", or "".
        mask: bytes of an image as large as the last one, white on what is to be found and black elsewhere; None = there
            is none.
        box: (left, top, right, bottom) around it in pixels of the last image, right and bottom exclusive; None = none.
    """

    task: str
    row: int
    files: tuple[bytes, ...] = field(repr=False)
    suffixes: tuple[str, ...]
    mask: bytes | None = field(default=None, repr=False)
    box: Box | None = None
