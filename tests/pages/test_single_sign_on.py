"""Single sign-on from the button's address to the session, against a stand-in provider and its faults."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit import config
from structlog import DropEvent
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from core import logs
from core.accounts import queries, sessions, sign_in
from core.accounts.queries import ActivityFilter, OperatorView
from core.accounts.rules import ATTEMPTS_BY_ADDRESS
from core.accounts.session_queries import SessionView, find_session, list_sessions
from core.accounts.sessions import hash_of
from core.accounts.single_sign_on import attempts, provider
from core.accounts.single_sign_on.attempts import Proposal
from core.clock import utc_now
from core.encryption import derived_key, encrypt_with_key
from pages.shell import server, single_sign_on
from pages.shell.single_sign_on import STARTS_BY_ADDRESS, address, ends, link_address, starts
from tests.openid_provider import CLIENT_SECRET, LAN, OpenIdProvider, a_key, openid_provider, settings_for
from tests.pages.conftest import an_operator

PANEL = "https://panel.shop.vn"


class Browser:
    """A browser with cookies of its own, before the panel."""

    def __init__(self, there: OpenIdProvider, ip: str = "203.0.113.9") -> None:
        self.there = there
        app = Starlette(routes=server.ROUTES, middleware=server.MIDDLEWARE)
        self.client = TestClient(app, base_url=PANEL, client=(ip, 1), follow_redirects=False)

    def start(self, path: str = "topics", query: str = "", language: str = "en") -> str:
        """Press the button; where the provider sends the browser back to."""
        answer = self.client.get(address(path, query, language))
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(self.there.issuer), answer.headers["location"]
        return httpx2.get(answer.headers["location"], trust_env=False).headers["location"]

    def come_back(self, callback: str) -> tuple[str, str]:
        """The page where it ends and why it failed, empty when it did not."""
        answer = self.client.get(callback)
        assert answer.status_code == 303
        there = urlsplit(answer.headers["location"])
        assert not there.netloc
        return there.path, parse_qs(there.query).get("sso", [""])[0]

    def sign_in(self, **asked: str) -> tuple[str, str]:
        return self.come_back(self.start(**asked))

    @property
    def session(self) -> SessionView | None:
        for name, value in self.client.cookies.items():
            if not name.endswith("_sso") and (found := find_session(hash_of(value), utc_now())):
                return found
        return None


@pytest.fixture
def there(arrange, restart) -> OpenIdProvider:
    provider.forget_metadata()
    starts.forget()
    ends.forget()
    with openid_provider() as made:
        restart(**settings_for(made, PANEL))
        yield made
    provider.forget_metadata()


@pytest.fixture
def browser(there: OpenIdProvider) -> Browser:
    return Browser(there)


def operators() -> list[OperatorView]:
    return queries.list_operators()


def verbs() -> list[str]:
    return [each.verb for each in queries.list_activity(ActivityFilter())]


def test_somebody_new_becomes_an_operator_with_their_role_and_lands_where_they_were_going(browser):
    answer = browser.client.get(browser.start("broadcast", "id=7"))
    assert answer.headers["location"] == "/broadcast?id=7"
    found = browser.session
    assert (found.operator.name, found.operator.role) == ("lan@shop.vn", "sender")
    assert (found.address, found.operator.language) == ("203.0.113.9", "en")
    assert found.operator.has_single_sign_on
    assert not found.operator.must_change_password
    assert verbs() == ["operator.single_sign_on", "operator.add_by_single_sign_on"]


def test_the_cookie_is_the_one_a_password_leads_to(browser):
    answer = browser.client.get(browser.start())
    [given] = [each for each in answer.headers.get_list("set-cookie") if "_sso=" not in each]
    assert given.startswith("__Host-notify_once_")
    for word in ("httponly", "samesite=strict", "path=/", "secure", "max-age=86400"):
        assert word in given.lower()


def test_the_same_person_is_the_same_operator_whatever_they_are_called_now(browser, there):
    browser.sign_in()
    there.person = {**LAN, "email": "lan.nguyen@shop.vn", "preferred_username": "somebody"}
    browser.sign_in()
    assert [each.name for each in operators()] == ["lan@shop.vn"]
    assert len(list_sessions(operators()[0].id, utc_now())) == 2


def test_nobody_is_recognised_by_a_name_or_an_address(browser, there, arrange):
    an_operator(arrange, "admin", "lan@shop.vn")
    there.person = {**LAN, "sub": "somebody-else"}
    browser.sign_in()
    assert {each.name: each.role for each in operators()} == {
        "lan@shop.vn": "admin",
        "lan@shop.vn-2": "sender",
    }
    assert browser.session.operator.name == "lan@shop.vn-2"


def test_an_address_that_is_not_verified_names_nobody(browser, there):
    there.person = {**LAN, "email_verified": False, "preferred_username": "Đỗ Thị Lan"}
    browser.sign_in()
    assert [each.name for each in operators()] == ["do.thi.lan"]


def test_the_role_is_read_again_at_each_sign_in(browser, there):
    browser.sign_in()
    there.person = {**LAN, "groups": ["everybody", "otn-admins"]}
    browser.sign_in()
    assert operators()[0].role == "admin"
    there.person = {**LAN, "groups": ["everybody"]}
    browser.sign_in()
    assert operators()[0].role == "viewer"
    assert verbs().count("operator.change_role_by_single_sign_on") == 2


@pytest.mark.parametrize("groups", [None, [], ["others"], "otn", {"otn-admins": True}, [7, None]])
def test_nobody_gets_in_without_a_role(browser, there, groups):
    there.person = {**LAN, "groups": groups}
    assert browser.sign_in() == ("/topics", "no_role")
    assert browser.session is None
    assert operators() == []


def test_who_has_lost_the_role_loses_it_here_and_is_signed_out_everywhere(browser, there):
    browser.sign_in()
    there.person = {**LAN, "groups": []}
    other = Browser(there)
    assert other.sign_in() == ("/topics", "no_role")
    assert browser.session is None
    assert operators()[0].role == "viewer"
    assert verbs()[0] == "operator.lose_role"
    there.person = LAN
    assert other.sign_in() == ("/topics", "")
    assert other.session.operator.role == "sender"


def test_trying_again_without_a_role_is_no_news(browser, there):
    there.person = {**LAN, "groups": ["otn-viewers"]}
    browser.sign_in()
    there.person = {**LAN, "groups": []}
    for _ in range(3):
        assert browser.sign_in() == ("/topics", "no_role")
    assert browser.session is None
    assert verbs().count("operator.lose_role") == 1


def test_who_was_disabled_here_stays_out(browser, there, arrange):
    an_operator(arrange, "viewer", "lan", sso_issuer=there.issuer, sso_subject="lan-1", disabled_at=utc_now())
    assert browser.sign_in() == ("/topics", "disabled")
    assert browser.session is None


FAULTS: dict[str, tuple[Callable[[OpenIdProvider], None], str]] = {
    "another nonce": (lambda it: it.claims.update(nonce="another"), "not_trusted"),
    "no nonce": (lambda it: it.claims.update(nonce=None), "not_trusted"),
    "for another client": (lambda it: it.claims.update(aud="another"), "not_trusted"),
    "for another client, by us": (
        lambda it: it.claims.update(aud="another", azp="notify-once"),
        "not_trusted",
    ),
    "for us, by another": (lambda it: it.claims.update(aud=["notify-once", "x"], azp="x"), "not_trusted"),
    "of another issuer": (lambda it: it.claims.update(iss="https://evil.example"), "not_trusted"),
    "no issuer": (lambda it: it.claims.update(iss=None), "not_trusted"),
    "of nobody": (lambda it: it.claims.update(sub=None), "not_trusted"),
    "of an empty name": (lambda it: it.claims.update(sub=""), "not_trusted"),
    "of a number": (lambda it: it.claims.update(sub=7), "not_trusted"),
    "of a long name": (lambda it: it.claims.update(sub="x" * 256), "not_trusted"),
    "expired": (lambda it: it.claims.update(exp=int(time.time()) - 120), "clock"),
    "never expires": (lambda it: it.claims.update(exp=None), "not_trusted"),
    "of tomorrow": (lambda it: it.claims.update(iat=int(time.time()) + 86400), "clock"),
    "not yet good": (lambda it: it.claims.update(nbf=int(time.time()) + 86400), "clock"),
    "not signed": (lambda it: setattr(it, "algorithm", "none"), "not_trusted"),
    "signed with the public key": (lambda it: setattr(it, "algorithm", "HS256"), "not_trusted"),
    "signed with it, and says so": (
        lambda it: (
            it.metadata.update(id_token_signing_alg_values_supported=["HS256", "none", "RS256"]),
            setattr(it, "algorithm", "HS256"),
        ),
        "not_trusted",
    ),
    "no token": (lambda it: it.faults.add("no ID token"), "not_trusted"),
    "the token endpoint is down": (lambda it: it.faults.add("token endpoint is down"), "unreachable"),
    "denied": (lambda it: setattr(it, "error", "access_denied"), "denied"),
    "refused": (lambda it: setattr(it, "error", "invalid_scope"), "refused"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_provider_that_misbehaves_signs_nobody_in(browser, there, fault):
    change, trouble = FAULTS[fault]
    change(there)
    callback = browser.start()
    with capture_logs(processors=[merge_contextvars]) as lines:
        assert browser.come_back(callback) == ("/topics", trouble)
    assert browser.session is None
    assert operators() == []
    [line] = [each for each in lines if each["event"] == "single_sign_on_failed"]
    assert line["trouble"] == trouble
    assert line["request_id"]
    secret = [CLIENT_SECRET, *there.tokens, parse_qs(urlsplit(callback).query)["state"][0]]
    assert not [each for each in secret if each in str(lines)]


def test_a_token_signed_by_another_key_of_the_same_name_is_not_trusted(browser, there):
    there.published = a_key(there.key.kid)
    assert browser.sign_in() == ("/topics", "not_trusted")


def test_a_provider_may_change_its_keys(browser, there):
    browser.sign_in()
    there.key = a_key()
    assert browser.sign_in() == ("/topics", "")


ODD_KEYS = {
    "of another curve": {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
    "of a kind to come": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
    "of no kind": {"kid": "x"},
    "of an odd kind": {"kty": ["RSA"]},
    "broken": {"kty": "RSA", "n": "!!!", "e": "AQAB"},
    "too short": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    "without a part": {"kty": "RSA", "n": "AQAB"},
    "a number": 7,
    "nothing": None,
}


@pytest.mark.parametrize("odd", ODD_KEYS)
def test_a_key_that_cannot_be_used_keeps_nobody_out(browser, there, odd):
    there.odd_keys = [ODD_KEYS[odd]]
    assert browser.sign_in() == ("/topics", "")


@pytest.mark.parametrize("odd", [[], list(ODD_KEYS.values())])
def test_where_no_key_can_be_used_nothing_is_trusted(browser, there, odd):
    there.faults.add("no good key")
    there.odd_keys = odd
    with capture_logs() as lines:
        assert browser.sign_in() == ("/topics", "not_trusted")
    assert "no key that can be used" in str(lines)


def test_a_code_is_good_once(browser, there):
    callback = browser.start()
    code = parse_qs(urlsplit(callback).query)["code"]
    browser.come_back(callback)
    again = browser.start()
    state = parse_qs(urlsplit(again).query)["state"][0]
    assert browser.come_back(f"{PANEL}/sso/callback?state={state}&code={code[0]}") == ("/topics", "stale")


def test_a_way_back_is_good_once_even_where_codes_are_good_twice(browser, there):
    there.faults.add("codes are good twice")
    callback = browser.start()
    assert browser.come_back(callback) == ("/topics", "")
    assert browser.come_back(callback) == ("/", "stale")


def test_the_way_back_of_another_browser_is_refused_before_anybody_is_asked(browser, there):
    """A stranger could otherwise have somebody work, unnoticed, in the stranger's account."""
    theirs = Browser(there).start()
    browser.start()
    there.asked.clear()
    assert browser.come_back(theirs) == ("/topics", "stale")
    assert Browser(there).come_back(theirs) == ("/", "stale")
    assert browser.session is None
    assert there.asked == []


