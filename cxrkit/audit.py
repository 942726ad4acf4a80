"""What the audit of the data sets found: train/audit_split/audit.json, written by `python -m train.audit_split`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxrkit.errors import InputError
from cxrkit.report import Section, as_text

AUDIT = Path(__file__).resolve().parents[1] / "train" / "audit_split" / "audit.json"

_COMMAND = "python -m train.audit_split FOLDER_OR_MANIFEST ... --json train/audit_split/audit.json"

Record = dict[str, Any]
"""JSON."""

_FEWEST = 50
"""Images a side: what is asked of fewer is in the JSON record alone."""


def read_audit(path: Path = AUDIT) -> Record:
    """Read an audit's record.

    Raises:
        InputError: the file is missing, is not JSON, or lacks a part of what `audit_sections` shows.
    """
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
        audit_sections(record)
    except FileNotFoundError:
        raise InputError(f"There is no record of an audit. Make one with: {_COMMAND}") from None
    except (ValueError, AttributeError, KeyError, TypeError):
        # ValueError: neither UTF-8 nor JSON.
        raise InputError(f"The record of the audit is damaged. Make it anew with: {_COMMAND}") from None
    return record


def audit_sections(record: Record) -> list[Section]:
    """A table for each kind of finding."""
    alike = record["thresholds"]["least_correlation_of_resembling"]
    whose = "chests so alike are mostly of one patient on another day, hands need not be"
    kept_out = [
        {"Set": row["set"], "Why": row["reason"], "Images": row["images"]} for row in record["kept_out_of_evaluation"]
    ]
    sections = [
        _section([_set_row(found) for found in record["sets"]]),
        _section(
            [_within_row(found) for found in record["copies_within_sets"]],
            "Copies within a set",
            "(pairs of images; one pair can be of several kinds)",
        ),
        _section(
            [_resembling_row(found) for found in record["resembling_within_sets"]],
            "Alike but no copies",
            f"(correlation from {alike:g}; {whose})",
        ),
        _section([_across_row(found) for found in record["copies_across_sets"]], "Copies across sets"),
        _section(kept_out, "Kept out of evaluation", note=_compared_in_words(record)),
    ]
    how = f"(area under the curve, cross-validated; 0.5 is chance; at least {_FEWEST} images a side)"
    off_the_lungs = f"{how[:-1]}; images with two lungs, the box round them blank)"
    for title, remark, rows in (
        ("Told from borders and histogram alone", how, record["told_from_borders"]),
        ("Told from all that lies outside the lungs", off_the_lungs, record["told_outside_lungs"]),
    ):
        told = [_told_row(row) for row in rows if min(row["positive"], row["negative"]) >= _FEWEST]
        if rows:
            sections.append(_section(told, title, remark))
    return sections


def _section(rows: Sequence[Record], title: str = "", remark: str = "", note: str = "") -> Section:
    return Section(as_text(rows), title, remark, note)


def _compared_in_words(record: Record) -> str:
    """What counts as a copy, and how well known ones were recognised."""
    limits, compared, twice = record["thresholds"], record["compared"], record["one_case_at_two_sizes"]
    words = (
        f"Two images are copies from a correlation of {limits['least_correlation_of_aligned_detail']:g} of their "
        f"aligned detail at {limits['side_of_compared_images']} pixels a side. "
        f"{compared['pairs']:,} pairs were compared."
    )
    if compared["most_alike_that_are_no_copies"] is not None:
        words += f" The most alike that are no copies have {compared['most_alike_that_are_no_copies']:.3f}."
    if twice["cases"]:
        words += (
            f" Of {twice['cases']:,} cases that are stored at two sizes, {twice['recognised']:,} were recognised as "
            "copies of themselves."
        )
    return words


def _set_row(found: Record) -> dict[str, object]:
    return {
        "Set": found["set"],
        "Images": f"{found['images']:,}",
        "With two lungs": "not chests" if found["with_two_lungs"] is None else f"{found['with_two_lungs']:,}",
        "Not readable": found["unreadable"] + found["unusable_rows"],
        "Parts": ", ".join(f"{name} {count:,}" for name, count in found["parts"].items()) or "not given",
        "Patients": "not known" if found["patients"] is None else f"{found['patients']:,}",
        "Patients in two parts": _or_dash(found["patients_in_two_parts"]),
    }


def _within_row(found: Record) -> dict[str, object]:
    return {
        "Set": found["set"],
        "Pairs": found["pairs"],
        "Pixel for pixel": found["identical"],
        "Images in them": found["images"],
        "Between two parts": found["between_two_parts"],
        "With another patient": found["another_patient"],
        "With another class": found["another_class"],
        "With another family": found["another_family"],
    }


def _resembling_row(found: Record) -> dict[str, object]:
    return {
        "Set": found["set"],
        "Pairs": found["pairs"],
        "Known to be of one patient": found["one_patient"],
        "Known to be of two": found["two_patients"],
        "Between two parts": found["between_two_parts"],
    }


def _across_row(found: Record) -> dict[str, object]:
    return {"Sets": found["sets"], "Pairs": found["pairs"], "Pixel for pixel": found["identical"]}


def _told_row(row: Record) -> dict[str, object]:
    return {
        "Sets": row["sets"],
        "What": row["kind"],
        "Question": row["question"],
        "Images": f"{row['positive']:,} against {row['negative']:,}",
        "AUC (95 % interval)": f"{row['auc']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
    }


def _or_dash(value: int | None) -> object:
    return "-" if value is None else value
