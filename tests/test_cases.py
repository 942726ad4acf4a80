"""Manifests, paths below a root, and splits without shared patients."""

import os
import pickle
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrkit.cases import Case, carve, class_index, read_manifest, resolve, split_by_patient, target_number
from cxrkit.errors import InputError, ManifestError

LABELS = ("normal", "tuberculosis")


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "SECRETNAME.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_separators_byte_order_mark_and_line_ends(tmp_path, delimiter, encoding, ending):
    rows = [["file", "target", "patient_id", "family", "split"], ["a.png", "1", "p7", "north", "train"], ["b.png", "0"]]
    path = write(tmp_path, ending.join(delimiter.join(row) for row in rows) + ending, encoding)
    first, second = read_manifest(path)
    assert (first.files, first.target, first.patient, first.family) == (("a.png",), "1", "p7", "north")
    assert (first.split, first.number, first.problem) == ("train", 2, "")
    assert list(first.row) == rows[0]
    assert (second.files, second.patient, second.family, second.split) == (("b.png",), None, None, None)
    assert second.row["split"] == ""


def test_quoted_separators_and_other_columns_survive(tmp_path):
    path = write(tmp_path, 'file;target;note\n"a, b;c.png";1;"said ""no""\nand left"\n\nd.png;0;Größe\u2028x\n')
    first, second = read_manifest(path)
    assert first.files == ("a, b;c.png",)
    assert first.row["note"] == 'said "no"\nand left'
    assert second.row["note"] == "Größe\u2028x"
    assert (first.number, second.number) == (2, 4)


def test_pairs_and_tables_without_a_target(tmp_path):
    path = write(tmp_path, "baseline,followup,who\na.png,b.png,7\n")
    (case,) = read_manifest(path, file_columns=("baseline", "followup"), target_column=None, patient_column="who")
    assert (case.files, case.target, case.patient) == (("a.png", "b.png"), "", "7")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("file,label\nSECRETNAME.png,1\n", "lacks the column 'target'"),
        ("SECRETNAME.png,1\nb.png,0\n", "lacks the columns 'file' and 'target'"),
        ("path;target\na.png;1\n", "lacks the column 'file'"),
        ("file,target\n", "no row"),
        ("file,target,file\na,1,b\n", "same name"),
        ('file,target\na.png,1\n"SECRETNAME.png,1\n', "row 3"),
    ],
)
def test_unusable_tables_are_a_sentence_without_names(tmp_path, text, sentence):
    with pytest.raises(ManifestError, match=sentence) as caught:
        read_manifest(write(tmp_path, text))
    assert "SECRETNAME" not in str(caught.value)


def test_other_encodings_and_absent_tables(tmp_path):
    with pytest.raises(ManifestError, match="UTF-8"):
        read_manifest(write(tmp_path, "file,target\nGröße.png,1\n", "latin-1"))
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(ManifestError, match="cannot be opened"):
            read_manifest(path)


def test_a_bad_row_is_marked_and_does_not_stop_the_others(tmp_path):
    (tmp_path / "a.png").touch()
    path = write(tmp_path, "file,target,,\na.png,1,,\nSECRETNAME,x.png,1\n ,0\na.png,maybe\na.png,\n")
    good, ragged, nameless, unclear, silent = read_manifest(path)
    assert resolve(good, tmp_path) == ((tmp_path / "a.png").resolve(),)
    assert class_index(good, LABELS) == 1
    for case, sentence in ((ragged, "Row 3 has 3 cells for 2 columns"), (nameless, "Row 4 names no file")):
        with pytest.raises(ManifestError, match=sentence) as caught:
            resolve(case, tmp_path)
        assert "SECRETNAME" not in str(caught.value)
        with pytest.raises(ManifestError, match=sentence):
            class_index(case, LABELS)
    with pytest.raises(ManifestError, match=r"row 5 is none .* 0 \(normal\), 1 \(tuberculosis\)") as caught:
        class_index(unclear, LABELS)
    assert "maybe" not in str(caught.value)
    with pytest.raises(ManifestError, match="row 6 is empty"):
        class_index(silent, LABELS)


