select
    k.campaign_id,
    k.campaign_name,
    k.budget,
    count(l.lead_id) as lead_count,
    count(distinct l.email) as contact_count,
    cast(k.budget / nullif(count(l.lead_id), 0) as decimal(12, 2)) as cost_per_lead
from {{ ref('stg_marketing__campaigns') }} as k
left join {{ ref('stg_marketing__leads') }} as l on l.campaign_id = k.campaign_id
group by k.campaign_id, k.campaign_name, k.budget
