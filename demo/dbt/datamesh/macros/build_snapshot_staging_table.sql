{# As dbt's own, but a table that a killed run left there is in nobody's way. #}
{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
    {% set temp_relation = make_temp_relation(target_relation) %}
    {% do drop_relation_if_exists(temp_relation.incorporate(type='table')) %}
    {% call statement('build_snapshot_staging_relation') %}
        {{ create_table_as(True, temp_relation, snapshot_staging_table(strategy, sql, target_relation)) }}
    {% endcall %}
    {% do return(temp_relation) %}
{% endmacro %}
