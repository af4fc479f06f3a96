"""A server that replays a recorded conversation with ksqlDB, over HTTP/2 and HTTP/1.1.

It is not ksqlDB, runs no SQL and knows no Kafka: no registry that the tests may use has ksqlDB. The
exchanges in tests/streams/ksqldb/*.json are written after the documentation of ksqlDB 0.29 (what
/info, /ksql, /query-stream and /query take and answer); a request that is in none of them is
answered like a bad statement. Rows can be added to a stream while a test runs.

    with KsqldbServer(conversation("payments")) as server:
        server.url, server.requests
        server.add_rows("TRANSACTION_STREAM", ["[…]"])

    python ksqldb_server.py payments.json [--only-http1]     # prints "port 12345"

An exchange:
  request:  {path, statement (spaces do not matter), method (POST)}
  response: {status (200), type, body (a value) or lines (text: numbers keep their digits),
             of (a stream whose added rows follow), then: "end", "hold" (until the client goes),
             "cut" (the connection breaks after `partial`, text) or "tick" (the line `tick` again
             and again, $N its number, $NOW the time in milliseconds)}
"""
import argparse
import asyncio
import base64
import json
import re
import ssl
import threading
import time
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
V1 = "application/vnd.ksql.v1+json"


def conversation(name):
    return Path(__file__).parent.parent / "streams" / "ksqldb" / f"{name}.json"


def _words(statement):
    return re.sub(r"\s+", " ", statement).strip().rstrip(";").strip()