def test_a_sign_in_that_took_too_long_is_begun_anew(browser, monkeypatch):
    callback = browser.start()
    late = utc_now() + attempts.ATTEMPT_LIFETIME
    monkeypatch.setattr("pages.shell.single_sign_on.utc_now", lambda: late)
    assert browser.come_back(callback) == ("/", "stale")


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=x", "state=&code=", "error=access_denied", "code=x&state=ã"]
)
def test_a_made_up_way_back_is_refused(browser, there, query):
    assert browser.come_back(f"{PANEL}/sso/callback?{query}") == ("/", "stale")
    assert there.asked == []


@pytest.mark.parametrize("sealed", ["", "siv.", "siv.AAAA", "x" * 3000])
def test_a_cookie_that_is_not_ours_is_no_sign_in(browser, sealed):
    callback = browser.start()
    [name] = [name for name in browser.client.cookies if name.endswith("_sso")]
    browser.client.cookies.clear()
    browser.client.cookies.set(name, sealed)
    assert browser.come_back(callback) == ("/", "stale")


def test_a_cookie_of_another_version_is_no_sign_in(browser):
    sealed = encrypt_with_key(derived_key("single sign-on").hex(), '{"began_at": 0, "colour": "red"}')
    assert attempts.unseal(sealed, utc_now()) is None


