"""A simulated Messenger, strict where Meta documents it (`behaviour.py` marks what is assumed).

    World(path)                 the state; a file survives restarts, ":memory:" does not
    create_simulator_app(world) the Starlette app; serve(port) runs it on data/simulator.db
    running_simulator(world)    context manager: serves it on a free port and gives the base URL
    SimulatorClient(base_url)   client of the control API below (core.simulator.control_client)

Graph API: POST /{page|me}/messages, POST / (batch), GET /me, /{page}, /{psid}, subscribed_apps,
messenger_profile, custom_user_settings, messaging_feature_review, conversations, message_attachments,
debug_token; each with or without /vNN.0. Control API, JSON in and out (409: not possible on that phone):

    GET    /control/pages                     pages, without their secrets
    POST   /control/pages                     {page_id, name, token, app_secret, verify_token, webhook_url,
                                              require_proof, otn, subscribed_fields, approved_fields, profile}
    DELETE /control/pages/{page}              with its people and everything they have
    POST   /control/pages/{page}/verify       makes the webhook handshake -> {verified}
    POST   /control/pages/{page}/tokens       {count | psids, title, at} tokens without a webhook -> {tokens}
    GET    /control/people?page_id=           people
    POST   /control/people                    {page_id, people: [{first_name, last_name, psid, habit, …}]}
    PATCH  /control/people/{psid}             {habit, blocked, met, window_until, first_name, last_name, …}
    GET    /control/people/{psid}/thread      {person, bubbles: [{mid, from, at, message, tapped, by_token}]}
    DELETE /control/people/{psid}/thread      deletes the conversation (Get Started shows again)
    POST   /control/people/{psid}/say         {text, at}    (`at`: seconds since 1970, for past events)
    POST   /control/people/{psid}/get_started {ref, at}
    POST   /control/people/{psid}/open        {ref, at}     m.me link -> {came_as}
    POST   /control/people/{psid}/tap         {mid, title | payload} button of a template
    POST   /control/people/{psid}/quick_reply {title | payload} under the newest bubble
    POST   /control/people/{psid}/notify_me   {mid, at}     newest request when no mid is given
    POST   /control/people/{psid}/consent     {payload, title, at, tell} a consent without a bubble
    POST   /control/people/{psid}/react       {mid, emoji}
    POST   /control/people/{psid}/read        reads everything
    POST   /control/people/{psid}/remember    {bubbles: [{message, by_page, at, tapped}]} invented history
    POST   /control/acts                      {acts: [{psid, act, …}]} many of the above in order
    POST   /control/pages/{page}/earlier      {seconds} dates notifications sent by token earlier (the demo)
    GET    /control/books/{page}?since=&short= issued, spent, accepted, refused, requests, tokens, sends
    GET    /control/faults                    what is on
    POST   /control/faults                    {name, share, count, after, value, page_id}; names in faults.py
    DELETE /control/faults[/{name}]           one off, or all
    POST   /control/usage                     {percent, minutes} shown in the usage headers; {} = real figures
    GET    /control/settings                  behaviour.py
    POST   /control/settings                  changes some
    POST   /control/clock                     {ahead_seconds} puts this world's clock forward
    POST   /control/emit                      {page_id, field, list_name, events} any webhook events
    GET    /control/webhooks/{page}           {waiting, delivered, posts, failures, last_error, unsubscribed}
    POST   /control/webhooks/{page}           {timeout} the same, once nothing is waiting
"""

from core.simulator.serving import create_simulator_app, running_simulator, serve
from core.simulator.world import World

__all__ = ["World", "create_simulator_app", "running_simulator", "serve"]
