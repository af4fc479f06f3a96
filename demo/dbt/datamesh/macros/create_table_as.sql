{# As dbt-trino's own, but the temporary table of a snapshot or unit test that was killed is in nobody's way. #}
{% macro trino__create_table_as(temporary, relation, sql, on_exists=None) -%}
    {{ dbt.trino__create_table_as(temporary, relation, sql, 'replace' if temporary else on_exists) }}
{%- endmacro %}
