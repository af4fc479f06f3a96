"""The tests called `incremental`: models that add to what is there."""
import re

import pytest
from dbt.tests.adapter.incremental import test_incremental_unique_id as unique_id
from dbt.tests.adapter.incremental.test_incremental_merge_exclude_columns import (
    BaseMergeExcludeColumns)
from dbt.tests.adapter.incremental.test_incremental_microbatch import BaseMicrobatch
from dbt.tests.adapter.incremental.test_incremental_on_schema_change import (
    BaseIncrementalOnSchemaChange)
from dbt.tests.adapter.incremental.test_incremental_predicates import BaseIncrementalPredicates


def typed_dates(sql):
    """Trino compares and stores dates as dates only: 'DATE' before what looks like one, once."""
    return re.sub(r"(?<!date )'(\d{4}-\d\d-\d\d)'(?! as date)", r"DATE '\1'", sql)


class UniqueKey(unique_id.BaseIncrementalUniqueKey):
    @pytest.fixture(scope="class")
    def seeds(self):
        return {"seed.csv": unique_id.seeds__seed_csv,
                "duplicate_insert.sql": typed_dates(unique_id.seeds__duplicate_insert_sql),
                "add_new_rows.sql": typed_dates(unique_id.seeds__add_new_rows_sql)}

    @pytest.fixture(scope="class")
    def models(self):
        names = ["trinary_unique_key_list", "nontyped_trinary_unique_key_list",
                 "unary_unique_key_list", "not_found_unique_key", "empty_unique_key_list",
                 "no_unique_key", "empty_str_unique_key", "str_unique_key",
                 "duplicated_unary_unique_key_list", "not_found_unique_key_list"]
        expected = ["one_str__overwrite", "unique_key_list__inplace_overwrite"]
        return {**{f"{name}.sql": getattr(unique_id, f"models__{name}_sql") for name in names},
                "expected": {f"{name}.sql":
                             typed_dates(getattr(unique_id, f"models__expected__{name}_sql"))
                             for name in expected}}

    strategy = ""

    @pytest.fixture(scope="class")
    def project_config_update(self):
        return {"name": "incremental", "models": {"+incremental_strategy": self.strategy},
                "seeds": {"incremental": {"seed": {"+column_types": {"some_date": "date"}}}}}


class TestUniqueKeyMerge(UniqueKey):
    strategy = "merge"


@pytest.mark.full
class TestUniqueKeyDeleteInsert(UniqueKey):
    strategy = "delete+insert"


class TestPredicatesDeleteInsert(BaseIncrementalPredicates):
    pass


class TestPredicatesMerge(BaseIncrementalPredicates):
    @pytest.fixture(scope="class")
    def project_config_update(self):
        return {"models": {"+incremental_predicates": ["dbt_internal_dest.id != 2"],
                           "+incremental_strategy": "merge"}}


class TestMergeExcludeColumns(BaseMergeExcludeColumns):
    pass


class TestMicrobatch(BaseMicrobatch):
    pass


class OnSchemaChange(BaseIncrementalOnSchemaChange):
    """With columns that are unbounded text on both sides, as the lake keeps them."""

    strategy = ""

    @pytest.fixture(scope="class")
    def project_config_update(self):
        return {"models": {"+incremental_strategy": self.strategy}}


class TestOnSchemaChangeMerge(OnSchemaChange):
    strategy = "merge"


class TestOnSchemaChangeAppend(OnSchemaChange):
    strategy = "append"
