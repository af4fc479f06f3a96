import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { IconPlugConnected, IconRefresh } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Code, Count, type DataColumn, DataTable, Duration, EmptyState, Loading, Page, ProblemView, UrlTabs, When } from '../../ui'
import { CodeEditor } from '../../ui/CodeEditor'
import { Facts, State } from './parts'
import { SyncNow } from './SyncNow'
import { ChangeLag, SyncFigures, SyncHistory } from './Syncs'
import type { IngestStatus, Source, SourceStream, SyncStatus } from './types'

interface Line {
  stream: string
  table: string
  mode: string
  status?: SyncStatus
}

/** The streams that a source is set to give, each with how its syncs go. */
function Taken({ source, onSync }: { source: Source; onSync?: (table: string) => void }) {
  const t = useText()
  const status = useApi<IngestStatus>('/api/v1/ingest/status', {}, { refetchInterval: 4000 })
  const own = status.data?.streams.filter((one) => one.source === source.name) ?? []
  const rows: Line[] = source.all_tables
    ? own.map((one) => ({ stream: one.stream, table: one.table, mode: one.mode, status: one }))
    : source.tables.map((one) => ({ ...one, status: own.find((other) => other.stream === one.stream) }))
  const columns: DataColumn<Line>[] = [
    { key: 'stream', title: t('pipelines.stream'), width: 'minmax(130px, 1fr)' },
    { key: 'table', title: t('pipelines.table'), width: 'minmax(180px, 1.6fr)' },
    { key: 'mode', title: t('pipelines.mode'), width: '104px', value: (one) => t(`pipelines.mode.${one.mode}`) },
    { key: 'state', title: t('pipelines.last_sync'), width: '110px', value: (one) => one.status?.last?.state,
      render: (one) => (one.status?.last ? <State state={one.status.last.state} /> : t('pipelines.never')) },
    { key: 'when', title: t('pipelines.when'), width: '130px', value: (one) => one.status?.last?.started_ms,
      render: (one) => <When ms={one.status?.last?.started_ms} /> },
    { key: 'mean', title: t('pipelines.mean_duration'), width: '110px', align: 'right', value: (one) => one.status?.mean_seconds,
      render: (one) => <Duration ms={one.status ? 1000 * one.status.mean_seconds : undefined} /> },
    { key: 'rows', title: t('pipelines.rows'), width: '80px', align: 'right', value: (one) => one.status?.rows,
      render: (one) => <Count value={one.status?.rows} /> },
    { key: 'position', title: t('pipelines.position'), width: 'minmax(84px, 1fr)',
      value: (one) => (one.status?.position === undefined || one.status.position === null ? '' : JSON.stringify(one.status.position)) },
    {
      key: 'do', title: '', width: '104px', sort: false, value: () => '',
      render: (one) => onSync && (
        <Button size="compact-xs" variant="light" aria-label={t('pipelines.sync.of', { name: one.stream })} onClick={() => onSync(one.stream)}>
          {t('pipelines.sync.now')}
        </Button>
      ),
    },
  ]
  return (
    <DataTable rows={rows} columns={columns} rowKey={(one) => one.stream} label={t('pipelines.streams_of_source')} name="t"
      empty={<EmptyState title={t('pipelines.no_syncs')} hint={t('pipelines.takes_all')} />} />
  )
}

/** The source's file, to be changed: it is tried before it is written. */
function FileEditor({ source }: { source: Source }) {
  const t = useText()
  const path = `/api/v1/ingest/sources/${encodeURIComponent(source.name)}`
  const file = useApi<{ yaml: string }>(path)
  const [text, setText] = useState<string | null>(null)
  const [told, setTold] = useState<{ message?: string; problem?: Problem; busy?: boolean }>({})
  if (file.isError) return <ProblemView error={file.error} />
  if (file.isPending) return <Loading />
  const save = async () => {
    setTold({ busy: true })
    try {
      setTold(await api.post<{ message: string }>(path, { yaml: text }))
      await file.refetch()
      setText(null)
    } catch (error) {
      setTold({ problem: error as Problem })
    }
  }
  return (
    <Stack>
      <CodeEditor value={text ?? file.data.yaml} onChange={setText} language="yaml" height={320} />
      {told.message && <Alert color="teal" variant="light" title={t('pipelines.source.saved')}>{told.message}</Alert>}
      {told.problem && <ProblemView error={told.problem} />}
      <Group>
        <Button loading={told.busy} disabled={text === null || text === file.data.yaml} onClick={() => void save()}>
          {t('pipelines.source.save')}
        </Button>
      </Group>
    </Stack>
  )
}

