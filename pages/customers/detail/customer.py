"""One customer: what they agreed to, what they were asked, what they were sent."""

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.customer_queries import CustomerView, get_customer, list_deliveries, list_requests
from core.consent.opt_in_export import csv_opt_ins, workbook_opt_ins
from core.consent.opt_in_queries import OptInFilter, OptInView, list_opt_ins
from core.consent.withdrawal_queries import list_withdrawals
from core.conversation.asking_queries import list_withheld
from core.conversation.reply_queries import find_silence, list_replies
from core.errors import NotFound
from pages.components import page_registry
from pages.components.address import asked_id, draw_not_there
from pages.components.dialogs import open_dialog
from pages.components.export import export_menu, in_words, state_in_words
from pages.components.layout import Card, cards, page_header
from pages.components.markdown import escape_markdown
from pages.components.opt_in_words import SOURCES
from pages.components.session import current, see_fanpage
from pages.components.texts import _, ago, number, speaker, when
from pages.components.unreachable_customers import draw_mark
from pages.customers.detail import answers, forgetting, lists, silence, story, tagging
from pages.customers.detail import withdrawing as dialogs

LIMIT = 200  # opt-ins shown of one customer


def draw_page() -> None:
    now = utc_now()
    try:
        customer = get_customer(asked_id() or 0, now=now)
    except NotFound:
        draw_not_there(_("This customer does not exist (any more)."), "customers", _("All customers"))
        return
    see_fanpage(customer.fanpage_id)
    page_registry.link("customers", _("All customers"), icon=":material/arrow_back:")
    chosen = OptInFilter(customer_id=customer.id)
    opt_ins = list_opt_ins(customer.fanpage_id, chosen, now=now, limit=LIMIT)
    _header(customer, opt_ins)
    silence.draw_silence(customer, find_silence(customer.id, now=now))
    _cards(customer)
    tagging.draw_tags(customer)
    withdrawals, requests = list_withdrawals(customer.id), list_requests(customer.id)
    deliveries, replies = list_deliveries(customer.id), list_replies(customer.id)
    story.draw_story(customer, opt_ins, withdrawals, requests, deliveries, replies)
    lists.draw_opt_ins(opt_ins)
    lists.draw_withdrawals(withdrawals)
    lists.draw_requests(requests)
    answers.draw_withheld(list_withheld(customer.id))
    lists.draw_deliveries(deliveries)
    answers.draw_replies(replies)


def _header(customer: CustomerView, opt_ins: list[OptInView]) -> None:
    name = customer.name or _("Name not known yet")
    slot = page_header(escape_markdown(name), _("PSID {psid}", psid=customer.psid), key="customer")
    if current().actor.may(Permission.EDIT):
        slot.button(
            _("Stop notifications…"),
            key="customer_stop",
            icon=":material/notifications_off:",
            on_click=open_dialog,
            args=(dialogs.KEY,),
        )
    if opt_ins:
        with slot:
            _proof(customer)
    dialogs.draw_withdraw_dialog(customer, opt_ins)
    forgetting.draw_forgetting(slot, customer)
    draw_mark(customer)


def _proof(customer: CustomerView) -> None:
    """What somebody agreed to, in which words, when and by which way in: for whoever asks for it."""
    chosen, fanpage_id, say = OptInFilter(customer_id=customer.id), customer.fanpage_id, speaker()
    words = {"state": state_in_words("opt_in"), "source": in_words(SOURCES)}
    export_menu(
        "customer_proof",
        f"consent-{customer.psid}",
        [fanpage_id],
        csv=lambda: b"".join(csv_opt_ins(fanpage_id, chosen, now=utc_now())),
        workbook=lambda: workbook_opt_ins(fanpage_id, chosen, now=utc_now(), say=say, words=words),
        help=_("Proof of consent: each promise as the customer read it, with when and how they agreed."),
    )


def _cards(customer: CustomerView) -> None:
    closes = customer.window_closes_at
    is_open = closes is not None and closes > utc_now()
    cards(
        [
            Card(_("Available opt-ins"), number(customer.available)),
            Card(
                _("24-hour window"),
                _("Open now") if is_open else _("Closed now"),
                _("While it is open, the chatbot can answer freely. It opens when the customer writes."),
                _("until {when}", when=when(closes)) if is_open else None,
            ),
            Card(_("Last activity"), ago(customer.last_event_at)),
        ]
    )


draw_page()
