import { Group, SegmentedControl } from '@mantine/core'
import { IconPlayerStop } from '@tabler/icons-react'
import { api } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, ConfirmButton, Count, DataTable, Duration, EmptyState, Loading, ProblemView, StatusBadge, useUrlState, When } from '../../ui'
import { AdminPage } from './AdminPage'
import { MoreButton, useChange, usePages } from './parts'
import type { Statement } from './types'

export const isEnded = (state: string) => state === 'FINISHED' || state === 'FAILED'

export function StatementState({ state }: { state: string }) {
  const t = useText()
  const colour = state === 'FINISHED' ? 'finished' : state === 'FAILED' ? 'failed' : state === 'QUEUED' ? 'queued' : 'running'
  return <StatusBadge state={colour} label={t(`admin.query.${state}`)} />
}

export default function Queries() {
  const t = useText()
  const [state, setState] = useUrlState('state')
  const pages = usePages<Statement>('/api/v1/queries', { state, limit: 200 },
    (page: { queries: Statement[] }) => page.queries, 3000)
  const cancel = useChange((id: string) => api.post(`/api/v1/queries/${encodeURIComponent(id)}/cancel`))
  return (
    <AdminPage title={t('admin.part.queries')} subtitle={t('admin.queries.subtitle')} everybody>
      <Group mb="sm">
        <SegmentedControl size="xs" aria-label={t('admin.state')} value={state} onChange={setState}
          data={['', 'running', 'finished', 'failed'].map((value) => ({ value, label: t(`admin.queries.${value || 'all'}`) }))} />
      </Group>
      {cancel.error && <ProblemView error={cancel.error} />}
      {pages.isPending ? <Loading /> : pages.isError ? <ProblemView error={pages.error} onRetry={() => void pages.refetch()} /> : (
        <>
          <DataTable<Statement> label={t('admin.part.queries')} rows={pages.all} rowKey={(query) => query.id} height="min(62vh, 800px)"
            href={(query) => `/admin/queries/${encodeURIComponent(query.id)}`}
            empty={<EmptyState title={t('admin.queries.none')} hint={t('admin.queries.none.hint')} />}
            columns={[
              { key: 'state', title: t('admin.state'), width: '110px', render: (query) => <StatementState state={query.state} /> },
              { key: 'statement', title: t('admin.statement'), width: 'minmax(240px, 3fr)' },
              { key: 'user', title: t('admin.user'), width: 'minmax(90px, 0.6fr)' },
              { key: 'source', title: t('admin.source'), width: 'minmax(100px, 0.7fr)' },
              { key: 'created_ms', title: t('admin.time'), width: '120px', render: (query) => <When ms={query.created_ms} /> },
              { key: 'elapsed_ms', title: t('admin.elapsed'), width: '90px', align: 'right', render: (query) => <Duration ms={query.elapsed_ms} /> },
              { key: 'rows', title: t('admin.rows'), width: '90px', align: 'right', render: (query) => <Count value={query.rows} /> },
              { key: 'peak_memory_bytes', title: t('admin.memory'), width: '100px', align: 'right', render: (query) => <Bytes value={query.peak_memory_bytes} /> },
              { key: 'cancel', title: '', sort: false, width: '54px', value: () => '',
                render: (query) => !isEnded(query.state) && (
                  <span onClick={(event) => event.stopPropagation()} onKeyDown={(event) => event.stopPropagation()}>
                    <ConfirmButton size="compact-xs" variant="subtle" color="red" question={t('admin.query.cancel.question')}
                      aria-label={t('admin.query.cancel')} onConfirm={() => cancel.mutate(query.id)}>
                      <IconPlayerStop size={15} />
                    </ConfirmButton>
                  </span>
                ) },
            ]} />
          <MoreButton pages={pages} />
        </>
      )}
    </AdminPage>
  )
}
