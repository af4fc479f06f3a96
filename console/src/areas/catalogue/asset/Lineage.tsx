import { Badge, Group, NumberInput, SegmentedControl, Select, Stack, Text, Title } from '@mantine/core'
import { IconSitemap } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { Problem, useApi } from '../../../api/client'
import { useText } from '../../../i18n'
import { type DataColumn, DataTable, EmptyState, Loading, ProblemView, useUrlState } from '../../../ui'
import { Graph, type GraphEdge, type GraphNode } from '../../../ui/Graph'
import { assetPath, KindIcon, useKind } from '../parts'
import type { Asset, Impact, ImpactItem } from '../types'

interface LineageNode {
  table: string
  column?: string
  namespace: string
  distance: number
  dropped_at?: string
}
type End = string | { table: string; column: string }
interface LineageAnswer {
  nodes: LineageNode[]
  edges: { from: End; to: End; columns?: unknown[]; influences?: string[] }[]
  truncated: boolean
}

const idOf = (end: End) => (typeof end === 'string' ? end : `${end.table}\n${end.column}`)

/** What decides over rows or cases only is drawn in dashes. */
function isIndirect(edge: LineageAnswer['edges'][number]): boolean {
  if (edge.columns) return edge.columns.length === 0
  return !(edge.influences ?? []).some((one) => ['IDENTITY', 'TRANSFORMATION', 'AGGREGATION'].includes(one))
}

function drawn(answer: LineageAnswer, impact: Impact | undefined): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const kinds = new Map(impact?.items.map((item) => [item.name, item.kind]))
  const nodes: GraphNode[] = answer.nodes.map((node) => {
    const parts = node.table.split('.')
    const place = parts.slice(0, -1).join('.')
    return {
      id: node.column ? `${node.table}\n${node.column}` : node.table,
      label: node.column ?? (node.namespace ? node.table : parts.at(-1)!),
      detail: node.column ? node.table : node.namespace || place,
      kind: node.column ? 'column' : node.namespace ? 'file' : kinds.get(node.table) === 'view' ? 'view' : 'table',
      state: node.dropped_at ? 'gone' : undefined,
    }
  })
  const edges: GraphEdge[] = answer.edges.map((edge) => ({ from: idOf(edge.from), to: idOf(edge.to), dashed: isIndirect(edge) }))
  for (const item of impact?.items ?? []) {
    if (!item.via) continue
    const id = `${item.kind}:${item.name}`
    nodes.push({ id, label: item.title || item.name, detail: item.kind, kind: item.kind })
    for (const node of nodes) if (node.id === item.via || node.id.startsWith(`${item.via}\n`)) edges.push({ from: node.id, to: id })
  }
  return { nodes, edges }
}

function ImpactList({ impact }: { impact: Impact }) {
  const t = useText()
  const kind = useKind()
  const columns: DataColumn<ImpactItem>[] = [
    { key: 'name', title: t('catalogue.asset'), width: 'minmax(220px, 3fr)', value: (item) => `${item.title ?? ''} ${item.name} ${item.column ?? ''}`,
      render: (item) => (
        <Group gap={6} wrap="nowrap"><KindIcon kind={item.kind} /><Text size="sm" truncate>{item.title || item.name}{item.column && ` · ${item.column}`}</Text></Group>
      ) },
    { key: 'kind', title: t('catalogue.kind'), width: '140px', value: (item) => kind(item.kind) },
    { key: 'distance', title: t('catalogue.distance'), width: '100px', align: 'right' },
    { key: 'via', title: t('catalogue.via'), width: 'minmax(140px, 2fr)', value: (item) => item.via ?? '' },
  ]
  const navigate = useNavigate()
  return (
    <DataTable rows={impact.items} columns={columns} rowKey={(item) => `${item.kind}:${item.name}:${item.column ?? ''}`} name="impact_"
      label={t('catalogue.impact')} height="40vh" onRow={(item) => item.url && void navigate({ to: item.url })}
      empty={<EmptyState title={t('catalogue.no_impact')} />} />
  )
}

export default function Lineage({ asset }: { asset: Asset }) {
  const t = useText()
  const navigate = useNavigate()
  const [column, setColumn] = useUrlState('of')
  const [direction, setDirection] = useUrlState('direction', 'both')
  const [depth, setDepth] = useUrlState('depth', '3')
  const lineage = useApi<LineageAnswer>('/api/v1/lineage', { table: asset.name, column, direction, depth }, { retry: false })
  const impact = useApi<Impact>('/api/v1/catalogue/impact', { asset: asset.name, column })
  const graph = useMemo(
    () => (lineage.data ? drawn(lineage.data, direction === 'upstream' ? undefined : impact.data) : undefined),
    [lineage.data, impact.data, direction],
  )
  const unknown = lineage.error instanceof Problem && lineage.error.status === 404
  const open = (id: string) => {
    const [table, of] = id.split('\n')
    const item = impact.data?.items.find((one) => `${one.kind}:${one.name}` === id)
    if (item?.url) return void navigate({ to: item.url })
    if (table === asset.name && of) return setColumn(of)
    const search = { tab: 'lineage', ...(of ? { of } : {}) }
    void navigate({ to: assetPath(table), search } as never)
  }
  return (
    <Stack gap="md">
      <Group gap="sm" align="flex-end">
        <Select label={t('catalogue.lineage_of')} size="xs" w={220} clearable searchable placeholder={t('catalogue.whole_table')}
          data={asset.columns.map((one) => one.name)} value={column || null} onChange={(value) => setColumn(value ?? '')} />
        <SegmentedControl size="xs" value={direction} onChange={setDirection} aria-label={t('catalogue.direction')} data={[
          { value: 'upstream', label: t('catalogue.upstream') }, { value: 'both', label: t('catalogue.both') },
          { value: 'downstream', label: t('catalogue.downstream') },
        ]} />
        <NumberInput label={t('catalogue.depth')} size="xs" w={90} min={1} max={100} value={Number(depth) || 3} onChange={(value) => setDepth(String(value || 3))} />
        {lineage.data?.truncated && <Badge color="yellow" variant="light" tt="none">{t('catalogue.truncated')}</Badge>}
      </Group>
      {lineage.isPending ? <Loading /> : unknown ? (
        <EmptyState icon={<IconSitemap size={24} />} title={t('catalogue.no_lineage')} hint={t('catalogue.no_lineage_hint')} />
      ) : lineage.isError ? <ProblemView error={lineage.error} onRetry={() => void lineage.refetch()} /> : graph && (
        <Graph nodes={graph.nodes} edges={graph.edges} onNode={open} height={440} label={t('catalogue.lineage')}
          highlight={undefined} chosen={column ? `${asset.name}\n${column}` : asset.name} />
      )}
      {impact.data && impact.data.total > 0 && (
        <Stack gap="xs">
          <Title order={2} fz="md">{t('catalogue.impact_of', { count: impact.data.total })}</Title>
          <ImpactList impact={impact.data} />
        </Stack>
      )}
    </Stack>
  )
}