class KsqldbServer:
    def __init__(self, path, user="", password="", certificate=None, key=None, only_http1=False):
        self.exchanges = json.loads(Path(path).read_text())["exchanges"]
        self.user, self.password, self.only_http1 = user, password, only_http1
        self.requests = []  # {protocol, method, path, statement, properties, accept}
        self.open_queries = 0  # answers under way
        self.port = None
        self._added = {}  # stream → lines
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate, key)
            self._tls.set_alpn_protocols(["http/1.1"] if only_http1 else ["h2", "http/1.1"])

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self):
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(20), "the server did not start"
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(20)

    def add_rows(self, stream, lines):
        """Rows as /query-stream writes them; open queries get them at once, later ones too."""
        asyncio.run_coroutine_threadsafe(self._add(stream, lines), self._loop).result(20)

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))

    async def _serve(self, started):
        self._changed, self._stopped = asyncio.Condition(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stopped.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _add(self, stream, lines):
        async with self._changed:
            self._added.setdefault(stream, []).extend(lines)
            self._changed.notify_all()

    async def _connection(self, reader, writer):
        try:
            first = await reader.readexactly(len(PREFACE[:4]))
            if first == PREFACE[:4] and not self.only_http1:
                await _Http2(self, reader, writer).run(first)
            else:
                await _http1(self, reader, writer, first)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def find(self, request):
        """The response to a request, whose body is bytes."""
        if self.user:
            wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            if request["authorization"] != f"Basic {wanted}":
                return {"status": 401, "body": {"@type": "generic_error", "error_code": 40100,
                                                "message": "Unauthorized"}}
        body = json.loads(request.pop("body") or b"{}")
        request["statement"] = body.get("sql", body.get("ksql", ""))
        request["properties"] = body.get("properties", body.get("streamsProperties", {}))
        self.requests.append(request)
        same_path = [one for one in self.exchanges if one["request"]["path"] == request["path"]]
        if not same_path:
            return {"status": 404, "body": {"@type": "generic_error", "error_code": 40400,
                                            "message": "HTTP 404 Not Found"}}
        if request["path"] == "/query-stream" and request["protocol"] != "h2":
            return {"status": 400, "body": {
                "@type": "generic_error", "error_code": 40014,
                "message": "This endpoint is only available when using HTTP2"}}
        for one in same_path:
            if _words(one["request"].get("statement", "")) == _words(request["statement"]):
                return one["response"]
        return {"status": 400, "body": {
            "@type": "statement_error", "error_code": 40001,
            "message": "No such request was recorded", "statementText": request["statement"],
            "entities": []}}

    async def pieces(self, response):
        """The body; ends for "end", never for "hold", with ConnectionAbortedError for "cut"."""
        if "body" in response:
            yield json.dumps(response["body"])
        for line in response.get("lines", []):
            yield line + "\n"
        given, stream = 0, response.get("of")
        while stream or response.get("then") == "hold":
            for line in self._added.get(stream, [])[given:]:
                given += 1
                yield line + "\n"
            if response.get("then") != "hold":
                break
            async with self._changed:
                await self._changed.wait_for(lambda: len(self._added.get(stream, [])) > given)
        while response.get("then") == "tick":
            yield response["tick"].replace("$NOW", str(time.time_ns() // 1_000_000)).replace(
                "$N", str(given)) + "\n"
            given += 1
            await asyncio.sleep(0.02)
        if response.get("then") == "cut":
            yield response.get("partial", "")
            raise ConnectionAbortedError


async def _http1(server, reader, writer, first):
    """One request; the connection is closed after its answer, which is chunked."""
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
    lines = head.split("\r\n")
    if lines[0].split()[-1] == "HTTP/2.0":
        writer.write(b"HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n")
        return await writer.drain()
    method, path, _ = lines[0].split()
    fields = {name.strip().lower(): value.strip() for name, _, value in
              (line.partition(":") for line in lines[1:] if line)}
    request = {"protocol": "http/1.1", "method": method, "path": path,
               "accept": fields.get("accept"), "authorization": fields.get("authorization"),
               "body": await reader.readexactly(int(fields.get("content-length", 0)))}
    response = server.find(request)
    writer.write(f"HTTP/1.1 {response.get('status', 200)} Recorded\r\n"
                 f"Content-Type: {response.get('type', V1)}\r\n"
                 "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())

    async def send():
        async for piece in server.pieces(response):
            data = piece.encode()
            if data:
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    server.open_queries += 1
    sending, gone = asyncio.create_task(send()), asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and isinstance(sending.exception(), ConnectionAbortedError):
            writer.transport.abort()
    finally:
        server.open_queries -= 1
        sending.cancel()
        gone.cancel()


class _Http2:
    """A connection: each request is answered by a task."""

    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer
        self.connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests, self.tasks = {}, {}
        self.window = asyncio.Event()

    async def run(self, first):
        self.connection.initiate_connection()
        try:
            data = first
            while data:
                for event in self.connection.receive_data(data):
                    self.handle(event)
                self.flush()
                await self.writer.drain()
                data = await self.reader.read(65536)
        finally:
            for task in self.tasks.values():
                task.cancel()

    def flush(self):
        self.writer.write(self.connection.data_to_send())

    def handle(self, event):
        stream = getattr(event, "stream_id", None)
        if isinstance(event, h2.events.RequestReceived):
            fields = dict(event.headers)
            self.requests[stream] = {
                "protocol": "h2", "method": fields[":method"], "path": fields[":path"],
                "accept": fields.get("accept"), "authorization": fields.get("authorization"),
                "body": b""}
        elif isinstance(event, h2.events.DataReceived):
            self.requests[stream]["body"] += event.data
            self.connection.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.StreamEnded):
            self.tasks[stream] = asyncio.create_task(self.answer(stream))
        elif isinstance(event, h2.events.StreamReset):
            self.tasks.pop(stream).cancel()
        elif isinstance(event, h2.events.WindowUpdated):
            self.window.set()

    async def answer(self, stream):
        response = self.server.find(self.requests.pop(stream))
        self.connection.send_headers(stream, [(":status", str(response.get("status", 200))),
                                              ("content-type", response.get("type", V1))])
        self.flush()
        self.server.open_queries += 1
        try:
            async for piece in self.server.pieces(response):
                await self.send(stream, piece.encode())
            self.connection.end_stream(stream)
            self.flush()
        except ConnectionAbortedError:
            self.writer.transport.abort()
        except h2.exceptions.StreamClosedError:
            pass
        finally:
            self.server.open_queries -= 1

    async def send(self, stream, data):
        while data:
            size = min(len(data), self.connection.local_flow_control_window(stream),
                       self.connection.max_outbound_frame_size)
            if size == 0:
                self.window.clear()
                await self.window.wait()
                continue
            self.connection.send_data(stream, data[:size])
            data = data[size:]
            self.flush()
            await self.writer.drain()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--only-http1", action="store_true")
    options = parser.parse_args()
    with KsqldbServer(options.file, options.user, options.password, options.certificate,
                      options.key, options.only_http1) as server:
        print(f"port {server.port}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
