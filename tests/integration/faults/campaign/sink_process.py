"""A mail server to be killed: a mail that it has answered 250 is on disk. `sink_process.py PORT FILE`."""

import email
import email.policy
import json
import os
import re
import sys
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class Sink:
    """Appends a line for each mail: to, message id, token, time."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab", buffering=0)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's word
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        text = mail.get_body(("plain",))
        token = re.search(r"#\w+=(\S+)", text.get_content()) if text else None
        line = {"to": mail["To"], "id": mail["Message-ID"], "token": token and token[1], "at": time.time()}
        self._file.write(json.dumps(line).encode() + b"\n")
        os.fsync(self._file.fileno())
        return "250 taken"


def main() -> None:
    controller = Controller(Sink(Path(sys.argv[2])), hostname="127.0.0.1", port=int(sys.argv[1]))
    controller.start()
    sys.stdin.read()  # until whoever started it is gone


if __name__ == "__main__":
    main()
