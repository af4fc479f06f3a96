select
    campaign_id,
    trim(campaign_name) as campaign_name,
    budget,
    start_date,
    end_date
from {{ source('marketing', 'campaigns') }}
