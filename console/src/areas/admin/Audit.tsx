import { Group, SegmentedControl, TextInput } from '@mantine/core'
import { DateTimePicker } from '@mantine/dates'
import { useState } from 'react'
import { useText } from '../../i18n'
import { DataTable, EmptyState, Loading, ProblemView, StatusBadge, useUrlState, When } from '../../ui'
import { AdminPage } from './AdminPage'
import { MoreButton, usePages } from './parts'
import type { AuditEvent } from './types'

/** A text that goes into the address when the typing ends. */
function Filter({ name, label, placeholder }: { name: string; label: string; placeholder?: string }) {
  const [value, setValue] = useUrlState(name)
  const [typed, setTyped] = useState(value)
  return (
    <TextInput size="xs" label={label} placeholder={placeholder} value={typed} w={170}
      onChange={(event) => setTyped(event.currentTarget.value)} onBlur={() => setValue(typed.trim())}
      onKeyDown={(event) => event.key === 'Enter' && setValue(typed.trim())} />
  )
}

function Moment({ name, label }: { name: string; label: string }) {
  const t = useText()
  const [value, setValue] = useUrlState(name)
  return (
    <DateTimePicker size="xs" label={label} value={value ? new Date(Number(value)) : null} clearable w={190}
      placeholder={t('admin.audit.any')} valueFormat="YYYY-MM-DD HH:mm"
      onChange={(time) => setValue(time ? String(new Date(time).getTime()) : '')} />
  )
}

export default function Audit() {
  const t = useText()
  const [user] = useUrlState('user')
  const [action] = useUrlState('action')
  const [outcome, setOutcome] = useUrlState('outcome')
  const [from] = useUrlState('from')
  const [to] = useUrlState('to')
  const pages = usePages<AuditEvent>('/api/v1/admin/audit', { user, action, outcome, from_ms: from, to_ms: to, limit: 200 },
    (page: { events: AuditEvent[] }) => page.events)
  return (
    <AdminPage title={t('admin.part.audit')} subtitle={t('admin.audit.subtitle')}>
      <Group align="flex-end" gap="sm" mb="sm">
        <Filter name="user" label={t('admin.user')} />
        <Filter name="action" label={t('admin.action')} placeholder="s3:Put" />
        <SegmentedControl size="xs" aria-label={t('admin.outcome')} value={outcome} onChange={setOutcome}
          data={[
            { value: '', label: t('admin.audit.all') },
            { value: 'allowed', label: t('admin.audit.allowed') },
            { value: 'denied', label: t('admin.audit.denied') },
          ]} />
        <Moment name="from" label={t('admin.from')} />
        <Moment name="to" label={t('admin.to')} />
      </Group>
      {pages.isPending ? <Loading /> : pages.isError ? <ProblemView error={pages.error} onRetry={() => void pages.refetch()} /> : (
        <>
          <DataTable<AuditEvent> label={t('admin.part.audit')} rows={pages.all} height="min(62vh, 800px)"
            rowKey={(event) => `${event.time_ms} ${event.request_id ?? ''} ${event.action ?? ''} ${event.resource ?? ''}`}
            empty={<EmptyState title={t('admin.audit.none')} hint={t('admin.audit.none.hint')} />}
            columns={[
              { key: 'time_ms', title: t('admin.time'), width: '130px', render: (event) => <When ms={event.time_ms} /> },
              { key: 'user', title: t('admin.user'), width: 'minmax(100px, 0.7fr)' },
              { key: 'action', title: t('admin.action'), width: 'minmax(150px, 1fr)' },
              { key: 'resource', title: t('admin.resource'), width: 'minmax(200px, 2fr)' },
              { key: 'outcome', title: t('admin.outcome'), width: '100px',
                render: (event) => <StatusBadge state={event.outcome === 'allowed' ? 'ok' : event.outcome === 'denied' ? 'failed' : 'warning'}
                  label={event.outcome === 'allowed' ? t('admin.audit.allowed') : event.outcome === 'denied' ? t('admin.audit.denied') : event.outcome} /> },
              { key: 'reason', title: t('admin.reason'), width: 'minmax(140px, 1.4fr)' },
              { key: 'remote_address', title: t('admin.address'), width: '130px' },
            ]} />
          <MoreButton pages={pages} />
        </>
      )}
    </AdminPage>
  )
}
