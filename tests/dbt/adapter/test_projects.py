"""What projects use beside the basics: aliases, the cache of relations, ephemeral models, comments
in statements, `show`, `--empty`, types of columns, unit tests, kept failures, comments in the
catalog. Left out, because dbt-trino on Trino fails the same way or has no such thing:

- BaseEphemeralMulti and BaseEphemeralNested compare the compiled text with PostgreSQL's.
- BaseShowDoesNotHandleDoubleLimit asks for PostgreSQL's words of a syntax error.
- BaseEmptySeedFlag: this dbt has no `seed --empty`.
- BaseMetadataWithEmptyFlag: `ALTER TABLE` of a subquery, which is no Trino.
- hooks around models and runs: their tables are made by files of PostgreSQL's, which the package
  does not have. BaseSimpleCopyUppercase needs dbt-postgres; EmptyModelsArentRunBase makes tables of
  PostgreSQL's types.
- BasePersistDocsQuotedColumnCaseSensitive and …NotAppliedOnMismatch: columns of Trino have no case.
- grants: dbt-trino grants to roles of Trino, and catalogs here have none.
- dbt_clone but BaseCloneNotPossible: dbt-trino cannot clone; python_model: it runs no Python;
  functions: it makes none.
- simple_seed and simple_snapshot but those here: they make their tables with PostgreSQL's types and
  statements (text, `timestamp without time zone`, several statements in one).
- MaterializedViewChanges: dbt-trino's materialized views have nothing that ALTER could change.
"""
import pytest
from dbt.tests.adapter.aliases import fixtures as alias_fixtures
from dbt.tests.adapter.aliases import test_aliases as aliases
from dbt.tests.adapter.caching import test_caching as caching
from dbt.tests.adapter.column_types.test_column_types import BaseColumnTypes
from dbt.tests.adapter.concurrency.test_concurrency import BaseConcurrency
from dbt.tests.adapter.dbt_show.test_dbt_show import BaseShowLimit, BaseShowSqlHeader
from dbt.tests.adapter.empty.test_empty import BaseTestEmpty, BaseTestEmptyInlineSourceRef
from dbt.tests.adapter.ephemeral.test_ephemeral import BaseEphemeralErrorHandling
from dbt.tests.adapter.persist_docs import test_persist_docs as persist_docs
from dbt.tests.adapter.dbt_clone.test_dbt_clone import BaseCloneNotPossible
from dbt.tests.adapter.materialized_view.basic import MaterializedViewBasic
from dbt.tests.adapter.relations.test_changing_relation_type import (
    BaseChangeRelationTypeValidator)
from dbt.tests.adapter.relations.test_dropping_schema_named import BaseDropSchemaNamed
from dbt.tests.adapter.sample_mode.test_sample_mode import BaseSampleModeTest
from dbt.tests.adapter.simple_copy.test_simple_copy import SimpleCopyBase
from dbt.tests.adapter.simple_seed import test_seed as seeds
from dbt.tests.adapter.store_test_failures_tests import basic as kept_failures
from dbt.tests.adapter.store_test_failures_tests import (
    test_store_test_failures as store_failures)
from dbt.tests.adapter.unit_testing.test_quoted_reserved_word_column_names import (
    BaseUnitTestQuotedReservedWordColumnNames)

from conftest import CATALOG, needs_views


def literals():
    """The fixture of macros whose literals are Trino's."""
    @pytest.fixture(scope="class")
    def macros(self):
        cast = alias_fixtures.MACROS__CAST_SQL.replace("'{{ s }}'::text",
                                                       "cast('{{ s }}' as varchar)")
        return {"cast.sql": cast, "expect_value.sql": alias_fixtures.MACROS__EXPECT_VALUE_SQL}

    return macros


@needs_views
class TestAliases(aliases.BaseAliases):
    macros = literals()


@needs_views
class TestAliasErrors(aliases.BaseAliasErrors):
    macros = literals()


@needs_views
class TestSameAliasDifferentSchemas(aliases.BaseSameAliasDifferentSchemas):
    macros = literals()


class TestCachingLowercaseModel(caching.BaseCachingLowercaseModel):
    pass


class TestCachingUppercaseModel(caching.BaseCachingUppercaseModel):
    pass


class TestCachingSelectedSchemaOnly(caching.BaseCachingSelectedSchemaOnly):
    pass


class TestNoPopulateCache(caching.BaseNoPopulateCache):
    pass


COLUMNS = {
    "tinyint_col": ("cast(1 as tinyint)", ["integer", "number"]),
    "smallint_col": ("cast(2 as smallint)", ["integer", "number"]),
    "int_col": ("cast(3 as integer)", ["integer", "number"]),
    "bigint_col": ("cast(4 as bigint)", ["integer", "number"]),
    "real_col": ("cast(5.0 as real)", ["float", "number"]),
    "double_col": ("cast(6.0 as double)", ["float", "number"]),
    "decimal_col": ("cast(7.0 as decimal(10, 2))", ["numeric", "number"]),
    "text_col": ("cast('8' as varchar)", ["string", "not number"]),
}


