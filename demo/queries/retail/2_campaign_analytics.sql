-- lake.curated.campaign_analytics: campaigns with what they cost and earned.
SELECT campaign_name, budget, lead_count, contact_count, cost_per_lead, buyer_count, revenue,
       return_on_budget
FROM lake.curated.campaign_analytics
ORDER BY revenue DESC, campaign_id
LIMIT 10
