"""A text with buttons. Fields: `text`, `fallback`, `buttons`.

Each button has a `title` and one of `url` (opens it), `message_id` (the bot answers with that message) and
`stop` ("all" or a topic's id: no more notifications, or none about that topic).
"""

from __future__ import annotations

from typing import Any, ClassVar

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.choices import Choice, ChoiceKind, titles_of
from core.conversation.blocks.kind import Content
from core.conversation.blocks.titles import check_link, check_title, clean_link, clean_title
from core.conversation.blocks.wording import said, write_wording
from core.conversation.payloads import MESSAGE_PAYLOAD, STOP_ALL, STOP_PAYLOAD
from core.errors import N_, Problem, problem
from core.messenger import wire


class Buttons(ChoiceKind):
    name = "buttons"
    fits_broadcast = True
    listed = "buttons"
    text_limit = wire.BUTTON_TEXT_LIMIT
    blank: ClassVar[Content] = {"buttons": [{}]}

    def clean_choice(self, choice: Choice) -> dict[str, Any]:
        title = clean_title(choice)
        for target in ("stop", "message_id"):
            if choice.get(target):
                return {"title": title, target: choice[target]}
        return {"title": title, "url": clean_link(choice)}

    def check_choices(self, choices: list[Choice]) -> list[Problem]:
        limit = wire.BUTTONS_LIMIT
        if not 1 <= len(choices) <= limit:
            return [problem("buttons", N_("Between 1 and {limit} buttons, please."), limit=limit)]
        found = []
        for place, button in enumerate(choices):
            found += check_title(f"buttons.{place}.title", button.get("title"), wire.BUTTON_TITLE_LIMIT)
            if not (button.get("message_id") or button.get("stop")):
                missing = N_("Choose where the button leads: a web address or a message.")
                found += check_link(f"buttons.{place}.url", button.get("url"), missing)
        return found

    def topic_ids(self, content: Content) -> set[int]:
        stops = (button.get("stop") for button in self.choices_of(content))
        return {stop for stop in stops if stop not in (None, STOP_ALL)}

    def render(self, content: Content) -> wire.Message:
        return wire.buttons(write_wording(content), [_button(each) for each in self.choices_of(content)])

    def draw(self, message: wire.Message) -> list[Bubble]:
        payload = wire.template_of(message, "button")
        if payload is None:
            return []
        return [Bubble(Shape.CARD, said(payload, "text"), titles_of(payload.get("buttons") or []))]


def _button(button: Choice) -> wire.Button:
    title = said(button, "title")
    if button.get("url"):
        return wire.Button(title, url=button["url"])
    if button.get("stop"):
        return wire.Button(title, payload=f"{STOP_PAYLOAD}{button['stop']}")
    return wire.Button(title, payload=f"{MESSAGE_PAYLOAD}{button.get('message_id')}")
