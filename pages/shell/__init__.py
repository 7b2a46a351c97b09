"""What is around every page: sign-in, session, menu, look, and the server under Streamlit.

`frame.py` is called by app.py and draws it; `login.py` is the gate; `server.py` lists the routes and what
every request passes.
"""
