select
    c.customer_id,
    c.customer_name,
    c.email,
    count(o.order_id) as order_count,
    coalesce(sum(o.total_amount), 0) as lifetime_value,
    cast(avg(o.total_amount) as decimal(12, 2)) as average_order_value,
    min(o.created_at) as first_order_at,
    max(o.created_at) as last_order_at
from {{ ref('stg_sales__customers') }} as c
left join {{ ref('stg_sales__orders') }} as o on o.customer_id = c.customer_id
group by c.customer_id, c.customer_name, c.email
