"""What an audit found, counted: patients in two parts, copies within and across sets, what borders tell."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from train.audit_split.confounds import Told
from train.audit_split.copies import Copy
from train.audit_split.duplicates import (
    ALIKE,
    NEAR,
    NEAREST,
    RESEMBLING,
    SIDE,
    SURE,
    Pair,
    copies_among,
    resembling_among,
)
from train.audit_split.sets import Entry, ImageSet, Pictures

Record = dict[str, Any]
"""JSON."""

_KINDS: dict[str, Callable[[Entry, Entry], bool]] = {
    "within_one_part": lambda a, b: a.case.split == b.case.split,
    "between_two_parts": lambda a, b: a.case.split != b.case.split,
    "another_patient": lambda a, b: None not in (a.patient, b.patient) and a.patient != b.patient,
    "another_class": lambda a, b: a.case.row.get("target", "") != b.case.row.get("target", ""),
    "another_family": lambda a, b: a.case.family != b.case.family,
}
"""What makes a pair of copies of one set a finding; one pair can be several of them."""


def record_of(
    sets: Sequence[ImageSet],
    pictures: Pictures,
    compared: Sequence[Pair],
    borders: Sequence[Told],
    outside: Sequence[Told],
    copies: Sequence[Copy],
) -> Record:
    """All findings as JSON: counts, figures and thresholds, no list of files."""
    entries, pairs = pictures.entries, copies_among(compared)
    return {
        "thresholds": {
            "side_of_compared_images": SIDE,
            "hash_bits_that_may_differ": NEAR,
            "hash_bits_always_compared": SURE,
            "nearest_compared": NEAREST,
            "least_correlation_of_aligned_detail": ALIKE,
            "least_correlation_of_resembling": RESEMBLING,
        },
        "compared": {
            "pairs": len(compared),
            "most_alike_that_are_no_copies": max(
                (p.correlation for p in compared if p.correlation < ALIKE), default=None
            ),
        },
        "sets": [_set_record(found, pictures) for found in sets],
        "copies_within_sets": [_within(found.name, pictures, pairs) for found in sets],
        "resembling_within_sets": [_resembling(found.name, entries, compared) for found in sets],
        "copies_across_sets": _across(entries, pictures.digests, pairs),
        "one_case_at_two_sizes": _known_answers(entries, pairs),
        "kept_out_of_evaluation": [
            {"set": name, "reason": reason, "images": count}
            for (name, reason), count in sorted(Counter((copy.set, copy.reason) for copy in copies).items())
        ],
        "told_from_borders": [_told(one) for one in borders],
        "told_outside_lungs": [_told(one) for one in outside],
    }


def _told(one: Told) -> Record:
    return {
        "sets": one.question.sets,
        "kind": one.question.kind,
        "question": one.question.words,
        "positive": one.positive,
        "negative": one.negative,
        "auc": round(one.auc.value, 4),
        "low": round(one.auc.low, 4),
        "high": round(one.auc.high, 4),
    }


def patients_in_two_parts(found: ImageSet) -> list[str]:
    """Patients of whom more than one part has images, sorted."""
    parts: dict[str, set[str]] = {}
    for case in found.cases:
        if case.patient is not None and case.split is not None:
            parts.setdefault(case.patient, set()).add(case.split)
    return sorted(patient for patient, names in parts.items() if len(names) > 1)


def _set_record(found: ImageSet, pictures: Pictures) -> Record:
    patients = {case.patient for case in found.cases} - {None}
    parts = Counter(case.split for case in found.cases if case.split is not None)
    shown = [
        features
        for entry, features in zip(pictures.entries, pictures.outside, strict=True)
        if entry.set_name == found.name
    ]
    return {
        "set": found.name,
        "cases": len(found.cases),
        "images": len(shown),
        "with_two_lungs": sum(features is not None for features in shown) or None,
        "unreadable": pictures.unreadable[found.name],
        "unusable_rows": found.unusable,
        "parts": dict(sorted(parts.items())),
        "patients": len(patients) or None,
        "patients_in_two_parts": len(patients_in_two_parts(found)) if patients and parts else None,
    }


def _within(name: str, pictures: Pictures, pairs: Sequence[Pair]) -> Record:
    """Pairs of cases, whatever the number of sizes at which a case is stored."""
    near: dict[tuple[int, int], tuple[Entry, Entry]] = {}
    identical = set()
    for pair in pairs:
        a, b = pictures.entries[pair.first], pictures.entries[pair.second]
        if a.set_name != name or b.set_name != name or a.number == b.number:
            continue
        key = (min(a.number, b.number), max(a.number, b.number))
        near[key] = (a, b)
        if pictures.digests[pair.first] == pictures.digests[pair.second]:
            identical.add(key)
    kinds = {kind: sum(holds(a, b) for a, b in near.values()) for kind, holds in _KINDS.items()}
    images = len({number for key in near for number in key})
    return {"set": name, "pairs": len(near), "identical": len(identical), "images": images, **kinds}


def _resembling(name: str, entries: Sequence[Entry], compared: Sequence[Pair]) -> Record:
    """Pairs of cases that are alike but no copies: how many are of one patient, where that is known."""
    pairs = {}
    for pair in resembling_among(compared):
        a, b = entries[pair.first], entries[pair.second]
        if a.set_name == b.set_name == name and a.number != b.number:
            pairs[min(a.number, b.number), max(a.number, b.number)] = (a, b)
    known = [(a, b) for a, b in pairs.values() if a.patient is not None and b.patient is not None]
    one = sum(a.patient == b.patient for a, b in known)
    across = sum(_KINDS["between_two_parts"](a, b) for a, b in pairs.values())
    return {
        "set": name,
        "pairs": len(pairs),
        "one_patient": one,
        "two_patients": len(known) - one,
        "between_two_parts": across,
    }


def _across(entries: Sequence[Entry], digests: Sequence[str], pairs: Sequence[Pair]) -> list[Record]:
    near: dict[tuple[str, str], set[tuple[int, int]]] = {}
    identical: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        a, b = entries[pair.first], entries[pair.second]
        if a.set_name != b.set_name:
            near.setdefault((a.set_name, b.set_name), set()).add((a.number, b.number))
            identical[a.set_name, b.set_name] += digests[pair.first] == digests[pair.second]
    return [{"sets": f"{a}, {b}", "pairs": len(found), "identical": identical[a, b]} for (a, b), found in near.items()]


def _known_answers(entries: Sequence[Entry], pairs: Sequence[Pair]) -> Record:
    """How many cases that are stored at two sizes were recognised: pairs whose answer is known."""
    sizes = Counter(entry.same_case for entry in entries)
    stored = {case for case, count in sizes.items() if count > 1}
    matched = {
        entries[pair.first].same_case
        for pair in pairs
        if entries[pair.first].same_case == entries[pair.second].same_case
    }
    return {"cases": len(stored), "recognised": len(matched & stored)}
