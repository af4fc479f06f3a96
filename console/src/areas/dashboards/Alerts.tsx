// Alerts on numbers: what state each is in, what happened, and new ones.
import { Anchor, Button, Drawer, Group, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconBell, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Problem, useApi } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { DataTable, EmptyState, Loading, Page, ProblemView, StatusBadge, When } from '../../ui'
import { textOf } from '../../ui/charts/format'
import { saveList } from './saving'
import type { Alert, Opened } from './types'

interface Told {
  dashboard: string
  name: string
  state: 'ok' | 'firing' | 'no_data' | 'error'
  since_ms?: number
  value?: unknown
  last_ms?: number
  message?: string
}

interface Event {
  at_ms: number
  state: string
  value?: unknown
  message?: string
}

function written(value: unknown, language: string): string {
  if (value === undefined || value === null) return '–'
  return typeof value === 'number' ? value.toLocaleString(language, { maximumFractionDigits: 4 }) : String(value)
}

function History({ alert }: { alert: Told }) {
  const t = useText()
  const { language } = useLanguage()
  const told = useApi<{ history: Event[] }>('/api/v1/dashboard-alerts/history', { dashboard: alert.dashboard, name: alert.name })
  if (told.isPending) return <Loading />
  if (told.isError) return <ProblemView error={told.error} />
  return (
    <DataTable rows={told.data.history} rowKey={(row) => `${row.at_ms}${row.state}`} search={false} name="h" label={t('dashboards.history')}
      columns={[
        { key: 'at_ms', title: t('dashboards.when'), width: '130px', render: (row) => <When ms={row.at_ms} /> },
        { key: 'state', title: t('dashboards.state'), width: '100px', render: (row) => <StatusBadge state={row.state} /> },
        { key: 'value', title: t('dashboards.value'), width: '110px', align: 'right', value: (row) => written(row.value, language) },
        { key: 'message', title: t('dashboards.message'), width: 'minmax(180px, 1fr)' },
      ]}
      empty={<Text size="sm" c="dimmed" ta="center">{t('dashboards.history_none')}</Text>}
    />
  )
}

export function useDashboardNames() {
  const { language } = useLanguage()
  const listed = useApi<{ dashboards: { name: string; title: never }[] }>('/api/v1/dashboards')
  return (listed.data?.dashboards ?? []).map((one) => ({ value: one.name, label: textOf(one.title, language) || one.name }))
}

function NewAlert({ onDone }: { onDone: () => void }) {
  const t = useText()
  const { language } = useLanguage()
  const names = useDashboardNames()
  const [dashboard, setDashboard] = useState<string | null>(null)
  const opened = useApi<Opened>(`/api/v1/dashboards/${encodeURIComponent(dashboard ?? '')}`, undefined, { enabled: Boolean(dashboard) })
  const [chart, setChart] = useState<string | null>(null)
  const [name, setName] = useState('')
  const [column, setColumn] = useState('')
  const [kind, setKind] = useState('above')
  const [limit, setLimit] = useState<string | number>(0)
  const [every, setEvery] = useState('5m')
  const [email, setEmail] = useState('')
  const [webhook, setWebhook] = useState('')
  const [problem, setProblem] = useState<Problem | null>(null)
  const charts = (opened.data?.dashboard.charts ?? []).filter((one) => one.sql || one.query)
  const make = async () => {
    const alert: Alert = {
      name, chart: chart ?? '', every, ...(column ? { column } : {}),
      ...(kind === 'no_data' ? { no_data: true } : kind === 'change' ? { change: { percent: Number(limit) } } : { [kind]: Number(limit) }),
      to: { ...(webhook ? { webhook } : {}), ...(email ? { email: email.split(/[,;\s]+/).filter(Boolean) } : {}) },
    }
    try {
      await saveList(dashboard ?? '', 'alerts', alert)
      onDone()
    } catch (error) {
      setProblem(error as Problem)
    }
  }
  return (
    <Stack>
      <Select label={t('dashboards.dashboard')} data={names} value={dashboard} onChange={setDashboard} searchable required />
      <Select label={t('dashboards.chart')} disabled={!dashboard} value={chart} onChange={setChart} searchable required
        data={charts.map((one) => ({ value: one.id, label: textOf(one.title, language) || one.id }))} />
      <TextInput label={t('dashboards.column')} description={t('dashboards.column_hint')} value={column} onChange={(event) => setColumn(event.currentTarget.value)} />
      <TextInput label={t('dashboards.field.name')} description={t('dashboards.field.name_hint')} value={name} onChange={(event) => setName(event.currentTarget.value)} required />
      <Group grow align="flex-end">
        <Select label={t('dashboards.condition')} value={kind} onChange={(next) => setKind(next ?? 'above')} allowDeselect={false}
          data={['above', 'below', 'change', 'no_data'].map((one) => ({ value: one, label: t(`dashboards.condition.${one}`) }))} />
        {kind !== 'no_data' && <NumberInput label={t(kind === 'change' ? 'dashboards.percent' : 'dashboards.limit')} value={limit} onChange={setLimit} />}
      </Group>
      <TextInput label={t('dashboards.every_time')} value={every} onChange={(event) => setEvery(event.currentTarget.value)} />
      <TextInput label={t('dashboards.email')} description={t('dashboards.email_hint')} value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
      <TextInput label={t('dashboards.webhook')} description={t('dashboards.webhook_hint')} value={webhook} onChange={(event) => setWebhook(event.currentTarget.value)} />
      {problem && <ProblemView error={problem} />}
      <Button disabled={!dashboard || !chart || !/^[a-z0-9_-]+$/.test(name)} onClick={() => void make()}>{t('dashboards.create')}</Button>
    </Stack>
  )
}

