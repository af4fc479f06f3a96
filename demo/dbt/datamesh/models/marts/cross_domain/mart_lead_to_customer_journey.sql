-- One row an address that ever answered a campaign, and how far it came.
with first_orders as (
    select
        customer_id,
        min(created_at) as first_order_at,
        sum(total_amount) as revenue
    from {{ ref('stg_sales__orders') }}
    group by customer_id
)

select
    l.email,
    l.first_contact,
    l.lead_count,
    first_campaign.campaign_name as first_campaign,
    last_campaign.campaign_name as last_campaign,
    s.channel as last_channel,
    c.customer_id,
    c.created_at as customer_since,
    o.first_order_at,
    coalesce(o.revenue, 0) as revenue,
    case
        when o.customer_id is not null then 'buyer'
        when c.customer_id is not null then 'customer'
        else 'lead'
    end as stage,
    case when l.first_contact <= c.created_at
        then date_diff('day', l.first_contact, c.created_at)
    end as days_to_convert
from {{ ref('int_leads_by_email') }} as l
left join {{ ref('stg_marketing__campaigns') }} as first_campaign
    on first_campaign.campaign_id = l.first_campaign_id
left join {{ ref('stg_marketing__campaigns') }} as last_campaign
    on last_campaign.campaign_id = l.last_campaign_id
left join {{ ref('lead_sources') }} as s on s.source = l.last_source
left join {{ ref('stg_sales__customers') }} as c on c.email = l.email
left join first_orders as o on o.customer_id = c.customer_id
