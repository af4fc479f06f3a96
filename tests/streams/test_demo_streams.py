"""The demo's streams over payments and sales that are made here: every table against an answer that
is computed apart."""
import json
import random
import re
import shutil
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import trino
import yaml
from confluent_kafka import Producer

from support.meesh import ROOT, Meesh, plain_mesh

START = datetime(2025, 1, 15, 6)
RATES = {"EUR": "1.000000", "USD": "0.961200", "GBP": "1.184300", "CHF": "1.063800",
         "AUD": "0.596100", "CAD": "0.667400"}
BLACKLIST = {"user-3", "user-7", "user-13"}
TOPICS = {"payments": "demo-payments", "ventes-temps-reel": "demo-ventes"}  # of these tests alone


def payments(count):
    """As `meesh demo produce --kind payments` makes them."""
    dice = random.Random(20250115)
    for n in range(count):
        user = dice.randrange(20)
        products = [{"product_id": f"P{p:03}", "name": f"Product {p}", "category": "Books",
                     "price": f"{5 * p}.{p:02}", "quantity": dice.randint(1, 3)}
                    for p in dice.sample(range(1, 9), dice.randint(0, 3))]
        yield {"transaction_id": f"t{n:05}", "user_id": f"user-{user}",
               "user_name": f"Zoë {user}", "email": f"zoë.{user}@example.com",
               "card_number": "4242424242424242",
               "amount": f"{dice.randrange(1, 100000)}.{dice.randrange(100):02}",
               "currency": list(RATES)[user % 6],
               "payment_method": dice.choice(["credit_card", "paypal", "crypto"]),
               "status": dice.choice(["completed", "failed"]), "country": "FR",
               "ip_address": f"203.0.113.{dice.randint(1, 254)}",
               "timestamp": (START + timedelta(seconds=7 * n)).isoformat(timespec="milliseconds")
               + "Z", "products": products,
               "address": {"street": "1 rue Zola", "city": "Lyon", "zip": "69001",
                           "country": "FR"}}


def message(payment):
    """As JSON whose amounts and prices are numbers, with all their digits."""
    return re.sub(r'("amount"|"price"): "([0-9.]+)"', r"\1: \2", json.dumps(payment))


class Demo:
    def __init__(self, kafka, folder):
        self.kafka, self.payments = kafka, list(payments(400))
        mesh = plain_mesh(folder / "mesh", lake={"location": "s3://lake"})
        shutil.copytree(ROOT / "demo" / "streams", mesh / "streams")
        for file in (mesh / "streams").glob("*.yaml"):
            content = yaml.safe_load(file.read_text())
            assert content["paused"], f"{file.name} would wait for a Kafka that is not there"
            for source in content["sources"].values():
                source["kafka"] = {"brokers": kafka.brokers,
                                   "topic": TOPICS[source["kafka"]["topic"]]}
            file.write_text(yaml.safe_dump(content, sort_keys=False))
        for topic in TOPICS.values():
            kafka.create_topic(topic, partitions=1)
        self.meesh = Meesh(mesh, folder / "data").start()
        done = self.meesh.run("sql", "--server", self.meesh.url, "-f",
                              mesh / "streams" / "payments_tables.sql")
        assert done.returncode == 0, done.stdout + done.stderr

    def produce(self, topic, values):
        producer = Producer({"bootstrap.servers": self.kafka.brokers, "log_level": 0})
        for value in values:
            producer.produce(TOPICS[topic], value)
        assert producer.flush(30) == 0

    def query(self, sql):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="tester")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def run_payments(self):
        for file in sorted((ROOT / "demo" / "streams").glob("*.yaml")):
            if not file.stem.startswith("ventes"):
                self.run(file.stem)

    def run(self, stream):
        done = self.meesh.run("streams", "run", stream, "--server", self.meesh.url)
        assert done.returncode == 0, done.stdout + done.stderr + self.meesh.log_text()[-3000:]


@pytest.fixture(scope="module")
def demo(kafka, tmp_path_factory):
    demo = Demo(kafka, tmp_path_factory.mktemp("demo"))
    try:
        # In two parts, each read by itself: what the second adds to the first is right too.
        for part in (demo.payments[:150], demo.payments[150:]):
            demo.produce("payments", map(message, part))
            demo.run_payments()
        yield demo
    finally:
        demo.meesh.stop()


def moment(payment):
    return datetime.fromisoformat(payment["timestamp"][:-1])


