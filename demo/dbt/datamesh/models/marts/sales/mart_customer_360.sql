{{ config(materialized='view') }}

with customer_orders as (
    select
        customer_id,
        count(*) as order_count,
        sum(total_amount) as lifetime_value
    from {{ ref('stg_sales__orders') }}
    group by customer_id
),

customer_leads as (
    select email, first_contact, lead_count, last_campaign_id
    from {{ ref('int_leads_by_email') }}
)

select
    c.customer_id,
    c.customer_name,
    c.email,
    c.created_at,
    coalesce(o.order_count, 0) as order_count,
    coalesce(o.lifetime_value, 0) as lifetime_value,
    coalesce(l.lead_count, 0) as lead_count,
    l.first_contact,
    -- Only who was a lead before being a customer was converted.
    case when l.first_contact <= c.created_at
        then date_diff('day', l.first_contact, c.created_at)
    end as days_to_convert,
    l.last_campaign_id
from {{ ref('stg_sales__customers') }} as c
left join customer_orders as o on o.customer_id = c.customer_id
left join customer_leads as l on l.email = c.email
