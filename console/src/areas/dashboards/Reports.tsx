// Dashboards as documents on a schedule.
import { Anchor, Button, Drawer, Group, Select, Stack, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPlus, IconReport } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, ask, type Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { DataTable, EmptyState, Loading, Page, ProblemView, StatusBadge, When } from '../../ui'
import { useDashboardNames } from './Alerts'
import { save } from './export'
import { saveList } from './saving'

interface Told {
  dashboard: string
  name: string
  cron: string
  format: string
  next_ms?: number
  last_ms?: number
  state?: string
  message?: string
}

function NewReport({ onDone }: { onDone: () => void }) {
  const t = useText()
  const names = useDashboardNames()
  const [dashboard, setDashboard] = useState<string | null>(null)
  const [name, setName] = useState('weekly')
  const [cron, setCron] = useState('0 8 * * 1')
  const [format, setFormat] = useState('pdf')
  const [language, setLanguage] = useState('en')
  const [email, setEmail] = useState('')
  const [bucket, setBucket] = useState('')
  const [problem, setProblem] = useState<Problem | null>(null)
  const make = async () => {
    try {
      await saveList(dashboard ?? '', 'reports', {
        name, cron, format: format as 'pdf', language,
        to: { ...(email ? { email: email.split(/[,;\s]+/).filter(Boolean) } : {}), ...(bucket ? { bucket } : {}) },
      })
      onDone()
    } catch (error) {
      setProblem(error as Problem)
    }
  }
  return (
    <Stack>
      <Select label={t('dashboards.dashboard')} data={names} value={dashboard} onChange={setDashboard} searchable required />
      <TextInput label={t('dashboards.field.name')} description={t('dashboards.field.name_hint')} value={name} onChange={(event) => setName(event.currentTarget.value)} required />
      <TextInput label={t('dashboards.cron')} description={t('dashboards.cron_hint')} value={cron} onChange={(event) => setCron(event.currentTarget.value)} required />
      <Select label={t('dashboards.format')} data={['pdf', 'png', 'html']} value={format} onChange={(next) => setFormat(next ?? 'pdf')} allowDeselect={false} />
      <Select label={t('shell.language')} data={['en', 'fr']} value={language} onChange={(next) => setLanguage(next ?? 'en')} allowDeselect={false} />
      <TextInput label={t('dashboards.email')} description={t('dashboards.email_hint')} value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
      <TextInput label={t('dashboards.bucket')} description={t('dashboards.bucket_hint')} value={bucket} onChange={(event) => setBucket(event.currentTarget.value)} />
      {problem && <ProblemView error={problem} />}
      <Button disabled={!dashboard || !/^[a-z0-9_-]+$/.test(name) || (!email && !bucket)} onClick={() => void make()}>{t('dashboards.create')}</Button>
    </Stack>
  )
}

const runPath = (report: Told) => `/api/v1/dashboards/${encodeURIComponent(report.dashboard)}/reports/${encodeURIComponent(report.name)}/run`

/** Makes the document and sends it; says where it went. */
async function deliver(report: Told): Promise<string> {
  const told = await api.post<{ went: string[]; note?: string }>(runPath(report))
  return [...told.went, told.note].filter(Boolean).join(', ')
}

/** Makes the document for whoever asks. */
async function download(report: Told): Promise<string> {
  const answer = await ask('POST', `${runPath(report)}?download=true`, {})
  const type = answer.headers.get('Content-Type') ?? ''
  const ending = type.includes('pdf') ? 'pdf' : type.includes('png') ? 'png' : 'html'
  save(`${report.dashboard}-${report.name}.${ending}`, await answer.blob())
  return ''
}

export default function Reports() {
  const t = useText()
  const session = useSession()
  const told = useApi<{ reports: Told[] }>('/api/v1/dashboard-reports', undefined, { refetchInterval: 30_000 })
  const [making, setMaking] = useState(false)
  const [running, setRunning] = useState('')
  const start = async (report: Told, run: typeof deliver) => {
    setRunning(`${report.dashboard}/${report.name}`)
    try {
      const where = await run(report)
      notifications.show({ title: report.name, message: where || t('dashboards.report_done'), color: 'teal' })
    } catch (error) {
      notifications.show({ title: report.name, message: (error as Problem).message, color: 'red' })
    }
    setRunning('')
    void told.refetch()
  }
  const create = mayEdit(session) && <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>{t('dashboards.report_new')}</Button>
  return (
    <Page title={t('dashboards.reports')} subtitle={t('dashboards.reports_subtitle')} crumbs={[{ title: t('dashboards.title'), to: '/dashboards' }]} actions={create}>
      {told.isPending ? <Loading /> : told.isError ? <ProblemView error={told.error} onRetry={() => void told.refetch()} /> : (
        <DataTable rows={told.data.reports} rowKey={(row) => `${row.dashboard}/${row.name}`} label={t('dashboards.reports')}
          columns={[
            { key: 'name', title: t('dashboards.field.name'), width: 'minmax(130px, 1fr)' },
            { key: 'dashboard', title: t('dashboards.dashboard'), width: 'minmax(150px, 1fr)', render: (row) => <Anchor size="sm" component={Link} to={`/dashboards/${encodeURIComponent(row.dashboard)}`}>{row.dashboard}</Anchor> },
            { key: 'cron', title: t('dashboards.cron'), width: '120px' },
            { key: 'format', title: t('dashboards.format'), width: '80px' },
            { key: 'last_ms', title: t('dashboards.last_run'), width: '150px', render: (row) => <When ms={row.last_ms} /> },
            { key: 'state', title: t('dashboards.state'), width: '110px', render: (row) => (row.state ? <StatusBadge state={row.state} /> : '–') },
            { key: 'message', title: t('dashboards.message'), width: 'minmax(150px, 1fr)' },
            { key: 'next_ms', title: t('dashboards.next_run'), width: '150px', render: (row) => <When ms={row.next_ms} /> },
            {
              key: 'run', title: t('dashboards.action'), sort: false, width: '210px', value: () => '',
              render: (row) => mayEdit(session) && (
                <Group gap={4} wrap="nowrap">
                  <Button size="compact-xs" variant="light" loading={running === `${row.dashboard}/${row.name}`} onClick={() => void start(row, deliver)}>{t('dashboards.run_now')}</Button>
                  <Button size="compact-xs" variant="subtle" disabled={running !== ''} onClick={() => void start(row, download)}>{t('dashboards.download')}</Button>
                </Group>
              ),
            },
          ]}
          empty={<EmptyState icon={<IconReport size={24} />} title={t('dashboards.reports_none')} hint={t('dashboards.reports_none_hint')} action={create} />}
        />
      )}
      <Drawer opened={making} onClose={() => setMaking(false)} title={t('dashboards.report_new')}>
        {making && <NewReport onDone={() => { setMaking(false); void told.refetch() }} />}
      </Drawer>
    </Page>
  )
}
