import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { type DataColumn, DataTable, EmptyState, Loading, ProblemView, When } from '../../ui'
import { NameLink, pipelinePage, runPage, State } from './parts'
import type { Alert } from './types'

/** What pipelines have told people of, and whether it arrived. */
export function AlertList() {
  const t = useText()
  const alerts = useApi<{ alerts: Alert[] }>('/api/v1/alerts', { limit: 500 }, { refetchInterval: 5000 })
  if (alerts.isError) return <ProblemView error={alerts.error} onRetry={() => void alerts.refetch()} />
  if (alerts.isPending) return <Loading />
  const columns: DataColumn<Alert>[] = [
    { key: 'created_ms', title: t('pipelines.when'), width: '140px', render: (one) => <When ms={one.created_ms} /> },
    {
      key: 'pipeline', title: t('pipelines.pipeline'), width: 'minmax(130px, 1fr)',
      render: (one) => (
        <NameLink to={one.run_id ? runPage({ pipeline: one.pipeline, id: one.run_id }) : pipelinePage(one.pipeline)}>
          {one.pipeline}
        </NameLink>
      ),
    },
    { key: 'event', title: t('pipelines.event'), width: '120px', value: (one) => t(`pipelines.event.${one.event}`) },
    { key: 'channel', title: t('pipelines.channel'), width: 'minmax(160px, 1.4fr)' },
    { key: 'state', title: t('pipelines.state'), width: '110px', render: (one) => <State state={one.state} /> },
    { key: 'attempts', title: t('pipelines.attempts'), width: '90px', align: 'right' },
    { key: 'error', title: t('pipelines.error'), width: 'minmax(160px, 2fr)' },
  ]
  return (
    <DataTable rows={alerts.data.alerts} columns={columns} rowKey={(one) => String(one.id)} label={t('pipelines.alerts')}
      name="l" empty={<EmptyState title={t('pipelines.no_alerts')} hint={t('pipelines.no_alerts.hint')} />} />
  )
}
