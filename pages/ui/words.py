"""Numbers and lists as the screen says them."""

from collections.abc import Sequence

from cxrkit.task import ModelInput


def share(value: float) -> str:
    """A score or threshold in [0, 1]: two digits, three where two would round it to almost 0 or 1."""
    return f"{value:.2f}" if 0.01 <= value <= 0.99 else f"{value:.3f}"


def place(value: float, limit: float) -> str:
    """Where a score lies: "above the threshold 0.50"; with more digits where two would show no difference."""
    side = "above" if value > limit else "below" if value < limit else "at"
    shown = f"{limit:.4f}" if share(value) == share(limit) and value != limit else share(limit)
    return f"{side} the threshold {shown}"


def points(difference: float) -> str:
    """A signed difference of two scores in points of a hundred: "+12.0 points"."""
    return f"{100 * difference:+.1f} points".replace("-", "−")


def movement(before: float, after: float) -> str:
    """How far an edit moved the score, as a sentence."""
    if abs(after - before) < 0.0005:
        return "The edits do not move the score (less than 0.05 points)."
    return f"The edits move the score by {points(after - before)}, from {share(before)} to {share(after)}."


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""


def megabytes(count: int) -> str:
    """Bytes for people: "350 kB", "1.2 MB"."""
    return f"{count / 1024**2:.1f} MB" if count >= 1024**2 else f"{max(1, round(count / 1024))} kB"


def edits_in_words(edits: ModelInput) -> str:
    """What differs from the task's own preparation: "crop 10, 20, 300, 310; brightness +0.10"; "none"."""
    parts = []
    if edits.crop is not None:
        parts.append("crop " + ", ".join(str(edge) for edge in edits.crop))
    if edits.brightness:
        parts.append(f"brightness {edits.brightness:+.2f}")
    if edits.contrast != 1:
        parts.append(f"contrast {edits.contrast:.2f}")
    if edits.sharpness:
        parts.append(f"sharpness {edits.sharpness:+.1f}")
    if edits.size is not None:
        parts.append(f"size {edits.size}")
    return "; ".join(parts).replace("-", "−") or "none"
