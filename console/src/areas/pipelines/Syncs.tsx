import { Alert, SimpleGrid, Stack } from '@mantine/core'
import { useMemo } from 'react'
import { useApi } from '../../api/client'
import { useLanguage } from '../../i18n'
import { Bytes, Count, type DataColumn, DataTable, Duration, EmptyState, Loading, ProblemView, When } from '../../ui'
import { Chart } from '../../ui/Chart'
import { Facts, Figure, NameLink, sourcePage, State, Took } from './parts'
import type { IngestStatus, Sync } from './types'

/** Syncs over days: how many succeeded, how many did not, and the rows that came. */
function SyncChart({ syncs }: { syncs: Sync[] }) {
  const { language, text: t } = useLanguage()
  const option = useMemo(() => {
    const days = new Map<string, { good: number; bad: number; rows: number }>()
    for (const sync of [...syncs].reverse()) {
      const day = new Date(sync.started_ms).toISOString().slice(0, 10)
      const at = days.get(day) ?? { good: 0, bad: 0, rows: 0 }
      if (sync.state === 'succeeded') at.good += 1
      else if (sync.state !== 'running') at.bad += 1
      at.rows += sync.rows
      days.set(day, at)
    }
    const all = [...days.values()]
    return {
      grid: { left: 48, right: 64, top: 40, bottom: 28 },
      legend: { top: 4 },
      tooltip: { trigger: 'axis' },
      xAxis: { type: 'category', data: [...days.keys()] },
      yAxis: [
        { type: 'value', name: t('pipelines.syncs'), minInterval: 1 },
        { type: 'value', name: t('pipelines.rows'), splitLine: { show: false },
          axisLabel: { formatter: (value: number) => value.toLocaleString(language, { notation: 'compact' }) } },
      ],
      series: [
        { name: t('pipelines.state.succeeded'), type: 'bar', stack: 'syncs', color: '#12b886', barMaxWidth: 40, data: all.map((day) => day.good) },
        { name: t('pipelines.state.failed'), type: 'bar', stack: 'syncs', color: '#e03131', barMaxWidth: 40, data: all.map((day) => day.bad) },
        { name: t('pipelines.rows'), type: 'line', yAxisIndex: 1, color: '#4263eb', data: all.map((day) => day.rows) },
      ],
    }
  }, [syncs, language, t])
  return <Chart option={option} height={220} description={t('pipelines.syncs_by_day')} />
}

export function SyncFigures({ source }: { source?: string }) {
  const { language, text: t } = useLanguage()
  const status = useApi<IngestStatus>('/api/v1/ingest/status', {}, { refetchInterval: 5000 })
  if (!status.data) return null
  const streams = status.data.streams.filter((one) => !source || one.source === source)
  const syncs = streams.reduce((sum, one) => sum + one.syncs, 0)
  const good = streams.reduce((sum, one) => sum + Math.round((one.success_rate ?? 0) * one.syncs), 0)
  const seconds = streams.reduce((sum, one) => sum + one.mean_seconds * Math.round((one.success_rate ?? 0) * one.syncs), 0)
  const rate = syncs ? good / syncs : null
  return (
    <SimpleGrid cols={{ base: 2, sm: 5 }}>
      <Figure label={t('pipelines.syncs')}><Count value={syncs} /></Figure>
      <Figure label={t('pipelines.success_rate')} tone={rate === null ? undefined : rate < 0.95 ? 'bad' : 'good'}>
        {rate === null ? '–' : rate.toLocaleString(language, { style: 'percent', maximumFractionDigits: 1 })}
      </Figure>
      <Figure label={t('pipelines.mean_duration')}>{good ? <Duration ms={(1000 * seconds) / good} /> : '–'}</Figure>
      <Figure label={t('pipelines.rows')}><Count value={streams.reduce((sum, one) => sum + one.rows, 0)} /></Figure>
      <Figure label={t('pipelines.rejected')} tone={streams.some((one) => one.rejected > 0) ? 'bad' : undefined}>
        <Count value={streams.reduce((sum, one) => sum + one.rejected, 0)} />
      </Figure>
    </SimpleGrid>
  )
}

/** How far behind the source is, if its changes are followed. */
export function ChangeLag({ source }: { source: string }) {
  const { text: t } = useLanguage()
  const status = useApi<IngestStatus>('/api/v1/ingest/status', {}, { refetchInterval: 2000 })
  const changes = status.data?.changes.find((one) => one.source === source)
  if (!changes) return null
  return (
    <>
      <Facts facts={[
        [t('pipelines.changes'), changes.phase],
        [t('pipelines.behind.time'), <Duration key="s" ms={1000 * changes.lag_seconds} />],
        [t('pipelines.behind.bytes'), <Bytes key="b" value={changes.lag_bytes} />],
      ]} />
      {changes.warnings.map((one) => <Alert key={one} color="yellow" variant="light">{one}</Alert>)}
    </>
  )
}

/** What syncs came to, newest first, of one source or all. */
export function SyncHistory({ source }: { source?: string }) {
  const { text: t } = useLanguage()
  const history = useApi<{ syncs: Sync[] }>('/api/v1/ingest/history', { source, limit: 1000 }, { refetchInterval: 3000 })
  if (history.isError) return <ProblemView error={history.error} onRetry={() => void history.refetch()} />
  if (history.isPending) return <Loading />
  const columns: DataColumn<Sync>[] = [
    { key: 'state', title: t('pipelines.state'), width: '110px', render: (one) => <State state={one.state} /> },
    ...(source ? [] : [{
      key: 'source', title: t('pipelines.source'), width: '110px',
      render: (one: Sync) => <NameLink to={sourcePage(one.source)}>{one.source}</NameLink>,
    }]),
    { key: 'stream', title: t('pipelines.stream'), width: 'minmax(120px, 1fr)' },
    { key: 'table', title: t('pipelines.table'), width: 'minmax(190px, 1.6fr)' },
    { key: 'started_ms', title: t('pipelines.begun'), width: '130px', render: (one) => <When ms={one.started_ms} /> },
    { key: 'took', title: t('pipelines.took'), width: '84px', align: 'right', value: (one) => one.ended_ms - one.started_ms, render: (one) => <Took of={one} /> },
    { key: 'rows', title: t('pipelines.rows'), width: '90px', align: 'right', render: (one) => <Count value={one.rows} /> },
    { key: 'bytes', title: t('pipelines.bytes'), width: '84px', align: 'right', render: (one) => <Bytes value={one.bytes} /> },
    { key: 'rejected', title: t('pipelines.rejected_short'), width: '84px', align: 'right', render: (one) => <Count value={one.rejected} /> },
    { key: 'error', title: t('pipelines.error'), width: 'minmax(100px, 1.6fr)' },
  ]
  return (
    <Stack>
      {history.data.syncs.length > 0 && <SyncChart syncs={history.data.syncs} />}
      <DataTable rows={history.data.syncs} columns={columns} rowKey={(one) => one.id} label={t('pipelines.syncs')} name="s"
        empty={<EmptyState title={t('pipelines.no_syncs')} hint={t('pipelines.no_syncs.hint')} />} />
    </Stack>
  )
}
