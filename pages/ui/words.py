"""Numbers and lists as the screen says them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxrkit.bone_age import in_words
from cxrkit.task import ModelInput

if TYPE_CHECKING:
    from cxrkit.bone_age import SdScore
    from cxrkit.metrics import Interval

_PERCENT = "\N{NO-BREAK SPACE}%"


def share(value: float) -> str:
    """A score or threshold in [0, 1]: two digits; three below 0.1 and above 0.99, where two say little."""
    # Rounded first: 0.1 may come as 0.09999999999999998.
    return f"{value:.2f}" if round(value, 3) >= 0.1 and value <= 0.99 else f"{value:.3f}"


def percent(value: float) -> str:
    """A share in [0, 1] as a percentage: "63 %"; one decimal near the ends, where it tells 99.6 % from all."""
    shown = f"{100 * value:.0f}" if 0.1 <= value <= 0.9 or value in {0, 1} else f"{100 * value:.1f}"
    return f"{shown}{_PERCENT}"


def percent_interval(interval: "Interval", *, ends: bool = True) -> str:
    """A share with its interval: "78.9 % (75.0 to 82.4)"; with more decimals where one would not tell it from 0 or
    100 %, or the interval's ends from each other.

    Args:
        interval: of a share in [0, 1].
        ends: whether to say the interval.
    """
    shown = (interval.value, interval.low, interval.high) if ends else (interval.value,)
    digits = next((digits for digits in range(1, 4) if _distinct(shown, digits)), 4)
    value, *others = (f"{100 * each:.{digits}f}" for each in shown)
    return f"{value}{_PERCENT} ({' to '.join(others)})" if ends else f"{value}{_PERCENT}"


def _distinct(shares: Sequence[float], digits: int) -> bool:
    """Rounded to so many decimals of a percent, shares stay apart from 0, 100 % and the least from the greatest."""
    rounded = [round(100 * share, digits) for share in shares]
    inside = [short for short, share in zip(rounded, shares, strict=True) if 0 < share < 1]
    return all(0 < short < 100 for short in inside) and (min(rounded) < max(rounded) or min(shares) == max(shares))


def place(value: float, limit: float) -> str:
    """Where a score lies: "above the threshold 0.50"; with more digits where two would show no difference."""
    side = "above" if value > limit else "below" if value < limit else "at"
    shown = f"{limit:.4f}" if share(value) == share(limit) and value != limit else share(limit)
    return f"{side} the threshold {shown}"


def points(difference: float) -> str:
    """A signed difference of two scores in points of a hundred: "+12.0 points"."""
    return f"{100 * difference:+.1f} points".replace("-", "−")


def signed(value: float) -> str:
    """One decimal and a sign: "+2.4", "−0.3"; never "−0.0"."""
    return f"{round(value, 1) + 0.0:+.1f}".replace("-", "−")


def sd_in_words(score: "SdScore") -> str:
    """An SD score with as many decimals as it takes to lie on its verdict's side of two: "+2.4", "+2.03"."""
    for digits in (1, 2, 3):
        shown = round(score.value, digits) + 0.0
        if (abs(shown) <= 2) == (abs(score.value) <= 2):
            break
    return f"{shown:+.{digits}f}".replace("-", "−")


def short_age(months: float) -> str:
    """An age for a table: "8 y 3 m".

    Raises:
        InputError: as in_words.
    """
    return (
        in_words(months).replace(" years", " y").replace(" year", " y").replace(" months", " m").replace(" month", " m")
    )


def interval_name(coverage: float | None) -> str:
    """ "90 % interval"."""
    return "Interval" if coverage is None else f"{percent(coverage)} interval"


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
    if edits.turn is not None:
        parts.append(f"turned by {90 * edits.turn}° clockwise" if edits.turn else "not turned")
    if edits.swap is not None:
        parts.append("black and white swapped" if edits.swap else "black and white not swapped")
    return "; ".join(parts).replace("-", "−") or "none"
