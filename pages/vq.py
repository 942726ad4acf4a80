"""V/Q scan type: a day's planar lung scans against their headers, and a closer look at each."""

from functools import partial

import streamlit as st

from cxrkit.card import Card
from cxrkit.scan_reading import band_of
from cxrkit.tasks.vq import VQ as TASK
from pages.ui.about import about_model
from pages.ui.errors import errors_shown
from pages.ui.models import load, read_task_card
from pages.ui.scan_export import scans_csv
from pages.ui.scan_files import ScanFile, choose_files
from pages.ui.scan_groups import offer_groups
from pages.ui.scan_opened import chosen_frame, insisted, show_scan
from pages.ui.scan_rows import Asked, Row, read_day
from pages.ui.scan_table import ask_scan, in_order, say_what_is_wrong, summary, table
from pages.ui.shell import page


def ask(file: ScanFile) -> Asked:
    """How a file is to be read, as the user last said."""
    asked = Asked(file, chosen_frame(TASK.name, file.upload.sha256), False)
    return Asked(file, asked.frame, asked.image_key in insisted(TASK.name))


def show_day(rows: list[Row], card: Card) -> None:
    """What has to be looked at, the table, and one scan."""
    st.markdown(summary(rows))
    say_what_is_wrong(rows)
    table(TASK.name, rows, band_of(card.thresholds))
    st.download_button(
        "Table (CSV)",
        partial(scans_csv, rows, card),
        file_name=f"{TASK.name}-scans.csv",
        mime="text/csv",
        key=f"{TASK.name}.csv",
        icon=":material/table:",
        on_click="ignore",
        help="No file name, date, or text of a header is in it.",
    )
    show_scan(TASK, card, ask_scan(TASK.name, rows))


with page(TASK.title, TASK.summary):
    card = read_task_card(TASK)
    with errors_shown():
        files = choose_files(TASK.name)
        if files:
            show_day(in_order(read_day(load(TASK), [ask(file) for file in files])), card)
        else:
            offer_groups(TASK, card)
    about_model(TASK, card)
