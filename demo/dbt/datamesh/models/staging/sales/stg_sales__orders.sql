select
    order_id,
    customer_id,
    total_amount,
    created_at
from {{ source('sales', 'orders') }}
