"""The limits that the platform sets on messages: how long a text may be, how many buttons there may be, and
for how long after a customer wrote.

Lengths count UTF-16 units (core/text/utf16_units.py), the strictest reading: the platform names no unit.
"""

from __future__ import annotations

from datetime import timedelta

# From the customer's last act: https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy
MESSAGING_WINDOW = timedelta(hours=24)
# https://developers.facebook.com/docs/messenger-platform/reference/send-api
TEXT_LIMIT = 1999  # the page says "less than 2000 characters"
QUICK_REPLIES_LIMIT = 13
QUICK_REPLY_TITLE_LIMIT = 20  # a longer one is cut off by the platform
# https://developers.facebook.com/docs/messenger-platform/reference/templates/button
BUTTON_TEXT_LIMIT = 640
BUTTONS_LIMIT = 3
BUTTON_TITLE_LIMIT = 20  # widely used; not printed on the page above
# https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/template/generic
CARDS_LIMIT = 10
CARD_TITLE_LIMIT = 80
CARD_SUBTITLE_LIMIT = 80
# https://developers.facebook.com/docs/messenger-platform/send-messages/one-time-notification
REQUEST_TITLE_LIMIT = 65
# https://developers.facebook.com/docs/graph-api/batch-requests
BATCH_LIMIT = 50