class TestColumnTypes(BaseColumnTypes):
    @pytest.fixture(scope="class")
    def models(self):
        names = [name for name in COLUMNS if not name.startswith(("tiny", "small"))]
        select = ", ".join(f"{COLUMNS[name][0]} as {name}" for name in names)
        checks = "".join(f"            {name}: {COLUMNS[name][1]}\n" for name in names)
        return {"model.sql": "{{ config(materialized='table') }} select " + select,
                "schema.yml": "version: 2\nmodels:\n  - name: model\n    data_tests:\n"
                              "      - is_type:\n          column_map:\n" + checks}

    def test_run_and_test(self, project):
        self.run_and_test()


@needs_views
class TestConcurrency(BaseConcurrency):
    pass


class TestShowLimit(BaseShowLimit):
    pass


class TestShowSqlHeader(BaseShowSqlHeader):
    pass


@needs_views
class TestEmpty(BaseTestEmpty):
    pass


@needs_views
class TestEmptyInlineSourceRef(BaseTestEmptyInlineSourceRef):
    pass


class TestEphemeralErrorHandling(BaseEphemeralErrorHandling):
    pass


@pytest.mark.skipif(CATALOG != "lake", reason="only the lake has materialized views")
class TestMaterializedView(MaterializedViewBasic):
    @staticmethod
    def insert_record(project, table, record):
        project.run_sql(f"insert into {table} values {record}", fetch="all")

    @staticmethod
    def refresh_materialized_view(project, materialized_view):
        project.run_sql(f"refresh materialized view {materialized_view}", fetch="all")

    @staticmethod
    def query_row_count(project, relation):
        return project.run_sql(f"select count(*) from {relation}", fetch="one")[0]

    @staticmethod
    def query_relation_type(project, relation):
        where = f"schema_name = '{relation.schema}' and name = '{relation.identifier}'"
        if project.run_sql("select 1 from system.metadata.materialized_views where "
                           f"catalog_name = '{relation.database}' and {where}", fetch="all"):
            return "materialized_view"
        found = project.run_sql(
            f"select table_type from {relation.database}.information_schema.tables where "
            f"table_schema = '{relation.schema}' and table_name = '{relation.identifier}'",
            fetch="all")
        return {"VIEW": "view", "BASE TABLE": "table"}[found[0][0]] if found else None

    def test_materialized_view_only_updates_after_refresh(self, project, my_materialized_view,
                                                          my_seed):
        # One that was never refreshed has no rows of its own and reads its tables.
        self.refresh_materialized_view(project, my_materialized_view)
        super().test_materialized_view_only_updates_after_refresh(project, my_materialized_view,
                                                                  my_seed)


@needs_views
class TestChangeRelationType(BaseChangeRelationTypeValidator):
    pass


@needs_views
class TestDropSchemaNamed(BaseDropSchemaNamed):
    pass


@needs_views
class TestSampleMode(BaseSampleModeTest):
    pass


@needs_views
class TestCloneNotPossible(BaseCloneNotPossible):
    pass


class TestSeedEnabledViaConfig(seeds.BaseSimpleSeedEnabledViaConfig):
    pass


class TestSeedSpecificFormats(seeds.BaseSeedSpecificFormats):
    pass


class TestEmptySeed(seeds.BaseTestEmptySeed):
    pass


class TestUnitTestQuotedReservedWordColumnNames(BaseUnitTestQuotedReservedWordColumnNames):
    pass


@pytest.mark.skipif(CATALOG != "lake", reason="one of its models is a materialized view")
class TestSimpleCopy(SimpleCopyBase):
    pass


@needs_views
class TestStoreTestFailures(store_failures.BaseStoreTestFailures):
    pass


@needs_views
class TestStoreTestFailuresLimit(store_failures.BaseStoreTestFailuresLimit):
    pass


for theirs in [persist_docs.BasePersistDocs, persist_docs.BasePersistDocsColumnMissing,
               persist_docs.BasePersistDocsAllColumnsMissing,
               persist_docs.BasePersistDocsCommentOnQuotedColumn,
               kept_failures.StoreTestFailuresAsInteractions,
               kept_failures.StoreTestFailuresAsProjectLevelOff,
               kept_failures.StoreTestFailuresAsProjectLevelView,
               kept_failures.StoreTestFailuresAsProjectLevelEphemeral,
               kept_failures.StoreTestFailuresAsGeneric,
               kept_failures.StoreTestFailuresAsExceptions]:
    name = "Test" + theirs.__name__.removeprefix("Base")
    made = type(name, (theirs,), {"__module__": __name__})
    globals()[name] = needs_views(made)
del theirs, name, made
