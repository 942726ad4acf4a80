"""An audit's record as Markdown, and the part of README that is written from it."""

import re

from cxrkit.errors import InputError
from cxrkit.report import markdown_table
from train.audit_split.findings import Record

_FEWEST = 50
"""Images a side: what is asked of fewer is in the JSON record alone."""

_PART = re.compile(r"(<!-- audit -->\n).*?(<!-- end -->)", re.DOTALL)


def audit_markdown(record: Record) -> str:
    """A short table for each kind of finding."""
    limits, compared, twice = record["thresholds"], record["compared"], record["one_case_at_two_sizes"]
    parts = [
        markdown_table([_set_row(found) for found in record["sets"]]),
        "**Copies within a set** (pairs of images; one pair can be of several kinds)",
        markdown_table([_within_row(found) for found in record["copies_within_sets"]]),
        f"**Alike but no copies** (correlation from {limits['least_correlation_of_resembling']:g}; chests so alike are "
        "mostly of one patient on another day, hands need not be)",
        markdown_table([_resembling_row(found) for found in record["resembling_within_sets"]]),
        "**Copies across sets**",
        markdown_table([_across_row(found) for found in record["copies_across_sets"]]) or "None.",
        "**Kept out of evaluation**",
        markdown_table(
            [
                {"Set": row["set"], "Why": row["reason"], "Images": row["images"]}
                for row in record["kept_out_of_evaluation"]
            ]
        )
        or "None.",
        f"Two images are copies from a correlation of {limits['least_correlation_of_aligned_detail']:g} of their "
        f"aligned detail at {limits['side_of_compared_images']} pixels a side. "
        f"{compared['pairs']:,} pairs were compared.",
    ]
    if compared["most_alike_that_are_no_copies"] is not None:
        parts[-1] += f" The most alike that are no copies have {compared['most_alike_that_are_no_copies']:.3f}."
    if twice["cases"]:
        parts[-1] += (
            f" Of {twice['cases']:,} cases that are stored at two sizes, {twice['recognised']:,} were recognised as "
            "copies of themselves."
        )
    if record["told_from_borders"]:
        parts += [
            "**Told from borders and histogram alone** (area under the curve, cross-validated; 0.5 is chance; "
            f"at least {_FEWEST} images a side)",
            markdown_table(
                [
                    _told_row(row)
                    for row in record["told_from_borders"]
                    if min(row["positive"], row["negative"]) >= _FEWEST
                ]
            ),
        ]
    return "\n\n".join(parts)


def check_part(readme: str) -> None:
    """Refuse a text that has no part for an audit: before minutes of work, not after."""
    if not _PART.search(readme):
        raise InputError("This text has no part that starts with <!-- audit --> and ends with <!-- end -->. Add it.")


def with_audit(readme: str, record: Record) -> str:
    """README with the part between `<!-- audit -->` and `<!-- end -->` written anew from a record.

    Raises:
        InputError: it has no such part.
    """
    check_part(readme)
    table = audit_markdown(record)
    return _PART.sub(lambda match: f"{match[1]}{table}\n{match[2]}", readme)


def _set_row(found: Record) -> dict[str, object]:
    return {
        "Set": found["set"],
        "Images": f"{found['images']:,}",
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
