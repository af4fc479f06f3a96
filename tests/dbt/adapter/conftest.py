"""dbt's own tests of adapters, run with dbt-trino against a running meesh. They need dbt's
environment, not that of the other tests: tests/dbt/test_adapter.py starts them there and says
where the server is (MEESH_TEST_SERVER) and which catalog they write to (MEESH_TEST_CATALOG)."""
import os
from pathlib import Path
from urllib.parse import urlparse

import pytest
import yaml

pytest_plugins = ["dbt.tests.fixtures.project"]
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"

CATALOG = os.environ["MEESH_TEST_CATALOG"]
POSTGRESQL = CATALOG not in ("lake", "memory")

needs_views = pytest.mark.skipif(POSTGRESQL, reason="Trino's connector to PostgreSQL has no views")


@pytest.fixture(scope="class")
def logs_dir(tmp_path_factory, monkeypatch_class):
    """Not in the tests' own folder, where dbt would put them."""
    folder = str(tmp_path_factory.mktemp("logs"))
    monkeypatch_class.setenv("DBT_LOG_PATH", folder)
    return folder


@pytest.fixture(scope="class")
def monkeypatch_class():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="class")
def dbt_profile_target():
    server = urlparse(os.environ["MEESH_TEST_SERVER"])
    return {"type": "trino", "method": "none", "host": server.hostname, "port": server.port,
            "user": "admin", "database": CATALOG, "threads": 4}


@pytest.fixture(scope="class")
def dbt_project_yml(dbt_project_yml, project_root):
    """What docs/dbt.md says a project on PostgreSQL needs."""
    if POSTGRESQL:
        dbt_project_yml.setdefault("models", {}).update(
            {"+materialized": "table", "+views_enabled": False})
        Path(project_root, "dbt_project.yml").write_text(yaml.safe_dump(dbt_project_yml))
    return dbt_project_yml


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("full") and not os.environ.get("MEESH_TEST_FULL"):
            item.add_marker(pytest.mark.skip(reason="long; ./test --full runs it"))


def pytest_configure(config):
    config.addinivalue_line("markers", "full: long; runs only with ./test --full")


def column_types(**types):
    """The fixture of a project whose seeds have these types."""
    @pytest.fixture(scope="class")
    def project_config_update(self):
        return {"name": "typed_seeds", "seeds": {"+column_types": types}}

    return project_config_update


def microseconds():
    """The fixture of a project whose current_timestamp fits Iceberg's six digits."""
    @pytest.fixture(scope="class")
    def macros(self):
        return {"microseconds.sql": "{% macro trino__current_timestamp() %}current_timestamp(6)"
                                    "{% endmacro %}"}

    return macros
