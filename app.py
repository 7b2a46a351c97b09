"""The panel: `streamlit run app.py`. As a module it is the server; as Streamlit's script it is one run.

Its pages are listed in pages/components/page_registry.py, which every link to one uses.
"""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core import logs
from core.installation.private_files import make_files_private
from pages.shell import forwarded, frame, server

if __name__ == "__main__":
    frame.run()
else:
    # The folder pages/ holds sections, not pages: without this the first visitor of a fresh server who
    # follows a deep link is told "page not found" once.
    forwarded.refuse_other_list()
    make_files_private()
    logs.configure()
    PagesManager.uses_pages_directory = False
    app = st.App(
        Path(__file__),
        routes=server.ROUTES,
        middleware=server.MIDDLEWARE,
        on_script_error=frame.unforeseen,
    )
