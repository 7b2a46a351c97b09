"""`python python_client.py NAME URL MESSAGES THREADS`: one public client, one call for each message."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from measure import measure_work

TEXT = "Chào Lan, hàng mới đã về, mời bạn ghé xem!"


def with_requests(url):
    """Send by bare `requests`."""
    import requests

    session = requests.Session()

    def send(n):
        body = {"recipient": {"one_time_notif_token": f"token-{n:040}"}, "message": {"text": TEXT}}
        session.post(f"{url}/v26.0/me/messages", params={"access_token": "page-token"}, json=body).json()

    return send


def with_pymessenger(url):
    """Send by the package pymessenger."""
    from pymessenger.bot import Bot

    bot = Bot("page-token")
    bot.graph_url = f"{url}/v26.0"
    return lambda n: bot.send_text_message(str(n), TEXT)


def with_fbmessenger(url):
    """Send by the package fbmessenger."""
    from fbmessenger import MessengerClient
    from fbmessenger.elements import Text

    client = MessengerClient("page-token")
    client.graph_url = f"{url}/v26.0"
    return lambda n: client.send(Text(text=TEXT).to_dict(), {"sender": {"id": str(n)}}, "RESPONSE")


CLIENTS = {"requests": with_requests, "pymessenger": with_pymessenger, "fbmessenger": with_fbmessenger}


def main():
    """Send so many messages by the named client and print the figures as JSON."""
    name, url, messages, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    send = CLIENTS[name](url)
    send(0)

    def work():
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(send, range(messages)))

    print(json.dumps(measure_work(work, messages)))  # noqa: T201


main()
