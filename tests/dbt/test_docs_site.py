"""What the server itself knows of the mesh's dbt projects: their models, and dbt's documentation."""
import requests


def test_the_server_tells_what_a_project_is_made_of(ours):
    nodes = {node["id"]: node for node in
             requests.get(f"{ours.url}/api/v1/dbt/datamesh", timeout=120).json()}
    model = nodes["model.datamesh.customer_360"]
    assert model["table"] == "lake.curated.customer_360"
    assert model["file"] == "models/curated/customer_360.sql"
    assert "model.datamesh.mart_customer_360" in model["depends_on"]
    assert "curated" in model["tags"] and len(model["checks"]) == 3
    assert nodes["source.datamesh.sales.orders"]["table"] == "sales.public.orders"
    assert nodes["model.datamesh.int_leads_by_email"]["table"] == ""  # ephemeral


def test_projects_are_listed_and_unknown_ones_are_not_found(ours):
    assert "datamesh" in requests.get(f"{ours.url}/dbt/", timeout=30).text
    assert [p["project"] for p in requests.get(f"{ours.url}/api/v1/dbt", timeout=30).json()] == [
        "datamesh"]
    assert requests.get(f"{ours.url}/dbt/nosuch/", timeout=30).status_code == 404
    assert requests.get(f"{ours.url}/api/v1/dbt/nosuch", timeout=30).status_code == 404
    moved = requests.get(f"{ours.url}/dbt/datamesh", timeout=30, allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (308, "/dbt/datamesh/")


def test_only_what_dbt_made_for_readers_is_served(ours):
    for name in ["../profiles.yml", "%2e%2e/profiles.yml", "partial_parse.msgpack", "run"]:
        assert requests.get(f"{ours.url}/dbt/datamesh/{name}", timeout=30).status_code == 404
