"""What taps send back to us, as the platform repeats it from buttons, quick replies and requests."""

from __future__ import annotations

GET_STARTED_PAYLOAD = "GET_STARTED"  # core/fanpages/health_check.py gives it to the button
MESSAGE_PAYLOAD = "message:"  # + id: of a button or quick reply that leads to a message
ASK_PAYLOAD = "ask:"  # + a topic's id: whoever taps it wants to be asked about that topic
STOP_PAYLOAD = "stop:"  # + "all" or a topic's id: whoever taps it wants no notifications (about it)
STOP_ALL = "all"
REQUEST_PAYLOAD = "otn."  # + 22 random characters: leads a tap on "Notify Me" back to its request
TEST_PAYLOAD = "otn.test."  # + a test's id and the place of a request in it: of a tester's request
ANSWER_PAYLOAD = "answer"  # of a quick reply that leads to no message: it is an answer, and no more
MENU_PAYLOAD = "menu:"  # + id: of an item of the persistent menu
ICE_BREAKER_PAYLOAD = "ice_breaker:"  # + id: of a question that a new chat offers
