"""A mesh with a lake, what asks its lineage, and a collector of OpenLineage events."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import trino
import yaml

from support.meesh import external, plain_mesh
from support.processes import wait_until


class Lineage:
    """The lineage API of one server."""

    def __init__(self, meesh):
        self.meesh = meesh

    def sql(self, text, **session):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="ada",
                                         catalog="lake", schema="s", **session)
        cursor = connection.cursor()
        cursor.execute(text)
        return cursor.fetchall()

    def get(self, path="", **query):
        return requests.get(f"{self.meesh.url}/api/v1/lineage{path}", params=query, timeout=30)

    def graph(self, table, **query):
        answer = self.get(table=table, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def edges(self, table, **query):
        """{"from > to"} of tables, or of columns."""
        def name(end):
            return end if isinstance(end, str) else f"{end['table']}.{end['column']}"
        return {f"{name(e['from'])} > {name(e['to'])}" for e in self.graph(table, **query)["edges"]}

    def events(self, **query):
        answer = self.get("/events", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["events"]

    def post(self, body, path="", **options):
        return requests.post(f"{self.meesh.url}/api/v1/lineage{path}", json=body, timeout=30,
                             **options)


class Collector:
    """Takes OpenLineage events as any collector of theirs; answers `status`."""

    def __init__(self):
        self.events, self.keys, self.status = [], set(), 201
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if collector.status < 300:
                    collector.events.append(json.loads(body))
                    collector.keys.add(self.headers["Authorization"])
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/api/v1/lineage"

    def of(self, job, count=2):
        """The events of one job, once there are so many."""
        def found():
            return [e for e in list(self.events) if e["job"]["name"] == job]
        wait_until(lambda: len(found()) >= count, 60, f"{count} events of {job}")
        return found()


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def lineage_of(start_meesh, folder):
    """Starts a mesh of the given PostgreSQL servers by domain; `top` goes into meesh.yaml."""
    def start(servers, **top):
        domains = {name: external(server) for name, server in servers.items()}
        made = Lineage(start_meesh(plain_mesh(folder / "mesh", domains, **top), folder / "data"))
        made.sql("CREATE SCHEMA lake.s")
        return made
    return start


@pytest.fixture
def lineage(lineage_of):
    return lineage_of({})


class Jobs:
    """A mesh with a domain `shop`, the pipelines, sources and dbt project that a test writes."""

    def __init__(self, mesh, server):
        self.mesh, self.shop, self.lineage = mesh, server, None

    def write(self, path, content):
        file = self.mesh / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else
                        yaml.safe_dump(content, sort_keys=False))

    def pipeline(self, **assets):
        self.write("pipelines/p.yaml", {"name": "p", "assets": assets})

    def run(self, good=True):
        """One run of the pipeline; its id."""
        meesh = self.lineage.meesh
        done = meesh.run("run", "p", "--json", "--server", meesh.url, timeout=280)
        assert done.stdout and (done.returncode == 0) == good, done.stdout + done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])["id"]

    def jobs(self, table, **query):
        """{"from > to": job} of the edges that lead to a table."""
        edges = self.lineage.graph(table, direction="upstream", **query)["edges"]
        assert all(len(edge["jobs"]) == 1 for edge in edges), edges
        return {f"{edge['from']} > {edge['to']}": edge["jobs"][0]["name"] for edge in edges}

    def event(self, job, state="COMPLETE"):
        """The newest event of a job."""
        found = [e for e in self.lineage.events(job=job) if e["eventType"] == state]
        assert found, self.lineage.events(job=job)
        return found[0]


@pytest.fixture
def jobs(folder, postgres, start_meesh):
    """The mesh; jobs.start() starts it."""
    server = postgres("shop")
    server.query("CREATE TABLE orders (id integer PRIMARY KEY, price numeric(9, 2), day date)")
    server.query("INSERT INTO orders VALUES (1, 2.50, '2025-01-01'), (2, 4.00, '2025-01-02')")
    made = Jobs(plain_mesh(folder / "mesh", {"shop": external(server)}), server)

    def start():
        made.lineage = Lineage(start_meesh(made.mesh, folder / "data"))
        return made
    made.start = start
    return made
