import { Button, Stack } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Count, type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView, UrlTabs, When } from '../../ui'
import { sourcePage, State } from './parts'
import { SyncNow } from './SyncNow'
import { SyncFigures, SyncHistory } from './Syncs'
import type { IngestStatus, Source, SyncStatus } from './types'

interface Line extends Source {
  streams: SyncStatus[]
  last_ms?: number
  state?: string
  rows: number
}

function lineOf(source: Source, status: SyncStatus[]): Line {
  const streams = status.filter((one) => one.source === source.name)
  const states = streams.map((one) => one.last?.state)
  const state = ['running', 'failed', 'interrupted', 'canceled', 'succeeded'].find((one) => states.includes(one))
  return {
    ...source, streams, state,
    last_ms: Math.max(0, ...streams.map((one) => one.last?.started_ms ?? 0)) || undefined,
    rows: streams.reduce((sum, one) => sum + one.rows, 0),
  }
}

function Sources() {
  const t = useText()
  const session = useSession()
  const [syncing, setSyncing] = useState('')
  const sources = useApi<{ sources: Source[] }>('/api/v1/ingest/sources')
  const status = useApi<IngestStatus>('/api/v1/ingest/status', {}, { refetchInterval: 5000 })
  if (sources.isError) return <ProblemView error={sources.error} onRetry={() => void sources.refetch()} />
  if (sources.isPending) return <Loading />
  const rows = sources.data.sources.map((source) => lineOf(source, status.data?.streams ?? []))
  const columns: DataColumn<Line>[] = [
    { key: 'name', title: t('pipelines.source'), width: 'minmax(140px, 1.2fr)' },
    { key: 'kind', title: t('pipelines.kind'), width: '110px' },
    {
      key: 'tables', title: t('pipelines.tables'), width: '90px', align: 'right', value: (one) => one.tables.length,
      render: (one) => (one.all_tables ? t('pipelines.all') : one.tables.length),
    },
    { key: 'state', title: t('pipelines.last_sync'), width: '110px', render: (one) => (one.state ? <State state={one.state} /> : t('pipelines.never')) },
    { key: 'last_ms', title: t('pipelines.when'), width: '140px', render: (one) => <When ms={one.last_ms} /> },
    { key: 'rows', title: t('pipelines.rows'), width: '110px', align: 'right', render: (one) => <Count value={one.rows} /> },
    { key: 'file', title: t('pipelines.file'), width: 'minmax(140px, 1.2fr)', value: (one) => one.file.split('/').slice(-2).join('/') },
    {
      key: 'do', title: '', width: '120px', sort: false, value: () => '',
      render: (one) => mayEdit(session) && (
        <Button size="compact-xs" variant="light" aria-label={t('pipelines.sync.of', { name: one.name })}
          onClick={(event) => { event.stopPropagation(); setSyncing(one.name) }}>
          {t('pipelines.sync.now')}
        </Button>
      ),
    },
  ]
  return (
    <Stack>
      <SyncFigures />
      <DataTable rows={rows} columns={columns} rowKey={(one) => one.name} href={(one) => sourcePage(one.name)} label={t('pipelines.sources')}
        empty={<EmptyState title={t('pipelines.no_sources')} hint={t('pipelines.no_sources.hint')} />} />
      {syncing && <SyncNow source={syncing} onClose={() => setSyncing('')} />}
    </Stack>
  )
}

export default function Ingestion() {
  const t = useText()
  const session = useSession()
  return (
    <Page title={t('pipelines.ingestion')} subtitle={t('pipelines.ingestion.subtitle')}
      actions={mayEdit(session) && (
        <Button component={Link} to="/ingestion/new" leftSection={<IconPlus size={16} />}>{t('pipelines.wizard.title')}</Button>
      )}>
      <UrlTabs tabs={[
        { key: 'sources', label: t('pipelines.sources'), content: () => <Sources /> },
        { key: 'syncs', label: t('pipelines.syncs'), content: () => <SyncHistory /> },
      ]} />
    </Page>
  )
}
