"""Which model the models page shows: a list of all shipped weights, and the link that names one of them."""

from dataclasses import dataclass

import streamlit as st

from cxrkit.card import Card, read_card
from cxrkit.errors import WeightsError
from cxrkit.tasks import TASKS
from pages.ui import models

PARAMETER = "model"
"""Of a link, such as models?model=bone_age."""

KEY = "models.model"
_LINKED = "models.linked"


@dataclass(frozen=True)
class Shown:
    """A set of weights as the page speaks of it; the attributes are those of a Task."""

    name: str
    title: str
    source: str
    intended_use: str
    limits: tuple[str, ...]
    train_command: str


_HELPERS = (
    Shown(
        name="lung_field",
        title="Lung field",
        source="A small U-Net (Ronneberger et al. 2015) that marks the lungs on a frontal chest radiograph.",
        intended_use="The automatic crop of the chest tasks, and the share of heat that lies inside the lungs.",
        limits=(),
        train_command="python -m train.lung_field FOLDER",
    ),
    Shown(
        name="image_guard",
        title="Image guard",
        source="A small convolutional network that tells frontal chests and hands from everything else.",
        intended_use="To stop what is not the kind of image that a task reads, before it gets a score.",
        limits=(),
        train_command="python -m train.image_guard FOLDER",
    ),
)

MODELS = {
    one.name: one
    for one in (
        *(Shown(t.name, t.title, t.source, t.intended_use, t.limits, t.train_command) for t in TASKS),
        *_HELPERS,
    )
}
"""By name, in the order of the list."""


def follow_link() -> None:
    """Keep what the page's address asks for, before anything can send the browser to another one."""
    if PARAMETER in st.query_params:
        st.session_state[_LINKED] = st.query_params[PARAMETER]


def choose_model() -> Shown:
    """The list; a link sets it, and the address follows it, so that it can be passed on."""
    linked = st.session_state.pop(_LINKED, None)
    if linked in MODELS:
        st.session_state[KEY] = linked
    elif linked is not None:
        st.warning("The link names a model that is not here. Choose one from the list.", icon=":material/link_off:")
    name = st.selectbox(
        "Model",
        list(MODELS),
        format_func=lambda name: MODELS[name].title,
        key=KEY,
        on_change=_address,
        persist_state="session",
    )
    if st.query_params.get(PARAMETER) != name:
        st.query_params[PARAMETER] = name
    return MODELS[name]


def _address() -> None:
    """Before the page runs again, or its old address would set the list back."""
    st.query_params[PARAMETER] = st.session_state[KEY]


def read_shown_card(shown: Shown) -> Card:
    """The card of the weights.

    Raises:
        WeightsError: it is missing or damaged; says the command that makes the weights.
    """
    try:
        return read_card(models.WEIGHTS / shown.name / "card.json")
    except WeightsError as error:
        raise WeightsError(f"{error} Make the weights with: `{shown.train_command}`") from None
