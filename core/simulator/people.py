"""Acts of people on their phones, and the webhook events that follow from them."""

from __future__ import annotations

from typing import Any

from core.simulator.entities import IssuedToken, NotPossible, SimulatedPerson, ThreadMessage
from core.simulator.messenger_profile import of_person
from core.simulator.person_events import emit, milliseconds
from core.simulator.world import World
from core.text.catalogues import language_of, say_in
from core.text.normalise import is_blank

GET_STARTED = "Get Started"  # the title that Messenger words and translates


def type_message(world: World, psid: str, text: str, *, at: float | None = None) -> ThreadMessage:
    """Type a message to the page."""
    if is_blank(text):
        raise NotPossible("nothing was typed")
    with world.lock:
        return _write(world, world.person(psid), {"text": text}, at)


def press_get_started(
    world: World, psid: str, *, ref: str | None = None, at: float | None = None
) -> ThreadMessage:
    """Press the button of an empty thread; with `ref`, after coming through an m.me link."""
    with world.lock:
        person = world.person(psid)
        profile = world.page(person.page_id).profile
        button = profile.get("get_started")
        if person.met or not button:
            raise NotPossible("no Get Started button: the thread is not new, or the page set none")
        if not ref and profile.get("ice_breakers"):
            raise NotPossible("the ice breakers stand in place of the Get Started button")
        referral = {"referral": _referral(ref)} if ref else {}
        title = say_in(language_of(person.locale))(GET_STARTED)
        return _postback(world, person, title, button["payload"], at, **referral)


def tap_ice_breaker(world: World, psid: str, question: str, *, at: float | None = None) -> ThreadMessage:
    """Tap one of the questions that an empty thread offers."""
    with world.lock:
        person = world.person(psid)
        shown = of_person(world.page(person.page_id).profile.get("ice_breakers"), person)
        asked = [each for each in shown.get("call_to_actions", []) if each["question"] == question]
        if person.met or not asked:
            raise NotPossible("no such question: the thread is not new, or the page set none")
        return _postback(world, person, question, asked[0]["payload"], at)


def tap_menu(world: World, psid: str, title: str, *, at: float | None = None) -> ThreadMessage | None:
    """Tap an item of the menu of a thread. Returns None when it opened a web page, which causes no event."""
    with world.lock:
        person = world.person(psid)
        shown = of_person(world.page(person.page_id).profile.get("persistent_menu"), person)
        if not person.met:
            raise NotPossible("an empty thread has no menu")
        item = _choice(shown.get("call_to_actions", []), title, None)
        if item["type"] == "web_url":
            return None
        return _postback(world, person, item["title"], item["payload"], at)


def open_link(world: World, psid: str, ref: str, *, at: float | None = None) -> str:
    """Open m.me/<page>?ref=…. Returns what came of it: "referral", "get_started" or "nothing"."""
    with world.lock:
        person = world.person(psid)
        page = world.page(person.page_id)
        if person.met:
            _open_window(world, person, at)
            emit(world, person, "messaging_referrals", at, referral=_referral(ref))
            return "referral"
        if page.profile.get("get_started"):
            press_get_started(world, psid, ref=ref, at=at)
            return "get_started"
        return "nothing"


def tap_button(
    world: World, psid: str, mid: str, *, title: str | None = None, payload: str | None = None
) -> ThreadMessage | None:
    """Tap a button of a template. Returns None when it opened a web page or dialled a number, which causes no
    event."""
    with world.lock:
        person, bubble = world.person(psid), _bubble(world, psid, mid)
        button = _choice(_buttons(bubble.message), title, payload)
        if button["type"] in ("web_url", "phone_number"):
            return None
        return _postback(world, person, button["title"], button["payload"], None)


def tap_quick_reply(
    world: World, psid: str, *, title: str | None = None, payload: str | None = None, asks: str | None = None
) -> ThreadMessage:
    """Tap a quick reply, which is shown only under the newest message. `asks` taps the one that gives the
    person's "user_email" or "user_phone_number": Messenger writes both title and payload of that."""
    with world.lock:
        person = world.person(psid)
        newest = world.threads[psid][-1:]
        choices = newest[0].message.get("quick_replies", []) if newest else []
        chosen = _given(person, choices, asks) if asks else _choice(choices, title, payload)
        said = {"text": chosen["title"], "quick_reply": {"payload": chosen["payload"]}}
        return _write(world, person, said, None)


def _given(person: SimulatedPerson, choices: list[dict[str, str]], asks: str) -> dict[str, str]:
    if all(each.get("content_type") != asks for each in choices):
        raise NotPossible("no such quick reply there")
    number = person.psid[-6:]
    own = f"khach{number}@example.com" if asks == "user_email" else f"+84901{number}"
    return {"title": own, "payload": own}


def tap_notify_me(world: World, psid: str, mid: str | None = None, *, at: float | None = None) -> IssuedToken:
    """Tap "Notify me" on a request, which issues a token and sends the one webhook event that holds it."""
    with world.lock:
        person = world.person(psid)
        bubble = _bubble(world, psid, mid) if mid else _newest_request(world, psid)
        request = request_of(bubble)
        if request is None or (bubble.taps and not world.behaviour.second_tap_gives_token):
            raise NotPossible("no request waits for a tap there")
        bubble.taps += 1
        world.keep_bubble(bubble)
        if world.behaviour.tap_opens_window:
            _open_window(world, person, at)
        return consent(world, psid, payload=request["payload"], title=request["title"], at=at)


