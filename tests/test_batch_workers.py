from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cxrkit.batch_case import Answer, Asked, answer_case, essential, open_case
from cxrkit.batch_json import plain
from cxrkit.batch_process import Post
from cxrkit.batch_workers import MOST_TOGETHER, InProcess, Processes
from cxrkit.cases import Case
from cxrkit.errors import InputError, WeightsError
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, fixed_sample, load_model
from tests.batch_children import running

NO_POST = Post("tuberculosis", "none", "0" * 64, "none", Asked(), 1)


class Watched:
    """Jobs that count how many are with an executor when another one is taken."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.answers: dict[int, Answer] = {}
        self.most = 0

    def __iter__(self) -> Iterator[tuple[int, Case]]:
        for place, name in enumerate(self.names):
            self.most = max(self.most, place + 1 - len(self.answers))
            yield place, Case((name,), "1", row={"file": name}, number=place + 2)

    def keep(self, place: int, answer: Answer) -> None:
        assert place not in self.answers, "answered twice"
        self.answers[place] = answer

    @property
    def errors(self) -> list[str]:
        return [self.answers[place].error for place in range(len(self.names))]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for index in range(6):
        values = np.clip(fixed_sample().values[::4, ::4] * (1 - 0.1 * index), 0, 255)
        Image.fromarray(values.astype(np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def small(small_weights: Path) -> LoadedModel:
    return load_model(TUBERCULOSIS, small_weights)


def pretend(child: str, workers: int = 1) -> Processes:
    return Processes(NO_POST, workers, f"tests.batch_children:{child}")


def test_this_process_answers_in_order_and_takes_one_case_more_than_it_works_on(small: LoadedModel, root: Path) -> None:
    jobs = Watched([f"{index % 6}.png" for index in range(9)])
    for place, answer in InProcess(small, root, Asked())(jobs):
        assert place == len(jobs.answers)
        jobs.keep(place, answer)
    assert jobs.most == min(torch.get_num_threads(), MOST_TOGETHER) + 1
    assert all(answer.prediction for answer in jobs.answers.values())


def test_every_case_is_answered_once_though_process_after_process_is_killed() -> None:
    jobs = Watched([f"{index}.png" for index in range(60)])
    killed = 0
    for place, answer in pretend("honest", 3)(jobs):
        jobs.keep(place, answer)
        # Never the same case twice: between two kills all that were at work are done.
        if len(jobs.answers) % 12 == 5:
            running("honest")[0].kill()
            killed += 1
    assert killed == 5
    assert jobs.errors == jobs.names
    # One for each process, and one that was just answered.
    assert jobs.most <= 3 + 1


def test_a_case_that_kills_is_tried_once_more_and_then_listed() -> None:
    jobs = Watched(["a.png", "deadly.png", "b.png", "c.png"])
    for place, answer in pretend("deadly")(jobs):
        jobs.keep(place, answer)
    errors = jobs.errors
    assert "ended 2 times" in errors.pop(1)
    assert errors == ["a.png", "b.png", "c.png"]


def test_a_row_of_any_length_kills_nothing() -> None:
    long = Case(("a.png",), "1", row={"file": "a.png", "report": "x" * 2**21}, number=2)
    assert [answer.error for _, answer in pretend("honest")([(0, long)])] == ["a.png"]


def test_what_is_sent_of_a_case_gets_the_answer_of_the_whole(small_weights: Path, tmp_path: Path) -> None:
    loaded = load_model(BONE_AGE, small_weights)
    Image.fromarray(fixed_sample("hand").values.astype(np.uint8)).save(tmp_path / "a.png")
    answers = []
    for sex in ("F", "M", "", "?"):
        row = {"file": "a.png", "sex": sex, "report": "long"}
        cases = [Case(("a.png",), "94", "P1", row=row, number=7), Case(("b.png",), "94", row=row, number=8)]
        cases.append(Case(("a.png",), "94", row=row, number=9, problem="Row 9 cannot be used."))
        for case in cases:
            sent = essential(BONE_AGE, case)
            assert "long" not in str(plain(sent))
            whole, part = (
                answer_case(loaded, each, open_case(BONE_AGE, each, tmp_path, Asked()), Asked())
                for each in (case, sent)
            )
            assert plain(whole) == plain(part)
            answers.append(str(plain(part)))
    assert len(set(answers)) == 4 + 2, "each sex's own, and what is wrong with the other rows"


def test_processes_that_never_start_end_the_run() -> None:
    with pytest.raises(InputError, match="fewer --workers"):
        list(pretend("stillborn")(Watched(["a.png"])))


def test_what_is_wrong_with_all_is_said_once() -> None:
    with pytest.raises(WeightsError, match=r"No weights\."):
        list(pretend("refusing", 2)(Watched(["a.png", "b.png"])))


def test_weights_that_were_exchanged_meanwhile_are_refused(small_weights: Path, root: Path) -> None:
    post = Post("tuberculosis", str(small_weights), "0" * 64, str(root), Asked(), 1)
    with pytest.raises(WeightsError, match="exchanged"):
        list(Processes(post, 1)(Watched(["0.png"])))


def test_a_run_that_is_left_leaves_no_process() -> None:
    answers = pretend("honest", 2)(Watched([f"{index}.png" for index in range(9)]))
    next(answers)
    assert len(running("honest")) == 2
    answers.close()
    assert not running("honest")


def test_no_more_processes_than_cases() -> None:
    jobs = Watched(["a.png"])
    for place, answer in pretend("honest", 8)(jobs):
        jobs.keep(place, answer)
    assert jobs.errors == ["a.png"]
