"""Quiz packs: what is read, and what is refused, each with a sentence of its own."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image

from cxrkit.errors import CxrkitError, ImageError, InputError
from cxrkit.quiz import archive
from cxrkit.quiz.example_pack import example_pack, example_rows
from cxrkit.quiz.material import make_material
from cxrkit.quiz.pack import read_pack
from cxrkit.quiz.settings import MOST_CASES

CANARY = "Zebedee"
HEADER = "file,file2,task,truth,mask,x0,y0,x1,y1,level,sex,note\n"


def picture(size: tuple[int, int] = (64, 48), value: int | None = None) -> bytes:
    file = io.BytesIO()
    random = np.random.default_rng(0).integers(0, 256, size[::-1]).astype(np.uint8)
    Image.fromarray(random if value is None else np.full_like(random, value)).save(file, "PNG")
    return file.getvalue()


def packed(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return file.getvalue()


def one_row(row: str = "a.png,,tuberculosis,abnormal,,,,,,,,") -> bytes:
    return f"{HEADER}{row}\n".encode()


def pack(table: bytes | None = None, **images: bytes) -> bytes:
    """A pack with a.png, and what else is given by name without its ending."""
    files = {"quiz.csv": one_row() if table is None else table, "a.png": picture()}
    return packed(files | {f"{name}.png": data for name, data in images.items()})


def refused(data: bytes) -> str:
    with pytest.raises(CxrkitError) as error:
        for _ in read_pack(data).check_images():
            pass
    assert CANARY not in str(error.value)
    return str(error.value)


def test_the_example_pack_is_read_and_is_the_table_shown() -> None:
    data = example_pack()
    found = read_pack(data)
    assert list(found.check_images()) == list(range(1, len(found.questions) + 1))
    assert [question.task for question in found.questions] == [row["task"] for row in example_rows()]
    assert {question.task for question in found.questions} == {"tuberculosis", "followup", "bone_age", "vq"}
    assert example_pack() == data


def test_a_box_and_a_mask_are_regions() -> None:
    table = HEADER + (
        "a.png,,tuberculosis,Tuberculosis,,5,6,20,30,hard,,Proven by culture\n"
        "a.png,b.png,followup,change,m.png,,,,,,,\n"
        "b.png,,bone_age,94,,,,,,easy,F,\n"
    )
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[40:, 50:] = 255
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    found = read_pack(pack(table.encode(), b=picture(), m=file.getvalue()))
    boxed, pair, hand = found.questions
    (region,) = make_material(boxed.source).regions
    assert region is not None
    assert (region.sum(), region[6, 5], region[6, 4]) == (15 * 24, True, False)
    assert (boxed.truth, boxed.level, boxed.what) == ("abnormal", "hard", "Proven by culture")
    first, second = make_material(pair.source).regions
    assert first is None
    assert second is not None
    assert np.array_equal(second, mask > 0)
    assert (hand.truth, hand.sex) == (94.0, "F")


def test_semicolons_folders_and_what_systems_leave_behind_are_taken() -> None:
    files = {
        "quiz.csv": "\ufefffile;task;truth\r\nimages/a.png;vq;perfusion\r\n".encode(),
        "images/": b"",
        "images/a.png": picture(),
        "__MACOSX/images/._a.png": b"left behind",
        "images/.DS_Store": b"left behind",
    }
    (question,) = read_pack(packed(files)).questions
    assert question.truth == "perfusion"


def entry(name: str, mode: int = 0, data: bytes = b"../../etc/passwd") -> bytes:
    """A pack with one more entry of this name and kind."""
    file = io.BytesIO(pack())
    with zipfile.ZipFile(file, "a") as made:
        info = zipfile.ZipInfo("x.png")
        info.filename = info.orig_filename = name
        info.external_attr = mode << 16
        made.writestr(info, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        (f"../{CANARY}.png", "leads out of the pack"),
        (f"a/../../{CANARY}.png", "leads out of the pack"),
        (f"..\\{CANARY}.png", "leads out of the pack"),
        (f"/etc/{CANARY}.png", "absolute path"),
        (f"C:\\{CANARY}.png", "absolute path"),
        (f"\\\\host\\share\\{CANARY}.png", "absolute path"),
        (f"b\\{CANARY}.png", "backslash"),
        (f"{CANARY}\n.png", "control character"),
        (f"{CANARY}.zip", "archive within"),
        (f"{CANARY}.tar.gz", "archive within"),
    ],
)
def test_paths_that_lead_elsewhere_are_refused(name: str, word: str) -> None:
    assert word in refused(entry(name))


def test_links_and_devices_are_refused() -> None:
    assert "is a link" in refused(entry("b.png", stat.S_IFLNK | 0o777))
    assert "no ordinary file" in refused(entry("b.png", stat.S_IFIFO | 0o644))


def test_a_bomb_is_refused() -> None:
    bomb = refused(pack(b=b"\x89PNG\r\n\x1a\n" + bytes(60 * 1024**2)))
    assert "grows more than 200 times" in bomb


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    """The archive's list says ten bytes; what is inflated is counted."""
    data = bytearray(pack(b=b"\x89PNG\r\n\x1a\n" + bytes(60 * 1024**2)))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    assert refused(bytes(data))


