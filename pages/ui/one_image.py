"""The image of a page that reads one: chosen, on its way to the viewer, and passed by the image guard."""

from cxrkit.task import Task
from pages.ui.analysis import begin_to_prepare
from pages.ui.guard import begin_guard, passes_guard
from pages.ui.results import show_soon
from pages.ui.simulated import Samples
from pages.ui.uploads import Chosen, choose_image


def one_image(task: Task, label: str, samples: Samples, viewer_key: str) -> Chosen | None:
    """Let the user choose an image; None while there is none that may be analysed.

    Args:
        task: of the page.
        label: what to upload, in words.
        samples: simulated cases on offer.
        viewer_key: of the viewer that will show it.

    Raises:
        ImageError: the file cannot be read.
        WeightsError: the guard's weights are missing, or do not know this kind of image.
    """
    chosen = choose_image(task.name, label, samples)
    if chosen is None:
        return None
    # Side by side: what the guard looks at, what the network will read, and the image's way to the browser.
    begin_guard(task, chosen.image)
    begin_to_prepare(task, chosen.image)
    show_soon([chosen.image], viewer_key)
    return chosen if passes_guard(task, chosen.image) else None
