"""Training in stages of growing image size, as the command line writes them."""

from collections.abc import Iterable, Sequence

from cxrkit.errors import InputError

Stage = tuple[int, int, int]
"""Side of the images, epochs, and how many an epoch draws."""


def read_stages(text: str, drawn: str = "IMAGES") -> tuple[Stage, ...]:
    """ "128:5:4000,256:8:1500" -> ((128, 5, 4000), (256, 8, 1500)).

    Args:
        text: of the command line.
        drawn: what an epoch draws, for the message.

    Raises:
        InputError: anything else.
    """
    try:
        stages = [tuple(int(number) for number in stage.split(":")) for stage in text.split(",")]
        found = tuple((size, epochs, count) for size, epochs, count in stages)
    except ValueError as error:
        raise InputError(
            f"The stages are “{text}”; write SIZE:EPOCHS:{drawn}, such as 128:5:4000,256:8:1500."
        ) from error
    if min(number for stage in found for number in stage) < 1:
        raise InputError(f"The stages are “{text}”; all their numbers have to be at least 1.")
    return found


def stages_in_words(stages: Iterable[Sequence[int]]) -> str:
    """((192, 40, 9000),) -> "40 x 9,000 at 192 px"."""
    return ", ".join(f"{epochs} x {drawn:,} at {size} px" for size, epochs, drawn in stages)
