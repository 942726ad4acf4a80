"""Report rules: how far denials reach, what is no change of a finding, resolved findings; on original sentences."""

import pytest

from train.report_labels.rules import change, label_reports, state

CHANGED = {
    # A denial ends at "and" before another statement, in both directions.
    "The cavity has enlarged and pneumothorax is not seen.": "enlarged",
    "Mass and nodule are larger and the effusion is not seen.": "larger",
    "No fracture and an increased effusion.": "increased",
    "No effusion and increase of the edema.": "increase",
    "No change of the nodule and improvement of the congestion.": "improvement",
    "No mass and the effusion has decreased.": "decreased",
    # Comparison with an earlier time, and further words for more or less.
    "Edema is worse than on the earlier film.": "worse",
    "The cavity is larger than two weeks ago.": "larger",
    "The left effusion is smaller.": "smaller",
    "Nodule, now bigger.": "bigger",
    "The left basal infiltrate has cleared.": "cleared",
    "Near complete clearing of the haze.": "clearing",
    "A consolidation has developed in the lingula.": "has developed",
    "Interval development of a right effusion.": "interval development",
    # Seen now or then only.
    "A small cavity is now visible.": "now visible",
    "Nodule of the left apex, not seen previously.": "not seen previously",
    "The retrocardiac opacity is not seen anymore.": "not seen anymore",
    "Effusion reduced in amount.": "reduced",
    "Reduction of the vascular congestion.": "reduction",
    "The hilar mass shows growth.": "growth",
    # "New" misspelt.
    "Neew nodule below the clavicle.": "neew",
    "Nwe infiltrate beside the heart.": "nwe",
}
UNCHANGED = {
    # A denial goes on over a list, with and without a comma before "or".
    "No cavity, effusion or new infiltrate.": "denied: new",
    "No focal lesion, fresh, new or old.": "denied: new",
    "No sign of increased effusion, new cavity.": "denied: new",
    # A resolution that did not come.
    "The haze has not yet resolved.": "denied: resolved",
    "Failure to improve.": "denied: improve",
    "The infiltrate failed to improve.": "denied: improve",
    # A state that lasts.
    "Stable enlarged cardiac shadow.": "as before: enlarged",
    "The heart remains enlarged.": "as before: enlarged",
    "Stable mildly enlarged heart.": "as before: enlarged",
    "Unchanged enlargement of the hila.": "as before: enlargement",
    "Enlarged heart, unchanged from the prior film.": "as before: enlarged",
    "Increased basal markings, unchanged.": "as before: increased",
    "The increased markings are unchanged.": "as before: increased",
    # Further words for no change.
    "The cavity has not changed.": "not changed",
    "Little change of the effusion.": "little change",
    "Not much change since Monday.": "not much change",
    "Minimal interval change.": "minimal interval change",
    "Unimproved edema.": "unimproved",
    "Unresolved pneumonia.": "unresolved",
    # Words for normal are none for change.
    "No significant change, no significant finding.": "no significant change",
    "The effusion is not smaller.": "denied: smaller",
    "Increased markings and new nodules are not seen.": "denied: new",
    "There is no evidence of new, enlarging or growing nodules.": "denied: growing",
}
SILENT = (
    # Devices.
    "New right subclavian catheter.",
    "The tracheal tube is new.",
    "The drain is no longer seen.",
    # Complaints.
    "New onset fever.",
    "Worsening cough.",
    # What has not happened yet, or may not have.
    "Follow-up film to document resolution.",
    "Repeat the film until resolution.",
    "If the complaints progress, CT is advised.",
    "An increase of the effusion cannot be excluded.",
    "Cannot exclude a new infiltrate.",
    # Technique.
    "Improved inspiration.",
    "Inspiration has improved.",
    "Decreased lung volumes on this film.",
)
STILL_CHANGED = (
    "No effusion, newly developed cavity.",
    "No fracture, the nodule has increased.",
    "New infiltrate around the catheter.",
    "The density around the tube has increased.",
    "Cough and increased markings.",
    "New pacemaker, increased effusion.",
    "CT to confirm the new nodule.",
    "Documented resolution of the effusion.",
    "Increased effusion, unchanged nodule.",
    "The nodule has increased and the effusion is unchanged.",
    "The nodule is still increasing.",
    "No change, new nodule on the left.",
)
"""Not to be lost by the rules above."""
STILL_UNCHANGED = (
    "No growth or new cavity is seen.",
    "No new cavity, increased markings, or effusion.",
    "No increase or decrease of the edema.",
)
STILL_SILENT = (
    "Few nodules now.",
    "The right effusion is larger than the left one.",
    "The larger nodule lies in the left lobe.",
    "Cleared for surgery.",
    "Well developed thorax.",
    "No significant finding.",
    "Negative chest, WNL.",
)
NORMAL = (
    # All findings denied.
    "No cavity, effusion or nodule.",
    "No infiltrate, cavity, or pneumothorax.",
    "No free air, effusion or cavity.",
    "No cavity, nodule or effusion is seen.",
    "Cavity, nodule or effusion is not seen.",
    "Nodule and effusion are not seen.",
    # Findings that have gone.
    "The pneumonia has resolved. No active lung lesion.",
    "The effusion and the nodule have resolved.",
    "Complete clearing of the infiltrate.",
    "The consolidation disappeared.",
    "The cavity is no longer seen.",
    "No longer any effusion.",
    # Words for normal.
    "Normal.",
    "Chest PA view: normal",
    "No evidence of active disease.",
    "No acute disease.",
    "No active pulmonary tuberculosis.",
    "No definite abnormality.",
    "Lungs are well expanded and clear.",
    "Heart and lungs are normal.",
    "Clear both lung fields.",
    "No significant findings on this film.",
    "No specific finding in either lung.",
    "No gross abnormality of the thorax.",
    "Negative chest.",
    "Heart and lungs WNL.",
    "Both lungs are within normal limits.",
    "The lungs are clear of infiltrates.",
    "A pneumonia is ruled out.",
    # No mass.
    "Massive ascites. No active lung lesion.",
    "Chest: no masses, nodules.",
)
ABNORMAL = (
    "GGO of the left upper lobe.",
    "Ground glass attenuation at both bases.",
    "Cardiac enlargement.",
    "Left costophrenic blunting.",
    "Fracture of the sixth rib.",
    "Apical pleural thickening.",
    "Lung cancer near the left hilum.",
    "Collapse of the middle lobe.",
    "Miliary pattern.",
    # A denial that reaches less far.
    "The nodule has increased and pneumothorax and effusion are not seen.",
    "No fracture and the effusion is large.",
    "No fracture and small effusion.",
    "No abnormality other than cardiomegaly.",
    "No significant finding except a nodule of the left apex.",
    "Heart WNL, infiltrate in the lingula.",
)
STILL_ABNORMAL = (
    "The pneumonia has partially resolved.",
    "Near complete resolution of the effusion.",
    "The effusion has not resolved.",
    "The pneumonia failed to resolve.",
    "The effusion has resolved and a nodule persists.",
    "No fracture, effusion is noted.",
    "No fracture, small effusion.",
    "No cavity, stable nodule.",
    "No prior film, effusion on the left.",
    "No change in the effusion, nodule on the left.",
    "The heart is not enlarged, nodule on the left.",
    "Pneumonia can not be excluded, no active lesion.",
)
NEITHER = (
    "History of tuberculosis.",
    "The left lung is clear.",
    "The lungs are not clear.",
    "Lung volumes are normal.",
    "Normal heart size.",
    "No acute bony abnormality.",
    "No new cavity.",
    "No significant change.",
    "No significant interval change of the findings.",
    "Findings are not significant.",
    "Nonspecific finding at the left base.",
    "No change of active tuberculosis.",
    "No increase of the nodule.",
    "Rule out pneumonia.",
    "Breast cancer.",
)


