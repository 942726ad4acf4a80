"""Damaged tables of cases, cards and weights: each is read or refused with the one error of its kind."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cxrkit.card import Card, read_card
from cxrkit.cases import class_index, read_manifest, resolve
from cxrkit.errors import InputError, ManifestError, WeightsError
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import load_model, read_weights
from tests.fuzz import SEED
from tests.fuzz.mutator import ANY

TABLES, CARDS, VALUES, WEIGHTS = 600, 300, 200, 60
SOUND = (
    "file,target,patient_id,family\r\none.png,1,A,north\r\n"
    '"folder/two, half.dcm",tuberculosis,B,"north ""east"""\r\n' + "three.png,0,C,süd\r\n" * 5
)
PIECES = (
    '"',
    ",",
    ";",
    "\t",
    "\0",
    "\r",
    "\n",
    "\ufeff",
    "..",
    "/",
    "\\",
    "é",
    "\ud7ff",
    "a" * 140_000,
    "1e999",
    "\x1a",
    "",
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    "",
    "text",
    0,
    -1,
    1e308,
    10**400,
    True,
    [],
    [[]],
    {},
    {"a": []},
    "\0",
    [None],
    [1e308],
)


def damaged(number: int, data: bytes) -> bytes:
    """Bytes with one to three kinds of damage of the files' fuzzer."""
    chance = random.Random(f"{SEED}:{number}")
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(ANY)(chance, data, data[::-1])
    return data


def with_pieces(number: int, text: str) -> bytes:
    """Text with what separates, quotes and ends put in here and there."""
    chance = random.Random(f"{SEED}:{number}")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(PIECES) + text[at + chance.choice((0, 0, 1, 3)) :]
    return text.encode(chance.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig")))


def test_damaged_tables_are_read_or_refused(tmp_path: Path) -> None:
    table, read = tmp_path / "cases.csv", 0
    for number in range(TABLES):
        table.write_bytes(damaged(number, SOUND.encode()) if number % 2 else with_pieces(number, SOUND))
        try:
            cases = read_manifest(table)
        except ManifestError as error:
            assert_sentence(error, number)
            continue
        read += 1
        for case in cases:
            for use in (lambda each: class_index(each, TUBERCULOSIS.labels), lambda each: resolve(each, tmp_path)):
                refused_politely(use, case, number)
    assert TABLES // 10 < read < TABLES


def refused_politely(use: Callable[[Any], object], case: Any, number: int) -> None:
    try:
        use(case)
    except (ManifestError, InputError) as error:
        assert_sentence(error, number)


def assert_sentence(error: Exception, number: int) -> None:
    text = str(error)
    assert text[0].isupper(), (number, text)
    assert text.endswith((".", "`")), (number, text)
    assert len(text) < 400, (number, text)


def test_damaged_cards_are_read_or_refused(small_weights: Path, tmp_path: Path) -> None:
    data, file, read = (small_weights / TUBERCULOSIS.name / "card.json").read_bytes(), tmp_path / "card.json", 0
    for number in range(CARDS):
        file.write_bytes(damaged(number, data))
        try:
            read += isinstance(read_card(file), Card)
        except WeightsError as error:
            assert_sentence(error, number)
    assert 0 < read < CARDS


def test_cards_with_odd_values_are_used_or_refused(small_weights: Path, tmp_path: Path) -> None:
    """JSON that is sound, with one value of another type or size, before a network is made of it."""
    task = TUBERCULOSIS
    folder = tmp_path / task.name
    folder.mkdir()
    (folder / "model.safetensors").write_bytes((small_weights / task.name / "model.safetensors").read_bytes())
    card = json.loads((small_weights / task.name / "card.json").read_text(encoding="utf-8"))
    refused = 0
    for number in range(VALUES):
        chance = random.Random(f"{SEED}:{number}")
        changed = json.loads(json.dumps(card))
        place: Any = changed
        key: Any = chance.choice(sorted(changed))
        while isinstance(place[key], (dict, list)) and place[key] and chance.random() < 0.5:
            place = place[key]
            key = chance.choice(sorted(place)) if isinstance(place, dict) else chance.randrange(len(place))
        place[key] = chance.choice(ODD_VALUES)
        (folder / "card.json").write_text(json.dumps(changed), encoding="utf-8")
        try:
            load_model(task, tmp_path)
        except WeightsError:
            refused += 1
    assert VALUES // 2 < refused < VALUES


@pytest.mark.parametrize("vouched", [False, True], ids=["card of the sound ones", "card that vouches for them"])
def test_damaged_weights_are_read_or_refused(small_weights: Path, tmp_path: Path, vouched: bool) -> None:
    source = small_weights / TUBERCULOSIS.name
    data, card = (source / "model.safetensors").read_bytes(), json.loads((source / "card.json").read_text())
    head = 8 + int.from_bytes(data[:8], "little")
    refused = 0
    for number in range(WEIGHTS // 2):
        # The tensors themselves may hold any bits, so most of the damage goes to the head.
        harmed = damaged(number, data[:head]) + data[head:] if number % 4 else damaged(number, data)
        (tmp_path / "model.safetensors").write_bytes(harmed)
        digest = {"sha256": hashlib.sha256(harmed).hexdigest()} if vouched else {}
        (tmp_path / "card.json").write_text(json.dumps(card | digest))
        try:
            read_weights(tmp_path, "make")
        except WeightsError:
            refused += 1
    assert refused == WEIGHTS // 2 if not vouched else 0 < refused < WEIGHTS // 2 + 1
