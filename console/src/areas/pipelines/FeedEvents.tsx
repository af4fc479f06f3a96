import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, Count, type DataColumn, DataTable, EmptyState, Loading, ProblemView, When } from '../../ui'
import { feedPage, NameLink, State, Took } from './parts'
import type { FeedEvent } from './types'

/** Exports, rollbacks and retention as they were. */
export function FeedEvents({ feed }: { feed?: string }) {
  const t = useText()
  const events = useApi<{ events: FeedEvent[] }>('/api/v1/data-lake/events', { feed, limit: 1000 }, { refetchInterval: 5000 })
  if (events.isError) return <ProblemView error={events.error} onRetry={() => void events.refetch()} />
  if (events.isPending) return <Loading />
  const columns: DataColumn<FeedEvent>[] = [
    { key: 'state', title: t('pipelines.state'), width: '110px', render: (one) => <State state={one.state} /> },
    ...(feed ? [] : [{
      key: 'feed', title: t('pipelines.feed'), width: 'minmax(150px, 1fr)',
      render: (one: FeedEvent) => <NameLink to={feedPage(one.feed)}>{one.feed}</NameLink>,
    }]),
    { key: 'kind', title: t('pipelines.kind'), width: '110px' },
    { key: 'started_ms', title: t('pipelines.begun'), width: '140px', render: (one) => <When ms={one.started_ms} /> },
    { key: 'took', title: t('pipelines.took'), width: '100px', align: 'right', value: (one) => one.ended_ms - one.started_ms, render: (one) => <Took of={one} /> },
    { key: 'rows', title: t('pipelines.rows'), width: '100px', align: 'right', render: (one) => <Count value={one.rows} /> },
    { key: 'bytes', title: t('pipelines.bytes'), width: '100px', align: 'right', render: (one) => <Bytes value={one.bytes} /> },
    { key: 'detail', title: t('pipelines.message'), width: 'minmax(120px, 1fr)' },
    { key: 'error', title: t('pipelines.error'), width: 'minmax(160px, 2fr)' },
  ]
  return (
    <DataTable rows={events.data.events} columns={columns} rowKey={(one) => String(one.id)} label={t('pipelines.exports')} name="e"
      empty={<EmptyState title={t('pipelines.no_exports')} />} />
  )
}
