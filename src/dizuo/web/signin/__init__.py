"""Signing in, as an adapter: the demonstration's list of invented people, or OpenID Connect.

1. ``SignIn``      what the application relies on: choices, begin, finish.
2. ``DemoSignIn``  choose an invented person; refused outside a demonstration.
3. ``OidcSignIn``  Authorization Code + PKCE + state + nonce; keys may rotate; every fault has its own answer.
4. ``COOKIE`` and ``KEEP``  the cookie that holds ``Begun.kept`` meanwhile, and for how many seconds.
5. ``SignedIn`` names an account (demo) or a number; the application finds the account.
"""

from dizuo.web.signin.demo import DemoSignIn
from dizuo.web.signin.model import COOKIE, KEEP, Begun, SignedIn, SignIn
from dizuo.web.signin.oidc import OidcSettings, OidcSignIn

__all__ = ["COOKIE", "KEEP", "Begun", "DemoSignIn", "OidcSettings", "OidcSignIn", "SignIn", "SignedIn"]
