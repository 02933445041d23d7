#!/usr/bin/env python3
"""Mailpit's SMTP port, and of its HTTP API what the journey asks for. Mails are files beside MP_DATABASE.

`server.py readyz` asks a running one, as `mailpit readyz` does.
"""

import json
import os
import sys
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

FOLDER = Path(os.environ.get("MP_DATABASE", "/data/mailpit.db")).parent
SMTP_PORT = 1025
HTTP_PORT = 8025
ANSWERS = {
    b"EHLO": "250-mailpit\r\n250-8BITMIME\r\n250 SMTPUTF8",
    b"HELO": "250 mailpit",
    b"MAIL": "250 Ok",
    b"RCPT": "250 Ok",
    b"RSET": "250 Ok",
    b"NOOP": "250 Ok",
    b"DATA": "354 End data with <CR><LF>.<CR><LF>",
    b"QUIT": "221 Bye",
}


def keep(mail: bytes) -> None:
    unfinished = FOLDER / f"{time.time_ns()}.part"
    unfinished.write_bytes(mail)
    unfinished.rename(unfinished.with_suffix(".eml"))


def newest_first() -> list[Path]:
    return sorted(FOLDER.glob("*.eml"), reverse=True)


def read(mail: Path) -> EmailMessage:
    return message_from_bytes(mail.read_bytes(), policy=default)


def summary(mail: Path) -> dict[str, Any]:
    message = read(mail)
    to = [{"Name": one.display_name, "Address": one.addr_spec} for one in message["To"].addresses]
    return {"ID": mail.stem, "To": to, "Subject": message["Subject"]}


def text(mail: Path) -> str:
    body = read(mail).get_body(("plain",))
    return str(body.get_content()) if body else ""


class Smtp(StreamRequestHandler):
    timeout = 60

    def handle(self) -> None:
        self._say("220 mailpit ESMTP")
        while line := self.rfile.readline(1000):
            verb = line[:4].upper()
            self._say(ANSWERS.get(verb, "502 Command not implemented"))
            if verb == b"QUIT":
                return
            if verb == b"DATA":
                self._take()

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line.removeprefix(b"."))
        keep(b"".join(lines))
        self._say("250 Ok: queued")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Http(BaseHTTPRequestHandler):
    timeout = 60

    def do_GET(self) -> None:
        match self.path.partition("?")[0].strip("/").split("/"):
            case ["livez" | "readyz"]:
                self._answer(200, "ok")
            case ["api", "v1", "messages"]:
                mails = [summary(mail) for mail in newest_first()]
                self._answer(200, {"total": len(mails), "messages": mails})
            case ["api", "v1", "message", id_] if found := [mail for mail in newest_first() if mail.stem == id_]:
                self._answer(200, {**summary(found[0]), "Text": text(found[0])})
            case _:
                self._answer(404, {"Error": "not found"})

    def log_message(self, format: str, *args: object) -> None:
        """Health checks are not worth a line."""

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    ThreadingTCPServer.allow_reuse_address = True
    with ThreadingTCPServer(("", SMTP_PORT), Smtp) as smtp, ThreadingHTTPServer(("", HTTP_PORT), Http) as http:
        Thread(target=smtp.serve_forever, daemon=True).start()
        http.serve_forever()


def is_ready() -> bool:
    connection = HTTPConnection("127.0.0.1", HTTP_PORT, timeout=2)
    connection.request("GET", "/readyz")
    return connection.getresponse().status == 200


if __name__ == "__main__":
    if sys.argv[1:] == ["readyz"]:
        sys.exit(not is_ready())
    serve()
