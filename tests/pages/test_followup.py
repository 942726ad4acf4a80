"""The follow-up page: two images, honest checks, odd combinations. More images are in test_timeline.py."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrkit.card import Metric
from cxrkit.explain import Method
from cxrkit.explain_pair import INTERSECTION_BY_METHOD, Overlay
from cxrkit.phantoms import PAIR_SAMPLES, ChestSettings, HandSettings, simulate_chest, simulate_hand
from cxrkit.predict import beats_chance
from cxrkit.registration import register
from cxrkit.tasks.followup import FOLLOW_UP
from pages.ui.pair_checks import fit_in_words, usual_ranges
from pages.ui.pair_reading import overlay_names
from pages.ui.pair_results import pointing_in_words
from tests.models_for_tests import small_card, small_loaded
from tests.pages.conftest import chest, png
from tests.pages.followup_page import NAME, days, page, second_chest, texts, upload

__all__ = ["page"]


def test_an_empty_page_says_what_is_missing_and_offers_a_simulated_pair(page: AppTest) -> None:
    assert not page.exception
    assert "Still missing: Baseline and Follow-up" in texts(page)
    assert page.button(key=f"{NAME}.first_sample").label.startswith("Open a simulated pair")


def test_one_image_alone_is_not_compared(page: AppTest) -> None:
    upload(page, png())
    assert not page.exception
    assert "Still missing: Follow-up" in texts(page)
    assert not page.metric


def test_two_images_get_scores_a_reading_and_three_checks(page: AppTest) -> None:
    upload(page, png(), png(second_chest()))
    assert not page.exception
    assert not page.error
    assert [metric.label for metric in page.metric] == [
        "Score for change",
        "Baseline: score for abnormal",
        "Follow-up: score for abnormal",
    ]
    said = texts(page)
    for part in ("The order swapped", "The anatomy matched", "One laid over the other", "**Reading.**"):
        assert part in said
    assert "have different sizes" in said
    assert "days apart not known" in said


def test_days_can_be_typed(page: AppTest) -> None:
    upload(page, png(), png(second_chest()))
    days(page)[0].set_value(30).run()
    assert "30 days apart" in texts(page)


def test_days_of_one_pair_are_not_those_of_the_next(page: AppTest) -> None:
    upload(page, png(), png(second_chest()))
    days(page)[0].set_value(30).run()
    upload(page, png(second_chest()), png())
    assert days(page)[0].value is None
    assert "days apart not known" in texts(page)


def test_an_enlarged_follow_up_has_to_be_taken_smaller() -> None:
    follow_up = chest()
    middle = (follow_up.shape[1] / 2, follow_up.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, 0, 1.12)
    enlarged = cv2.warpAffine(follow_up.astype(np.float32), matrix, follow_up.shape[::-1])
    fit = register(np.float32(follow_up / 255), np.float32(enlarged / 255))
    assert fit.scale == pytest.approx(1.12, abs=0.02)
    assert f"taken {1 / fit.scale:.2f} times as large" in fit_in_words(fit)
    assert "0.8" in fit_in_words(fit) or "0.9" in fit_in_words(fit)


def test_the_same_file_twice_is_said_to_be_the_same(page: AppTest) -> None:
    upload(page, png(), png())
    assert "are the same image: nothing can have changed" in texts(page)


def test_a_bad_file_is_refused_beside_a_good_one(page: AppTest) -> None:
    upload(page, png(), b"no image at all")
    assert not page.exception
    assert len(page.error) == 1
    assert "Still missing: Follow-up" in texts(page)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: np.random.default_rng(0).random((256, 256)), "**Follow-up.**"),
        (lambda: simulate_chest(ChestSettings(seed=3, view="lateral", size=320)).values, "a lateral chest radiograph"),
        (
            lambda: simulate_hand(HandSettings(seed=31, age_months=100, sex="male", size=320)).values,
            "a radiograph of a hand",
        ),
    ],
    ids=["noise", "lateral view", "hand"],
)
def test_what_is_no_frontal_chest_is_stopped_by_name(
    page: AppTest, other: Callable[[], np.ndarray], words: str
) -> None:
    upload(page, png(), png(np.round(other() * 255)))
    assert "**Follow-up.**" in texts(page)
    assert words in texts(page)
    assert not page.metric
    page.button(key=f"{NAME}.Follow-up.anyway").click().run()
    assert page.metric


def test_every_overlay_is_shown_and_says_what_it_is(page: AppTest) -> None:
    page.button(key=f"{NAME}.first_sample").click().run()
    captions = set()
    for overlay in Overlay:
        page.selectbox(key=f"{NAME}.overlay_mode").select(overlay).run()
        assert not page.exception, overlay
        captions.add(next(str(one.value) for one in page.caption if "what the network read" in str(one.value)))
    assert len(captions) == len(Overlay)


def test_evidence_for_no_change_need_lie_on_no_lesion(page: AppTest) -> None:
    page.button(key=f"{NAME}.first_sample").click().run()
    assert "the heat lies inside it" in texts(page)
    page.selectbox(key=f"{NAME}.label").select("no change").run()
    assert "That evidence need not lie on what has changed" in texts(page)
    assert "the heat lies inside it" not in texts(page)


def test_a_simulated_pair_is_judged_against_its_truth(page: AppTest) -> None:
    page.button(key=f"{NAME}.first_sample").click().run()
    said = texts(page)
    assert "Simulated images: no patient" in said
    assert "**something has changed**" in said
    page.button(key=f"{NAME}.leave_sample").click().run()
    assert "Still missing" in texts(page)


def test_two_simulated_patients_have_no_right_answer(page: AppTest) -> None:
    name = next(sample.name for sample in PAIR_SAMPLES if sample.settings.other_seed is not None)
    page.selectbox(key=f"{NAME}.sample").select(name).run()
    assert "neither “change” nor “no change” is right" in texts(page)
    assert "nothing has changed" not in texts(page)


def test_both_files_can_be_taken_away(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.ui import export

    made: dict[str, object] = {}
    monkeypatch.setattr(
        export.st, "download_button", lambda label, data, **_: made.__setitem__(label, data()), raising=True
    )
    page.button(key=f"{NAME}.first_sample").click().run()
    assert not page.exception
    result = json.loads(str(made["Result (JSON)"]))
    assert set(result["scores"]) == {"no change", "change"}
    assert len(result["matching"]) == len(result["matching_usual"]) == 4
    assert result["reading"].split(" ")[0] in {"Both", "Baseline", "Change.", "No"}
    assert "irection" in result["reading"]
    assert set(result["order_swapped"]) == set(result["scores"])
    assert "threshold_abnormal" in result
    assert result["days_apart"] == PAIR_SAMPLES[0].settings.days
    assert set(result["heatmap"]) == {"overlay", "label", "method", "raw_maxima"}
    picture = made["Both overlays (PNG)"]
    assert isinstance(picture, bytes)
    assert Image.open(io.BytesIO(picture)).width > 2000
    page.selectbox(key=f"{NAME}.overlay_mode").select(Overlay.LESION_CHANGE).run()
    result = json.loads(str(made["Result (JSON)"]))
    assert set(result["heatmap"]) == {"overlay", "strongest_probability"}


def test_what_is_doubtful_stands_in_both_files(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.ui import export, pair_export

    made: dict[str, object] = {}
    monkeypatch.setattr(
        export.st, "download_button", lambda label, data, **_: made.__setitem__(label, data()), raising=True
    )
    legends: list[str] = []
    monkeypatch.setattr(pair_export, "with_legend", lambda _, lines, **__: legends.extend(lines) or b"", raising=True)
    upload(page, png(), png())
    warnings = json.loads(str(made["Result (JSON)"]))["warnings"]
    assert any("are the same image" in text for text in warnings)
    assert len(set(warnings)) == len(warnings), "each is said once"
    assert "are the same image" in " ".join(legends)


def test_the_caption_says_how_often_the_overlay_points_at_the_change() -> None:
    def rate(name: str, value: float, part: str = "made, all with change") -> Metric:
        return Metric(f"pointing game, {name}", part, value, value - 0.1, value + 0.1, 630, "")

    figures = (rate("lesions come or gone", 0.77), rate("chance", 0.09), rate("lesions come or gone", 0.9, "called"))
    rows = [{"method": "Grad-CAM", "all": "0.390 (0.350 to 0.430)"}, {"method": "HiResCAM", "all": "0.560"}]
    card = replace(small_card(FOLLOW_UP), metrics=figures, tables={INTERSECTION_BY_METHOD: rows})
    lesions = "0.770 (0.670 to 0.870)"
    said = pointing_in_words(card, Overlay.INTERSECTION, Method.GRAD_CAM)
    assert f"**0.390 (0.350 to 0.430)** of them; that of “Lesions come or gone” in {lesions}; by chance 0.09" in said
    assert "**0.560**" in pointing_in_words(card, Overlay.INTERSECTION, Method.HIRES_CAM)
    assert f"**{lesions}** of them; by chance" in pointing_in_words(card, Overlay.LESION_CHANGE, Method.GRAD_CAM)
    assert pointing_in_words(card, Overlay.UNION, Method.GRAD_CAM) == ""
    assert pointing_in_words(card, Overlay.INTERSECTION, Method.LAYER_CAM) == "", "not measured"
    assert pointing_in_words(small_card(FOLLOW_UP), Overlay.INTERSECTION, Method.GRAD_CAM) == ""


def test_lesions_come_or_gone_are_judged_whichever_way_they_went(page: AppTest) -> None:
    page.button(key=f"{NAME}.first_sample").click().run()
    page.selectbox(key=f"{NAME}.overlay_mode").select(Overlay.LESION_CHANGE).run()
    assert "ours, not the source's" in texts(page)
    assert "There is no heat to compare" not in texts(page)


def test_a_network_without_maps_of_lesions_offers_none() -> None:
    without = SimpleNamespace(model=SimpleNamespace(lesions=None))
    assert not any(overlay.of_lesions for overlay in overlay_names(without))  # type: ignore[arg-type]
    assert overlay_names(small_loaded(FOLLOW_UP)) == tuple(Overlay)


def test_a_direction_is_given_only_while_its_figures_beat_chance() -> None:
    card = small_card(FOLLOW_UP)
    good = Metric("direction AUC", "made pairs", 0.9, 0.8, 0.95, 100, "")
    poor = Metric("direction AUC", "nih", 0.6, 0.4, 0.7, 20, "")
    assert not beats_chance(card, good.name)
    assert beats_chance(replace(card, metrics=(good,)), good.name)
    assert not beats_chance(replace(card, metrics=(good, poor)), good.name)


def test_the_usual_range_comes_from_the_card() -> None:
    rows = [{"stage": 1, "low": "0.5", "high": "0.9"}, {"stage": 3, "low": 0.1, "high": 0.2}]
    assert usual_ranges(rows, 4) == [(0.5, 0.9), None, (0.1, 0.2), None]
