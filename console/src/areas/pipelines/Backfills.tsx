import { Group, Progress, Text, Tooltip } from '@mantine/core'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { ConfirmButton, type DataColumn, DataTable, EmptyState, Loading, ProblemView, When } from '../../ui'
import { NameLink, pipelinePage, useAction, useStateWord } from './parts'
import type { Backfill } from './types'

const kOrder: [string, string][] = [
  ['succeeded', 'teal'], ['failed', 'red'], ['canceled', 'orange'], ['running', 'blue'], ['queued', 'gray'],
]
const all = (backfill: Backfill) => Object.values(backfill.runs).reduce((sum, count) => sum + count, 0)
const open = (backfill: Backfill) => (backfill.runs.running ?? 0) + (backfill.runs.queued ?? 0)

function Bar({ backfill }: { backfill: Backfill }) {
  const word = useStateWord()
  const total = Math.max(1, all(backfill))
  const told = kOrder.filter(([state]) => backfill.runs[state]).map(([state]) => `${word(state)}: ${backfill.runs[state]}`)
  return (
    <Tooltip label={told.join(', ')}>
      <Group gap="xs" wrap="nowrap" w="100%">
        <Progress.Root size="lg" flex={1} aria-label={told.join(', ')}>
          {kOrder.map(([state, colour]) => (
            <Progress.Section key={state} value={(100 * (backfill.runs[state] ?? 0)) / total} color={colour}
              aria-label={word(state)} />
          ))}
        </Progress.Root>
        <Text size="xs" c="dimmed">{all(backfill) - open(backfill)}/{all(backfill)}</Text>
      </Group>
    </Tooltip>
  )
}

/** Runs over a range of partitions, and how far each is. */
export function BackfillList({ pipeline }: { pipeline?: string }) {
  const t = useText()
  const session = useSession()
  const [act] = useAction()
  const backfills = useApi<{ backfills: Backfill[] }>('/api/v1/backfills', { pipeline }, { refetchInterval: 3000 })
  if (backfills.isError) return <ProblemView error={backfills.error} onRetry={() => void backfills.refetch()} />
  if (backfills.isPending) return <Loading />
  const columns: DataColumn<Backfill>[] = [
    {
      key: 'pipeline', title: t('pipelines.pipeline'), width: 'minmax(130px, 1fr)',
      render: (one) => <NameLink to={`${pipelinePage(one.pipeline)}?tab=runs`}>{one.pipeline}</NameLink>,
    },
    { key: 'from', title: t('pipelines.from'), width: '120px' },
    { key: 'to', title: t('pipelines.to'), width: '120px' },
    {
      key: 'progress', title: t('pipelines.progress'), width: 'minmax(180px, 2fr)',
      value: (one) => (all(one) - open(one)) / Math.max(1, all(one)), render: (one) => <Bar backfill={one} />,
    },
    { key: 'created_ms', title: t('pipelines.begun'), width: '140px', render: (one) => <When ms={one.created_ms} /> },
    { key: 'concurrency', title: t('pipelines.at_once'), width: '90px', align: 'right' },
    { key: 'requested_by', title: t('pipelines.requested_by'), width: '120px' },
    {
      key: 'do', title: '', width: '110px', sort: false, value: () => '',
      render: (one) =>
        open(one) > 0 && mayEdit(session) ? (
          <ConfirmButton size="compact-xs" variant="light" color="red" question={t('pipelines.cancel_backfill.question')}
            onConfirm={() => act(() => api.post(`/api/v1/backfills/${encodeURIComponent(one.id)}/cancel`))}>
            {t('pipelines.cancel')}
          </ConfirmButton>
        ) : null,
    },
  ]
  return (
    <DataTable rows={backfills.data.backfills} columns={columns} rowKey={(one) => one.id} label={t('pipelines.backfills')}
      name="b" empty={<EmptyState title={t('pipelines.no_backfills')} hint={t('pipelines.no_backfills.hint')} />} />
  )
}
