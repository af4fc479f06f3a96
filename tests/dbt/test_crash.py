"""The retail pipeline with its dbt project while dbt, meesh and the sources are killed: what dbt
builds over and over is what a new mesh builds once."""
import collections

import pytest
from support.answers import rows_of
from support.faults import HitMesh, differences, one_pipeline
from support.meesh import ROOT, demo_mesh, plain_mesh, write_yaml

PROJECT = ROOT / "demo" / "dbt" / "datamesh"
RUN_DATE = "2025-07-01"
ROUNDS = [pytest.param(2, marks=pytest.mark.timeout(900)),
          pytest.param(80, marks=[pytest.mark.full, pytest.mark.timeout(10800)])]
# When things were done is of each mesh, and so are keys made of it.
TIMES = ["_ingestion_timestamp", "dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"]
HISTORY = "history.customers_history"


def change(databases, step):
    """New orders on days of their own, new versions of customers, other leads."""
    databases["sales"].query(
        f"INSERT INTO orders (customer_id, total_amount, created_at) SELECT customer_id, {step} + 1, "
        f"timestamp '2031-01-01 10:00:00' + interval '1 day' * {step} FROM customers "
        f"WHERE customer_id % 9 = {step} % 9;"
        f"UPDATE customers SET phone = 'version {step}' WHERE customer_id % 5 = {step} % 5")
    databases["marketing"].query("UPDATE leads SET campaign_id = CASE campaign_id WHEN 1 THEN 2 ELSE 1 "
                                 f"END WHERE lead_id % 4 = {step} % 4")


def customers(databases):
    return set(databases["sales"].query("SELECT customer_id, phone FROM customers"))


def check_history(url, databases, versions):
    """Of each customer one version is the present one; no version is there twice, none is invented."""
    history = rows_of(url, f"SELECT customer_id, phone, dbt_valid_to IS NULL FROM lake.{HISTORY}")
    doubled = [key for key, count in collections.Counter(
        (customer, phone) for customer, phone, _ in history).items() if count > 1]
    assert doubled == []
    assert {(customer, phone) for customer, phone, present in history if present} == (
        customers(databases))
    assert {(customer, phone) for customer, phone, _ in history} <= versions


@pytest.mark.parametrize("rounds", ROUNDS)
def test_what_is_built_again_and_again_is_what_is_built_once(start_meesh, folder, rounds):
    databases = one_pipeline(folder / "demo", demo_mesh(folder / "demo"), "retail")
    meesh = start_meesh(folder / "demo", folder / "data", databases=databases)
    loaded = meesh.run("demo", "load", "--scale", "0.002", "--mesh", meesh.mesh, "--data", meesh.data)
    assert loaded.returncode == 0, loaded.stderr
    hits = HitMesh(meesh, "retail", RUN_DATE)
    hits.usual = 12
    versions = customers(databases)
    for step in range(rounds):
        change(databases, step)
        versions |= customers(databases)
        hits.hit(dbt=hits.kill_dbt, us=hits.kill_us,
                 source=lambda: hits.kill_source(hits.chance.choice(["sales", "marketing"])))
        check_history(meesh.url, databases, versions)
    found = hits.everything(but=TIMES)
    assert {"curated.customer_360", "marts.mart_sales__daily_revenue", HISTORY} <= set(found)
    expected = hits.undisturbed(but=TIMES)
    assert found.pop(HISTORY) >= expected.pop(HISTORY)  # a new mesh knows no older versions
    assert differences(found, expected) == {}, hits.told


@pytest.mark.full
@pytest.mark.timeout(900)
def test_what_a_killed_snapshot_or_unit_test_left_is_in_nobodys_way(dbt, query):
    demo = dbt(PROJECT)
    chosen = ["--select", "+customers_history", "+test_type:unit", "--exclude", "test_type:data"]
    demo("build", *chosen)
    for left in (HISTORY, "marts.revenue_is_counted_once"):
        query(f"CREATE TABLE lake.{left}__dbt_tmp AS SELECT 1 AS what_was_left")
    demo("build", *chosen)
    for schema in ("history", "marts"):
        assert query(f"SHOW TABLES FROM lake.{schema} LIKE '%dbt%'") == []


@pytest.mark.timeout(900)
def test_a_test_that_fails_does_so_at_every_attempt(start_meesh, folder):
    """What succeeded is not built again, but for the sake of its tests that have not passed."""
    mesh = plain_mesh(folder / "mesh")
    write_yaml(mesh / "pipelines" / "p.yaml", {
        "name": "p", "retries": {"attempts": 2, "delay": "10ms"}, "assets": {"shop": {"dbt": "shop"}}})
    write_yaml(mesh / "dbt" / "shop" / "dbt_project.yml", {"name": "shop"})
    models = mesh / "dbt" / "shop" / "models"
    write_yaml(models / "models.yml", {"version": 2, "models": [
        {"name": "bad", "columns": [{"name": "id", "data_tests": ["not_null", "unique"]}]},
        {"name": "good", "columns": [{"name": "id", "data_tests": ["unique"]}]}]})
    for name, rows in (("bad", "(1), (1)"), ("good", "(1), (2)")):
        (models / f"{name}.sql").write_text(
            f"{{{{ config(materialized='table') }}}} select * from (values {rows}) as t(id)")
    meesh = start_meesh(mesh, folder / "data")
    done = meesh.run("run", "p", "--server", meesh.url, timeout=300)
    assert done.returncode == 1, done.stdout
    assert done.stdout.count("unique_bad_id") >= 2 and "lake.shop.good" in done.stdout
    made = {table: rows_of(meesh.url, f'SELECT count(*) FROM lake.shop."{table}$history"')[0][0]
            for table in ("good", "bad")}
    assert made["good"] < made["bad"] or made["good"] == 1, made