@pytest.mark.parametrize(
    ("target", "index"),
    [("0", 0), ("1", 1), ("Tuberculosis", 1), ("NORMAL", 0), ("1.0", 1), ("0,0", 0), ("Yes", 1), ("FALSE", 0)],
)
def test_a_class_is_an_index_or_a_label(target, index):
    assert class_index(Case(("a",), target), LABELS) == index


def test_a_label_of_several_words_is_written_as_tables_do():
    for target in ("no change", "No_change", "no-change"):
        assert class_index(Case(("a",), target), ("no change", "change")) == 0
    with pytest.raises(ManifestError, match="target"):
        class_index(Case(("a",), "yes"), (*LABELS, "other"))
    with pytest.raises(ManifestError, match="target"):
        class_index(Case(("a",), "yes"), ("ventilation", "perfusion"))


@pytest.mark.parametrize("target", ["2", "-1", "1.5", "01", "²", "_", "-"])
def test_other_targets_are_no_class(target):
    with pytest.raises(ManifestError, match="target"):
        class_index(Case(("a",), target), LABELS)


def test_paths_below_the_root(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "deep" / "a.png")
    inside = (tmp_path / "deep" / "a.png").resolve()
    names = ("deep/a.png", "link.png", "./deep//a.png", "deep\\a.png")
    assert resolve(Case(names, "1"), tmp_path) == (inside,) * 4
    literal = tmp_path / "deep\\a.png"
    literal.touch()
    assert resolve(Case((literal.name,), "1"), tmp_path) == (literal,)


def test_a_root_that_is_a_link_or_relative(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").touch()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    inside = (tmp_path / "real" / "a.png").resolve()
    assert resolve(Case(("a.png",), "1"), Path("alias")) == (inside,)


@pytest.mark.parametrize(
    "name",
    [
        "../SECRETNAME.png",
        "in/../../SECRETNAME.png",
        "/etc/passwd",
        "C:\\SECRETNAME.png",
        "\\\\host\\share\\a",
        "..\\SECRETNAME.png",
        "out/SECRETNAME.png",
        "file.png",
        "loop",
        "in",
        "absent.png",
        "a\0b",
        "x" * 5000,
        "pipe",
        ".",
    ],
)
def test_paths_that_leave_the_root_or_are_no_file_are_refused(tmp_path, name):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "in").mkdir(parents=True)
    outside.mkdir()
    for path in (outside / "SECRETNAME.png", tmp_path / "SECRETNAME.png", tmp_path / "rootSECRETNAME.png"):
        path.touch()
    (root / "out").symlink_to(outside)
    (root / "file.png").symlink_to(tmp_path / "rootSECRETNAME.png")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    with pytest.raises(InputError) as caught:
        resolve(Case((name,), "1", number=9), root)
    assert "row 9" in str(caught.value)
    assert "SECRETNAME" not in str(caught.value)


def test_dots_and_absolute_paths_are_refused_even_where_they_stay_inside(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.png").touch()
    for name, sentence in (("in/../a.png", r"without '\.\.'"), (str(tmp_path / "a.png"), "is absolute")):
        with pytest.raises(InputError, match=sentence):
            resolve(Case((name,), "1"), tmp_path)


def test_a_root_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="root folder"):
        resolve(Case(("a.png",), "1"), tmp_path / "absent")


def test_cases_travel_to_worker_processes():
    case = Case(("a.png",), "1", row={"file": "a.png", "target": "1"}, number=2)
    assert pickle.loads(pickle.dumps(case)) == case
    assert len({case, pickle.loads(pickle.dumps(case))}) == 1


def cohort(patients: int, images: int = 3) -> list[Case]:
    return [
        Case((f"{patient}_{image}.png",), str(int(patient % 4 == 0)), patient=f"p{patient}")
        for patient in range(patients)
        for image in range(1 + (patient * 7) % images)
    ]


patients = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1), st.booleans()), min_size=60, max_size=160)


