"""Follow-up radiographs of real patients, where the user has had them fetched; and the button that fetches them."""

import streamlit as st

from cxrkit.hannover_samples import (
    ATTRIBUTION,
    HOST,
    REAL_SAMPLES,
    RealSample,
    read_sample,
    samples_folder,
    series,
    to_fetch,
    total_bytes,
)
from cxrkit.image import Radiograph, read_image
from pages.ui.errors import errors_shown
from pages.ui.visits import Visit, visit_names
from pages.ui.words import megabytes


def real_visits(key: str) -> list[Visit]:
    """The images of the real patient in use, with whose they are and the way back; none where none is in use.

    Raises:
        FetchError: a file is no longer what was fetched.
    """
    patient = st.session_state.get(_chosen(key))
    found = series(samples_folder()).get(patient, []) if patient else []
    if not found:
        return []
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/person: **Radiographs of a real patient.** {_title(str(patient), found)}. What they show is "
            "not known here, so nothing is said of what is right.",
            width="stretch",
        )
        st.button("Remove", key=f"{key}.leave_real", icon=":material/close:", on_click=_use, args=(key, None))
    _attribute(key)
    images = [_read(sample.sha256, sample) for sample in found]
    return [
        Visit(name, image, day=sample.day, attribution=ATTRIBUTION)
        for name, image, sample in zip(visit_names(len(found)), images, found, strict=True)
    ]


def offer_real(key: str) -> None:
    """Patients whose images are there, or what fetching them would do and the button that does it."""
    folder = samples_folder()
    there = series(folder)
    with st.expander("Radiographs of real patients", icon=":material/person:", key=f"{key}.real", on_change="rerun"):
        if there:
            with st.container(horizontal=True):
                for patient, found in there.items():
                    st.button(
                        _title(patient, found),
                        key=f"{key}.real.{patient}",
                        on_click=_use,
                        args=(key, patient),
                    )
            _attribute(f"{key}.there")
        if lacking := to_fetch(folder):
            _offer_fetch(key, lacking)


def _offer_fetch(key: str, lacking: list[RealSample]) -> None:
    """What the button will do is said before it is pressed."""
    folder, size = samples_folder(), megabytes(total_bytes(lacking))
    st.markdown(
        f"A press of the button fetches {len(lacking)} radiographs, {size} in all, from **{HOST}** into the folder "
        f"`{folder}` on the machine that the workbench runs on. They are of patients with COVID-19, with days between "
        "them. Nothing of yours is sent: the other side learns this machine's address and which files were asked for. "
        "Each file is checked by its SHA-256. Without this button, or the command `python -m cxrkit samples`, the "
        "workbench fetches nothing.",
    )
    _attribute(f"{key}.lacking")
    if st.button(f"Fetch {len(lacking)} radiographs ({size})", key=f"{key}.fetch_real", icon=":material/download:"):
        with errors_shown():
            _fetch(lacking)
            st.rerun()


def _fetch(lacking: list[RealSample]) -> None:
    from cxrkit.samples_command import fetch_samples

    total, bar = total_bytes(lacking), st.progress(0.0, "Fetching …")
    fetch_samples(
        samples_folder(),
        told=lambda count: bar.progress(min(count / total, 1.0), f"{megabytes(count)} of {megabytes(total)}"),
    )


def _attribute(key: str) -> None:
    """Whose images they are; presenter mode, which leaves out captions, leaves this one."""
    with st.container(key=f"{key}.attribution"):
        st.caption(ATTRIBUTION)


def _title(patient: str, found: list[RealSample]) -> str:
    """ "Patient A: 3 images over 38 days"."""
    days = found[-1].day - found[0].day
    return f"Patient {patient}: {len(found)} images over {days} {'day' if days == 1 else 'days'}"


@st.cache_resource(max_entries=len(REAL_SAMPLES), ttl=3600, show_spinner=False)
def _read(sha256: str, _sample: RealSample) -> Radiograph:
    """Shared by all sessions: the files are public, and nobody changes what is read of them."""
    return read_image(read_sample(samples_folder(), _sample), _sample.name)


def _chosen(key: str) -> str:
    return f"_real.{key}"


def _use(key: str, patient: str | None) -> None:
    st.session_state[_chosen(key)] = patient