def consent(
    world: World, psid: str, *, payload: str, title: str = "", at: float | None = None, tell: bool = True
) -> IssuedToken:
    """Issue a token as for a tap, with its webhook event unless `tell` is False."""
    with world.lock:
        person = world.person(psid)
        token = world.issue_token(person, payload=payload, title=title, at=at)
        optin = {"type": "one_time_notif_req", "payload": payload, "one_time_notif_token": token.token}
        if tell:
            emit(world, person, "messaging_optins", at, optin=optin)
        return token


def react(world: World, psid: str, mid: str, emoji: str) -> None:
    """React to a message of the page."""
    with world.lock:
        person, bubble = world.person(psid), _bubble(world, psid, mid)
        _open_window(world, person, None)
        reaction = {"mid": bubble.mid, "action": "react", "emoji": emoji, "reaction": "other"}
        emit(world, person, "message_reactions", None, reaction=reaction)


def page_reacts(world: World, psid: str, mid: str, emoji: str) -> None:
    """Let the page react to a person's message, as staff do in its inbox."""
    with world.lock:
        person = world.person(psid)
        reaction = {"mid": mid, "action": "react", "emoji": emoji, "reaction": "other"}
        parties = {"sender": {"id": person.page_id}, "recipient": {"id": psid}}
        event = {**parties, "timestamp": milliseconds(world, None), "reaction": reaction}
        world.emit(world.pages[person.page_id], "message_reactions", event)


def read_everything(world: World, psid: str) -> None:
    """Read the whole thread, unless the person has blocked the page."""
    with world.lock:
        person = world.person(psid)
        if not person.blocked:
            emit(world, person, "message_reads", None, read={"watermark": milliseconds(world, None)})


def add_past_messages(world: World, psid: str, bubbles: list[dict[str, Any]]) -> None:
    """Add past messages {message, by_page, at, tapped} to a thread, without webhook events."""
    with world.lock:
        person = world.person(psid)
        for each in bubbles:
            bubble = world.add_bubble(person, each["message"], by_page=each["by_page"], at=each["at"])
            bubble.taps = int(each.get("tapped", False))
            world.keep_bubble(bubble)


def change_person(world: World, psid: str, **values: Any) -> SimulatedPerson:
    """Change a person's habit, name or language, or whether they have blocked the page."""
    with world.lock:
        person = world.person(psid)
        for key, value in values.items():
            if key not in ("first_name", "last_name", "locale", "habit", "blocked", "met", "window_until"):
                raise NotPossible(f"a person has no {key!r} to change")
            setattr(person, key, value)
        world.keep_person(person)
        return person


def _write(world: World, person: SimulatedPerson, message: dict[str, Any], at: float | None) -> ThreadMessage:
    bubble = world.add_bubble(person, message, by_page=False, at=at)
    _open_window(world, person, at)
    emit(world, person, "messages", at, message={"mid": bubble.mid, **message})
    return bubble


def _postback(
    world: World, person: SimulatedPerson, title: str, payload: str, at: float | None, **more: Any
) -> ThreadMessage:
    bubble = world.add_bubble(person, {"text": title}, by_page=False, at=at)
    _open_window(world, person, at)
    postback = {"mid": bubble.mid, "title": title, "payload": payload, **more}
    emit(world, person, "messaging_postbacks", at, postback=postback)
    return bubble


def _open_window(world: World, person: SimulatedPerson, at: float | None) -> None:
    when = world.now() if at is None else at
    person.met = True
    person.window_until = max(person.window_until, when + world.behaviour.window_seconds)
    world.keep_person(person)


def _referral(ref: str | None) -> dict[str, Any]:
    return {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}


def _bubble(world: World, psid: str, mid: str) -> ThreadMessage:
    bubble = world.bubbles.get(mid)
    if bubble is None or bubble.psid != psid or not bubble.by_page:
        raise NotPossible(f"no such bubble in the thread of {psid}")
    return bubble


def _newest_request(world: World, psid: str) -> ThreadMessage:
    for bubble in reversed(world.threads[psid]):
        if request_of(bubble) and not bubble.taps:
            return bubble
    raise NotPossible("no request waits for a tap")


def request_of(bubble: ThreadMessage) -> dict[str, str] | None:
    """The one-time notification request in a message, or None."""
    payload = bubble.message.get("attachment", {}).get("payload", {})
    return payload if payload.get("template_type") == "one_time_notif_req" else None


def _buttons(message: dict[str, Any]) -> list[dict[str, str]]:
    payload = message.get("attachment", {}).get("payload", {})
    elements = payload.get("elements", [])
    return [*payload.get("buttons", []), *(each for card in elements for each in card.get("buttons", []))]


def _choice(among: list[dict[str, str]], title: str | None, payload: str | None) -> dict[str, str]:
    for each in among:
        if (title is None or each.get("title") == title) and (
            payload is None or each.get("payload") == payload
        ):
            return each
    raise NotPossible("no such button there")