@settings(deadline=None, max_examples=50)
@given(patients, st.integers(0, 5))
def test_no_patient_is_in_two_parts_and_no_case_is_lost(rows, seed):
    cases = [
        Case((f"{index}.png",), str(target), patient=f"p{patient}" if known else None)
        for index, (patient, target, known) in enumerate(rows)
    ]
    parts = split_by_patient(cases, (0.5, 0.5), seed)
    assert sorted(case.files for part in parts for case in part) == sorted(case.files for case in cases)
    owners = [{case.patient for case in part} - {None} for part in parts]
    assert not owners[0] & owners[1]


def test_shares_and_strata_hold():
    cases = cohort(400)
    parts = split_by_patient(cases, (0.7, 0.1, 0.2), seed=1)
    prevalence = sum(case.target == "1" for case in cases) / len(cases)
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert len(part) / len(cases) == pytest.approx(share, abs=0.01)
        assert sum(case.target == "1" for case in part) / len(part) == pytest.approx(prevalence, abs=0.03)


def test_the_division_depends_on_seed_and_cases_but_not_on_their_order():
    cases = cohort(60)
    first = split_by_patient(cases, (0.8, 0.2), seed=1)
    turned = split_by_patient(cases[::-1], (0.8, 0.2), seed=1)
    assert [set(part) for part in first] == [set(part) for part in turned]
    assert first[0] == [case for case in cases if case in set(first[0])]
    assert set(split_by_patient(cases, (0.8, 0.2), seed=2)[1]) != set(first[1])


def test_another_key_to_stratify_by():
    cases = [Case((f"{index}.png",), str(index), row={"sex": "MF"[index % 2]}) for index in range(100)]
    _, part = split_by_patient(cases, (0.8, 0.2), stratify=lambda case: case.row["sex"])
    assert Counter(case.row["sex"] for case in part) == {"M": 10, "F": 10}


def test_one_file_listed_twice_stays_in_one_part():
    cases = [Case((f"{index // 2}.png",), "1", number=index) for index in range(40)]
    one, two = split_by_patient(cases, (0.5, 0.5))
    assert not {case.files for case in one} & {case.files for case in two}


def test_carving_keeps_every_family_and_class_where_patients_are_unknown():
    sizes = {("1", "a"): 400, ("0", "b"): 200, ("1", "c"): 90, ("0", "c"): 40}
    cases = [
        Case((f"{family}{target}{index}.png",), target, family=family)
        for (target, family), size in sizes.items()
        for index in range(size)
    ]
    stays, carved = carve(cases, 0.1, seed=3)
    assert len(stays) + len(carved) == len(cases)
    counts = Counter((case.target, case.family) for case in carved)
    assert all(abs(counts[key] - size / 10) <= 1 for key, size in sizes.items())


def test_carving_by_patient_where_known():
    stays, carved = carve(cohort(200), 0.15)
    assert not {case.patient for case in stays} & {case.patient for case in carved}
    assert len(carved) / (len(stays) + len(carved)) == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("fractions", [(), (0.5, 0.6), (1.2, -0.2), (1.0, 0.0)])
def test_fractions_that_are_no_division_are_refused(fractions):
    with pytest.raises(InputError, match="sum to 1"):
        split_by_patient(cohort(10), fractions)


def test_too_few_patients_and_a_strange_share_are_refused():
    with pytest.raises(InputError, match="too few"):
        carve([Case(("a",), "1", patient="p"), Case(("b",), "0", patient="p")], 0.1)
    with pytest.raises(InputError, match="too few"):
        carve([], 0.1)
    with pytest.raises(InputError, match="between 0 and 1"):
        carve(cohort(10), 10)


@pytest.mark.parametrize(("text", "value"), [("94", 94), ("94.5", 94.5), ("0", 0), ("228", 228), ("9,5", 9.5)])
def test_a_target_may_be_a_number(text: str, value: float) -> None:
    assert target_number(Case(("a.png",), text, number=3), 0, 228, "months") == value


@pytest.mark.parametrize("text", ["", "-1", "229", "nan", "inf", "eight", "9,5,1", "1,000.5"])
def test_another_target_than_a_number_in_range_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match="row 3 is no number from 0 to 228"):
        target_number(Case(("a.png",), text, number=3), 0, 228, "months")
    with pytest.raises(ManifestError, match="no good"):
        target_number(Case(("a.png",), "9", problem="This row is no good."), 0, 228, "months")
