import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api, Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Loading, Page, ProblemView } from '../../ui'
import { CodeEditor } from '../../ui/CodeEditor'
import { DeleteButton, useChange } from './parts'
import type { Policy as PolicyType } from './types'

const kFirst = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket'], Resource: ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'] }],
}

export default function Policy() {
  const t = useText()
  const navigate = useNavigate()
  const { name = '' } = useParams({ strict: false }) as { name?: string }
  const fresh = (useSearch({ strict: false }) as Record<string, unknown>).new !== undefined
  const path = `/api/v1/admin/policies/${encodeURIComponent(name)}`
  const policy = useApi<PolicyType>(path, {}, { enabled: !fresh })
  const [text, setText] = useState(fresh ? JSON.stringify(kFirst, null, 2) : '')
  const [malformed, setMalformed] = useState<Problem | null>(null)
  useEffect(() => {
    if (policy.data) setText(JSON.stringify(policy.data.document, null, 2))
  }, [policy.data])
  const save = useChange((document: unknown) => api.put(path, { document }), () => {
    if (fresh) void navigate({ to: `/admin/policies/${encodeURIComponent(name)}` as '/', replace: true })
  })
  const remove = useChange(() => api.delete(path), () => void navigate({ to: '/admin/policies' as '/' }))
  const submit = () => {
    try {
      const document = JSON.parse(text) as unknown
      setMalformed(null)
      save.mutate(document)
    } catch (error) {
      setMalformed(new Problem(0, { code: 'SYNTAX_ERROR', detail: (error as Error).message }))
    }
  }
  const fixed = policy.data?.built_in === true
  const problem = malformed ?? save.error ?? remove.error
  return (
    <Page title={name} crumbs={[{ title: t('admin.part.policies'), to: '/admin/policies' }]} subtitle={t('admin.policy.subtitle')}
      actions={!fixed && (
        <>
          <Button size="xs" loading={save.isPending} onClick={submit}>{t('admin.save')}</Button>
          {!fresh && policy.data && (
            <DeleteButton name={name} question={t('admin.policy.delete.question', { name })} busy={remove.isPending} onDelete={() => remove.mutate(undefined)}>
              {t('admin.delete')}
            </DeleteButton>
          )}
        </>
      )}>
      {!fresh && policy.isPending ? <Loading /> : policy.isError ? <ProblemView error={policy.error} onRetry={() => void policy.refetch()} /> : (
        <Stack gap="sm">
          {fixed && <Alert color="gray">{t('admin.policy.built_in.hint')}</Alert>}
          {problem && <ProblemView error={problem} />}
          {save.isSuccess && !problem && <Text size="sm" c="teal" role="status">{t('admin.saved')}</Text>}
          <CodeEditor label={t('admin.policy.document')} language="json" value={text} onChange={setText} readOnly={fixed} height={420} />
          {policy.data && (
            <Group gap="xs">
              <Text size="sm" c="dimmed">{t('admin.policy.users')}</Text>
              {policy.data.users.length === 0 && <Text size="sm">–</Text>}
              {policy.data.users.map((user) => (
                <Anchor key={user} size="sm" component={Link} to={`/admin/users/${encodeURIComponent(user)}` as '/'}>{user}</Anchor>
              ))}
            </Group>
          )}
        </Stack>
      )}
    </Page>
  )
}
