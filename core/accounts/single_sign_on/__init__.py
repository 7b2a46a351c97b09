"""Signing in by an OpenID provider. `sign_in.py` is what happens when somebody comes back from it,
`rules.py` reads what it says of them, `provider.py` talks to it. The routes are in
pages/shell/single_sign_on.py."""
