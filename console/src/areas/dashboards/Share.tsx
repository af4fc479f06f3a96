import { Alert, Button, Checkbox, CopyButton, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { api, type Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { ConfirmButton, ProblemView, When } from '../../ui'

interface Share {
  id: string
  expires_ms?: number
  created_ms?: number
  creator?: string
  parameters?: Record<string, unknown>
}

const kDays = ['1', '7', '30', '365', '']

export function ShareDialog({ name, parameters, opened, onClose, mayEdit }: {
  name: string
  parameters: Record<string, unknown>
  opened: boolean
  onClose: () => void
  mayEdit: boolean
}) {
  const t = useText()
  const path = `/api/v1/dashboards/${encodeURIComponent(name)}/shares`
  const shares = useApi<{ shares: Share[] }>(path, undefined, { enabled: opened && mayEdit })
  const [days, setDays] = useState('7')
  const [fixed, setFixed] = useState(false)
  const [url, setUrl] = useState('')
  const [problem, setProblem] = useState<Problem | null>(null)
  const make = async () => {
    setProblem(null)
    try {
      const made = await api.post<{ url: string }>(path, {
        ...(days ? { expires_ms: Date.now() + Number(days) * 86_400_000 } : {}),
        ...(fixed ? { parameters } : {}),
      })
      setUrl(new URL(made.url, location.origin).href)
      void shares.refetch()
    } catch (error) {
      setProblem(error as Problem)
    }
  }
  const revoke = async (id: string) => {
    await api.delete(`${path}/${encodeURIComponent(id)}`).catch((error: Problem) => setProblem(error))
    void shares.refetch()
  }
  return (
    <Modal opened={opened} onClose={onClose} title={t('dashboards.share')} size="lg">
      <Stack>
        <Group align="flex-end" wrap="nowrap">
          <TextInput label={t('dashboards.share_inside')} description={t('dashboards.share_inside_hint')} value={location.href} readOnly flex={1} />
          <CopyButton value={location.href}>{({ copied, copy }) => <Button variant="default" onClick={copy}>{t(copied ? 'ui.copied' : 'ui.copy')}</Button>}</CopyButton>
        </Group>
        {mayEdit && (
          <>
            <Text size="sm" fw={600}>{t('dashboards.share_outside')}</Text>
            <Text size="sm" c="dimmed">{t('dashboards.share_outside_hint')}</Text>
            <Group align="flex-end">
              <Select label={t('dashboards.share_until')} value={days} onChange={(next) => setDays(next ?? '')} allowDeselect={false} w={170}
                data={kDays.map((one) => ({ value: one, label: one ? t('dashboards.days', { n: Number(one) }) : t('dashboards.share_forever') }))} />
              {Object.keys(parameters).length > 0 && (
                <Checkbox mb={8} label={t('dashboards.share_fixed')} checked={fixed} onChange={(event) => setFixed(event.currentTarget.checked)} />
              )}
              <Button onClick={() => void make()}>{t('dashboards.share_make')}</Button>
            </Group>
            {url && (
              <Alert color="teal" title={t('dashboards.share_made')}>
                <Group wrap="nowrap" align="flex-end">
                  <TextInput value={url} readOnly flex={1} aria-label={t('dashboards.share_made')} />
                  <CopyButton value={url}>{({ copied, copy }) => <Button size="xs" onClick={copy}>{t(copied ? 'ui.copied' : 'ui.copy')}</Button>}</CopyButton>
                </Group>
              </Alert>
            )}
            {problem && <ProblemView error={problem} />}
            {shares.data?.shares.map((share) => (
              <Group key={share.id} justify="space-between">
                <Text size="sm">
                  {t('dashboards.share_by', { user: share.creator ?? '–' })} <When ms={share.created_ms} />
                  {share.expires_ms ? <> · {t('dashboards.share_ends')} <When ms={share.expires_ms} /></> : null}
                </Text>
                <ConfirmButton size="compact-xs" variant="light" color="red" question={t('dashboards.share_revoke_question')} onConfirm={() => void revoke(share.id)}>
                  {t('dashboards.share_revoke')}
                </ConfirmButton>
              </Group>
            ))}
          </>
        )}
      </Stack>
    </Modal>
  )
}
