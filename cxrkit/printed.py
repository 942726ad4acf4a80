"""What the commands print: JSON for programs, aligned lines for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cxrkit.bone_age import SD_SOURCE, in_words

if TYPE_CHECKING:
    from cxrkit.age_reading import AgeReading
    from cxrkit.batch import LeftOut, Outcome
    from cxrkit.evaluate import Evaluation
    from cxrkit.finding_reading import FindingsReading
    from cxrkit.predict import Prediction
    from cxrkit.scan_reading import ScanReading
    from cxrkit.weights import LoadedModel

MOST_LINES = 20
"""Files that are listed for people; the table and --json have all."""


def analysis(loaded: "LoadedModel", prediction: "Prediction", doubts: Sequence[str], seconds: float) -> dict[str, Any]:
    """What --json prints of one case."""
    result: dict[str, Any] = {
        "task": loaded.task.name,
        "weights": loaded.card.sha256,
        "scores": dict(prediction.scores),
        "threshold": prediction.called_from,
        "label": prediction.label,
        "warnings": [*doubts, *prediction.warnings],
        "seconds": round(seconds, 3),
    }
    if prediction.further:
        result["further"] = {question: dict(scores) for question, scores in prediction.further.items()}
        asked = {label for scores in prediction.further.values() for label in scores}
        limits = {label: limit for label, limit in loaded.card.thresholds.items() if label in asked}
        if limits:
            result["further_thresholds"] = limits
    if prediction.matching:
        result["matching"] = list(prediction.matching)
    if prediction.age is not None:
        result["age"] = _age(prediction.age)
    if prediction.scan is not None:
        result["scan"] = _scan(prediction.scan)
    if prediction.findings is not None:
        result |= _findings(prediction.findings)
    return result


def _findings(reading: "FindingsReading") -> dict[str, Any]:
    """In the order of the task's labels."""
    return {
        "called": list(reading.called),
        "findings": [asdict(finding) | {"called": finding.called} for finding in reading.findings],
    }


def _scan(reading: "ScanReading") -> dict[str, Any]:
    return {
        "agreement": reading.verdict,
        "claim": asdict(reading.claim),
        "series_description": reading.series,
        "radiopharmaceutical": reading.tracer,
        "view": reading.view,
        "counts": reading.counts,
        "stated_counts": reading.stated_counts,
        "cannot_tell_between": reading.band,
        "cannot_tell_reason": reading.reason,
        "alignment": {
            "method": reading.method,
            "shift": reading.shift,
            "normalised_mutual_information": reading.information,
        },
    }


def _age(reading: "AgeReading") -> dict[str, Any]:
    found: dict[str, Any] = {
        "expected_months": reading.expected,
        "expected": in_words(reading.expected),
        "likeliest_months": reading.likeliest,
        "interval_months": reading.interval,
        "interval_coverage": reading.coverage,
        "sex": reading.sex,
        "chronological_months": reading.age,
    }
    if reading.sd is not None:
        score = reading.sd.score
        found["sd_score"] = None if score is None else asdict(score)
        if score is None:
            found["sd_score_reason"] = reading.sd.reason
    return found


def summary(found: "Evaluation", weights: str, seconds: float) -> dict[str, Any]:
    """What --json prints: every figure by name; an undefined one is null with a reason."""
    figures: dict[str, Any] = {}
    for metric in found.metrics:
        figures[metric.name] = {k: v for k, v in asdict(metric).items() if k not in {"name", "part"}}
    for missing in found.undefined:
        figures[missing.name] = {"value": None, "low": None, "high": None, "reason": missing.reason}
    return {
        "task": found.task,
        "weights": weights,
        "positive": found.positive,
        "threshold": found.threshold,
        "cases": found.cases,
        "failed": found.failed,
        "metrics": figures,
        "seconds": round(seconds, 3),
    }


def batch(task: str, weights: str, found: "Outcome", strangers: Sequence[str], seconds: float) -> dict[str, Any]:
    """What --json prints of many cases that were analysed into a table.

    Args:
        task: identifier.
        weights: SHA-256.
        found: what became of the cases.
        strangers: files that are no images, which are not in the table.
        seconds: that it took.
    """
    return {
        "task": task,
        "weights": weights,
        "cases": found.cases,
        "failed": len(found.left_out),
        **rest(found),
        "no_image": list(strangers),
        "seconds": round(seconds, 3),
    }


def rest(found: "Outcome") -> dict[str, Any]:
    """What --json prints of any batch: rows that a former run had finished or that have warnings, cases left out."""
    left_out = [asdict(case) for case in found.left_out]
    return {"resumed": found.resumed, "warned": found.warned, "left_out": left_out}


def warned_lines(warned: int, cases: int) -> list[str]:
    """A line where cases have warnings, which stand in the table alone."""
    if not warned:
        return []
    return [f"{warned} of {cases} cases have warnings: see the column warnings of the predictions"]


def batch_lines(result: Mapping[str, Any], left_out: "Sequence[LeftOut]") -> str:
    """The same for people."""
    rows = [("task", result["task"]), ("weights", result["weights"][:12])]
    rows += [("cases", f"{result['cases']}"), ("analysed", f"{result['cases'] - result['failed']}")]
    if result["resumed"]:
        rows.append(("of a former run", f"{result['resumed']}"))
    new = result["cases"] - result["resumed"]
    rows.append(("seconds", f"{result['seconds']:.2f}"))
    rows.append(("rate", f"{new / max(result['seconds'], 0.001):.2f} cases a second"))
    told = warned_lines(result["warned"], result["cases"])
    return "\n".join([_aligned(rows), *told, *left_out_lines(left_out), *_shortened("no image", result["no_image"])])


