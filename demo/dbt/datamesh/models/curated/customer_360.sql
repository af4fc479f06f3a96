{{ config(properties={'location': "'s3://datalake/curated/customer_360'"}) }}

select
    v.*,
    k.campaign_name as last_campaign,
    case
        when v.order_count = 0 then 'prospect'
        when v.order_count = 1 then 'customer'
        else 'returning'
    end as segment
from {{ ref('mart_customer_360') }} as v
left join {{ ref('stg_marketing__campaigns') }} as k on k.campaign_id = v.last_campaign_id
