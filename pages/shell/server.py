"""What stands between a browser and Streamlit: routes of our own, and what every request passes."""

from __future__ import annotations

from starlette.middleware import Middleware

from pages.shell import cookie, single_sign_on
from pages.shell.forwarded import Forwarded
from pages.shell.same_origin import SameOrigin
from pages.shell.security_headers import SecurityHeaders
from pages.shell.session_binding import SessionBinding
from pages.shell.start_page import StartPage

ROUTES = [*cookie.ROUTES, *single_sign_on.ROUTES]
MIDDLEWARE = [
    Middleware(each) for each in (SecurityHeaders, Forwarded, SameOrigin, SessionBinding, StartPage)
]
