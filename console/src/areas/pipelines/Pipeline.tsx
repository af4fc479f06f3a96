import { Alert, Button, Group, Paper, Stack, Switch, Text } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Loading, Page, ProblemView, UrlTabs, useUrlState, When } from '../../ui'
import { Graph, type GraphEdge, type GraphNode } from '../../ui/Graph'
import { AssetList } from './Assets'
import { BackfillList } from './Backfills'
import { Launch } from './Launch'
import { Chips, Facts, State, useAction, useStateWord } from './parts'
import { Runs } from './Pipelines'
import type { Asset, Node, PipelineWithGraph, Schedule } from './types'

/** The states of what a step makes, worst first: a step is as its worst table. */
const kWorst = ['running', 'failed', 'stale', 'never', 'fresh']

function stateOf(node: Node, assets: Asset[]): string | undefined {
  const states = assets.filter((asset) => asset.step === node.name).map((asset) => asset.state)
  return kWorst.find((state) => states.includes(state))
}

/** Everything upstream of an asset and downstream of it. */
function relatives(graph: Node[], name: string): string[] {
  const near = new Set([name])
  const walk = (from: string, next: (name: string) => string[]) => {
    for (const one of next(from))
      if (!near.has(one)) {
        near.add(one)
        walk(one, next)
      }
  }
  walk(name, (one) => graph.find((node) => node.name === one)?.needs ?? [])
  const before = new Set(near)
  walk(name, (one) => graph.filter((node) => node.needs.includes(one) && !before.has(node.name)).map((node) => node.name))
  return [...near]
}

function Detail({ node, state, onRun }: { node: Node; state?: string; onRun?: (select: string) => void }) {
  const t = useText()
  return (
    <Paper withBorder p="md" radius="sm">
      <Group justify="space-between" mb="sm">
        <Group gap="xs">
          <Text fw={600} style={{ overflowWrap: 'anywhere' }}>{node.name}</Text>
          {state && <State state={state} />}
        </Group>
        {onRun && (
          <Group gap="xs">
            <Button size="compact-sm" variant="light" onClick={() => onRun(node.name)}>{t('pipelines.run_this')}</Button>
            <Button size="compact-sm" variant="light" onClick={() => onRun(`${node.name}+`)}>{t('pipelines.run_downstream')}</Button>
          </Group>
        )}
      </Group>
      <Facts facts={[
        [t('pipelines.kind'), node.kind],
        [t('pipelines.description'), node.description],
        [t('pipelines.makes'), node.makes.length ? <Chips of={node.makes} /> : undefined],
        [t('pipelines.needs'), node.needs.length ? <Chips of={node.needs} /> : undefined],
        [t('pipelines.reads'), node.reads.length ? <Chips of={node.reads} /> : undefined],
        [t('pipelines.tags'), node.tags.length ? <Chips of={node.tags} /> : undefined],
        [t('pipelines.pool'), node.pool],
      ]} />
    </Paper>
  )
}

function AssetGraph({ pipeline, onRun }: { pipeline: PipelineWithGraph; onRun?: (select: string) => void }) {
  const t = useText()
  const word = useStateWord()
  const [chosen, choose] = useUrlState('asset')
  const told = useApi<{ assets: Asset[] }>('/api/v1/assets', { pipeline: pipeline.name }, { refetchInterval: 2000 })
  const assets = useMemo(() => told.data?.assets ?? [], [told.data])
  const own = useMemo(() => new Set(pipeline.graph.map((node) => node.name)), [pipeline])
  const nodes = useMemo<GraphNode[]>(() => {
    const outside = new Set(pipeline.graph.flatMap((node) => [...node.reads, ...node.needs.filter((need) => !own.has(need))]))
    return [
      ...[...outside].map((table) => ({ id: `outside:${table}`, label: table, kind: 'table', detail: t('pipelines.outside') })),
      ...pipeline.graph.map((node) => {
        const state = stateOf(node, assets)
        return {
          id: node.name, label: node.name, kind: node.kind, state,
          detail: state ? `${node.kind} · ${word(state)}` : node.kind,
        }
      }),
    ]
  }, [pipeline, own, assets, t, word])
  const edges = useMemo<GraphEdge[]>(
    () =>
      pipeline.graph.flatMap((node) => [
        ...node.needs.map((need) => ({ from: own.has(need) ? need : `outside:${need}`, to: node.name })),
        ...node.reads.map((table) => ({ from: `outside:${table}`, to: node.name })),
      ]),
    [pipeline, own],
  )
  const node = pipeline.graph.find((one) => one.name === chosen)
  return (
    <Stack>
      <Graph nodes={nodes} edges={edges} height={460} label={t('pipelines.graph_of', { name: pipeline.name })}
        onNode={(id) => choose(id === chosen || id.startsWith('outside:') ? '' : id)}
        highlight={node ? relatives(pipeline.graph, chosen) : undefined} />
      {node ? <Detail node={node} state={stateOf(node, assets)} onRun={onRun} />
        : <Text size="sm" c="dimmed">{t('pipelines.choose_asset')}</Text>}
    </Stack>
  )
}

