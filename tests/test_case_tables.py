"""Tables of cases as other people write them."""

import unicodedata

import pytest

from cxrkit.cases import Case, read_manifest, resolve
from cxrkit.errors import ManifestError
from tests.test_cases import write


def test_columns_that_are_nearly_called_so_are_known(tmp_path):
    path = write(tmp_path, "file,target,Patient ID,Sex,Split\na.png,1,p7,F,test\n")
    (case,) = read_manifest(path)
    assert (case.patient, case.split, case.row["sex"]) == ("p7", "test", "F")
    (both,) = read_manifest(write(tmp_path, "file,target,Sex,sex\na.png,1,x,F\n"))
    assert (both.row["Sex"], both.row["sex"]) == ("x", "F")
    with pytest.raises(ManifestError, match=r"lacks the column 'file'.* It has the column 'File'"):
        read_manifest(write(tmp_path, "File,target\na.png,1\n"))


def test_excels_own_first_line_is_no_header_and_counts_as_a_row(tmp_path):
    (case,) = read_manifest(write(tmp_path, "sep=;\r\nfile;target\r\na.png;1\r\n"))
    assert (case.files, case.number) == (("a.png",), 3)


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_accent_may_be_written_apart_or_not(tmp_path, forms):
    written, stored = (unicodedata.normalize(form, "Hände.png") for form in forms)
    (tmp_path / stored).touch()
    assert resolve(Case((written,), "1"), tmp_path)[0].is_file()
