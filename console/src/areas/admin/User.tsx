import { Button, Card, Group, PasswordInput, Select, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { IconKey, IconLock, IconPlus, IconTrash } from '@tabler/icons-react'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { ConfirmButton, Loading, Page, ProblemView, StatusBadge, When } from '../../ui'
import { DeleteButton, FormModal, SecretModal, useChange } from './parts'
import type { NewKey, Policy, User as UserType } from './types'

function Password({ user, path }: { user: UserType; path: string }) {
  const t = useText()
  const [opened, setOpened] = useState(false)
  const [password, setPassword] = useState('')
  const set = useChange(() => api.put(`${path}/password`, { password }), () => {
    setOpened(false)
    setPassword('')
  })
  const remove = useChange(() => api.delete(`${path}/password`))
  return (
    <Card withBorder>
      <Title order={2} fz="md" mb="xs">{t('admin.password')}</Title>
      <Text size="sm" c="dimmed" mb="sm">{t(user.has_password ? 'admin.user.password.set' : 'admin.user.password.none')}</Text>
      <Group gap="xs">
        <Button size="xs" variant="default" leftSection={<IconLock size={15} />} onClick={() => setOpened(true)}>
          {t(user.has_password ? 'admin.user.password.change' : 'admin.user.password.give')}
        </Button>
        {user.has_password && (
          <ConfirmButton size="xs" variant="subtle" color="red" question={t('admin.user.password.remove.question')}
            loading={remove.isPending} onConfirm={() => remove.mutate(undefined)}>
            {t('admin.user.password.remove')}
          </ConfirmButton>
        )}
      </Group>
      {remove.error && <ProblemView error={remove.error} />}
      <FormModal title={t('admin.user.password.of', { name: user.name })} opened={opened} onClose={() => setOpened(false)}
        busy={set.isPending} error={set.error} submit={t('admin.save')} disabled={password.length < 8}
        onSubmit={() => set.mutate(undefined)}>
        <PasswordInput label={t('admin.user.password.new')} description={t('admin.user.password.hint')} value={password} data-autofocus
          onChange={(event) => setPassword(event.currentTarget.value)} autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show') }} />
      </FormModal>
    </Card>
  )
}

function Policies({ user, path }: { user: UserType; path: string }) {
  const t = useText()
  const known = useApi<{ policies: Policy[] }>('/api/v1/admin/policies')
  const attach = useChange((policy: string) => api.put(`${path}/policies/${encodeURIComponent(policy)}`))
  const detach = useChange((policy: string) => api.delete(`${path}/policies/${encodeURIComponent(policy)}`))
  const others = (known.data?.policies ?? []).map((policy) => policy.name).filter((name) => !user.policies.includes(name))
  return (
    <Card withBorder>
      <Title order={2} fz="md" mb="xs">{t('admin.policies')}</Title>
      {user.policies.length === 0 && <Text size="sm" c="dimmed" mb="xs">{t('admin.user.policies.none')}</Text>}
      <Table mb="sm">
        <Table.Tbody>
          {user.policies.map((policy) => (
            <Table.Tr key={policy}>
              <Table.Td>{policy}</Table.Td>
              <Table.Td ta="right">
                <ConfirmButton size="compact-xs" variant="subtle" color="red" onConfirm={() => detach.mutate(policy)}
                  question={t('admin.user.policies.detach.question', { policy })} aria-label={t('admin.user.policies.detach', { policy })}>
                  <IconTrash size={15} />
                </ConfirmButton>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Select size="xs" aria-label={t('admin.user.policies.attach')} placeholder={t('admin.user.policies.attach')} data={others}
        value={null} onChange={(policy) => policy && attach.mutate(policy)} searchable w={260} maw="100%" />
      {(attach.error ?? detach.error) && <ProblemView error={(attach.error ?? detach.error)!} />}
    </Card>
  )
}

function Keys({ user, path }: { user: UserType; path: string }) {
  const t = useText()
  const [made, setMade] = useState<NewKey | null>(null)
  const create = useChange(() => api.post<NewKey>(`${path}/keys`), setMade)
  const remove = useChange((key: string) => api.delete(`${path}/keys/${encodeURIComponent(key)}`))
  return (
    <Card withBorder>
      <Title order={2} fz="md" mb="xs">{t('admin.keys')}</Title>
      <Text size="sm" c="dimmed" mb="xs">{t('admin.user.keys.hint')}</Text>
      <Table mb="sm">
        <Table.Tbody>
          {user.access_keys.map((key) => (
            <Table.Tr key={key}>
              <Table.Td ff="monospace">{key}</Table.Td>
              <Table.Td ta="right">
                <ConfirmButton size="compact-xs" variant="subtle" color="red" onConfirm={() => remove.mutate(key)}
                  question={t('admin.user.keys.delete.question', { key })} aria-label={t('admin.user.keys.delete', { key })}>
                  <IconTrash size={15} />
                </ConfirmButton>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Group>
        <Button size="xs" variant="default" leftSection={<IconKey size={15} />} loading={create.isPending}
          onClick={() => create.mutate(undefined)}>
          {t('admin.user.keys.new')}
        </Button>
      </Group>
      {(create.error ?? remove.error) && <ProblemView error={(create.error ?? remove.error)!} />}
      <SecretModal title={t('admin.user.keys.made')} onClose={() => setMade(null)}
        secret={made && `AWS_ACCESS_KEY_ID=${made.access_key}\nAWS_SECRET_ACCESS_KEY=${made.secret_key}`} />
    </Card>
  )
}

export default function User() {
  const t = useText()
  const navigate = useNavigate()
  const { name = '' } = useParams({ strict: false }) as { name?: string }
  const path = `/api/v1/admin/users/${encodeURIComponent(name)}`
  const user = useApi<UserType>(path)
  const enable = useChange((enabled: boolean) => api.post(`${path}/${enabled ? 'enable' : 'disable'}`))
  const remove = useChange(() => api.delete(path), () => void navigate({ to: '/admin' as '/' }))
  if (user.isPending) return <Loading />
  const problem = enable.error ?? remove.error
  return (
    <Page title={name} crumbs={[{ title: t('admin.part.users'), to: '/admin' }]}
      subtitle={user.data && (
        <Group gap="xs">
          <StatusBadge state={user.data.enabled ? 'active' : 'disabled'} label={t(user.data.enabled ? 'admin.enabled' : 'admin.disabled')} />
          {t(`admin.role.${user.data.role}`)} · {t('admin.created')} <When ms={user.data.created_ms} />
        </Group>
      )}
      actions={user.data && (
        <>
          {user.data.enabled ? (
            <ConfirmButton size="xs" variant="default" question={t('admin.user.disable.question')} loading={enable.isPending}
              onConfirm={() => enable.mutate(false)}>
              {t('admin.user.disable')}
            </ConfirmButton>
          ) : (
            <Button size="xs" variant="default" leftSection={<IconPlus size={15} />} loading={enable.isPending} onClick={() => enable.mutate(true)}>
              {t('admin.user.enable')}
            </Button>
          )}
          <DeleteButton name={name} question={t('admin.user.delete.question', { name })} busy={remove.isPending}
            onDelete={() => remove.mutate(undefined)}>
            {t('admin.delete')}
          </DeleteButton>
        </>
      )}>
      {problem && <ProblemView error={problem} />}
      {user.isError ? <ProblemView error={user.error} onRetry={() => void user.refetch()} /> : (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Stack>
            <Password user={user.data} path={path} />
            <Policies user={user.data} path={path} />
          </Stack>
          <Keys user={user.data} path={path} />
        </SimpleGrid>
      )}
    </Page>
  )
}
