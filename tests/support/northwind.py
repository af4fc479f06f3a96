"""The gold tables of the Northwind pipeline, computed from PostgreSQL's own rows in plain Python."""
import collections
import subprocess
from decimal import ROUND_HALF_UP, Decimal

from support.meesh import ROOT
from support.postgres import programs

DUMP = ROOT / "tests" / "demo" / "northwind_dump.sql"

TABLES = ("orders", "order_details", "products", "customers", "employees", "categories")
CENT = Decimal("0.01")

# By hand, apart from the pipeline's own list.
COUNTRIES = {
    "United States": ("usa", "u.s.a.", "united states"),
    "United Kingdom": ("uk", "u.k.", "united kingdom", "great britain"),
    "Germany": ("germany", "deutschland"),
    "Brazil": ("brazil", "brasil"),
    "Mexico": ("mexico", "méxico"),
    "Spain": ("spain", "españa"),
    "Italy": ("italy", "italia"),
    "Austria": ("austria", "österreich"),
    "Sweden": ("sweden", "sverige"),
    "Switzerland": ("switzerland", "schweiz", "suisse"),
}
SPELLINGS = {spelling: country for country, all_ in COUNTRIES.items() for spelling in all_}


def read(database):
    """{table: [row as dict]}, read without meesh in between; numbers of four bytes as decimals."""
    found = {}
    connection = database.connect()
    try:
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"SELECT * FROM public.{table}")
                names = [column.name for column in cursor.description]
                found[table] = [dict(zip(names, row)) for row in cursor.fetchall()]
    finally:
        connection.close()
    return found


def restore_dump(database, dump=DUMP):
    """psql as people restore a dump: what an old setting breaks does not hold it up."""
    done = subprocess.run(
        [str(programs() / "psql"), "-q", "-h", database.host, "-p", str(database.port), "-U",
         database.user, "-d", database.name, "-f", str(dump)],
        env={"PGPASSWORD": database.password}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert all("default_with_oids" in line for line in errors), done.stderr


def country_of(text):
    text = (text or "").strip()
    known = SPELLINGS.get(text.lower())
    return known or (text.capitalize() if text else "Unknown")


def rounded(value, unit=CENT):
    return value.quantize(unit, ROUND_HALF_UP)


class Gold:
    """What the gold tables must hold."""

    def __init__(self, rows):
        self.customers = {c["customer_id"].strip(): c for c in rows["customers"]}
        self.employees = {e["employee_id"]: e for e in rows["employees"]}
        orders = {o["order_id"]: o for o in rows["orders"]}
        categories = {c["category_id"]: c["category_name"] for c in rows["categories"]}
        products = {p["product_id"]: p for p in rows["products"]}
        self.lines = []
        for detail in rows["order_details"]:
            order = orders[detail["order_id"]]
            customer = (order["customer_id"] or "").strip() or None
            price = rounded(Decimal(repr(detail["unit_price"])))
            discount = rounded(Decimal(repr(detail["discount"])), Decimal("0.0001"))
            self.lines.append({
                "order": order["order_id"], "date": order["order_date"], "customer": customer,
                "employee": order["employee_id"], "quantity": detail["quantity"],
                "country": country_of(self.customers[customer]["country"]) if customer
                else "Unknown",
                "category": categories.get(products[detail["product_id"]]["category_id"],
                                           "Uncategorised"),
                "total": rounded(price * detail["quantity"] * (1 - discount))})

    def sums(self, key):
        """{key: [lines]} and revenue of each."""
        groups = collections.defaultdict(list)
        for line in self.lines:
            groups[line[key]].append(line)
        return {k: (sum(line["total"] for line in lines), lines) for k, lines in groups.items()}

    def total_revenue(self):
        """revenue, orders, lines, customers, first and last date"""
        dates = [line["date"] for line in self.lines]
        return (sum(line["total"] for line in self.lines),
                len({line["order"] for line in self.lines}), len(self.lines),
                len({line["customer"] for line in self.lines} - {None}), min(dates), max(dates))

    def top_countries(self):
        """(position, country, revenue) of the best three"""
        sums = {country: revenue for country, (revenue, _) in self.sums("country").items()
                if country != "Unknown"}
        best = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:3]
        return [(place, country, revenue) for place, (country, revenue) in enumerate(best, 1)]

    def sales_by_category(self):
        """{category: (revenue, share, orders, quantity)}"""
        everything = sum(line["total"] for line in self.lines)
        return {category: (revenue, rounded(100 * revenue / everything),
                           len({line["order"] for line in lines}),
                           sum(line["quantity"] for line in lines))
                for category, (revenue, lines) in self.sums("category").items()}

    def employee_sales(self):
        """{employee: (revenue, orders)}"""
        sums = self.sums("employee")
        return {employee: (sums[employee][0], len({line["order"] for line in sums[employee][1]}))
                if employee in sums else (Decimal(0), 0) for employee in self.employees}

    def rfm(self):
        """{customer: (recency, frequency, monetary, r, f, m, segment)}"""
        newest = max(line["date"] for line in self.lines)
        bought = {customer: (max(line["date"] for line in lines),
                             len({line["order"] for line in lines}), revenue)
                  for customer, (revenue, lines) in self.sums("customer").items()
                  if customer is not None}

        def scores(index):
            values = sorted(row[index] for row in bought.values())
            return {value: 1 + 5 * values.index(value) // len(values) for value in set(values)}

        by_date, by_orders, by_money = (scores(index) for index in range(3))
        found = {customer: (None, 0, Decimal(0), None, None, None, "Never ordered")
                 for customer in self.customers}
        for customer, (last, orders, money) in bought.items():
            r, f, m = by_date[last], by_orders[orders], by_money[money]
            found[customer] = ((newest - last).days, orders, money, r, f, m, segment(r, f + m))
        return found


def segment(recency, value):
    if recency >= 4 and value >= 8:
        return "Champions"
    if recency >= 3 and value >= 6:
        return "Loyal"
    if recency >= 4:
        return "Potential"
    if recency == 3:
        return "Needs attention"
    return "At risk" if value >= 6 else "Hibernating"
