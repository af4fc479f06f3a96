{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='order_day',
    on_schema_change='append_new_columns'
) }}

-- Only days from the last one known on are computed again: an order may still come that day.
select
    cast(created_at as date) as order_day,
    count(*) as order_count,
    sum(total_amount) as revenue
from {{ ref('stg_sales__orders') }}
{% if is_incremental() %}
where cast(created_at as date) >= (
    select coalesce(max(order_day), date '1970-01-01') from {{ this }}
)
{% endif %}
group by cast(created_at as date)