def broken(*_given, **_more):
    raise OperationalError("SELECT", {}, Exception("the database is gone"))


def test_a_fault_of_ours_is_said_calmly(browser, monkeypatch):
    callback = browser.start()
    monkeypatch.setattr("pages.shell.way_back.complete_single_sign_on", broken)
    with capture_logs() as lines:
        assert browser.come_back(callback) == ("/topics", "panel")
    assert "single_sign_on_broken" in {each["event"] for each in lines}


def test_a_fault_of_ours_at_the_button_is_said_calmly_too(browser, monkeypatch):
    monkeypatch.setattr(provider, "sign_in_address", broken)
    with capture_logs(processors=[merge_contextvars]) as lines:
        answer = browser.client.get(address("topics", "", "en"))
    assert answer.headers["location"] == "/topics?sso=panel&lang=en"
    assert [each["event"] for each in lines] == ["single_sign_on_broken", "single_sign_on_failed"]
    assert all(each["request_id"] for each in lines)


def test_a_wrong_client_secret_is_named_in_the_log(browser, restart):
    restart(sso_client_secret="another")
    with capture_logs() as lines:
        assert browser.sign_in() == ("/topics", "refused")
    assert "the provider said invalid_client" in str(lines)


def guess(browser: Browser) -> tuple[str, str]:
    """Come back with a code that nobody was given."""
    state = parse_qs(urlsplit(browser.start()).query)["state"][0]
    return browser.come_back(f"{PANEL}/sso/callback?state={state}&code=guessed")