export default function Alerts() {
  const t = useText()
  const { language } = useLanguage()
  const session = useSession()
  const told = useApi<{ alerts: Told[] }>('/api/v1/dashboard-alerts', undefined, { refetchInterval: 15_000 })
  const [chosen, choose] = useState<Told | null>(null)
  const [making, setMaking] = useState(false)
  const test = async (alert: Told) => {
    try {
      const done = await api.post<Told>(`/api/v1/dashboard-alerts/${encodeURIComponent(alert.dashboard)}/${encodeURIComponent(alert.name)}/test`)
      notifications.show({ title: alert.name, message: [done.state, done.message].filter(Boolean).join(': '), color: 'teal' })
    } catch (error) {
      notifications.show({ title: alert.name, message: (error as Problem).message, color: 'red' })
    }
    void told.refetch()
  }
  const create = mayEdit(session) && <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>{t('dashboards.alert_new')}</Button>
  return (
    <Page title={t('dashboards.alerts')} subtitle={t('dashboards.alerts_subtitle')} crumbs={[{ title: t('dashboards.title'), to: '/dashboards' }]} actions={create}>
      {told.isPending ? <Loading /> : told.isError ? <ProblemView error={told.error} onRetry={() => void told.refetch()} /> : (
        <DataTable rows={told.data.alerts} rowKey={(row) => `${row.dashboard}/${row.name}`} onRow={choose} label={t('dashboards.alerts')}
          columns={[
            { key: 'state', title: t('dashboards.state'), width: '110px', render: (row) => <StatusBadge state={row.state} /> },
            { key: 'name', title: t('dashboards.field.name'), width: 'minmax(150px, 1fr)' },
            { key: 'dashboard', title: t('dashboards.dashboard'), width: 'minmax(150px, 1fr)', render: (row) => <Anchor size="sm" component={Link} to={`/dashboards/${encodeURIComponent(row.dashboard)}`} onClick={(event) => event.stopPropagation()}>{row.dashboard}</Anchor> },
            { key: 'value', title: t('dashboards.value'), width: '120px', align: 'right', render: (row) => written(row.value, language), value: (row) => (typeof row.value === 'number' ? row.value : String(row.value ?? '')) },
            { key: 'since_ms', title: t('dashboards.since'), width: '150px', render: (row) => <When ms={row.since_ms} /> },
            { key: 'last_ms', title: t('dashboards.last_asked'), width: '150px', render: (row) => <When ms={row.last_ms} /> },
            { key: 'message', title: t('dashboards.message'), width: 'minmax(160px, 2fr)' },
          ]}
          empty={<EmptyState icon={<IconBell size={24} />} title={t('dashboards.alerts_none')} hint={t('dashboards.alerts_none_hint')} action={create} />}
        />
      )}
      <Drawer opened={Boolean(chosen)} onClose={() => choose(null)} title={chosen?.name} size="lg">
        {chosen && (
          <Stack>
            <Group justify="space-between">
              <Group gap="xs"><StatusBadge state={chosen.state} /><Text size="sm">{chosen.message}</Text></Group>
              {mayEdit(session) && <Button size="xs" variant="light" onClick={() => void test(chosen)}>{t('dashboards.alert_test')}</Button>}
            </Group>
            <History alert={chosen} />
          </Stack>
        )}
      </Drawer>
      <Drawer opened={making} onClose={() => setMaking(false)} title={t('dashboards.alert_new')}>
        {making && <NewAlert onDone={() => { setMaking(false); void told.refetch() }} />}
      </Drawer>
    </Page>
  )
}
