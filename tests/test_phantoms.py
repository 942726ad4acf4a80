"""Simulated chest radiographs: reproducible, anatomically the right way round, with masks that tell the truth."""

from dataclasses import replace

import numpy as np
import pytest

from cxrkit.errors import InputError
from cxrkit.phantoms import LESIONS, SAMPLES, ChestSettings, Lesion, SimulatedChest, random_chest, simulate_chest

SIZE = 128
PLAIN = ChestSettings(seed=21, breath=0.9, size=SIZE, rotation=0.0, roll=0.0, marker=False)
DARKER = {"pneumothorax"}


def lesion(kind: str, side: str = "right", **values: float) -> Lesion:
    zone = {"cavity": "upper", "consolidation": "lower", "nodule": "middle"}.get(kind, "upper")
    return Lesion(kind, side, zone, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain() -> SimulatedChest:
    return simulate_chest(PLAIN)


@pytest.fixture(scope="module", params=LESIONS)
def pair(request: pytest.FixtureRequest, plain: SimulatedChest) -> tuple[str, SimulatedChest, SimulatedChest]:
    """Kind, with the lesion, without it."""
    return request.param, simulate_chest(replace(PLAIN, lesions=(lesion(request.param),))), plain


def width(mask: np.ndarray) -> int:
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[-1] - columns[0] + 1)


def cardiothoracic_ratio(chest: SimulatedChest) -> float:
    return width(chest.heart) / width(chest.lungs)


def middle_column(mask: np.ndarray) -> float:
    return float(np.nonzero(mask)[1].mean())


def test_the_same_settings_give_the_same_image(plain: SimulatedChest) -> None:
    again = simulate_chest(PLAIN)
    np.testing.assert_array_equal(again.values, plain.values)
    np.testing.assert_array_equal(again.lungs, plain.lungs)
    assert again.radiograph().sha256 == plain.radiograph().sha256


def test_another_seed_gives_another_chest(plain: SimulatedChest) -> None:
    other = simulate_chest(replace(PLAIN, seed=22))
    assert other.values.shape != plain.values.shape or np.abs(other.values - plain.values).mean() > 0.02


def test_values_and_masks_have_the_promised_form(plain: SimulatedChest) -> None:
    assert plain.values.dtype == np.float32
    assert plain.values.shape[0] == SIZE
    assert 0.86 <= plain.values.shape[1] / SIZE <= 1.0
    assert plain.values.min() >= 0
    assert plain.values.max() <= 1
    for mask in (plain.lungs, plain.heart):
        assert mask.dtype == np.bool_
        assert mask.shape == plain.values.shape
        assert not mask.flags.writeable
    assert not plain.values.flags.writeable
    assert not (plain.lungs & plain.heart).any()