def test_one_address_has_so_many_attempts_before_the_provider_is_asked_no_more(browser, there):
    for _ in range(ATTEMPTS_BY_ADDRESS):
        assert guess(browser) == ("/topics", "stale")
    there.asked.clear()
    assert browser.sign_in() == ("/topics", "too_many")
    assert "/token" not in there.asked
    other = Browser(there, "203.0.113.10")
    assert other.sign_in() == ("/topics", "")
    sign_in.begin_sign_in("chi.admin", "203.0.113.9", now=utc_now())  # a password is still taken


def test_whoever_gets_in_takes_the_attempts_of_their_address_back(browser):
    for _ in range(ATTEMPTS_BY_ADDRESS + 1):
        guess(browser)
        assert browser.sign_in() == ("/topics", "")


@pytest.mark.parametrize("event", ["single_sign_on_failed", "single_sign_out_failed"])
def test_what_strangers_cause_is_said_once_a_minute(event):
    said, sparing = [], logs.ThrottleRepeats(lambda: 1000.0)
    for trouble in ("stale", "stale", "refused", "stale"):
        with suppress(DropEvent):
            said.append(sparing(None, "", {"event": event, "trouble": trouble})["trouble"])
    assert said == ["stale", "refused"]


def test_a_provider_may_want_the_client_secret_in_the_body(browser, there):
    there.metadata.update(token_endpoint_auth_methods_supported=["client_secret_post"])
    assert browser.sign_in() == ("/topics", "")


