"""One server with a PostgreSQL domain, a lake, checks and contracts."""
import pytest
from support.meesh import binary, plain_mesh, write_yaml
from support.processes import free_ports
from support.quality_server import Server

CHECKS = {"tables": [
    {"table": "shop.public.orders", "checks": [
        {"kind": "not_null", "columns": ["id", "status"]},
        {"kind": "unique", "columns": ["id"]},
        {"kind": "unique", "columns": ["customer", "status"], "name": "one order a status"},
        {"kind": "accepted_values", "column": "status", "values": ["open", "paid"]},
        {"kind": "relationships", "column": "customer", "to": "shop.public.customers.id"},
        {"kind": "range", "column": "amount", "min": 0, "at_most": "50%"},
        {"kind": "range", "column": "placed", "min": "2024-01-01", "severity": "warn"},
        {"kind": "regex", "column": "email", "pattern": "^[^@]+@[^@]+$"},
        {"kind": "expression", "sql": "amount < 1000"},
        {"kind": "row_count", "min": 4, "max": 4},
        {"kind": "freshness", "column": "placed", "max_age": "1d"},
        {"kind": "schema", "columns": {"id": "integer", "amount": "double"}},
        {"kind": "sql", "sql": "SELECT * FROM {{ table }} WHERE email = 'b'"},
        {"kind": "measure", "sql": "SELECT avg(amount) FROM {{ table }}", "min": 0},
        {"kind": "anomaly", "metric": "row_count"}]},
    {"table": "lake.silver.orders", "checks": [
        {"kind": "not_null", "columns": ["id"]}, {"kind": "row_count", "min": 1}]},
    {"table": "lake.silver.missing", "checks": [{"kind": "row_count"}]}]}

ORDERS = """
CREATE TABLE customers (id int PRIMARY KEY);
INSERT INTO customers VALUES (1), (2);
CREATE TABLE orders (id int, customer int, status text, amount numeric(10,2), placed date,
                     email text);
INSERT INTO orders VALUES
  (1, 1, 'open', 10.50, '2025-01-01', 'a@x'), (2, 2, 'paid', -5, '2023-01-02', 'b'),
  (3, 3, 'lost', 20, '2025-01-03', 'c@x'), (3, 1, NULL, 20, '2025-01-04', NULL);
"""


def make_contract(**changes):
    return {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "orders", "version": "1.0.0",
            "status": "active", "dataProduct": "orders", "schema": [
                {"name": "orders", "physicalName": "lake.silver.orders", "properties": [
                    {"name": "id", "logicalType": "integer", "physicalType": "integer",
                     "primaryKey": True},
                    {"name": "status", "logicalType": "string", "required": True,
                     "quality": [{"metric": "nullValues", "mustBeLessThan": 50,
                                  "unit": "percent"}]}],
                 "quality": [{"metric": "rowCount", "mustBeGreaterThan": 3}]}], **changes}


@pytest.fixture
def contract():
    """contract(**changes): a contract of lake.silver.orders as its file has it."""
    return make_contract


@pytest.fixture(scope="session")
def quality(work_folder):
    if not binary().exists():
        pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
    folder = work_folder / "quality"
    port = free_ports(1)[0]
    plain_mesh(folder, {"shop": {"kind": "managed", "name": "shop_db", "port": port,
                                 "user": "admin", "password": "admin123", "init": ["schema.sql"]}})
    domain = folder / "domains" / "shop" / "domain.yaml"
    (domain.parent / "schema.sql").write_text(ORDERS)
    domain.write_text(domain.read_text() +
                      "products: [{ name: orders, table: public.orders }]\n")
    write_yaml(folder / "checks" / "orders.yaml", CHECKS)
    write_yaml(folder / "contracts" / "orders.yaml", make_contract())
    server = Server(folder, work_folder / "quality-data").start()
    server.sql("CREATE SCHEMA lake.silver")
    server.sql("CREATE TABLE lake.silver.orders AS SELECT * FROM shop.public.orders")
    yield server
    server.stop()
