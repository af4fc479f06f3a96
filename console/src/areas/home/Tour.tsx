import { Accordion, Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useText } from '../../i18n'
import { Code } from '../../ui'

const kStored = 'meesh.tour'

/** What joins two domains' servers in one statement. */
const kCrossDomain = `SELECT camp.campaign_name, count(DISTINCT c.customer_id) AS buyers, sum(o.total_amount) AS revenue
FROM sales.public.customers c
JOIN sales.public.orders o ON o.customer_id = c.customer_id
JOIN marketing.public.leads l ON l.email = c.email
JOIN marketing.public.campaigns camp ON camp.campaign_id = l.campaign_id
GROUP BY camp.campaign_name
ORDER BY revenue DESC`

function notebook() {
  const { hostname, port, protocol } = location
  const tls = protocol === 'https:'
  return `import pandas, trino
mesh = trino.dbapi.connect(host="${hostname}", port=${port || (tls ? 443 : 80)}, user="you"${tls ? ', http_scheme="https"' : ''})
pandas.read_sql("SELECT * FROM sales.public.customers LIMIT 10", mesh)`
}

function stored(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(kStored) ?? '[]')
    return Array.isArray(value) ? value.map(String) : []
  } catch {
    return []
  }
}

const kSteps = [
  { key: 'notebook', links: [] },
  { key: 'query', links: [] },
  { key: 'dbt', links: [{ to: '/pipelines/retail', search: { asset: 'datamesh' }, text: 'home.tour.dbt.open' }] },
  { key: 'dashboard', links: [{ to: '/dashboards', search: {}, text: 'home.tour.dashboard.open' }] },
  { key: 'lake', links: [{ to: '/lake', search: {}, text: 'home.tour.lake.open' }] },
]

/** The five steps of the live demonstration; what is ticked off stays so in this browser. */
export function Tour() {
  const t = useText()
  const navigate = useNavigate()
  const [done, setDone] = useState(stored)
  const [open, setOpen] = useState<string | null>(null)
  const toggle = (key: string) => {
    const next = done.includes(key) ? done.filter((one) => one !== key) : [...done, key]
    localStorage.setItem(kStored, JSON.stringify(next))
    setDone(next)
  }
  // In a tab of its own, so that nobody's text is lost.
  const ask = async () => {
    const { openTab } = await import('../sql/lab')
    openTab({ title: t('home.tour.query'), text: kCrossDomain })
    await navigate({ to: '/sql' as string })
  }
  return (
    <Stack gap="xs" component="section" aria-label={t('home.tour')}>
      <Group justify="space-between">
        <Text fw={600} size="sm">{t('home.tour')}</Text>
        <Text size="xs" c="dimmed">{t('home.tour.done', { done: done.length, all: kSteps.length })}</Text>
      </Group>
      <Accordion variant="contained" radius="sm" value={open} onChange={setOpen}>
        {kSteps.map((step, index) => (
          <Accordion.Item key={step.key} value={step.key}>
            <Group gap={0} wrap="nowrap" pl="sm">
              <Checkbox checked={done.includes(step.key)} onChange={() => toggle(step.key)} radius="xl"
                aria-label={t('home.tour.tick', { step: t(`home.tour.${step.key}`) })} />
              <Accordion.Control py={2}>
                <Text size="sm" td={done.includes(step.key) ? 'line-through' : undefined}>{index + 1}. {t(`home.tour.${step.key}`)}</Text>
              </Accordion.Control>
            </Group>
            <Accordion.Panel>
              <Stack gap="xs">
                <Text size="sm" c="dimmed">{t(`home.tour.${step.key}.hint`)}</Text>
                {step.key === 'notebook' && <Code>{notebook()}</Code>}
                {step.key === 'query' && <Code>{kCrossDomain}</Code>}
                <Group gap="xs">
                  {step.links.map((link) => (
                    <Button key={link.to} size="compact-sm" variant="light" component={Link} to={link.to} search={link.search as never}>
                      {t(link.text)}
                    </Button>
                  ))}
                  {step.key === 'query' && (
                    <Button size="compact-sm" variant="light" onClick={() => void ask()}>{t('home.tour.query.open')}</Button>
                  )}
                  {step.key === 'dbt' && <Button size="compact-sm" variant="subtle" component="a" href="/dbt/">{t('home.tour.dbt.docs')}</Button>}
                </Group>
              </Stack>
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Stack>
  )
}
