-- lake.curated.customer_360: customers with what they bought and what reached them.
SELECT customer_name, order_count, lifetime_value, lead_count, days_to_convert, last_campaign, segment
FROM lake.curated.customer_360
ORDER BY lifetime_value DESC, customer_id
LIMIT 10