@pytest.mark.parametrize("secret", ["a+b", "a%2Fb", "a:b/=", "bí mật", "plain-secret~1._"])
def test_a_client_secret_may_have_any_characters(browser, there, restart, secret):
    there.metadata.update(token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"])
    there.client_secret = secret
    restart(sso_client_secret=f" {secret}\n")
    assert browser.sign_in() == ("/topics", "")


def test_nobody_waits_for_ever_for_a_provider_that_hangs(browser, there, monkeypatch):
    monkeypatch.setattr(provider, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        there.metadata.update(token_endpoint=f"http://127.0.0.1:{mute.getsockname()[1]}/token")
        assert browser.sign_in() == ("/topics", "unreachable")


def test_without_the_provider_it_says_so(there, restart):
    with openid_provider() as gone:
        pass
    restart(sso_issuer=gone.issuer)
    answer = Browser(there).client.get(address("topics", "", "vi"))
    assert answer.headers["location"] == "/topics?sso=unreachable&lang=vi"


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ({"issuer": "https://evil.example"}, "refused"),
        ({"token_endpoint": "http://evil.example/token"}, "refused"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "refused"),
        ({"jwks_uri": None}, "refused"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "refused"),
        ({"id_token_signing_alg_values_supported": None}, "refused"),
    ],
)
def test_a_provider_that_describes_itself_oddly_is_not_used(browser, there, said, trouble):
    there.metadata.update(said)
    answer = browser.client.get(address("", "", "en"))
    assert answer.headers["location"] == f"/?sso={trouble}&lang=en"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "topics/../..",
        "javascript:",
        "sso/start",
        "TOPICS",
    ],
)
def test_it_leads_to_our_own_pages_only(browser, path):
    assert browser.sign_in(path=path, query="//evil.example") == ("/", "")


def test_what_the_address_asks_for_is_written_anew(browser):
    answer = browser.client.get(browser.start("topics", "a=1\r\nLocation: https://evil.example&b=ữ"))
    assert answer.headers["location"] == "/topics?a=1%0D%0ALocation%3A+https%3A%2F%2Fevil.example&b=%E1%BB%AF"


def test_where_to_come_back_to_does_not_follow_from_the_host(browser):
    answer = browser.client.get("/sso/start", headers={"Host": "evil.example"})
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{PANEL}/sso/callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert not {"client_secret", "code_verifier"} & set(asked)


def test_an_address_may_stand_for_a_role_where_it_is_verified(browser, there, restart):
    restart(sso_roles_claim="email", sso_admins="Lan@Shop.vn")
    assert browser.sign_in() == ("/topics", "")
    assert operators()[0].role == "admin"
    there.person = {**LAN, "email_verified": "true"}
    assert browser.sign_in() == ("/topics", "no_role")


def test_under_a_path_the_routes_are_there_and_nowhere_else(browser):
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "otn/panel")
    try:
        assert browser.client.get("/sso/start").status_code == 404
        callback = browser.start()
        assert callback.startswith(f"{PANEL}/otn/panel/sso/callback?")
        assert browser.come_back(callback) == ("/otn/panel/topics", "")
    finally:
        config.set_option("server.baseUrlPath", before)


