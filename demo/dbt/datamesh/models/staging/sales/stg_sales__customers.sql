select
    customer_id,
    trim(customer_name) as customer_name,
    lower(trim(email)) as email,
    phone,
    created_at
from {{ source('sales', 'customers') }}
