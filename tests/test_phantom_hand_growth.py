"""Skeletal maturation of simulated hands: order of appearance and fusion, never back, girls ahead; the atlas strip."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from cxrkit.errors import InputError
from cxrkit.phantoms import ATLAS_AGES, atlas
from cxrkit.phantoms.hand_growth import CARPALS, TUBULAR, appearance, carpal, epiphysis, fusion, hand_length, ossified
from cxrkit.phantoms.settings import Sex

SEXES: tuple[Sex, ...] = ("female", "male")


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize("finger", [2, 3, 4, 5])
def test_epiphyses_of_a_finger_appear_in_the_published_order(sex: Sex, finger: int) -> None:
    """Gilsanz and Ratib: proximal phalanges, metacarpals, middle phalanges, distal phalanges; middle finger first."""
    ages = [appearance(f"{kind} {finger}", sex) for kind in ("proximal phalanx", "metacarpal", "middle phalanx")]
    assert ages == sorted(ages)
    assert appearance(f"proximal phalanx {finger}", sex) < appearance(f"distal phalanx {finger}", sex)
    for kind in ("proximal phalanx", "middle phalanx", "distal phalanx"):
        assert appearance(f"{kind} 3", sex) <= appearance(f"{kind} {finger}", sex)


@pytest.mark.parametrize("sex", SEXES)
def test_growth_plates_close_in_the_published_order(sex: Sex) -> None:
    order = ["distal phalanx 3", "metacarpal 3", "proximal phalanx 3", "middle phalanx 3", "ulna", "radius"]
    ages = [fusion(name, sex) for name in order]
    assert ages == sorted(ages)
    for name in TUBULAR:
        closed = fusion(name, sex)
        assert epiphysis(name, sex, closed - 16).union == 0
        assert 0 < epiphysis(name, sex, closed - 8).union < 1
        assert epiphysis(name, sex, closed).union == 1


@pytest.mark.parametrize("sex", SEXES)
def test_maturity_never_goes_back(sex: Sex) -> None:
    ages = range(1, 241)
    for name in TUBULAR:
        stages = [epiphysis(name, sex, age) for age in ages]
        for before, after in pairwise(stages):
            assert after.width >= before.width
            assert after.height >= before.height
            assert after.shape >= before.shape
            assert after.union >= before.union
            assert after.scar <= before.scar
        assert stages[0].present is False
        assert stages[-1].union == 1
    for name in CARPALS:
        sizes = [carpal(name, sex, age).width for age in ages]
        assert sizes == sorted(sizes)
        assert sizes[-1] == 1
    lengths = [hand_length(sex, age) for age in ages]
    assert lengths == sorted(lengths)
    counts = [len(ossified(sex, age)) for age in ages]
    assert counts == sorted(counts)


def test_girls_are_ahead_of_boys() -> None:
    for name in (*TUBULAR, *CARPALS, "adductor sesamoid"):
        assert appearance(name, "female") < appearance(name, "male"), name
    for name in TUBULAR:
        assert 10 < fusion(name, "male") - fusion(name, "female") < 30, name


def test_the_atlas_holds_one_child_about_the_age() -> None:
    strip = atlas("male", 100, count=5)
    ages = [settings.age_months for settings in strip]
    assert ages == sorted(ages)
    assert ages[2] == 96
    assert len({settings.seed for settings in strip}) == 1
    assert [settings.age_months for settings in atlas("female", 1, 3)] == list(ATLAS_AGES[:3])
    assert [settings.age_months for settings in atlas("female", 240, 3)] == list(ATLAS_AGES[-3:])


@pytest.mark.parametrize("sex", SEXES)
def test_atlas_neighbours_differ_in_maturity(sex: Sex) -> None:
    """Between any two ages of the atlas a centre appears, grows, widens or fuses by an amount that shows."""
    for before, after in pairwise(ATLAS_AGES):
        steps = [
            after_one - before_one for before_one, after_one in zip(*map(_state(sex), (before, after)), strict=True)
        ]
        assert max(steps) > 0.05, (before, after)


def _state(sex: Sex) -> Callable[[float], list[float]]:
    def at(age: float) -> list[float]:
        stages = [epiphysis(name, sex, age) for name in TUBULAR]
        parts = [
            part for stage in stages for part in (stage.width, stage.height, stage.shape, stage.union, -stage.scar)
        ]
        return parts + [carpal(name, sex, age).width for name in CARPALS]

    return at


@pytest.mark.parametrize(("age", "count"), [(0.0, 5), (300.0, 5), (60.0, 0), (60.0, 99)])
def test_a_strip_that_cannot_be_is_refused(age: float, count: int) -> None:
    with pytest.raises(InputError, match="choose"):
        atlas("male", age, count)