function Settings({ pipeline, schedule }: { pipeline: PipelineWithGraph; schedule?: Schedule }) {
  const t = useText()
  return (
    <Stack>
      <Facts facts={[
        [t('pipelines.file'), pipeline.file],
        [t('pipelines.schedule'), pipeline.cron ?? (pipeline.on_upstream ? t('pipelines.on_upstream') : t('pipelines.by_hand'))],
        [t('pipelines.timezone'), pipeline.timezone],
        [t('pipelines.partitions_from'), pipeline.partitions_from],
        [t('pipelines.steps_at_once'), pipeline.concurrency],
        [t('pipelines.runs_at_once'), pipeline.max_runs],
        [t('pipelines.last_scheduled'), schedule?.last_ms ? <When ms={schedule.last_ms} /> : undefined],
        ...Object.entries(pipeline.parameters).map(([name, value]): [string, string] => [
          t('pipelines.parameter_of', { name }), value,
        ]),
      ]} />
      {schedule && schedule.next_ms.length > 0 && (
        <>
          <Text size="sm" fw={600}>{t('pipelines.next_times')}</Text>
          <Stack gap={4}>
            {schedule.next_ms.map((ms) => (
              <Text key={ms} size="sm">{new Date(ms).toLocaleString(document.documentElement.lang)} (<When ms={ms} />)</Text>
            ))}
          </Stack>
        </>
      )}
      <Text size="sm" c="dimmed">{t('pipelines.edit_hint', { file: pipeline.file })}</Text>
    </Stack>
  )
}

export default function PipelinePage() {
  const t = useText()
  const session = useSession()
  const { pipeline: name = '' } = useParams({ strict: false }) as { pipeline?: string }
  const [launching, setLaunching] = useState<string[] | null>(null)
  const [act, busy] = useAction()
  const path = `/api/v1/pipelines/${encodeURIComponent(name)}`
  const pipeline = useApi<PipelineWithGraph>(path, {}, { refetchInterval: 30_000 })
  const schedules = useApi<{ schedules: Schedule[] }>('/api/v1/schedules', { next: 10 }, { refetchInterval: 15_000 })
  const crumbs = [{ title: t('pipelines.title'), to: '/pipelines' }]
  if (pipeline.isError)
    return <Page title={name} crumbs={crumbs}><ProblemView error={pipeline.error} onRetry={() => void pipeline.refetch()} /></Page>
  if (pipeline.isPending) return <Loading />
  const schedule = schedules.data?.schedules.find((one) => one.pipeline === name)
  const may = mayEdit(session)
  return (
    <Page title={name} subtitle={pipeline.data.description} crumbs={crumbs}
      actions={
        may && (
          <>
            {schedule?.schedule && (
              <Switch checked={!schedule.paused} disabled={busy} label={t('pipelines.active')}
                onChange={(event) => {
                  const verb = event.currentTarget.checked ? 'resume' : 'pause'
                  void act(() => api.post(`${path}/${verb}`))
                }} />
            )}
            <Button leftSection={<IconPlayerPlay size={16} />} onClick={() => setLaunching([])}>{t('pipelines.launch')}</Button>
          </>
        )
      }>
      {schedule?.paused && <Alert color="orange" variant="light">{t('pipelines.is_paused')}</Alert>}
      <UrlTabs tabs={[
        {
          key: 'graph', label: t('pipelines.graph'),
          content: () => <AssetGraph pipeline={pipeline.data} onRun={may ? (one) => setLaunching([one]) : undefined} />,
        },
        { key: 'runs', label: t('pipelines.runs'), content: () => <Runs pipeline={name} /> },
        { key: 'assets', label: t('pipelines.assets'), content: () => <AssetList pipeline={name} /> },
        { key: 'backfills', label: t('pipelines.backfills'), content: () => <BackfillList pipeline={name} /> },
        { key: 'settings', label: t('pipelines.settings'), content: () => <Settings pipeline={pipeline.data} schedule={schedule} /> },
      ]} />
      {launching && <Launch pipeline={pipeline.data} select={launching} onClose={() => setLaunching(null)} />}
    </Page>
  )
}
