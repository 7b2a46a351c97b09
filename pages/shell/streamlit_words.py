"""Streamlit's own sentences, which it has in English only, in our words and the reader's language.

The keys are written as Streamlit writes them, the values are ours. `words.js` puts them in place in the
browser; what it cannot reach is listed in docs/streamlit-frame.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from core.errors import N_
from core.text.catalogues import languages, say_in

# What the strip at the top says while there is no connection (connection.js), and what asks before typed
# text is lost (leaving.js).
OWN = {
    "connecting": N_("Connecting…"),
    "lost": N_("Connection lost, reconnecting; messages being sent are not affected."),
    "gone": N_("Connection lost; messages being sent are not affected."),
    "reload": N_("Reload the page"),
    "discard": N_("Discard what you have typed here?"),
    "noscript": N_("Notify Once needs JavaScript; please allow it for this page."),
}

# As Streamlit reads out a date.
MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)

EXACT = {
    # Frame
    "Skip to main content": N_("Skip to the content"),
    "Collapse sidebar": N_("Hide the menu"),
    "Expand sidebar": N_("Show the menu"),
    "Sidebar": N_("Menu"),
    "Main menu": N_("Menu"),
    "Close": N_("Close"),
    "Notifications": N_("Notices"),
    "Scroll tabs left": N_("Scroll the tabs left"),
    "Scroll tabs right": N_("Scroll the tabs right"),
    "view less": N_("less"),
    "View less": N_("less"),
    "view more": N_("more"),
    "Running...": N_("One moment…"),
    "Please wait...": N_("One moment…"),
    "Connection lost. Please wait for the app to reconnect, then try again.": N_(
        "Connection lost. Please try again in a moment."
    ),
    "Network error": N_("The connection failed. Please try again."),
    "Copy": N_("Copy"),
    "Copied": N_("Copied"),
    "Copied!": N_("Copied"),
    "Help": N_("Help"),
    "Copy to clipboard": N_("Copy"),
    # Fields
    "Choose an option": N_("Choose"),
    "Choose options": N_("Choose"),
    "No options to select": N_("Nothing to choose from"),
    "No options to select.": N_("Nothing to choose from"),
    "No results": N_("No matches"),
    "Selectbox options": N_("Choices"),
    "Multiselect options": N_("Choices"),
    "Suggestions": N_("Choices"),
    "Selected values": N_("Selected"),
    "Select all": N_("Select all"),
    "Open": N_("Open the choices"),
    "Show suggestions": N_("Open the choices"),
    "Clear value": N_("Clear"),
    "Clear all": N_("Clear"),
    "Clear entry": N_("Clear"),
    "Show password": N_("Show the password"),
    "Hide password": N_("Hide the password"),
    "Increment": N_("Increase"),
    "Decrement": N_("Decrease"),
    "Invalid input.": N_("This is not valid here."),
    "Number is below the allowed range.": N_("This number is too small."),
    "Number is above the allowed range.": N_("This number is too large."),
    "Send message": N_("Send"),
    "Dismiss": N_("Close"),
    # Dates and times
    "Choose date": N_("Choose a day"),
    "Clear date": N_("Clear"),
    "Clear time": N_("Clear"),
    "Previous month": N_("Previous month"),
    "Next month": N_("Next month"),
    "Previous": N_("Previous month"),
    "Next": N_("Next month"),
    "Month": N_("Month"),
    "Calendar": N_("Calendar"),
    "Choose date range": N_("Choose a day"),
    "Use arrow keys to navigate dates. Enter to select. Escape to close.": N_(
        "Move with the arrow keys, choose with Enter, close with Escape."
    ),
    "First available date": N_("First available day"),
    "Last available date": N_("Last available day"),
    "Invalid time format. Please use HH:MM.": N_("Enter a time like 09:30."),
    "Hours must be 0–23.": N_("Hours go from 0 to 23."),
    "Minutes must be 0–59.": N_("Minutes go from 0 to 59."),
    "day": N_("day"),
    "month": N_("month"),
    "year": N_("year"),
    # Files and pictures
    "Upload": N_("Choose a file"),
    "file upload": N_("Choose a file"),
    "Add files": N_("Choose another file"),
    "Drag and drop a file here": N_("Drop a file here"),
    "Drag and drop files here": N_("Drop files here"),
    "File type not allowed.": N_("This file type is not accepted."),
    "Error:": N_("Error:"),
    "Only one file is allowed.": N_("Only one file is accepted."),
    "Download failed": N_("The download failed. Please try again."),
    # Charts, tables, pages
    "Fullscreen": N_("Full screen"),
    "Close fullscreen": N_("Exit full screen"),
    "Download as PNG": N_("Save as an image"),
    "Copy Vega-Lite spec": N_("Copy the chart’s source"),
    "Show data": N_("Show the numbers"),
    "Show chart": N_("Show the chart"),
    "Click to view actions": N_("Actions"),
    "chart": N_("Chart"),
    "Pagination": N_("Pages"),
    "Previous page": N_("Previous page"),
    "Next page": N_("Next page"),
    "Link to heading": N_("Link to this heading"),
}  # fmt: skip

# MONTH stands for the name of one, {0} for that name in the reader's language: a month's name alone may be a
# word that somebody wrote ("May").
DATED = {
    r"^Selected Date: (MONTH) 0?(\d+), (\d+)$": N_("Selected: {0} {1}, {2}"),
    r"^\d+ – (MONTH)$": "{0}",  # "12 – December"
}

# {0}, {1} … are the groups, put into the reader's language themselves if they are among these sentences.
PATTERNS = {
    r"^add icon$": N_("Choose another file"),  # made of the icon's name; of the button beside a chosen file
    r"^(\d+) ?MB per file$": N_("up to {0} MB"),
    r"^(\d+) ?MB per file • (.+)$": N_("{1}, up to {0} MB"),
    r"^File must be (\d+)(?:\.0)? ?MB or smaller\.?$": N_(
        "The file is larger than {0} MB; choose a smaller one."
    ),
    r"^(.+) files are not allowed\.?$": N_("Files of type {0} are not accepted."),
    r"^Remove (.+)$": N_("Remove {0}"),
    r"^Clear (.+)$": N_("Clear {0}"),
    r"^Page (\d+)$": N_("Page {0}"),
    r"^Page (\d+), current page$": N_("Page {0}, current page"),
    r"^Help for (.+)$": N_("Help: {0}"),
    r"^Number is below the allowed range\. .* (?:greater than or equal to) (\S+?)\.?$": N_(
        "The smallest number is {0}."
    ),
    r"^Number is above the allowed range\. .* (?:less than or equal to) (\S+?)\.?$": N_(
        "The largest number is {0}."
    ),
    r"^Number is outside the allowed range\. .* between (\S+) and (\S+?)\.?$": N_(
        "The number must be from {0} to {1}."
    ),
    r"^(.+) start date$": "{0}",
    r"^(day|month|year), (.+)$": "{0}, {1}",
    r"^Today, (.+) selected$": N_("Today, {0}, selected"),
    r"^Today, (.+)$": N_("Today, {0}"),
    r"^(.+), selected$": N_("{0}, selected"),
    r"^(.+) selected$": N_("{0}, selected"),
    r"^Selected (?:Date|Time): (.+)$": N_("Selected: {0}"),
    r"^View (\d+) more$": N_("{0} more"),
    r"^(\d+) options? available\.?$": N_("{0} to choose from"),
}


@lru_cache
def words() -> dict[str, dict[str, Any]]:
    """By language: what to say for Streamlit's sentences, and our own sentences of the frame."""
    return {code: _words_in(code) for code in languages()}


def _words_in(code: str) -> dict[str, Any]:
    say = say_in(code)
    return {
        "own": {key: say(sentence) for key, sentence in OWN.items()},
        "exact": {theirs: say(ours) for theirs, ours in EXACT.items()},
        "patterns": _dated_in(say) + [[theirs, say(ours)] for theirs, ours in PATTERNS.items()],
    }


def _dated_in(say: Callable[[str], str]) -> list[list[str]]:
    return [
        [theirs.replace("MONTH", month), say(ours).replace("{0}", say(month))]
        for theirs, ours in DATED.items()
        for month in MONTHS
    ]
