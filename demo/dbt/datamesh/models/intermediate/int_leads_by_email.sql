-- One row an address: without this, a join on the address counts a customer's orders once for each
-- of their leads. The first lead is the first contact; the last one gets the credit for what was
-- sold. lead_id decides between leads of the same moment.
select
    email,
    count(*) as lead_count,
    min(created_at) as first_contact,
    max(created_at) as last_contact,
    min_by(campaign_id, row(created_at, lead_id)) as first_campaign_id,
    max_by(campaign_id, row(created_at, lead_id)) as last_campaign_id,
    max_by(source, row(created_at, lead_id)) as last_source
from {{ ref('stg_marketing__leads') }}
group by email
