import { Button, Card, NumberInput, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconKey, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { useSession } from '../../shell/session'
import { ConfirmButton, DataTable, EmptyState, Loading, ProblemView, When } from '../../ui'
import { AdminPage } from './AdminPage'
import { FormModal, SecretModal, useChange } from './parts'
import type { NewToken, Token } from './types'

function Tokens() {
  const t = useText()
  const tokens = useApi<{ tokens: Token[] }>('/api/v1/tokens')
  const [opened, setOpened] = useState(false)
  const [name, setName] = useState('')
  const [days, setDays] = useState<number | string>(90)
  const [made, setMade] = useState<NewToken | null>(null)
  const create = useChange(
    () => api.post<NewToken>('/api/v1/tokens', { name, ...(Number(days) > 0 ? { days: Number(days) } : {}) }),
    (token) => {
      setOpened(false)
      setMade(token)
    },
  )
  const revoke = useChange((id: string) => api.delete(`/api/v1/tokens/${encodeURIComponent(id)}`))
  return (
    <Card withBorder>
      <Title order={2} fz="md" mb="xs">{t('admin.tokens')}</Title>
      <Text size="sm" c="dimmed" mb="sm">{t('admin.tokens.hint')}</Text>
      {revoke.error && <ProblemView error={revoke.error} />}
      {tokens.isPending ? <Loading /> : tokens.isError ? <ProblemView error={tokens.error} /> : (
        <DataTable<Token> label={t('admin.tokens')} rows={tokens.data.tokens} rowKey={(token) => token.id} height={360}
          toolbar={<Button size="xs" leftSection={<IconKey size={15} />} onClick={() => setOpened(true)}>{t('admin.tokens.new')}</Button>}
          empty={<EmptyState title={t('admin.tokens.none')} hint={t('admin.tokens.none.hint')} />}
          columns={[
            { key: 'name', title: t('admin.name') },
            { key: 'created_ms', title: t('admin.created'), width: '140px', render: (token) => <When ms={token.created_ms} /> },
            { key: 'expires_ms', title: t('admin.expires'), width: '140px', render: (token) => <When ms={token.expires_ms} /> },
            { key: 'revoke', title: '', sort: false, width: '60px', value: () => '',
              render: (token) => (
                <ConfirmButton size="compact-xs" variant="subtle" color="red" question={t('admin.tokens.revoke.question', { name: token.name })}
                  aria-label={t('admin.tokens.revoke', { name: token.name })} onConfirm={() => revoke.mutate(token.id)}>
                  <IconTrash size={15} />
                </ConfirmButton>
              ) },
          ]} />
      )}
      <FormModal title={t('admin.tokens.new')} opened={opened} onClose={() => setOpened(false)} busy={create.isPending} error={create.error}
        submit={t('admin.create')} disabled={!name} onSubmit={() => create.mutate(undefined)}>
        <TextInput label={t('admin.name')} description={t('admin.tokens.name.hint')} value={name} maxLength={100} data-autofocus
          onChange={(event) => setName(event.currentTarget.value)} />
        <NumberInput label={t('admin.tokens.days')} description={t('admin.tokens.days.hint')} value={days} onChange={setDays} min={0} max={3650} />
      </FormModal>
      <SecretModal title={t('admin.tokens.made')} secret={made && made.token} onClose={() => setMade(null)} />
    </Card>
  )
}

function OwnPassword() {
  const t = useText()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const change = useChange(() => api.put('/api/v1/account/password', { current, password }), () => {
    setCurrent('')
    setPassword('')
  })
  return (
    <Card withBorder maw={480}>
      <Title order={2} fz="md" mb="xs">{t('admin.own_password')}</Title>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate(undefined)
        }}
      >
        <Stack gap="sm">
          <PasswordInput label={t('admin.own_password.current')} value={current} autoComplete="current-password"
            visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show') }} onChange={(event) => setCurrent(event.currentTarget.value)} />
          <PasswordInput label={t('admin.user.password.new')} description={t('admin.user.password.hint')} value={password} autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show') }} onChange={(event) => setPassword(event.currentTarget.value)} />
          {change.error && <ProblemView error={change.error} />}
          {change.isSuccess && <Text size="sm" c="teal" role="status">{t('admin.saved')}</Text>}
          <Button type="submit" size="xs" loading={change.isPending} disabled={!current || password.length < 8}>{t('admin.save')}</Button>
        </Stack>
      </form>
    </Card>
  )
}

export default function Account() {
  const t = useText()
  const session = useSession()
  return (
    <AdminPage title={t('admin.part.account')} subtitle={t('admin.account.subtitle', { user: session?.user ?? '' })} everybody>
      {session?.mode === 'open' ? <EmptyState title={t('admin.account.open')} hint={t('admin.account.open.hint')} /> : (
        <Stack>
          <Tokens />
          {session?.user !== 'root' && <OwnPassword />}
        </Stack>
      )}
    </AdminPage>
  )
}
