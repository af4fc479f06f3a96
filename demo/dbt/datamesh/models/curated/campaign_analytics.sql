{{ config(properties={'location': "'s3://datalake/curated/campaign_analytics'"}) }}

-- An order is credited to the campaign that reached its customer last, and to no other: what the
-- campaigns earned together is never more than what was sold.
with earned as (
    select
        last_campaign_id as campaign_id,
        count_if(order_count > 0) as buyer_count,
        sum(lifetime_value) as revenue
    from {{ ref('mart_customer_360') }}
    where last_campaign_id is not null
    group by last_campaign_id
)

select
    k.campaign_id,
    k.campaign_name,
    k.budget,
    k.lead_count,
    k.contact_count,
    k.cost_per_lead,
    coalesce(e.buyer_count, 0) as buyer_count,
    coalesce(e.revenue, 0) as revenue,
    -- As doubles: a quotient of decimals keeps their two digits only.
    round(cast(coalesce(e.revenue, 0) as double) / cast(nullif(k.budget, 0) as double), 4)
        as return_on_budget
from {{ ref('mart_marketing__campaign_leads') }} as k
left join earned as e on e.campaign_id = k.campaign_id
