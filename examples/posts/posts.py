"""Posts: a small application that leaves accounts, log-in and sessions to Bottomline.

It knows people by the headers that nginx sets after asking Bottomline, and by nothing else. So it listens on loopback
alone: whoever reaches it past nginx could be anybody. Posts are kept in memory.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from html import escape
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, unquote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

LONGEST = 4096
HEADERS = [
    ("Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
]
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Posts</title>
<h1>Posts of {username}</h1>
<ul>{posts}</ul>
<form method="post" action="/posts"><label>Text <input name="text" required></label> <button>Post</button></form>
"""

posts: dict[str, list[str]] = defaultdict(list)
"""By user id, which stays; a username may change."""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """GET /posts lists a person's own posts; POST /posts adds the one in a form."""
    user_id, username = environ.get("HTTP_X_USER_ID", ""), unquote(environ.get("HTTP_X_USERNAME", ""))

    def answer(status: str, kind: str = "text/plain", body: str = "", *headers: tuple[str, str]) -> Iterable[bytes]:
        start_response(status, [*HEADERS, ("Content-Type", f"{kind}; charset=utf-8"), *headers])
        return [body.encode()]

    if not user_id:
        return answer("500 Internal Server Error", body="nginx did not say who is asking.")
    if environ["PATH_INFO"] != "/posts":
        return answer("404 Not Found")
    if environ["REQUEST_METHOD"] == "POST":
        if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") != "same-origin":
            return answer("403 Forbidden", body="Sent from another site.")
        posts[user_id].append(read_text(environ))
        return answer("303 See Other", "text/plain", "", ("Location", "/posts"))
    if "text/html" in environ.get("HTTP_ACCEPT", ""):
        listed = "".join(f"<li>{escape(post)}</li>" for post in posts[user_id])
        return answer("200 OK", "text/html", PAGE.format(username=escape(username), posts=listed))
    return answer("200 OK", "application/json", json.dumps({"username": username, "posts": posts[user_id]}))


def read_text(environ: dict[str, Any]) -> str:
    """The post in a form's field `text`."""
    body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), LONGEST))
    return "".join(parse_qs(body.decode(errors="replace")).get("text", []))


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: one that is slow holds up no other."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """No line for each request: nginx writes them."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    make_server("127.0.0.1", parser.parse_args().port, application, Server, Quiet).serve_forever()
