import { Badge, Button, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { DataTable, Loading, ProblemView } from '../../ui'
import { AdminPage } from './AdminPage'
import { FormModal } from './parts'
import type { Policy } from './types'

function NewPolicy() {
  const t = useText()
  const navigate = useNavigate()
  const [opened, setOpened] = useState(false)
  const [name, setName] = useState('')
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => setOpened(true)}>{t('admin.policy.new')}</Button>
      <FormModal title={t('admin.policy.new')} opened={opened} onClose={() => setOpened(false)} busy={false} error={null}
        submit={t('admin.policy.write')} disabled={!name}
        onSubmit={() => void navigate({ to: `/admin/policies/${encodeURIComponent(name)}?new=1` as '/' })}>
        <TextInput label={t('admin.name')} description={t('admin.users.name.hint')} value={name} data-autofocus maxLength={64}
          onChange={(event) => setName(event.currentTarget.value)} />
      </FormModal>
    </>
  )
}

export default function Policies() {
  const t = useText()
  const policies = useApi<{ policies: Policy[] }>('/api/v1/admin/policies')
  return (
    <AdminPage title={t('admin.part.policies')} subtitle={t('admin.policies.subtitle')} actions={<NewPolicy />}>
      {policies.isPending ? <Loading /> : policies.isError ? <ProblemView error={policies.error} onRetry={() => void policies.refetch()} /> : (
        <DataTable<Policy> label={t('admin.part.policies')} rows={policies.data.policies} rowKey={(policy) => policy.name}
          href={(policy) => `/admin/policies/${encodeURIComponent(policy.name)}`}
          columns={[
            { key: 'name', title: t('admin.name'), width: 'minmax(160px, 1fr)' },
            { key: 'built_in', title: t('admin.policy.kind'), width: '140px',
              render: (policy) => policy.built_in
                ? <Badge variant="light" color="gray" tt="none" radius="sm">{t('admin.policy.built_in')}</Badge>
                : t('admin.policy.own') },
            { key: 'users', title: t('admin.part.users'), width: 'minmax(160px, 2fr)', value: (policy) => policy.users.join(', ') },
          ]} />
      )}
    </AdminPage>
  )
}