def test_without_single_sign_on_there_is_no_such_address(arrange):
    client = TestClient(Starlette(routes=server.ROUTES, middleware=server.MIDDLEWARE), base_url=PANEL)
    assert client.get("/sso/start").status_code == 404
    assert client.get("/sso/callback?code=x&state=y").status_code == 404


def test_the_button_leads_so_often_from_one_address_and_no_oftener(browser, there):
    for _ in range(STARTS_BY_ADDRESS):
        assert browser.client.get(address("", "", "en")).headers["location"].startswith(there.issuer)
    assert "sso=too_many" in browser.client.get(address("", "", "en")).headers["location"]
    assert Browser(there, ip="203.0.113.10").sign_in() == ("/topics", "")


def test_no_queue_of_strangers_stands_before_a_colleague(browser, there, monkeypatch):
    monkeypatch.setattr(single_sign_on, "MOST_WAITING", 0)
    assert "sso=busy" in browser.client.get(address("", "", "en")).headers["location"]
    assert there.asked == []


def test_a_newcomer_has_no_fanpage_until_an_admin_gives_one(browser):
    browser.sign_in()
    assert browser.session.operator.fanpage_ids == frozenset()
    assert browser.session.actor.waits_for_fanpages


def test_a_newcomer_has_all_fanpages_where_that_is_set(browser, restart):
    restart(sso_fanpages="all")
    browser.sign_in()
    assert browser.session.operator.fanpage_ids is None


def end(browser: Browser) -> str:
    answer = browser.client.get(f"{PANEL}/sso/end")
    assert answer.status_code == 303
    return answer.headers["location"]


def test_signing_out_goes_on_to_the_provider_where_it_has_a_page_for_that(browser, there):
    there.metadata["end_session_endpoint"] = f"{there.issuer}/logout?realm=shop"
    assert end(browser) == f"{there.issuer}/logout?realm=shop&client_id=notify-once"


@pytest.mark.parametrize("said", [None, "", "http://elsewhere.vn/logout", "javascript:alert(1)", ["x"], 7])
def test_signing_out_comes_back_here_where_the_provider_has_no_such_page(browser, there, said):
    there.metadata["end_session_endpoint"] = said
    assert end(browser) == "/"


def test_signing_out_comes_back_here_where_the_provider_is_down(browser, there, restart):
    restart(sso_issuer=f"{there.issuer}/gone")
    assert end(browser) == "/"


def test_signing_out_asks_the_provider_so_often_from_one_address_and_no_oftener(browser, there):
    page = there.metadata["end_session_endpoint"] = f"{there.issuer}/logout"
    for _ in range(STARTS_BY_ADDRESS):
        assert end(browser).startswith(page)
    there.asked.clear()
    provider.forget_metadata()
    with capture_logs() as lines:
        assert end(browser) == "/"
    assert there.asked == []
    assert [(each["event"], each["trouble"]) for each in lines] == [("single_sign_out_failed", "too_many")]
    assert end(Browser(there, ip="203.0.113.10")).startswith(page)


def come_in(browser: Browser, arrange, name: str) -> SessionView:
    """An operator with a password signs in in this browser."""
    an_operator(arrange, "editor", name)
    ticket = sign_in.complete_sign_in(name, "203.0.113.9", now=utc_now())
    browser.client.cookies.clear()
    assert browser.client.post(f"{PANEL}/session", content=ticket).status_code == 204
    return browser.session


@pytest.fixture
def lan(browser, arrange) -> SessionView:
    an_operator(arrange)  # an admin with a password, who remains
    return come_in(browser, arrange, "lan")


