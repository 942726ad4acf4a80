"""Claims of the sources beside what the cards hold."""

from dataclasses import replace

import pytest

from cxrkit.card import WEIGHTS, Card, Metric, read_card
from cxrkit.operating_point import WHO_TRIAGE
from cxrkit.report import NOT_MEASURED, reproduction, reproduction_sections, shipped_cards
from cxrkit.reproduction import NOT_REPORTED, SYSTEMS, Claim, Measured, Studied, System
from cxrkit.tasks import TASKS
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.models_for_tests import small_card

STUDY = Studied("Four networks", {"network": "ResNet-18"}, "accuracy")
METRIC = Metric("AUC", "test part", 0.81234, 0.75, 0.86, 1200)
each_system = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.task)


def card(**changed: object) -> Card:
    return replace(small_card(TUBERCULOSIS), **changed)  # type: ignore[arg-type]


def row(claim: Claim, of: Card | None) -> dict[str, str]:
    (only,) = reproduction(System("tuberculosis", "System", "someone", (claim,), "", ()), of).rows
    return only


def test_every_task_has_a_source() -> None:
    tasks = [system.task for system in SYSTEMS]
    assert len(tasks) == len(set(tasks)) == 5
    assert {task.name for task in (*TASKS, NIH14)} == set(tasks)


@each_system
def test_a_system_is_complete(system: System) -> None:
    assert system.reference
    assert system.contradictions
    assert all(claim.what and claim.claimed for claim in system.claims)
    assert any(claim.anchor for claim in system.claims)
    assert any(claim.claimed != NOT_REPORTED for claim in system.claims)


@each_system
def test_figures_of_ours_are_on_the_shipped_card(system: System) -> None:
    """A part that is renamed must not turn a figure into "not measured yet" unseen."""
    if not (WEIGHTS / system.task / "card.json").is_file():
        pytest.skip("no weights of this task are shipped yet")
    shipped = read_card(WEIGHTS / system.task / "card.json")
    wanted = [claim.ours for claim in system.claims if isinstance(claim.ours, Measured)]
    assert wanted
    assert [one for one in wanted if one.look_up(shipped) is None] == []


@each_system
def test_studies_on_the_shipped_card_are_found(system: System) -> None:
    """Nor may a study, a network or a column that is renamed."""
    if not (WEIGHTS / system.task / "card.json").is_file():
        pytest.skip("no weights of this task are shipped yet")
    shipped = read_card(WEIGHTS / system.task / "card.json")
    wanted = [claim.ours for claim in system.claims if isinstance(claim.ours, Studied)]
    assert wanted
    assert [one for one in wanted if one.look_up(shipped) is None] == []


def test_one_figure_of_the_sources_is_left_blank() -> None:
    """Change between two images of other hospitals: no such pairs are public."""
    blank = [(system.task, claim.what) for system in SYSTEMS for claim in system.claims if claim.ours is None]
    assert blank == [("followup", "AUC for change, two external tests")]


def test_a_figure_comes_from_the_card_alone() -> None:
    claim = Claim("AUC", "0.9", Measured("AUC", "test part"), "0.8")
    assert row(claim, card(metrics=(METRIC,))) == {
        "Figure": "AUC",
        "The source claims": "0.9",
        "Ours (95 % interval)": "0.812 (0.750 to 0.860)",
        "Ours was measured on": "test part (n = 1,200)",
        "Honest anchor": "0.8",
    }
    moved = row(claim, card(metrics=(replace(METRIC, value=0.5, low=None),)))
    assert moved["Ours (95 % interval)"] == "0.500"


@pytest.mark.parametrize("of", [None, small_card(TUBERCULOSIS)], ids=["no card", "a card without the figure"])
@pytest.mark.parametrize("ours", [Measured("AUC", "test part"), STUDY, None], ids=["metric", "study", "nothing"])
def test_what_no_card_holds_is_not_measured_yet(of: Card | None, ours: Measured | Studied | None) -> None:
    found = row(Claim("AUC", "0.9", ours), of)
    assert found["Ours (95 % interval)"] == NOT_MEASURED
    assert found["Ours was measured on"] == ""


def test_a_study_is_found_by_its_row_and_the_largest_budget_goes_first() -> None:
    def table(accuracy: str) -> list[dict[str, object]]:
        return [{"network": "VGG-16", "accuracy": "0.1"}, {"network": "ResNet-18", "accuracy": accuracy, "size": 96}]

    tables = {"Four networks (small budget)": table("0.7"), "Four": table("0.2")}
    claim = Claim("accuracy", "0.92", STUDY)
    small = row(claim, card(tables=tables))
    assert small["Ours (95 % interval)"] == "0.7"
    assert small["Ours was measured on"] == "Four networks (small budget)"
    tables["Four networks (medium budget)"] = table("0.75")
    assert row(claim, card(tables=tables))["Ours (95 % interval)"] == "0.75"
    full = row(claim, card(tables=tables | {"Four networks (full budget)": table("0.8")}))
    assert full["Ours (95 % interval)"] == "0.8"
    assert STUDY.look_up(card(tables={"Four networks (small budget)": [{"network": "ResNet-18"}]})) is None


def test_all_five_are_shown_also_without_weights() -> None:
    sections = reproduction_sections({})
    assert [section.title for section in sections] == [system.title for system in SYSTEMS]
    assert {each["Ours (95 % interval)"] for section in sections for each in section.rows} == {NOT_MEASURED}
    assert all("leaves something open:\n\n- " in section.note for section in sections)


def test_shipped_cards_are_those_of_the_systems() -> None:
    assert set(shipped_cards(WEIGHTS)) <= {system.task for system in SYSTEMS}
    assert {"followup", "tuberculosis", "bone_age", "vq"} <= set(shipped_cards(WEIGHTS))


def test_who_s_target_is_the_one_of_the_operating_point() -> None:
    (system,) = [system for system in SYSTEMS if system.task == "tuberculosis"]
    anchors = {claim.anchor for claim in system.claims if claim.what.startswith("specificity at")}
    assert anchors == {f"WHO's target for triage: at least {WHO_TRIAGE.specificity:.3f}"}
