"""The tests called `utils`: dbt's functions that mean the same on every database. Left out, as
dbt-trino leaves them out: BaseDate, for which it has no function, BaseArrayAppend and
BaseArrayConcat, as its empty array is a null, BaseNullCompare and BaseMixedNullCompare, whose views
have columns that are null alone, which Trino has no type for."""
import pytest
from dbt.tests.adapter.utils import (fixture_date_spine, fixture_datediff,
                                     fixture_get_intervals_between)
from dbt.tests.adapter.utils.test_any_value import BaseAnyValue
from dbt.tests.adapter.utils.test_array_construct import BaseArrayConstruct
from dbt.tests.adapter.utils.test_bool_or import BaseBoolOr
from dbt.tests.adapter.utils.test_cast import BaseCast
from dbt.tests.adapter.utils.test_cast_bool_to_text import BaseCastBoolToText
from dbt.tests.adapter.utils.test_concat import BaseConcat
from dbt.tests.adapter.utils.test_current_timestamp import BaseCurrentTimestampAware
from dbt.tests.adapter.utils.test_date_spine import BaseDateSpine
from dbt.tests.adapter.utils.test_date_trunc import BaseDateTrunc
from dbt.tests.adapter.utils.test_dateadd import BaseDateAdd
from dbt.tests.adapter.utils.test_datediff import BaseDateDiff
from dbt.tests.adapter.utils.test_equals import BaseEquals
from dbt.tests.adapter.utils.test_escape_single_quotes import BaseEscapeSingleQuotesQuote
from dbt.tests.adapter.utils.test_except import BaseExcept
from dbt.tests.adapter.utils.test_generate_series import BaseGenerateSeries
from dbt.tests.adapter.utils.test_get_intervals_between import BaseGetIntervalsBetween
from dbt.tests.adapter.utils.test_get_powers_of_two import BaseGetPowersOfTwo
from dbt.tests.adapter.utils.test_hash import BaseHash
from dbt.tests.adapter.utils.test_intersect import BaseIntersect
from dbt.tests.adapter.utils.test_last_day import BaseLastDay
from dbt.tests.adapter.utils.test_length import BaseLength
from dbt.tests.adapter.utils.test_listagg import BaseListagg
from dbt.tests.adapter.utils.test_position import BasePosition
from dbt.tests.adapter.utils.test_replace import BaseReplace
from dbt.tests.adapter.utils.test_right import BaseRight
from dbt.tests.adapter.utils.test_safe_cast import BaseSafeCast
from dbt.tests.adapter.utils.test_source_freshness_custom_info import BaseCalculateFreshnessMethod
from dbt.tests.adapter.utils.test_split_part import BaseSplitPart
from dbt.tests.adapter.utils.test_string_literal import BaseStringLiteral
from dbt.tests.adapter.utils.test_timestamps import BaseCurrentTimestamps
from dbt.tests.adapter.utils.test_validate_sql import BaseValidateSqlMethod

from conftest import CATALOG, column_types

for base in [BaseAnyValue, BaseArrayConstruct, BaseBoolOr, BaseCast, BaseCastBoolToText,
             BaseConcat, BaseCurrentTimestampAware, BaseEquals, BaseEscapeSingleQuotesQuote,
             BaseExcept, BaseGenerateSeries, BaseGetPowersOfTwo, BaseHash, BaseIntersect,
             BaseLastDay, BaseLength, BaseListagg, BasePosition, BaseReplace, BaseRight,
             BaseSafeCast, BaseCalculateFreshnessMethod, BaseSplitPart, BaseStringLiteral,
             BaseValidateSqlMethod]:
    name = base.__name__.replace("Base", "Test", 1)
    globals()[name] = type(name, (base,), {"__module__": __name__})
del base, name


class TestDateSpine(BaseDateSpine):
    @pytest.fixture(scope="class")
    def models(self):  # with dates that are dates, as for Redshift
        model = fixture_date_spine.models__test_date_spine_sql.replace("redshift", "trino")
        return {"test_date_spine.yml": fixture_date_spine.models__test_date_spine_yml,
                "test_date_spine.sql": self.interpolate_macro_namespace(model, "date_spine")}


class TestGetIntervalsBetween(BaseGetIntervalsBetween):
    @pytest.fixture(scope="class")
    def models(self):  # with dates as ISO 8601 writes them
        fixture = fixture_get_intervals_between
        model = fixture.models__test_get_intervals_between_sql
        for theirs, iso in [("09/01/2023", "2023-09-01"), ("09/12/2023", "2023-09-12")]:
            model = model.replace(theirs, iso)
        return {"test_get_intervals_between.yml": fixture.models__test_get_intervals_between_yml,
                "test_get_intervals_between.sql":
                    self.interpolate_macro_namespace(model, "get_intervals_between")}


class TestDateAdd(BaseDateAdd):
    project_config_update = column_types(from_time="timestamp(6)", result="timestamp(6)")


class TestDateTrunc(BaseDateTrunc):
    project_config_update = column_types(updated_at="timestamp(6)")


class TestDateDiff(BaseDateDiff):
    project_config_update = column_types(first_date="timestamp(6)", second_date="timestamp(6)")

    @pytest.fixture(scope="class")
    def models(self):  # without microseconds, which dbt-trino's function rounds
        model = "".join(line for line in fixture_datediff.models__test_datediff_sql.splitlines(True)
                        if "microsecond" not in line).replace(".999999'", ".999'")
        return {"test_datediff.yml": fixture_datediff.models__test_datediff_yml,
                "test_datediff.sql": self.interpolate_macro_namespace(model, "datediff")}


class TestCurrentTimestamps(BaseCurrentTimestamps):
    @pytest.fixture(scope="class")
    def models(self):
        return {"get_current_timestamp.sql":
                'select {{ current_timestamp() }} as "current_timestamp"'}

    @pytest.fixture(scope="class")
    def expected_schema(self):
        digits = 6 if CATALOG == "lake" else 3  # Iceberg keeps microseconds
        return {"current_timestamp": f"timestamp({digits}) with time zone"}

    @pytest.fixture(scope="class")
    def expected_sql(self):
        return 'select current_timestamp as "current_timestamp"'
