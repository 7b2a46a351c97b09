"""The application for `uvicorn webhook_server.main:app`; `python -m webhook_server` logs in JSON, too.

On SQLite one process is fastest: its one writer commits in groups, and a second would wait for the file.
"""

import gc
import sys

from core.installation.private_files import make_files_private
from webhook_server.application import create_app

GARBAGE_AFTER_OBJECTS = 50_000
SWITCH_SECONDS = 0.001  # else the thread of the intake waits longer for the interpreter after each statement

make_files_private()
sys.setswitchinterval(SWITCH_SECONDS)
app = create_app()

# Events make objects by the thousand, and almost none of them in cycles. To search all that the libraries
# keep for such cycles took a quarter of the processor.
gc.collect()
gc.freeze()
gc.set_threshold(GARBAGE_AFTER_OBJECTS, 20, 50)
