"""The medallion pipeline while meesh and the source are killed: every run is gone on with, and the
rows of bronze, silver and gold are those that nobody disturbed."""
import pytest
from support import northwind
from support.answers import rows_of
from support.faults import HitMesh, differences, one_pipeline
from support.meesh import demo_mesh
from support.northwind import Gold

RUN_DATE = "2025-07-01"
ROUNDS = [4, pytest.param(120, marks=[pytest.mark.full, pytest.mark.timeout(5400)])]


def change(source, step):
    """Rows of the source that are other ones after each step."""
    source.query(f"UPDATE order_details SET quantity = 1 + (quantity + {step}) % 60 "
                 f"WHERE order_id % 5 = {step} % 5;"
                 f"UPDATE customers SET country = CASE WHEN {step} % 2 = 0 THEN 'Chile' ELSE 'usa' "
                 "END WHERE customer_id = (SELECT min(customer_id) FROM customers);"
                 f"UPDATE orders SET shipped_date = order_date + {step} % 9 "
                 f"WHERE order_id % 7 = {step} % 7")


@pytest.mark.parametrize("rounds", ROUNDS)
def test_runs_are_gone_on_with(start_meesh, folder, rounds):
    databases = one_pipeline(folder / "demo", demo_mesh(folder / "demo"), "northwind")
    hits = HitMesh(start_meesh(folder / "demo", folder / "data", databases=databases), "northwind",
                   RUN_DATE)
    source = databases["northwind"]
    hits.run()
    for step in range(rounds):
        change(source, step)
        hits.hit(us=hits.kill_us, source=lambda: hits.kill_source("northwind"))
        expected = Gold(northwind.read(source))
        revenue, lines = rows_of(hits.meesh.url, (
            "SELECT CAST(revenue AS varchar), order_lines FROM lake.gold.total_revenue"))[0]
        assert (revenue, lines) == (str(expected.total_revenue()[0]), len(expected.lines)), hits.told
        assert rows_of(hits.meesh.url, (
            "SELECT count(*), count(DISTINCT (order_id, product_id)) FROM lake.silver.sales_master"
        )) == [[len(expected.lines)] * 2], hits.told
    found = hits.everything(but=["_ingestion_timestamp"])
    assert len(found) == 6 + 8 + 6
    assert differences(found, hits.undisturbed(but=["_ingestion_timestamp"])) == {}, hits.told
