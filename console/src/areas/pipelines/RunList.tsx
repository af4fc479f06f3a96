import { type ReactNode, useMemo } from 'react'
import { useText } from '../../i18n'
import { type DataColumn, DataTable, Loading, When } from '../../ui'
import { useNow } from './live'
import { ended, NameLink, pipelinePage, runPage, State, Took } from './parts'
import type { RunRecord } from './types'

/** Runs, newest first. */
export function RunList({ runs, withPipeline, toolbar, name }: {
  runs?: RunRecord[]
  withPipeline?: boolean
  toolbar?: ReactNode
  name?: string
}) {
  const t = useText()
  const now = useNow(Boolean(runs?.some((run) => !ended(run.state))))
  const columns = useMemo(() => {
    const all: DataColumn<RunRecord>[] = [
      { key: 'state', title: t('pipelines.state'), width: '110px', render: (run) => <State state={run.state} /> },
      {
        key: 'pipeline', title: t('pipelines.pipeline'), width: 'minmax(150px, 1fr)',
        render: (run) => <NameLink to={pipelinePage(run.pipeline)}>{run.pipeline}</NameLink>,
      },
      { key: 'partition', title: t('pipelines.partition'), width: '120px' },
      {
        key: 'created_ms', title: t('pipelines.begun'), width: '150px', value: (run) => run.created_ms,
        render: (run) => <When ms={run.started_ms ?? run.created_ms} />,
      },
      {
        key: 'took', title: t('pipelines.took'), width: '110px', align: 'right',
        value: (run) => (run.started_ms ? (run.ended_ms ?? now) - run.started_ms : undefined),
        render: (run) => <Took of={run} now={now} />,
      },
      { key: 'steps_planned', title: t('pipelines.steps'), width: '80px', align: 'right' },
      {
        key: 'trigger', title: t('pipelines.trigger'), width: '120px',
        value: (run) => t(`pipelines.trigger.${run.trigger}`),
      },
      { key: 'requested_by', title: t('pipelines.requested_by'), width: '120px' },
      { key: 'error', title: t('pipelines.error'), width: 'minmax(160px, 2fr)' },
    ]
    return all.filter((column) => withPipeline || column.key !== 'pipeline')
  }, [t, withPipeline, now])
  if (!runs) return <Loading />
  return (
    <DataTable rows={runs} columns={columns} rowKey={(run) => run.id} href={runPage} label={t('pipelines.runs')}
      toolbar={toolbar} name={name} />
  )
}