def cents(number):
    """As CAST(… AS decimal(18, 2)) rounds."""
    return number.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")


def in_euros(payment):
    return Decimal(payment["amount"]) * Decimal(RATES[payment["currency"]])


def by(key, payments):
    groups = defaultdict(list)
    for payment in payments:
        groups[payment[key]].append(payment)
    return groups


def test_transactions_as_they_came(demo):
    rows = demo.query(
        'SELECT transaction_id, user_name, amount, "timestamp", cardinality(products), '
        "address.city, _partition, _offset FROM lake.payments.transaction_stream ORDER BY 1")
    assert rows == [(p["transaction_id"], p["user_name"], Decimal(p["amount"]), moment(p),
                     len(p["products"]), "Lyon", 0, n) for n, p in enumerate(demo.payments)]


def test_flattened_has_a_row_for_each_product(demo):
    rows = demo.query("SELECT transaction_id, product_id, product_name, price, quantity, "
                      "line_total FROM lake.payments.transaction_flattened")
    assert Counter(rows) == Counter(
        (p["transaction_id"], one["product_id"], one["name"], Decimal(one["price"]),
         one["quantity"], Decimal(one["price"]) * one["quantity"])
        for p in demo.payments for one in p["products"])


def test_anonymized_shows_nobody(demo):
    columns = [name for name, *_ in demo.query(
        "SHOW COLUMNS FROM lake.payments.transaction_stream_anonymized")]
    assert not {"user_id", "user_name", "address"} & set(columns)
    rows = demo.query("SELECT transaction_id, email, card_number, ip_address, amount FROM "
                      "lake.payments.transaction_stream_anonymized ORDER BY 1")
    mask = {**dict.fromkeys("zoë", "x"), ".": "-", **dict.fromkeys("0123456789", "n")}
    assert rows == [
        (p["transaction_id"],
         "".join(mask[c] for c in p["email"].split("@")[0]) + "@example.com",
         "n" * 12 + "4242", "203.0.113." + "n" * len(p["ip_address"].split(".")[3]),
         Decimal(p["amount"])) for p in demo.payments]


def test_blacklisted_users(demo):
    rows = demo.query("SELECT transaction_id, user_id FROM "
                      "lake.payments.transaction_stream_blacklisted ORDER BY 1")
    assert rows == [(p["transaction_id"], p["user_id"]) for p in demo.payments
                    if p["user_id"] in BLACKLIST]
    assert rows


@pytest.mark.parametrize("table", ["lake.payments.user_transaction_summary",
                                   "live.default.user_transaction_summary"])
def test_summary_of_each_user(demo, table):
    rows = demo.query(f"SELECT user_id, currency, transactions, total, lowest, highest, average, "
                      f"last_at, last_transaction FROM {table} ORDER BY 1")
    expected = []
    for user, own in by("user_id", demo.payments).items():
        amounts = [Decimal(p["amount"]) for p in own]
        expected.append((user, own[0]["currency"], len(own), sum(amounts), min(amounts),
                         max(amounts), cents(sum(amounts) / len(amounts)), moment(own[-1]),
                         own[-1]["transaction_id"]))
    assert rows == sorted(expected)


def test_summary_of_each_user_in_euros(demo):
    rows = demo.query("SELECT user_id, transactions, total_eur, highest_eur, last_at FROM "
                      "lake.payments.user_transaction_summary_eur ORDER BY 1")
    assert rows == sorted(
        (user, len(own), cents(sum(map(in_euros, own))), cents(max(map(in_euros, own))),
         moment(own[-1])) for user, own in by("user_id", demo.payments).items())


@pytest.mark.parametrize("table", ["lake.payments.payment_method_totals",
                                   "live.default.payment_method_totals"])
def test_totals_of_each_payment_method(demo, table):
    rows = demo.query(f"SELECT payment_method, transactions, completed, total_eur FROM {table} "
                      f"ORDER BY 1")
    assert rows == sorted(
        (method, len(own), sum(p["status"] == "completed" for p in own),
         cents(sum(map(in_euros, own)))) for method, own in
        by("payment_method", demo.payments).items())


def test_purchases_of_each_product(demo):
    bought = [one for p in demo.payments for one in p["products"]]
    rows = demo.query("SELECT product_id, product_name, purchases, quantity FROM "
                      "lake.payments.product_purchase_counts ORDER BY 1")
    assert rows == sorted((product, own[0]["name"], len(own), sum(one["quantity"] for one in own))
                          for product, own in by("product_id", bought).items())


