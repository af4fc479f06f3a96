"""The tests called `basic`: what any adapter must do. Left out, as dbt-trino leaves it out:
BaseIncrementalNotSchemaChange, whose model concatenates numbers with text, which is no Trino."""
import re

import pytest
from dbt.tests.adapter.basic import expected_catalog, files
from dbt.tests.adapter.basic.test_adapter_methods import BaseAdapterMethod
from dbt.tests.adapter.basic.test_base import BaseSimpleMaterializations
from dbt.tests.adapter.basic.test_docs_generate import BaseDocsGenerate, BaseDocsGenReferences
from dbt.tests.adapter.basic.test_empty import BaseEmpty
from dbt.tests.adapter.basic.test_ephemeral import BaseEphemeral
from dbt.tests.adapter.basic.test_generic_tests import BaseGenericTests
from dbt.tests.adapter.basic.test_incremental import BaseIncremental, BaseIncrementalBadStrategy
from dbt.tests.adapter.basic.test_singular_tests import BaseSingularTests
from dbt.tests.adapter.basic.test_singular_tests_ephemeral import BaseSingularTestsEphemeral
from dbt.tests.adapter.basic.test_snapshot_check_cols import BaseSnapshotCheckCols
from dbt.tests.adapter.basic.test_snapshot_timestamp import BaseSnapshotTimestamp
from dbt.tests.adapter.basic.test_table_materialization import BaseTableMaterialization
from dbt.tests.adapter.basic.test_validate_connection import BaseValidateConnection

from conftest import CATALOG, column_types, microseconds, needs_views

# What a column of timestamps is when its type is not given: Iceberg keeps microseconds.
TIMESTAMP = "timestamp(6)" if CATALOG == "lake" else "timestamp(3)"


@needs_views
class TestAdapterMethod(BaseAdapterMethod):
    pass


@needs_views
class TestSimpleMaterializations(BaseSimpleMaterializations):
    pass


class TestSingularTests(BaseSingularTests):
    pass


@needs_views
class TestSingularTestsEphemeral(BaseSingularTestsEphemeral):
    pass


class TestEmpty(BaseEmpty):
    pass


@needs_views
class TestEphemeral(BaseEphemeral):
    pass


class TestIncremental(BaseIncremental):
    pass


class TestIncrementalBadStrategy(BaseIncrementalBadStrategy):
    pass


@needs_views
class TestGenericTests(BaseGenericTests):
    pass


class TestTableMaterialization(BaseTableMaterialization):
    pass


class TestValidateConnection(BaseValidateConnection):
    pass


class SpacedTimes:
    """Trino reads no T between date and time."""

    names = ["base", "added"]

    @pytest.fixture(scope="class")
    def seeds(self):
        return {f"{name}.csv": re.sub(r"(\d)T(\d)", r"\1 \2", getattr(files, f"seeds_{name}_csv"))
                for name in self.names}


class TestSnapshotCheckCols(SpacedTimes, BaseSnapshotCheckCols):
    project_config_update = column_types(some_date="timestamp(6)")
    macros = microseconds()


class TestSnapshotTimestamp(SpacedTimes, BaseSnapshotTimestamp):
    names = ["base", "newcolumns", "added"]
    project_config_update = column_types(some_date="timestamp(6)")
    macros = microseconds()


def trino_types():
    return {"id_type": "integer", "text_type": "varchar", "time_type": TIMESTAMP,
            "view_type": "VIEW", "table_type": "BASE TABLE",
            "model_stats": expected_catalog.no_stats()}


@needs_views
class TestDocsGenerate(BaseDocsGenerate):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project):
        return expected_catalog.base_expected_catalog(project, role=None, **trino_types())


@needs_views
class TestDocsGenReferences(BaseDocsGenReferences):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project):
        return expected_catalog.expected_references_catalog(
            project, role=None, bigint_type="bigint", **trino_types())
