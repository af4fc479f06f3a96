"""Connectors that are one YAML file, through airbyte-cdk, against an API on this machine."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pytest

ORDERS = [{"id": i, "total": i * 1.5, "updated_at": f"2025-01-{i % 28 + 1:02d}T00:00:00Z",
           "customer": {"name": f"c{i}"}} for i in range(1, 26)]

MANIFEST = """
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [orders] }
streams:
  - type: DeclarativeStream
    name: orders
    primary_key: [id]
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: "{{ config['url'] }}"
        path: /orders
        http_method: GET
        authenticator: { type: BearerAuthenticator, api_token: "{{ config['token'] }}" }
        request_parameters: { since: "{{ stream_interval['start_time'] }}" }
      record_selector:
        type: RecordSelector
        extractor: { type: DpathExtractor, field_path: [data] }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement, page_size: 10, start_from_page: 1 }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: updated_at
      datetime_format: "%Y-%m-%dT%H:%M:%SZ"
      start_datetime: "2025-01-01T00:00:00Z"
      end_datetime: "2025-02-01T00:00:00Z"
    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
          id: { type: integer }
          total: { type: number }
          updated_at: { type: string, format: date-time }
          customer: { type: object }
spec:
  type: Spec
  connection_specification:
    type: object
    required: [url, token]
    properties:
      url: { type: string }
      token: { type: string, airbyte_secret: true }
"""


@pytest.fixture
def api():
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = {k: v[0] for k, v in parse_qs(urlparse(self.path).query).items()}
            asked.append(query)
            good = self.headers.get("Authorization") == "Bearer sesame-open"
            page = int(query.get("page", 1))
            since = query.get("since", "")
            rows = [row for row in ORDERS if row["updated_at"] >= since]
            body = json.dumps({"data": rows[(page - 1) * 10:page * 10]}).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body if good else b"{}")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.asked = asked
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()


def test_a_manifest_reads_an_api(airbyte, api):
    airbyte.need("airbyte-cdk-7.39.1")
    place = airbyte.meesh.mesh / "connectors" / "orders.yaml"
    place.parent.mkdir()
    place.write_text(MANIFEST)
    airbyte.source("shop", manifest="connectors/orders.yaml",
                   config={"url": api.url, "token": "sesame-open"},
                   tables={"orders": {"mode": "incremental", "write": "merge"}})
    airbyte.source("wrong", manifest="connectors/orders.yaml",
                   config={"url": api.url, "token": "sesame-shut"}, tables={"orders": {}})
    airbyte.source("missing", manifest="connectors/orders.yaml", config={"url": api.url},
                   tables={"orders": {}})
    airbyte.source("outside", manifest="../evil.yaml", config={}, tables={"orders": {}})
    airbyte.meesh.start()
    assert "orders.yaml, 1 streams" in airbyte.ingest("check", "shop")
    out = airbyte.ingest("run", "shop")
    assert ": 25 rows" in out
    assert airbyte.query("SELECT count(*), sum(total), "
                         "count(json_extract_scalar(customer, '$.name')) "
                         "FROM lake.bronze.orders") == [[25, 487.5, 25]]
    assert {query.get("page") for query in api.asked} >= {"2", "3"}
    # The next run asks from the newest it has seen, and keeps one row a key.
    del api.asked[:]
    airbyte.ingest("run", "shop")
    assert all(query["since"] == "2025-01-26T00:00:00Z" for query in api.asked)
    assert airbyte.one("SELECT count(*) FROM lake.bronze.orders") == 25
    refused = airbyte.ingest("check", "wrong", code=1)
    assert "orders.yaml: " in refused and "401" in refused and "sesame-shut" not in refused
    assert "missing.yaml:" in (told := airbyte.ingest("check", "missing", code=1))
    assert "'token' is missing" in told
    assert "is not in the mesh's folder" in airbyte.ingest("check", "outside", code=1)