def left_out_lines(left_out: "Sequence[LeftOut]") -> list[str]:
    """One line for each case that was left out, as far as they can be overlooked."""
    return _shortened("left out", [_left_out(case) for case in left_out])


def _left_out(case: "LeftOut") -> str:
    row = "" if case.row is None else f"row {case.row}, "
    return f"{row}{' and '.join(case.files)}: {case.reason}"


def _shortened(word: str, names: Sequence[str]) -> list[str]:
    shown = [f"{word}: {_one_line(name)}" for name in names[:MOST_LINES]]
    return shown + ([f"{word}: {len(names) - MOST_LINES} more"] if len(names) > MOST_LINES else [])


def _one_line(text: str) -> str:
    """Without line breaks, bytes that are no UTF-8 and what drives a terminal, all of which names of files may have."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def strict(value: Mapping[str, Any]) -> str:
    """JSON as RFC 8259 has it: no NaN, no Infinity."""
    return json.dumps(value, indent=1, allow_nan=False)


def lines(result: Mapping[str, Any]) -> str:
    """The same for people."""
    rows = [("task", result["task"]), ("weights", result["weights"][:12])]
    if "age" in result:
        rows += _age_lines(result["age"])
    elif "findings" in result:
        rows += _finding_lines(result["findings"])
        rows.append(("called", ", ".join(result["called"]) or result["label"]))
    else:
        rows += [(f"score {label}", f"{score:.3f}") for label, score in result["scores"].items()]
        rows += [("threshold", f"{result['threshold']:.3f}"), ("label", result["label"])]
    for question, scores in result.get("further", {}).items():
        rows += [(f"{question}, score {label}", f"{score:.3f}") for label, score in scores.items()]
    rows += [(f"threshold {label}", f"{limit:.3f}") for label, limit in result.get("further_thresholds", {}).items()]
    if "matching" in result:
        rows.append(("matching by stage", ", ".join(f"{cosine:.3f}" for cosine in result["matching"])))
    if "scan" in result:
        rows += _scan_lines(result["scan"])
    rows += [("warning", warning) for warning in result["warnings"]]
    rows += [("seconds", f"{result['seconds']:.2f}")]
    return _aligned(rows)


def _scan_lines(scan: Mapping[str, Any]) -> list[tuple[str, str]]:
    claim, alignment = scan["claim"], scan["alignment"]
    rows = [("cannot tell", scan["cannot_tell_reason"])] if scan["cannot_tell_reason"] else []
    rows += [
        ("agreement", scan["agreement"]),
        ("header's claim", claim["kind"] or claim["reason"]),
        ("series", scan["series_description"] or "not stated"),
        ("radiopharmaceutical", scan["radiopharmaceutical"] or "not stated"),
        ("view", scan["view"] or "not stated"),
        ("counts", "not known" if scan["counts"] is None else f"{scan['counts']:,}"),
        ("alignment", f"{alignment['method']}, {alignment['shift'][0]:+d} right, {alignment['shift'][1]:+d} down"),
    ]
    return rows


def _finding_lines(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    rows = []
    for finding in findings:
        limit = finding["remark"] if finding["threshold"] is None else f"called from {finding['threshold']:.3f}"
        interval = "" if finding["interval"] is None else " ({:.3f} to {:.3f})".format(*finding["interval"])
        mark = " *" if finding["called"] else ""
        rows.append((f"score {finding['label']}", f"{finding['score']:.3f}{interval}, {limit}{mark}"))
    return rows


def _age_lines(age: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("bone age", f"{age['expected']} ({age['expected_months']:.1f} months)")]
    if age["interval_months"] is not None:
        low, high = age["interval_months"]
        promised = age["interval_coverage"]
        name = "interval" if promised is None else f"{100 * promised:.0f} % interval"
        rows.append((name, f"{low:.1f} to {high:.1f} months"))
    rows.append(("likeliest class", f"{age['likeliest_months']:.0f} months"))
    rows.append(("sex", age["sex"] or "not stated"))
    score = age.get("sd_score")
    if score is not None:
        rows.append(("SD score", f"{score['value']:+.2f}, {score['verdict']}"))
        rows.append(("SD", f"{score['standard_deviation']:g} months at {score['table_age']} months; {SD_SOURCE}"))
    elif "sd_score_reason" in age:
        rows.append(("SD score", age["sd_score_reason"]))
    return rows


def table(found: "Evaluation") -> str:
    """What is printed of an evaluation for people."""
    rows = [("figure", "value", "95 % interval", "")]
    for metric in found.metrics:
        between = "" if metric.low is None or metric.high is None else f"{metric.low:.3f} to {metric.high:.3f}"
        rows.append((metric.name, f"{metric.value:.3f}", between, metric.note))
    rows += [(missing.name, "-", "", missing.reason) for missing in found.undefined]
    called = "" if found.positive is None else f"; positive class: {found.positive}"
    used = f"{found.cases - found.failed} of {found.cases} cases measured{called}"
    failed = f"\n{found.failed} left out: see the column error of the predictions" if found.failed else ""
    return f"{used}{failed}\n{_aligned(rows)}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