def test_lungs_are_darker_than_the_heart_and_air_is_black(plain: SimulatedChest) -> None:
    assert plain.values[plain.lungs].mean() + 0.2 < plain.values[plain.heart].mean()
    assert plain.values[-SIZE // 4 :, :2].min() < 0.05 or plain.values[0, 0] < 0.05


def test_masks_are_exact_in_number_and_not_empty(pair: tuple[str, SimulatedChest, SimulatedChest]) -> None:
    kind, with_lesion, _ = pair
    ((name, mask),) = with_lesion.lesions
    assert name == kind
    assert mask.shape == with_lesion.values.shape
    assert 20 < mask.sum() < mask.size / 3


def test_the_image_changes_where_the_mask_lies(pair: tuple[str, SimulatedChest, SimulatedChest]) -> None:
    kind, with_lesion, without = pair
    mask = with_lesion.lesions[0][1]
    change = with_lesion.values - without.values
    if kind == "enlarged heart":  # where the heart was already, nothing changes
        mask = mask & ~without.heart
    sign = -1 if kind in DARKER else 1
    outside = np.abs(change[~with_lesion.lesions[0][1]]).mean()
    assert sign * change[mask].mean() > 0.02
    assert sign * change[mask].mean() > 4 * outside


def test_a_lesion_lies_on_its_side(pair: tuple[str, SimulatedChest, SimulatedChest]) -> None:
    """The patient's right is at the left of the image."""
    kind, with_lesion, _ = pair
    middle = with_lesion.values.shape[1] / 2
    if kind == "enlarged heart":
        return
    assert middle_column(with_lesion.lesions[0][1]) < middle
    left = simulate_chest(replace(PLAIN, lesions=(lesion(kind, "left"),)))
    assert middle_column(left.lesions[0][1]) > middle


def test_contrast_0_is_the_image_without_the_lesion(pair: tuple[str, SimulatedChest, SimulatedChest]) -> None:
    kind, _, without = pair
    invisible = simulate_chest(replace(PLAIN, lesions=(lesion(kind, contrast=0.0),)))
    np.testing.assert_array_equal(invisible.values, without.values)
    assert invisible.lesions[0][1].any()


def test_more_contrast_changes_more() -> None:
    faint, strong = (
        simulate_chest(replace(PLAIN, lesions=(lesion("cavity", contrast=contrast),))) for contrast in (0.3, 1.0)
    )
    mask = strong.lesions[0][1]
    np.testing.assert_array_equal(mask, faint.lesions[0][1])
    assert strong.values[mask].mean() > faint.values[mask].mean() + 0.02


def test_a_larger_lesion_has_a_larger_mask() -> None:
    small, large = (simulate_chest(replace(PLAIN, lesions=(lesion("nodule", size=size),))) for size in (0.8, 2.0))
    assert large.lesions[0][1].sum() > 2 * small.lesions[0][1].sum()


@pytest.mark.parametrize("sex", ["female", "male"])
@pytest.mark.parametrize("seed", [31, 32])
def test_the_enlarged_heart_is_wider_than_half_the_chest(seed: int, sex: str) -> None:
    settings = replace(PLAIN, seed=seed, sex=sex)  # type: ignore[arg-type]
    normal = cardiothoracic_ratio(simulate_chest(settings))
    enlarged = cardiothoracic_ratio(simulate_chest(replace(settings, lesions=(Lesion("enlarged heart"),))))
    assert 0.38 < normal < 0.53
    assert enlarged > 0.55


def test_a_deeper_breath_gives_larger_lungs() -> None:
    areas = [int(simulate_chest(replace(PLAIN, breath=breath)).lungs.sum()) for breath in (0.0, 0.5, 1.0)]
    assert areas == sorted(areas)
    assert areas[2] > 1.25 * areas[0]


def test_the_heart_points_to_the_right_of_the_image(plain: SimulatedChest) -> None:
    """To the patient's left: most of the heart lies beyond the gap between the lungs' upper parts."""
    upper = plain.lungs[: int(np.nonzero(plain.heart)[0].min())]
    assert middle_column(plain.heart) > middle_column(upper) + 0.03 * SIZE


def test_the_right_dome_is_higher() -> None:
    for seed in (41, 42, 43):
        chest = simulate_chest(replace(PLAIN, seed=seed))
        rows, columns = np.nonzero(chest.lungs)
        away = columns - middle_column(chest.lungs)
        near = (np.abs(away) > 0.24 * SIZE) & (np.abs(away) < 0.28 * SIZE)
        right, left = (max(rows[near & (away * sign > 0)]) for sign in (-1, 1))
        assert right < left


def test_the_marker_is_bright_and_nothing_else_changes() -> None:
    marked, plain = (simulate_chest(replace(PLAIN, seed=2, marker=marker, size=256)) for marker in (True, False))
    changed = marked.values != plain.values
    assert changed.any()
    assert changed.mean() < 0.01
    assert (marked.values[changed] >= plain.values[changed]).all()
    assert np.nonzero(changed)[0].max() < 256 / 3


def test_the_stomachs_gas_is_below_the_left_dome() -> None:
    """On the right of the image, below the lungs' mask, something is much darker than the liver opposite."""
    darker = 0
    for seed in (51, 52, 53, 54):
        chest = simulate_chest(replace(PLAIN, seed=seed))
        middle = int(middle_column(chest.lungs))
        low = int(np.nonzero(chest.lungs[:, middle + SIZE // 6 : middle + SIZE // 4])[0].max())
        right, left = (
            chest.values[low : low + SIZE // 6, part]
            for part in (slice(middle + 10, middle + 50), slice(middle - 50, middle - 10))
        )
        darker += np.percentile(right, 3) < np.percentile(left, 3)
    assert darker == 4


def test_lesions_of_one_chest_do_not_disturb_each_other() -> None:
    alone = simulate_chest(replace(PLAIN, lesions=(lesion("nodule", "left"),)))
    both = simulate_chest(replace(PLAIN, lesions=(lesion("cavity"), lesion("nodule", "left"))))
    assert [kind for kind, _ in both.lesions] == ["cavity", "nodule"]
    np.testing.assert_array_equal(both.lesions[1][1], alone.lesions[0][1])


def test_a_supine_view_enlarges_the_heart_by_projection() -> None:
    standing, lying = (simulate_chest(replace(PLAIN, view=view)) for view in ("PA", "AP"))  # type: ignore[arg-type]
    assert cardiothoracic_ratio(lying) > cardiothoracic_ratio(standing)


def test_less_dose_is_more_noise() -> None:
    image = [simulate_chest(replace(PLAIN, dose=dose)).values for dose in (1e5, 1e8)]
    rough = [np.abs(np.diff(values[20:60, 70:90], axis=0)).mean() for values in image]
    assert rough[0] > rough[1]


def test_it_can_be_used_like_a_file(plain: SimulatedChest) -> None:
    radiograph = plain.radiograph()
    shown = radiograph.windowed()
    np.testing.assert_allclose(shown, plain.values, atol=1e-6)
    assert not radiograph.values.flags.writeable
    assert radiograph.spacing_mm == plain.spacing_mm
    assert 1.5 < plain.spacing_mm[0] < 4
    assert radiograph.taken is None
    assert radiograph.view == "PA"
    assert radiograph.header["Image"] == "simulated"
    assert len(radiograph.sha256) == 64


def test_drawing_settings_is_reproducible_and_varied() -> None:
    drawn = [random_chest(seed, size=SIZE) for seed in range(60)]
    assert drawn == [random_chest(seed, size=SIZE) for seed in range(60)]
    assert {settings.sex for settings in drawn} == {"female", "male"}
    assert {settings.build for settings in drawn} == {"slender", "average", "large"}
    assert {settings.view for settings in drawn} == {"PA", "AP"}
    assert {found.kind for settings in drawn for found in settings.lesions} == set(LESIONS)


def test_drawing_keeps_what_is_given() -> None:
    given = (lesion("nodule"),)
    settings = random_chest(5, lesions=given, view="lateral", size=96)
    assert (settings.lesions, settings.view, settings.size) == (given, "lateral", 96)
    assert replace(settings, lesions=()) == random_chest(5, lesions=(), view="lateral", size=96)


@pytest.mark.parametrize("seed", range(8))
def test_any_drawn_chest_can_be_simulated(seed: int) -> None:
    settings = random_chest(seed, lesions=(lesion(LESIONS[seed % 7]),), size=96)
    chest = simulate_chest(settings)
    assert chest.lungs.mean() > 0.1
    assert chest.lesions[0][1].any()


@pytest.mark.parametrize("case", SAMPLES, ids=lambda case: case.name)
def test_every_sample_can_be_simulated(case) -> None:
    chest = simulate_chest(replace(case.settings, size=128))
    assert chest.lungs.any()
    assert all(mask.any() for _, mask in chest.lesions)
    assert chest.values[chest.lungs].mean() < 0.6


def test_the_samples_show_every_lesion_and_have_names() -> None:
    assert {found.kind for case in SAMPLES for found in case.settings.lesions} == set(LESIONS)
    names = [case.name for case in SAMPLES]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    assert {"cavity", "lateral"} <= set(names)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Lesion("hernia"),
        lambda: Lesion("nodule", side="front"),  # type: ignore[arg-type]
        lambda: Lesion("nodule", size=9.0),
        lambda: Lesion("nodule", contrast=-1.0),
        lambda: ChestSettings(seed=-1),
        lambda: ChestSettings(seed=1, breath=1.5),
        lambda: ChestSettings(seed=1, size=10),
        lambda: ChestSettings(seed=1, rotation=40.0),
        lambda: ChestSettings(seed=1, lesions=(Lesion("nodule"), Lesion("nodule"))),
    ],
)
def test_wrong_settings_are_refused(wrong) -> None:
    with pytest.raises(InputError, match=r"choose|Choose"):
        wrong()
