"""Read a quiz pack: a zip of images and quiz.csv -> questions.

The archive is taken apart in a child process (cxrkit.sandbox), within limits on files, bytes and time; each image is
decoded by cxrkit.image.read_image, in such a process too. Nothing is written to a disk.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cxrkit import sandbox
from cxrkit.decoded import MAX_FILE_BYTES
from cxrkit.errors import ImageError, InputError, ManifestError
from cxrkit.quiz.archive import TABLE
from cxrkit.quiz.material import make_material
from cxrkit.quiz.pack_case import PackCase
from cxrkit.quiz.pack_table import PackRow, read_pack_table
from cxrkit.quiz.question import LOCATED, Question, is_positive


@dataclass(frozen=True)
class QuizPack:
    """A pack that has been checked, apart from its images.

    Attributes:
        sha256: of the zip file, hexadecimal.
        questions: in the table's order.
    """

    sha256: str
    questions: tuple[Question, ...] = field(repr=False)

    def check_images(self) -> Iterator[int]:
        """Decode every image and mask, one case after the other; yields how many cases are done.

        Raises:
            ImageError: a file cannot be read.
            InputError: a mask or box does not fit its image.
        """
        for done, question in enumerate(self.questions, start=1):
            make_material(question.source)
            yield done


def read_pack(data: bytes) -> QuizPack:
    """Take a pack apart and check everything about it but the images' insides.

    Args:
        data: a zip file with quiz.csv and the images that it names, no more and no fewer.

    Raises:
        InputError: the archive cannot be used: too large, encrypted, with links or paths that lead out of it, with
            archives or files that are no images in it.
        ManifestError: quiz.csv cannot be used, or names other files than there are.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"The quiz pack is larger than {MAX_FILE_BYTES >> 20} MB. Make several packs.")
    try:
        fields, contents = sandbox.call("cxrkit.quiz.archive:unpack", {}, data)
    except ImageError as error:
        raise InputError(str(error)) from None
    files = {str(name): bytes(content) for name, content in zip(fields["names"], contents, strict=True)}
    rows = read_pack_table(files.pop(TABLE))
    _check_complete(rows, files)
    digest = hashlib.sha256(data).hexdigest()
    return QuizPack(digest, tuple(_question(row, number, files, digest) for number, row in enumerate(rows, start=1)))


def _check_complete(rows: tuple[PackRow, ...], files: Mapping[str, bytes]) -> None:
    named = set()
    for row in rows:
        for name in (*row.files, *filter(None, [row.mask])):
            if name not in files:
                raise ManifestError(
                    f"Row {row.number} of {TABLE} names a file that is not in the pack. Write its name as in the zip, "
                    "with its ending and, where it lies in a folder, with the folder's name and '/'."
                )
            named.add(name)
    extra = len(files) - len(named)
    if extra:
        raise ManifestError(
            f"The pack holds {extra} image{'s' if extra > 1 else ''} that no row of {TABLE} names. Add rows, or leave "
            "them out."
        )


def _question(row: PackRow, number: int, files: Mapping[str, bytes], digest: str) -> Question:
    case = PackCase(
        task=row.task,
        row=row.number,
        files=tuple(files[name] for name in row.files),
        suffixes=tuple(PurePosixPath(name).suffix for name in row.files),
        mask=files[row.mask] if row.mask else None,
        box=row.box,
    )
    if row.task in LOCATED and (row.mask or row.box) and not is_positive(row.task, str(row.truth)):
        raise ManifestError(
            f"Row {row.number} of {TABLE} says that nothing is there, and has a mask or a box. Change the truth, or "
            "leave these cells empty."
        )
    return Question(f"{digest}.{number}", row.task, number, row.level, row.truth, row.note, case, row.sex)
