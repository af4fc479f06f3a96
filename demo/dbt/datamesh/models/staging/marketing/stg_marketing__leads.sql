select
    lead_id,
    lower(trim(email)) as email,
    campaign_id,
    lower(trim(source)) as source,
    created_at
from {{ source('marketing', 'leads') }}
