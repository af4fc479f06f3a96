-- The views across domains know of no more and no less revenue than the orders of known customers.
with ordered as (
    select coalesce(sum(o.total_amount), 0) as revenue
    from {{ ref('stg_sales__orders') }} as o
    join {{ ref('stg_sales__customers') }} as c on c.customer_id = o.customer_id
)

select s.revenue, v.revenue as shown
from ordered as s
cross join (select coalesce(sum(lifetime_value), 0) as revenue from {{ ref('mart_customer_360') }}) as v
where s.revenue <> v.revenue
