"""The webhook server: `uvicorn webhook_server.main:app`, or `python -m webhook_server` with JSON logs.

One process is the fastest on SQLite: its one writer commits in groups, and a second would wait for the file.
"""

import gc
import sys

from webhook_server.application import create_app

GARBAGE_AFTER_OBJECTS = 50_000
SWITCH_SECONDS = 0.001  # the writer asks for the interpreter after each statement; the loop never gives it up

sys.setswitchinterval(SWITCH_SECONDS)
app = create_app()

# Events make objects by the thousand, and almost none in cycles: looking for those through all that the
# libraries keep for good took a quarter of the processor.
gc.collect()
gc.freeze()
gc.set_threshold(GARBAGE_AFTER_OBJECTS, 20, 50)
