"""Every error that a user of the workbench can cause, as one tree.

::

    CxrkitError            anything below; the message is written for the person at the screen
    ├── ImageError         a file cannot be read as an image
    │   ├── ImageTooLarge  it is over a limit on size, pixels, decoded bytes, memory or time
    │   └── FrameRequired  it holds several frames and none was chosen
    ├── FetchError         files could not be fetched, or are not what they should be
    ├── InputError         a crop box, option, size or identifier that cannot be used
    ├── ManifestError      a table of cases that cannot be used
    ├── NotesError         the database of reviewers' notes cannot be reached, read or written
    └── WeightsError       weights are missing, altered, or do not fit this version

A message says what was wrong, what was expected, and what to do. It never holds a file name or text taken
from a header, because messages are logged.
"""


class CxrkitError(Exception):
    """What was wrong with something the user gave, in a sentence for the screen."""


class ImageError(CxrkitError):
    """The file cannot be read as an image."""


class ImageTooLarge(ImageError):
    """The file is over one of the reader's limits."""


class FrameRequired(ImageError):
    """The file holds several frames; one has to be chosen.

    Args:
        frames: how many frames the file holds, at least 2.
    """

    def __init__(self, frames: int) -> None:
        super().__init__(
            f"This file holds {frames} frames and the workbench reads one at a time. Choose a frame from 1 to {frames}."
        )
        self.frames = frames


class FetchError(CxrkitError):
    """Files could not be fetched from the network, or are not what they should be."""


class InputError(CxrkitError):
    """A value given for the analysis cannot be used."""


class ManifestError(CxrkitError):
    """The table of cases cannot be used."""


class NotesError(CxrkitError):
    """The database of reviewers' notes cannot be reached, read or written."""


class WeightsError(CxrkitError):
    """Weights are missing, altered, or do not belong to this version of the task."""