@pytest.mark.parametrize(("sentence", "word"), CHANGED.items())
def test_change_is_found_with_its_word(sentence: str, word: str) -> None:
    found = change(sentence)
    assert found.value is True
    assert word in found.words


@pytest.mark.parametrize(("sentence", "word"), UNCHANGED.items())
def test_no_change_is_found_with_its_word(sentence: str, word: str) -> None:
    found = change(sentence)
    assert found.value is False
    assert word in found.words


@pytest.mark.parametrize("sentence", SILENT + STILL_SILENT)
def test_other_sentences_say_nothing_of_change(sentence: str) -> None:
    assert change(sentence).value is None


@pytest.mark.parametrize("sentence", STILL_CHANGED)
def test_change_beside_something_else_is_found(sentence: str) -> None:
    assert change(sentence).value is True


@pytest.mark.parametrize("sentence", STILL_UNCHANGED)
def test_lists_stay_denied(sentence: str) -> None:
    assert change(sentence).value is False


@pytest.mark.parametrize("sentence", NORMAL)
def test_normal_reports(sentence: str) -> None:
    found = state(sentence)
    assert found.value is False
    assert found.words


@pytest.mark.parametrize("sentence", ABNORMAL + STILL_ABNORMAL)
def test_abnormal_reports(sentence: str) -> None:
    assert state(sentence).value is True


@pytest.mark.parametrize("sentence", NEITHER)
def test_reports_that_say_neither(sentence: str) -> None:
    assert state(sentence).value is None


@pytest.mark.parametrize(
    ("baseline", "follow_up", "name"),
    [
        ("Pneumonia.", "No consolidation, effusion or nodule.", "abnormal, change"),
        ("Left effusion.", "No effusion.", "abnormal, change"),
        # The lungs need not be normal because the pleura is.
        ("Pneumonia.", "No pneumothorax.", "abnormal, no change"),
        ("No cavity, nodule or effusion.", "No new lesion.", "normal, no change"),
    ],
)
def test_denied_findings_of_the_follow_up(baseline: str, follow_up: str, name: str) -> None:
    assert label_reports(baseline, follow_up).name == name
