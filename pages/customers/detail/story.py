"""One customer's whole story, from the latest back: agreed, asked, sent, answered, said no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.consent.customer_queries import CustomerView, DeliveryToCustomer, RequestView
from core.consent.opt_in_queries import OptInView
from core.consent.withdrawal_queries import WithdrawalView
from core.conversation.reply_queries import ReplyView
from pages.components.broadcast_words import reason_word
from pages.components.layout import section
from pages.components.opt_in_words import through
from pages.components.tables import Column, table
from pages.components.texts import _, state_label

SHOWN = 100


@dataclass(frozen=True)
class Moment:
    """Something that happened, with or to the customer."""

    at: datetime
    what: str
    about: str
    href: str | None = None


def draw_story(
    customer: CustomerView,
    opt_ins: list[OptInView],
    withdrawals: list[WithdrawalView],
    requests: list[RequestView],
    deliveries: list[DeliveryToCustomer],
    replies: list[ReplyView],
) -> None:
    """Everything that is known of the customer, in the order in which it happened."""
    moments = [Moment(customer.created_at, _("First contact with the fanpage"), "")]
    for opt_in in opt_ins:
        moments += _of_opt_in(opt_in)
    for no in withdrawals:
        moments.append(Moment(no.at, _("Opted out"), no.topic or _("All topics of the fanpage")))
    moments += [Moment(each.created_at, _("Was asked"), f"{each.title} · {each.topic}") for each in requests]
    for delivery in deliveries:
        moments += _of_delivery(delivery)
    moments += [
        Moment(reply.settled_at or reply.created_at, _("The chatbot answered"), reply.words or _("Image"))
        for reply in replies
        if not reply.is_request
    ]
    moments.sort(key=lambda moment: moment.at, reverse=True)
    section(_("Customer history"))
    columns = [
        Column(_("What happened"), lambda m: m.what, "34%"),
        Column(_("About"), lambda m: m.about, "66%"),
        Column(_("When"), lambda m: m.at),
    ]
    table(columns, moments[:SHOWN], key="customer_story", on_click=lambda m: m.href)


def _of_opt_in(opt_in: OptInView) -> list[Moment]:
    about = " · ".join(filter(None, [opt_in.promise, opt_in.topic or _("Without topic"), through(opt_in)]))
    made = [Moment(opt_in.consented_at, _("Agreed"), about)]
    if opt_in.settled_at:
        word = state_label("opt_in", opt_in.state)[0].lower()
        made.append(Moment(opt_in.settled_at, _("Opt-in {state}", state=word), opt_in.promise))
    return made


def _of_delivery(delivery: DeliveryToCustomer) -> list[Moment]:
    href = f"broadcast?id={delivery.broadcast_id}"
    made = []
    if delivery.settled_at:
        word = state_label("delivery", delivery.state)[0].lower()
        about = " · ".join(filter(None, [delivery.broadcast, reason_word(delivery.reason)]))
        made.append(Moment(delivery.settled_at, _("Broadcast {state}", state=word), about, href))
    if delivery.read_at:
        made.append(Moment(delivery.read_at, _("Read the broadcast"), delivery.broadcast, href))
    return made
