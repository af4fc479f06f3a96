import { SegmentedControl, Select, Switch, Text } from '@mantine/core'
import { useMemo } from 'react'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView, UrlTabs, useUrlState, When } from '../../ui'
import { AlertList } from './Alerts'
import { AssetList } from './Assets'
import { BackfillList } from './Backfills'
import { pipelinePage, RunStrip, State, useAction } from './parts'
import { RunList } from './RunList'
import type { Pipeline, RunRecord, Schedule } from './types'

interface Line extends Pipeline {
  runs: RunRecord[]
  schedule?: Schedule
}

const kPoll = 3000

function List() {
  const t = useText()
  const session = useSession()
  const [act, busy] = useAction()
  const pipelines = useApi<{ pipelines: Pipeline[] }>('/api/v1/pipelines', {}, { refetchInterval: 15_000 })
  const runs = useApi<{ runs: RunRecord[] }>('/api/v1/runs', { limit: 500 }, { refetchInterval: kPoll })
  const schedules = useApi<{ schedules: Schedule[] }>('/api/v1/schedules', { next: 1 }, { refetchInterval: 15_000 })
  const rows = useMemo<Line[]>(
    () =>
      (pipelines.data?.pipelines ?? []).map((pipeline) => ({
        ...pipeline,
        runs: (runs.data?.runs ?? []).filter((run) => run.pipeline === pipeline.name),
        schedule: schedules.data?.schedules.find((one) => one.pipeline === pipeline.name),
      })),
    [pipelines.data, runs.data, schedules.data],
  )
  if (pipelines.isError) return <ProblemView error={pipelines.error} onRetry={() => void pipelines.refetch()} />
  if (pipelines.isPending) return <Loading />
  const pause = (line: Line, paused: boolean) =>
    act(() => api.post(`/api/v1/pipelines/${encodeURIComponent(line.name)}/${paused ? 'pause' : 'resume'}`))
  const columns: DataColumn<Line>[] = [
    {
      key: 'name', title: t('pipelines.pipeline'), width: 'minmax(150px, 1.4fr)',
      render: (line) => <Text size="sm" fw={600} truncate title={line.description}>{line.name}</Text>,
    },
    {
      key: 'last', title: t('pipelines.last_runs'), width: '176px', sort: false, value: (line) => line.runs[0]?.state,
      render: (line) => <RunStrip runs={line.runs} />,
    },
    {
      key: 'state', title: t('pipelines.state'), width: '110px', value: (line) => line.runs[0]?.state,
      render: (line) => (line.runs[0] ? <State state={line.runs[0].state} /> : t('pipelines.no_run')),
    },
    {
      key: 'started', title: t('pipelines.last_run'), width: '140px', value: (line) => line.runs[0]?.created_ms,
      render: (line) => <When ms={line.runs[0]?.created_ms} />,
    },
    {
      key: 'schedule', title: t('pipelines.schedule'), width: '130px', value: (line) => line.schedule?.schedule,
      render: (line) => line.schedule?.schedule || t('pipelines.by_hand'),
    },
    {
      key: 'next', title: t('pipelines.next'), width: '130px', value: (line) => line.schedule?.next_ms[0],
      render: (line) => (line.schedule?.next_ms[0] ? <When ms={line.schedule.next_ms[0]} /> : '–'),
    },
    { key: 'assets', title: t('pipelines.assets'), width: '78px', align: 'right' },
    {
      key: 'active', title: t('pipelines.active'), width: '104px', value: (line) => !line.schedule?.paused,
      render: (line) =>
        line.schedule?.schedule ? (
          <Switch size="xs" checked={!line.schedule.paused} disabled={busy || !mayEdit(session)}
            aria-label={t('pipelines.active_of', { name: line.name })}
            onClick={(event) => event.stopPropagation()}
            onChange={(event) => void pause(line, !event.currentTarget.checked)} />
        ) : null,
    },
  ]
  return (
    <DataTable rows={rows} columns={columns} rowKey={(line) => line.name} href={(line) => pipelinePage(line.name)}
      label={t('pipelines.title')}
      empty={<EmptyState title={t('pipelines.none')} hint={t('pipelines.none.hint')} />} />
  )
}

const kStates = ['running', 'queued', 'succeeded', 'failed', 'canceled']

/** Runs of all pipelines, or of one, by state. */
export function Runs({ pipeline }: { pipeline?: string }) {
  const t = useText()
  const [state, setState] = useUrlState('state')
  const [of, setOf] = useUrlState('of')
  const pipelines = useApi<{ pipelines: Pipeline[] }>('/api/v1/pipelines')
  const asked = pipeline ?? of
  const runs = useApi<{ runs: RunRecord[] }>(
    '/api/v1/runs', { limit: 1000, state, pipeline: asked }, { refetchInterval: kPoll },
  )
  if (runs.isError) return <ProblemView error={runs.error} onRetry={() => void runs.refetch()} />
  return (
    <RunList runs={runs.data?.runs} withPipeline={!pipeline}
      toolbar={
        <>
          {!pipeline && (
            <Select size="xs" w={190} clearable value={of || null} onChange={(value) => setOf(value ?? '')}
              placeholder={t('pipelines.all_pipelines')} aria-label={t('pipelines.pipeline')}
              data={pipelines.data?.pipelines.map((one) => one.name) ?? []} />
          )}
          <SegmentedControl size="xs" value={state} onChange={setState} aria-label={t('pipelines.state')}
            data={[{ value: '', label: t('pipelines.all') },
              ...kStates.map((one) => ({ value: one, label: t(`pipelines.state.${one}`) }))]} />
        </>
      } />
  )
}

export default function Pipelines() {
  const t = useText()
  return (
    <Page title={t('pipelines.title')} subtitle={t('pipelines.subtitle')}>
      <UrlTabs tabs={[
        { key: 'pipelines', label: t('pipelines.title'), content: () => <List /> },
        { key: 'runs', label: t('pipelines.runs'), content: () => <Runs /> },
        { key: 'assets', label: t('pipelines.assets'), content: () => <AssetList /> },
        { key: 'backfills', label: t('pipelines.backfills'), content: () => <BackfillList /> },
        { key: 'alerts', label: t('pipelines.alerts'), content: () => <AlertList /> },
      ]} />
    </Page>
  )
}
