"""How the network of findings learned, for teaching: AUC of each epoch, and what its GAN drew at several stages."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cxrkit.errors import WeightsError
from cxrkit.finding_training import read_epochs, read_stages
from cxrkit.task import Task
from pages.ui.charts import show_figure
from pages.ui.finding_plot import epochs_figure
from pages.ui.models import weights_folder

if TYPE_CHECKING:
    from cxrkit.finding_training import Epoch, Stages

_ENLARGED = 2
"""Pixels of the page for one of a generated image."""


def training_for_teaching(task: Task) -> None:
    """Curves and generated images, or a sentence on what is missing."""
    folder = weights_folder(task)
    try:
        _curves(task, read_epochs(folder))
    except WeightsError as error:
        st.info(str(error), icon=":material/school:")
    try:
        _pictures(read_stages(folder))
    except WeightsError as error:
        st.info(str(error), icon=":material/school:")


def _curves(task: Task, epochs: "tuple[Epoch, ...]") -> None:
    st.markdown("**AUC of each epoch**, the mean over labels with enough images")
    show_figure(
        epochs_figure(epochs),
        key=f"{task.name}.epochs",
        alt="Macro AUC of each epoch on training and validation images; the caption holds the best one.",
    )
    best = max(epochs, key=lambda epoch: epoch.validation)
    st.caption(
        f"Training: images that the network learned from. Validation: patients kept out, who choose the epoch. Best: "
        f"epoch {best.number + 1}, {best.validation:.3f} in validation and {best.training:.3f} in training. Where "
        "training goes on rising and validation doesn't, the network learns its images by heart. The card's figures "
        "are of a third part, which chose nothing."
    )


def _pictures(stages: "Stages") -> None:
    st.markdown("**What the generator draws**, from the same random numbers at each stage")
    for images, iteration in zip(stages.images, stages.iterations, strict=True):
        row = np.concatenate(list(images), axis=1)
        st.image(
            np.repeat(np.repeat(row, _ENLARGED, axis=0), _ENLARGED, axis=1),
            caption=f"After {iteration:,} steps" if iteration > 1 else "After the first step",
            output_format="PNG",
            alt=f"Generated images after {iteration} steps of training",
        )
    st.caption(
        "All of these images are generated: they show no patient. A second network learned to tell them from real "
        "radiographs, and its features are joined with the transformer's when yours is read."
    )