def test_many_files_that_are_large_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # In this process, where the limit can be lowered.
    monkeypatch.setattr(archive, "MOST_BYTES", 3000)
    with pytest.raises(ImageError, match="MB once it is unpacked"):
        archive.unpack(pack(), {})
    monkeypatch.setattr(archive, "MOST_FILE_BYTES", 100)
    with pytest.raises(ImageError, match="is larger than"):
        archive.unpack(pack(), {})


def test_an_encrypted_file_is_refused() -> None:
    data = bytearray(pack())
    place = data.rindex(b"PK\x01\x02")
    data[place + 8] |= 1
    assert "is encrypted" in refused(bytes(data))


def test_an_archive_in_disguise_is_refused() -> None:
    assert "archive within" in refused(pack(b=pack()))


def test_other_compressions_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("quiz.csv", one_row())
    assert "compressed in a way" in refused(file.getvalue())


@pytest.mark.parametrize("data", [b"", b"This is a letter.", pack()[:200], b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    assert "no zip file" in refused(data)


def test_too_large_a_zip_is_not_opened() -> None:
    assert "larger than 64 MB" in refused(bytes(64 * 1024**2 + 1))


def test_too_many_files_are_refused() -> None:
    assert "at most 150" in refused(packed({f"{number}.png": b"" for number in range(151)}))


def test_wrong_types_are_refused() -> None:
    assert "is no image" in refused(pack(b=b"<html><script>alert(1)</script></html>"))
    assert "is no image" in refused(pack(b=b""))


def test_the_same_name_twice_is_refused() -> None:
    assert "same name" in refused(packed({"quiz.csv": one_row(), "a.png": picture(), "A.png": picture()}))


def test_missing_and_extra_files_are_refused() -> None:
    assert "no quiz.csv" in refused(packed({"a.png": picture()}))
    assert "not in the pack" in refused(pack(one_row(f"{CANARY}.png,,vq,perfusion,,,,,,,,")))
    assert "that no row" in refused(pack(b=picture()))


ROWS = {
    "a.png,,horoscope,yes,,,,,,,,": "names no task",
    "a.png,,tuberculosis,perhaps,,,,,,,,": "truth that is not known",
    "a.png,,bone_age,ten,,,,,,,,": "no bone age",
    "a.png,,bone_age,nan,,,,,,,,": "no bone age",
    "a.png,,bone_age,900,,,,,,,,": "no bone age",
    "a.png,,followup,change,,,,,,,,": "names 1 images; this task reads 2",
    "a.png,a.png,vq,perfusion,,,,,,,,": "names 2 images; this task reads 1",
    "a.png,,vq,perfusion,a.png,,,,,,,": "asks for no place",
    "a.png,,tuberculosis,abnormal,a.png,1,1,5,5,,,": "a mask and a box",
    "a.png,,tuberculosis,normal,,1,1,5,5,,,": "nothing is there",
    "a.png,,tuberculosis,abnormal,,1,1,5,,,,": "four whole numbers",
    "a.png,,tuberculosis,abnormal,,-1,1,5,6,,,": "four whole numbers",
    "a.png,,tuberculosis,abnormal,,9,1,5,6,,,": "without an area",
    "a.png,,tuberculosis,abnormal,,1,1,500,6,,,": "does not lie in its image",
    "a.png,,tuberculosis,abnormal,,,,,,brutal,,": "level that is not known",
    "a.png,,tuberculosis,abnormal,,,,,,,X,": "sex that is not known",
    f"a.png,,tuberculosis,abnormal,,,,,,,,{'x' * 301}": "longer than 300",
    "a.png,,tuberculosis,abnormal,,,,,,,,a,b": "more cells than the",
    'a.png,,tuberculosis,abnormal,,,,,,,,"open': "quotation mark",
}


@pytest.mark.parametrize(("row", "word"), ROWS.items())
def test_a_bad_row_is_refused(row: str, word: str) -> None:
    text = refused(pack(one_row(row)))
    assert word in text
    assert "quiz.csv" in text


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"file,task\na.png,vq\n", "lacks the column 'truth'"),
        (b"file,task,truth,patient\na.png,vq,perfusion,me\n", "column that is not known"),
        (b"file,task,truth,truth\na.png,vq,perfusion,me\n", "two columns of the same name"),
        (HEADER.encode(), "no row"),
        (b"file,task,Truth,truth\na.png,vq,perfusion,me\n", "column that is not known, or one twice"),
    ],
)
def test_a_bad_table_is_refused(table: bytes, word: str) -> None:
    assert word in refused(pack(table))


def test_too_many_cases_are_refused() -> None:
    row = "a.png,,vq,perfusion,,,,,,,,\n"
    assert f"1 to {MOST_CASES}" in refused(pack((HEADER + row * (MOST_CASES + 1)).encode()))


def test_images_and_masks_that_do_not_fit_are_refused() -> None:
    masked = one_row("a.png,,tuberculosis,abnormal,m.png,,,,,,,")
    assert "64 x 48" in refused(pack(masked, m=picture((30, 30))))
    assert "black everywhere" in refused(pack(masked, m=picture(value=0)))
    assert "mask of row 2" in refused(pack(masked, m=picture()[:60]))
    damaged = packed({"quiz.csv": one_row(), "a.png": picture()[:200]})
    assert "An image of row 2" in refused(damaged)


def test_errors_of_the_archive_are_the_users_to_mend() -> None:
    with pytest.raises(InputError):
        read_pack(b"no zip")
