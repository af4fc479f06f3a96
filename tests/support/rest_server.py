"""An HTTP API on a free port, with the ways that APIs have of splitting lists into pages, of asking
who is there and of failing."""
import base64
import gzip
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """A request."""
    method: str
    path: str
    query: dict
    headers: dict
    body: str
    match: re.Match = None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self):
        return dict(parse_qsl(self.body))


@dataclass
class Answer:
    body: object = None  # bytes and str as they are, other things as JSON
    status: int = 200
    headers: dict = field(default_factory=dict)
    cut: int = None      # the connection ends after so many bytes of the body
    packed: bool = False


class RestServer:
    """.url; .asked: all requests so far; .failures: answers for the next requests, first ones
    first, instead of what routes say."""

    def __init__(self):
        self.routes, self.asked, self.failures = [], [], []
        self.lock = threading.Lock()
        self.allowed = None  # function of an Asked: whether it may be answered
        self.url = self.port = self.server = None

    def route(self, pattern, answer):
        """`answer`: of an Asked, an Answer or what its body is to be. The newest route wins."""
        self.routes.insert(0, (re.compile(pattern + "$"), answer))

    def answer_to(self, asked):
        with self.lock:
            self.asked.append(asked)
            if self.failures:
                return self.failures.pop(0)
        for pattern, answer in self.routes:
            if match := pattern.match(asked.path):
                asked.match = match
                if self.allowed and not asked.path.endswith("/token") and not self.allowed(asked):
                    return Answer({"message": "who are you?"}, 401)
                said = answer(asked) if callable(answer) else answer
                return said if isinstance(said, Answer) else Answer(said)
        return Answer({"message": "no such path"}, 404)

    def requests_of(self, path):
        return [asked for asked in self.asked if asked.path == path]

    # Ways of splitting `rows()` into pages of `size`.

    def by_page(self, path, rows, size=10, first=1):
        def answer(asked):
            at = (int(asked.query.get("page", first)) - first) * size
            all_rows = rows()
            return {"data": {"items": all_rows[at:at + size]},
                    "meta": {"pages": -(-len(all_rows) // size)}}
        self.route(path, answer)

    def by_offset(self, path, rows, largest=10):
        def answer(asked):
            at, size = int(asked.query["offset"]), min(int(asked.query["limit"]), largest)
            return rows()[at:at + size]
        self.route(path, answer)

    def by_cursor(self, path, rows, size=10):
        """Cursors are opaque; a page tells the next one's."""
        def answer(asked):
            given = asked.json if asked.method == "POST" else asked.query
            at = int(base64.b64decode(given["cursor"])) if given.get("cursor") else 0
            all_rows = rows()
            after = at + size
            next_one = base64.b64encode(str(after).encode()).decode() if after < len(all_rows) else None
            return {"results": all_rows[at:after], "paging": {"next": next_one}}
        self.route(path, answer)

    def by_link(self, path, rows, size=10):
        def answer(asked):
            at = int(asked.query.get("after", 0))
            all_rows = rows()
            headers = {}
            if at + size < len(all_rows):
                headers["Link"] = (f'<{self.url}{asked.path}?after=0>; rel="first", '
                                   f'<{asked.path}?after={at + size}>; title="a, b"; rel="next"')
            return Answer(all_rows[at:at + size], headers=headers)
        self.route(path, answer)


def handler_of(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet: else the client's kernel waits 40 ms

        def serve(self):
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)),
                          {k.lower(): v for k, v in self.headers.items()}, body)
            said = api.answer_to(asked)
            content = said.body if isinstance(said.body, bytes) else (
                said.body if isinstance(said.body, str) else json.dumps(said.body)).encode()
            headers = {"Content-Type": "application/json", **said.headers}
            if said.packed:
                content, headers["Content-Encoding"] = gzip.compress(content), "gzip"
            self.send_response(said.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if said.cut is None:
                self.wfile.write(content)
            else:
                self.wfile.write(content[:said.cut])
                self.close_connection = True

        do_GET = do_POST = do_HEAD = serve

        def handle(self):
            try:
                super().handle()
            except ConnectionError:
                pass  # the client was killed

        def log_message(self, *_):
            pass

    return Handler


@contextmanager
def rest_server():
    api = RestServer()
    api.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(api))
    api.server.daemon_threads = True
    api.port = api.server.server_port
    api.url = f"http://127.0.0.1:{api.port}"
    threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.05},
                     daemon=True).start()
    try:
        yield api
    finally:
        api.server.shutdown()
        api.server.server_close()
