"""The score of own pairs, whose region is known on the follow-up alone."""

from dataclasses import replace

from cxrkit.quiz.judging import MarkFound, Read
from cxrkit.quiz.score import tally
from tests.test_quiz import outcome


def test_a_mark_that_nobody_can_hold_to_a_region_is_no_miss() -> None:
    inside = outcome(1, "abnormal", "abnormal", inside=True)
    elsewhere = replace(inside, question="q2", learner=Read("abnormal", True, None, True, None))
    nothing = replace(inside, question="q3", learner=Read("abnormal", True, None, False, None))
    found = tally([inside, elsewhere, nothing], "learner")
    assert found.regions == 2, "a place that was not marked is a miss"
    assert found.inside is not None
    assert found.inside.value == 0.5
    assert tally([elsewhere], "learner").inside is None
    network = tally([inside, elsewhere, nothing], "network")
    assert network.regions == 3
    assert inside.network.mark == MarkFound(False, 0.1)