/** What the source has now, whether it is taken or not; and a file that would take it all. */
function Discovered({ source }: { source: Source }) {
  const t = useText()
  const path = `/api/v1/ingest/sources/${encodeURIComponent(source.name)}`
  const streams = useApi<{ streams: SourceStream[] }>(`${path}/streams`)
  if (streams.isError) return <ProblemView error={streams.error} onRetry={() => void streams.refetch()} />
  if (streams.isPending) return <Loading />
  const columns: DataColumn<SourceStream>[] = [
    { key: 'name', title: t('pipelines.stream'), width: 'minmax(130px, 1fr)' },
    { key: 'taken', title: t('pipelines.taken'), width: '90px',
      value: (one) => t(source.all_tables || source.tables.some((table) => table.stream === one.name) ? 'pipelines.yes' : 'pipelines.no') },
    { key: 'columns', title: t('pipelines.columns'), width: 'minmax(260px, 3fr)', sort: false,
      value: (one) => one.columns.map((column) => `${column.name} ${column.type}`).join(', ') },
    { key: 'key', title: t('pipelines.key'), width: '130px', value: (one) => one.key.join(', ') },
    { key: 'estimated_rows', title: t('pipelines.rows'), width: '100px', align: 'right',
      render: (one) => (one.estimated_rows >= 0 ? <Count value={Math.round(one.estimated_rows)} /> : '–') },
    { key: 'notes', title: t('pipelines.notes'), width: 'minmax(140px, 1.4fr)', value: (one) => one.notes.join(' ') },
  ]
  return <DataTable rows={streams.data.streams} columns={columns} rowKey={(one) => one.name} label={t('pipelines.discovered')} name="d" />
}

export default function SourcePage() {
  const t = useText()
  const session = useSession()
  const { source: name = '' } = useParams({ strict: false }) as { source?: string }
  const [syncing, setSyncing] = useState<{ table?: string } | null>(null)
  const [checked, setChecked] = useState<{ message?: string; problem?: Problem; busy?: boolean }>({})
  const sources = useApi<{ sources: Source[] }>('/api/v1/ingest/sources')
  const crumbs = [{ title: t('pipelines.ingestion'), to: '/ingestion' }]
  if (sources.isError) return <Page title={name} crumbs={crumbs}><ProblemView error={sources.error} /></Page>
  if (sources.isPending) return <Loading />
  const source = sources.data.sources.find((one) => one.name === name)
  if (!source)
    return <Page title={name} crumbs={crumbs}><EmptyState title={t('pipelines.no_source', { name })} hint={t('pipelines.no_sources.hint')} /></Page>
  const check = async () => {
    setChecked({ busy: true })
    try {
      setChecked(await api.get<{ message: string }>(`/api/v1/ingest/sources/${encodeURIComponent(name)}/check`))
    } catch (error) {
      setChecked({ problem: error as Problem })
    }
  }
  const may = mayEdit(session)
  return (
    <Page title={name} crumbs={crumbs} subtitle={source.kind}
      actions={
        <>
          <Button variant="default" leftSection={<IconPlugConnected size={16} />} loading={checked.busy} onClick={() => void check()}>
            {t('pipelines.check_source')}
          </Button>
          {may && <Button leftSection={<IconRefresh size={16} />} onClick={() => setSyncing({})}>{t('pipelines.sync.now')}</Button>}
        </>
      }>
      {checked.message && <Alert color="teal" variant="light" title={t('pipelines.wizard.reached')}>{checked.message}</Alert>}
      {checked.problem && <ProblemView error={checked.problem} />}
      <SyncFigures source={name} />
      <ChangeLag source={name} />
      <UrlTabs tabs={[
        { key: 'streams', label: t('pipelines.streams_of_source'), content: () => <Taken source={source} onSync={may ? (table) => setSyncing({ table }) : undefined} /> },
        { key: 'syncs', label: t('pipelines.syncs'), content: () => <SyncHistory source={name} /> },
        { key: 'discovered', label: t('pipelines.discovered'), content: () => <Discovered source={source} /> },
        {
          key: 'file', label: t('pipelines.file'),
          content: () => (
            <Stack>
              <Facts facts={[[t('pipelines.file'), source.file], [t('pipelines.kind'), source.kind]]} />
              {may ? <FileEditor source={source} />
                : <Group><Text size="sm" c="dimmed">{t('pipelines.edit_hint', { file: source.file })}</Text></Group>}
              <Code>{`meesh ingest check ${name}\nmeesh ingest run ${name}`}</Code>
            </Stack>
          ),
        },
      ]} />
      {syncing && <SyncNow source={name} table={syncing.table} onClose={() => setSyncing(null)} />}
    </Page>
  )
}
