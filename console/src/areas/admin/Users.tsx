import { Alert, Badge, Button, MultiSelect, PasswordInput, TextInput } from '@mantine/core'
import { IconPlus, IconShieldOff } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { useSession } from '../../shell/session'
import { DataTable, EmptyState, Loading, ProblemView, StatusBadge, When } from '../../ui'
import { AdminPage } from './AdminPage'
import { FormModal, useChange } from './parts'
import type { Policy, User } from './types'

function NewUser() {
  const t = useText()
  const navigate = useNavigate()
  const [opened, setOpened] = useState(false)
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [policies, setPolicies] = useState<string[]>(['readwrite'])
  const known = useApi<{ policies: Policy[] }>('/api/v1/admin/policies', {}, { enabled: opened })
  const create = useChange(
    () => api.post<User>('/api/v1/admin/users', { name, policies, ...(password ? { password } : {}) }),
    (user) => void navigate({ to: `/admin/users/${encodeURIComponent(user.name)}` as '/' }),
  )
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => setOpened(true)}>{t('admin.users.new')}</Button>
      <FormModal title={t('admin.users.new')} opened={opened} onClose={() => setOpened(false)} busy={create.isPending}
        error={create.error} submit={t('admin.create')} disabled={!name} onSubmit={() => create.mutate(undefined)}>
        <TextInput label={t('admin.name')} description={t('admin.users.name.hint')} value={name} required data-autofocus
          maxLength={64} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" />
        <MultiSelect label={t('admin.policies')} description={t('admin.users.policies.hint')} value={policies}
          onChange={setPolicies} data={(known.data?.policies ?? []).map((policy) => policy.name)} searchable />
        <PasswordInput label={t('admin.password')} description={t('admin.users.password.hint')} value={password}
          onChange={(event) => setPassword(event.currentTarget.value)} autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show') }} />
      </FormModal>
    </>
  )
}

export default function Users() {
  const t = useText()
  const session = useSession()
  const users = useApi<{ users: User[] }>('/api/v1/admin/users')
  return (
    <AdminPage title={t('admin.part.users')} subtitle={t('admin.users.subtitle')} actions={<NewUser />}>
      {session?.mode === 'open' && (
        <Alert color="orange" icon={<IconShieldOff size={18} />} mb="md" title={t('admin.open.title')}>
          {t('admin.open.hint')}
        </Alert>
      )}
      {users.isPending ? <Loading /> : users.isError ? <ProblemView error={users.error} onRetry={() => void users.refetch()} /> : (
        <DataTable<User> label={t('admin.part.users')} rows={users.data.users} rowKey={(user) => user.name}
          href={(user) => `/admin/users/${encodeURIComponent(user.name)}`}
          empty={<EmptyState title={t('admin.users.none')} hint={t('admin.users.none.hint')} />}
          columns={[
            { key: 'name', title: t('admin.name'), width: 'minmax(140px, 1.4fr)' },
            { key: 'role', title: t('admin.role'), width: '130px',
              render: (user) => <Badge variant="light" color={user.role === 'administrator' ? 'teal' : 'gray'} tt="none" radius="sm">{t(`admin.role.${user.role}`)}</Badge> },
            { key: 'enabled', title: t('admin.state'), width: '110px',
              render: (user) => <StatusBadge state={user.enabled ? 'active' : 'disabled'} label={t(user.enabled ? 'admin.enabled' : 'admin.disabled')} /> },
            { key: 'has_password', title: t('admin.password'), width: '120px',
              render: (user) => t(user.has_password ? 'admin.password.set' : 'admin.password.none') },
            { key: 'policies', title: t('admin.policies'), value: (user) => user.policies.join(', ') },
            { key: 'domain', title: t('admin.domain'), width: '120px', value: (user) => user.domain || '–' },
            { key: 'access_keys', title: t('admin.keys'), width: '120px', align: 'right', value: (user) => user.access_keys.length },
            { key: 'created_ms', title: t('admin.created'), width: '140px', render: (user) => <When ms={user.created_ms} /> },
          ]} />
      )}
    </AdminPage>
  )
}
