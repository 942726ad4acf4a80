"""What the follow-up network learns from: parts without shared patients, and the labels of each kind of pair."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxrkit.cases import Case
from cxrkit.errors import ManifestError
from cxrkit.phantoms.pairs import random_pair, simulate_pair
from train.followup.alike import moved_alike
from train.followup.data import Example, PairSource
from train.followup.kinds import CONTROL, UNSURE, Real
from train.followup.losses import UNKNOWN
from train.followup.material import WEAK, Material, read_material
from train.followup.parts import ImageSet, Parts, divide, pairs_within, read_set, successive
from train.followup.simulated import FIRST_SEED, simulated_pairs

SIZE = 64


def patients(part: tuple[Case, ...]) -> set[str | None]:
    return {case.patient for case in part}


def check_disjoint(images: ImageSet, parts: Parts) -> None:
    all_parts = (parts.training, parts.carved, parts.aside)
    assert sum(len(part) for part in all_parts) == len(images.images)
    for number, part in enumerate(all_parts):
        assert part
        for other in all_parts[:number]:
            assert patients(part).isdisjoint(patients(other))
    assert None not in patients(images.images)


def table(folder: Path, header: str, rows: list[str]) -> Path:
    folder.mkdir(parents=True)
    (folder / "labels.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return folder


def days_table(folder: Path, count: int) -> Path:
    rows = [f"{p}_{k}.png,p{p},{3 * k}" for p in range(count) for k in range(1 + p % 4)]
    return table(folder, "file,patient_id,offset_days", rows)


def test_without_a_given_split_half_of_the_images_only_report(tmp_path: Path) -> None:
    images = read_set(days_table(tmp_path / "hospital", 60))
    parts = divide(images)
    check_disjoint(images, parts)
    assert len(parts.aside) == pytest.approx(len(images.images) / 2, abs=4)
    assert len(parts.carved) == pytest.approx(len(images.images) / 20, abs=4)
    backwards = ImageSet(images.name, images.root, images.images[::-1])
    assert patients(divide(backwards).carved) == patients(parts.carved)
    assert patients(divide(images, seed=1).aside) != patients(parts.aside)


def test_a_given_split_is_kept_and_who_is_in_two_of_its_parts_does_not_learn(tmp_path: Path) -> None:
    rows = [f"{n}.png,{n % 2},family{n % 3},{'test' if n % 5 == 0 else 'train'}" for n in range(60)]
    images = read_set(table(tmp_path / "without_patients", "file,target,family,split", rows))
    parts = divide(images)
    check_disjoint(images, parts)
    assert {case.files[0] for case in parts.aside} == {f"{n}.png" for n in range(0, 60, 5)}
    assert {case.target for case in parts.training} == {"0", "1"}
    rows = [f"{n}.png,p{n % 31},{'test' if n in (3, 4) else 'train'}" for n in range(60)]
    parts = divide(read_set(table(tmp_path / "leaking", "file,patient_id,split", rows)))
    assert patients(parts.aside).isdisjoint(patients(parts.training) | patients(parts.carved))


def test_pairs_of_a_table_whose_patients_are_not_named_stay_together(tmp_path: Path) -> None:
    rows = [f"{chain}_{k}.png,{chain}_{k + 1}.png,{k % 2}" for chain in range(30) for k in range(3)]
    for name in {file for row in rows for file in row.split(",")[:2]}:
        (tmp_path / name).touch()
    file = tmp_path / "pairs.csv"
    file.write_text("baseline,followup,change\n" + "\n".join(rows) + "\n", encoding="utf-8")
    images = read_set(file)
    parts = divide(images)
    assert images.certain
    check_disjoint(images, parts)
    found = [pairs_within(images, part) for part in (parts.training, parts.carved, parts.aside)]
    assert sum(len(part) for part in found) == 90, "no pair is torn apart"


def test_pairs_that_a_later_one_joins_are_of_one_patient(tmp_path: Path) -> None:
    for name in "abcdef":
        (tmp_path / f"{name}.png").touch()
    file = tmp_path / "pairs.csv"
    file.write_text("baseline,followup,change\nc.png,d.png,1\na.png,b.png,0\nb.png,c.png,0\ne.png,f.png,1\n")
    owners = {case.files[0]: case.patient for case in read_set(file).images}
    assert len({owners[f"{name}.png"] for name in "abcd"}) == 1
    assert owners["e.png"] == owners["f.png"] != owners["a.png"]


def test_successive_images_are_of_one_patient_in_order(tmp_path: Path) -> None:
    rows = ["b.png,1,2", "a.png,1,0", "c.png,1,40", "d.png,2,0"]
    found = successive(read_set(table(tmp_path / "set", "file,patient_id,offset_days", rows)).images)
    assert [(first.files[0], second.files[0], days) for first, second, days in found] == [
        ("a.png", "b.png", 2),
        ("b.png", "c.png", 38),
    ]


def test_a_folder_of_no_known_layout_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="CheXpert"):
        read_set(tmp_path)


def test_the_real_sets_share_no_patient_between_parts(shared_data: Path) -> None:
    found = {name: read_set(shared_data / name) for name in ("nih", "tb", "hannover")}
    parts = {name: divide(images) for name, images in found.items()}
    for name, images in found.items():
        check_disjoint(images, parts[name])
    assert {case.split for case in parts["nih"].aside} == {"val"}
    assert {case.split for case in parts["tb"].aside} == {"test"}
    assert len(patients(parts["hannover"].aside)) == pytest.approx(71 / 2, abs=2)
    within = [pairs_within(found["nih"], part) for part in (parts["nih"].training, parts["nih"].carved)]
    assert min(len(pairs) for pairs in within) > 10
    assert all({pair.target for pair in pairs} == {"0", "1"} for pairs in within)
    repeated = "images/mendeley_normal_others_507.jpg"
    assert repeated not in {case.files[0] for case in found["tb"].images}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[Case, Case, int, int]]]:
    folder = tmp_path_factory.mktemp("simulated")
    return folder, simulated_pairs(3, folder)


def test_simulated_pairs_are_what_the_simulation_says(
    simulated: tuple[Path, list[tuple[Case, Case, int, int]]],
) -> None:
    folder, found = simulated
    for number, (first, second, change, direction) in enumerate(found):
        settings = random_pair(FIRST_SEED + number, size=128)
        pair = simulate_pair(settings)
        assert change == pair.change
        assert direction == {"more": 1, "less": 0, None: UNKNOWN}[pair.direction]
        assert (first.target, second.target) == (str(int(bool(settings.baseline))), str(int(bool(settings.follow_up))))
        assert first.patient == second.patient
        assert (folder / first.files[0]).read_bytes() != (folder / second.files[0]).read_bytes()
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert simulated_pairs(3, folder) == found
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before


@pytest.fixture(scope="module")
def material(
    simulated: tuple[Path, list[tuple[Case, Case, int, int]]], tmp_path_factory: pytest.TempPathFactory
) -> Material:
    """A set with findings and one with days, of simulated images under many names, and simulated patients."""
    root = tmp_path_factory.mktemp("material")
    files = sorted(simulated[0].iterdir())
    findings = ("No Finding", "Mass", "Mass|Edema", "No Finding")
    nih = [
        f"{p}_{k}.png,{p},{k},{findings[(p + k) % 4]},{'val' if p == 0 else 'train'}" for p in range(8) for k in (0, 1)
    ]
    table(root / "nih", "file,patient_id,follow_up,findings,split", nih)
    days = [f"{p}_{k}.png,{p},{2 * k}" for p in range(14) for k in (0, 1)]
    table(root / "days", "file,patient_id,offset_days", days)
    for folder, rows in ((root / "nih", nih), (root / "days", days)):
        for number, row in enumerate(rows):
            shutil.copy(files[number % len(files)], folder / row.split(",")[0])
    shutil.copytree(simulated[0], root / "cache" / "simulated")
    return read_material([root / "nih", root / "days"], 3, root / "cache")


def drawn(source: PairSource, count: int) -> list[Example]:
    return [source.pair(k % len(source.weights), np.random.default_rng(k), SIZE) for k in range(count)]


def test_all_kinds_are_there_and_their_pairs_are_prepared_images(material: Material) -> None:
    assert [material.kinds[source.name] for source in material.training] == ["made", "real", "successive", "simulated"]
    assert [material.kinds[source.name] for source in material.carved] == ["made", "real", "successive"]
    for source in (*material.training, *material.carved):
        assert source.weights.sum() == pytest.approx(1)
        first, again = (source.pair(0, np.random.default_rng(1), SIZE) for _ in range(2))
        for image, same in zip(first.images, again.images, strict=True):
            assert image.shape == (SIZE, SIZE)
            assert image.dtype == np.float32
            assert 0 <= image.min() < image.max() <= 1
            np.testing.assert_array_equal(image, same)
        assert not np.array_equal(*first.images)


def test_made_pairs_know_their_change(material: Material) -> None:
    found = drawn(material.training[0], 60)
    assert 0.25 < np.mean([example.change for example in found]) < 0.75
    assert {example.direction for example in found if example.change} == {0, 1}
    for example in found:
        assert example.weight == 1
        assert (example.direction == UNKNOWN) == (example.change == 0)
        assert not (example.kind == CONTROL and example.change)
        if example.change == 0 and UNKNOWN not in example.abnormal:
            assert example.abnormal[0] == example.abnormal[1]
        if set(example.abnormal) == {0, 1}:
            assert example.direction == example.abnormal[1], "normal becomes abnormal by more, not by less"


def test_real_pairs_have_weak_labels_and_come_in_both_orders(material: Material) -> None:
    real = material.training[1]
    found = drawn(real, 8 * len(real.weights))
    assert {example.weight for example in found} == {WEAK}
    assert {example.change for example in found} == {0, 1}
    for example in found:
        if set(example.abnormal) == {0, 1}:
            assert (example.change, example.direction) == (1, example.abnormal[1])
        else:
            assert example.direction == UNKNOWN
    assert {example.direction for example in found} == {0, 1, UNKNOWN}


def test_the_sources_way_moves_both_images_of_a_real_pair_alike(material: Material) -> None:
    real = material.training[1]
    assert isinstance(real, Real)
    same = [replace(pair, second=pair.first) for pair in real.pairs]
    alike, apart = (Real(real.sources, same, "real", alike=alike) for alike in (True, False))
    assert alike.identity != apart.identity
    likeness = {
        source: np.mean(
            [np.corrcoef(*(image.ravel() for image in example.images))[0, 1] for example in drawn(source, 8)]
        )
        for source in (alike, apart)
    }
    assert likeness[alike] > 0.97
    assert likeness[apart] < likeness[alike] - 0.02
    first, second = moved_alike((drawn(apart, 1)[0].images), seed=3)
    assert first.min() >= 0
    assert second.max() <= 1
    assert np.histogram(second, 10, (0, 1))[0] == pytest.approx(second.size / 10, rel=0.25), "equalised"
    once, twice = moved_alike((first, first), seed=4)
    np.testing.assert_array_equal(once, twice)
    assert not np.array_equal(once, moved_alike((first, first), seed=5)[0])


def test_successive_images_have_changed_where_a_lesion_is_drawn_and_else_count_little(material: Material) -> None:
    found = drawn(material.training[2], 40)
    assert {example.change for example in found} == {0, 1}
    for example in found:
        if example.change:
            assert example.weight == 1
            assert example.direction in (0, 1)
            assert example.abnormal[example.direction] == 1
        else:
            assert example.weight == UNSURE
            assert example.direction == UNKNOWN
            assert example.abnormal == (UNKNOWN, UNKNOWN)


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="nothing to learn"):
        read_material([], 2, tmp_path)