def follow(browser: Browser, started: str) -> tuple[str, str]:
    answer = browser.client.get(started)
    if not answer.headers["location"].startswith(browser.there.issuer):
        there = urlsplit(answer.headers["location"])
        return there.path, parse_qs(there.query)["sso"][0]
    return browser.come_back(httpx2.get(answer.headers["location"], trust_env=False).headers["location"])


def proposed(browser: Browser, session: SessionView) -> Proposal | None:
    """The account that an operator is asked about when they come back."""
    answer = browser.client.get(link_address(session.id, "en"))
    back = httpx2.get(answer.headers["location"], trust_env=False).headers["location"]
    there = urlsplit(browser.client.get(back).headers["location"])
    assert there.path == "/account"
    return attempts.unseal_proposal(parse_qs(there.query).get("account", [""])[0], utc_now())


def test_whoever_changes_over_is_asked_about_the_account_before_anything_is_done(browser, lan, there):
    there.person = {**LAN, "name": "Nguyễn Thị  Lan\u202e"}
    found = proposed(browser, lan)
    assert (found.shown, found.role, found.links) == ("Nguyễn Thị Lan, lan@shop.vn", "sender", lan.id)
    assert (found.issuer, found.subject, found.name) == (there.issuer, "lan-1", "lan@shop.vn")
    assert browser.session.id == lan.id
    assert queries.find_password_hash("lan")
    assert not queries.get_operator_named("lan").has_single_sign_on


@pytest.mark.parametrize("seconds", [-1, 600])
def test_an_account_is_asked_about_for_ten_minutes(browser, lan, there, seconds):
    found = proposed(browser, lan)
    at = utc_now() - timedelta(seconds=seconds)
    assert attempts.unseal_proposal(attempts.seal(replace(found, began_at=at.timestamp())), utc_now()) is None


def test_an_attempt_is_no_proposal(browser, lan):
    sealed = attempts.seal(attempts.Attempt(utc_now().timestamp(), links=lan.id))
    assert attempts.unseal_proposal(sealed, utc_now()) is None


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        (None, ["select_account"]),
        (["none", "login", "select_account"], ["select_account"]),
        (["none", "login", "consent"], ["login"]),
        (["none"], []),
    ],
)
def test_the_provider_shows_whose_account_is_linked(browser, lan, there, listed, asked):
    there.metadata["prompt_values_supported"] = listed
    answer = browser.client.get(link_address(lan.id, "en"))
    assert parse_qs(urlsplit(answer.headers["location"]).query).get("prompt", []) == asked
    ordinary = browser.client.get(address("topics", "", "en"))
    assert "prompt" not in parse_qs(urlsplit(ordinary.headers["location"]).query)


def test_a_link_of_another_session_is_refused_before_anybody_is_asked(browser, lan, there, arrange):
    stolen = link_address(lan.id, "en")
    browser.client.cookies.clear()
    assert follow(browser, stolen) == ("/account", "stale")
    come_in(browser, arrange, "mai")
    assert follow(browser, stolen) == ("/account", "stale")
    assert there.asked == []


@pytest.mark.parametrize("sealed", ["", "ordinary"])
def test_a_made_up_link_is_refused(browser, lan, sealed):
    sealed = attempts.seal(attempts.Attempt(utc_now().timestamp(), "account")) if sealed else ""
    assert follow(browser, f"{PANEL}/sso/start?link={sealed}") == ("/account", "stale")


def test_whoever_was_signed_out_on_the_way_links_nothing(browser, lan):
    answer = browser.client.get(link_address(lan.id, "en"))
    back = httpx2.get(answer.headers["location"], trust_env=False).headers["location"]
    sessions.sign_out(lan.actor, now=utc_now())
    assert browser.come_back(back) == ("/account", "stale")
    assert not queries.get_operator_named("lan").has_single_sign_on


def test_whoever_has_no_role_there_keeps_the_password_here(browser, lan, there):
    there.person = {**LAN, "groups": []}
    assert follow(browser, link_address(lan.id, "en")) == ("/account", "no_role")
    assert queries.find_password_hash("lan")
    assert browser.session.id == lan.id
