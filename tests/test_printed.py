"""What the commands print for people."""

from cxrkit.batch import LeftOut
from cxrkit.printed import batch_lines, left_out_lines


def test_names_of_files_drive_no_terminal() -> None:
    """Escape sequences, a bell, a right-to-left override, half a pair of UTF-16 and line breaks."""
    name = "a\x1b[2Jb\x07c\u202ed\udce4e\nf\x9bg ü.png"
    shown = "a?[2Jb?c?d?e f?g ü.png"
    (line,) = left_out_lines([LeftOut(None, (name,), "No image.")])
    assert line == f"left out: {shown}: No image."
    result = {"task": "t", "weights": "0" * 64, "cases": 1, "failed": 0, "resumed": 0, "warned": 0, "seconds": 1.0}
    assert batch_lines({**result, "no_image": [name]}, []).splitlines()[-1] == f"no image: {shown}"