def sale(n, country, amount, second):
    return json.dumps({"id": f"s{n}", "pays": country, "montant": amount, "produit": "Livre",
                       "quantite": 1, "moment": (START + timedelta(seconds=second)).isoformat(
                           timespec="milliseconds") + "Z"})


def test_live_sales_and_sales_by_minute(demo):
    sales = [("France", 10.25, 1), ("Allemagne", 3.5, 2), ("France", 4.75, 61), ("Suisse", 1, 200)]
    values = [sale(n, *one) for n, one in enumerate(sales)]
    demo.produce("ventes-temps-reel", [*values, values[0]])  # one came twice
    for stream in ("ventes_live", "ventes_par_minute"):
        demo.run(stream)
    for table in ("live.default.ventes_live", "lake.gold.ventes_live"):
        assert demo.query(f"SELECT * FROM {table} ORDER BY 1") == [
            ("Allemagne", Decimal("3.50"), 1), ("France", Decimal("25.25"), 3),
            ("Suisse", Decimal("1.00"), 1)]
    # The watermark, 30 s behind the newest sale, has passed two minutes.
    demo.produce("ventes-temps-reel", [sale(9, "Suisse", 1, 201)])
    demo.run("ventes_par_minute")
    assert demo.query("SELECT minute, pays, ventes, nb_transactions, panier_moyen FROM "
                      "lake.gold.ventes_par_minute ORDER BY 1, 2") == [
        (START, "Allemagne", Decimal("3.50"), 1, Decimal("3.50")),
        (START, "France", Decimal("10.25"), 1, Decimal("10.25")),
        (START + timedelta(minutes=1), "France", Decimal("4.75"), 1, Decimal("4.75"))]


def test_history_and_live_sales_together(demo):
    demo.query("CREATE SCHEMA IF NOT EXISTS lake.silver")
    demo.query("CREATE TABLE lake.silver.sales_master AS SELECT * FROM (VALUES "
               "('Germany', DECIMAL '100.00', 1, DATE '2025-01-14'), "
               "('Germany', DECIMAL '70.00', 1, DATE '2025-01-15'), "
               "('Brazil', DECIMAL '5.00', 2, DATE '2025-01-15')) "
               "AS t (country, line_total, order_id, _run_date)")
    demo.run("ventes_live")
    text = (ROOT / "demo" / "queries" / "streams" / "ventes_totales.sql").read_text()
    live = dict((country, (total, number)) for country, total, number in
                demo.query("SELECT * FROM live.default.ventes_live"))
    rows = demo.query(text.strip().rstrip(";"))
    assert {row[0] for row in rows} == {"Germany", "Brazil", "France", "Switzerland"}
    germany = next(row for row in rows if row[0] == "Germany")
    total, number = live["Allemagne"]
    assert germany[1:] == (Decimal("70.00"), total, 70 + total, 1 + number)


def test_what_the_demo_produces_is_read_whole(demo):
    before = demo.query("SELECT count(*) FROM lake.payments.transaction_stream")[0][0]
    done = demo.meesh.run("demo", "produce", "--kind", "payments", "--topic", TOPICS["payments"],
                          "--brokers", demo.kafka.brokers, "--rate", "0", "--count", "500",
                          "--seed", "3", "--keys", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    demo.run_payments()
    new = f"FROM lake.payments.transaction_stream WHERE _offset >= {before}"
    assert demo.query(f"SELECT count(*), count(DISTINCT transaction_id), count(address) {new}") == [
        (500, 500, 500)]
    assert demo.query("SELECT table_name FROM lake.information_schema.tables WHERE "
                      "table_name LIKE '%rejected'") == []
    # Who is meant is in the masked table for nobody.
    assert demo.query(
        f"SELECT count(*) FROM (SELECT * {new}) AS p "
        f"JOIN lake.payments.transaction_stream_anonymized AS a USING (transaction_id) "
        f"WHERE a.email = p.email OR a.card_number = p.card_number OR "
        f"a.ip_address = p.ip_address") == [(0,)]
    assert demo.query("SELECT count(*) FROM lake.payments.transaction_stream_blacklisted WHERE "
                      "user_id NOT IN (SELECT user_id FROM lake.payments.blacklisted_users)") == [
        (0,)]
    assert demo.query("SELECT sum(transactions) FROM lake.payments.user_transaction_summary") == [
        (before + 500,)]
