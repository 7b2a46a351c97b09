"""A mail server on loopback that keeps what it is given, and says what a test tells it to."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as smtplib needs. `answers` are its next answers to a mail."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []
        self.answers: list[str] = []
        self.login_answer = "235 ok"
        self.receiver_answer = "250 ok"
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.say("220 stand-in")
        for raw in self.rfile:
            line = raw.decode().strip()
            word = line[:4].upper()
            if word == "EHLO":
                self.say("250-stand-in")
                self.say("250 AUTH PLAIN")
            elif word == "AUTH":
                self.server.logins.append(line)
                self.say(self.server.login_answer)
            elif word == "RCPT":
                self.say(self.server.receiver_answer)
            elif word == "DATA":
                self.say("354 go on")
                self._take_mail()
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def _take_mail(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        answer = self.server.answers.pop(0) if self.server.answers else "250 ok"
        if answer.startswith("250"):
            mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            self.server.mails.append(mail)
        self.say(answer)
