import { Button, Card, Group, NumberInput, SimpleGrid, Stack, Switch, Table, Text, Textarea, TextInput, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Problem } from '../../api/client'
import { useText } from '../../i18n'
import { isAdministrator, mayEdit, useSession } from '../../shell/session'
import { Bytes, Code, ConfirmButton, EmptyState, ProblemView, When } from '../../ui'
import { bucketApi, bytesOf, shown } from './names'
import type { BucketDetail, Lifecycle, LifecycleRule } from './types'

function useChange(bucket: string, onDone?: () => void) {
  const t = useText()
  const queries = useQueryClient()
  return {
    onSuccess: () => {
      notifications.show({ message: t('lake.saved') })
      void queries.invalidateQueries({ queryKey: [bucketApi(bucket)] })
      void queries.invalidateQueries({ queryKey: ['/api/v1/buckets'] })
      onDone?.()
    },
  }
}

function General({ bucket }: { bucket: BucketDetail }) {
  const t = useText()
  const session = useSession()
  const [quota, setQuota] = useState(bucket.quota ? String(bucket.quota) : '')
  const bytes = bytesOf(quota)
  const change = useMutation<unknown, Problem, Record<string, unknown>>({
    mutationFn: (values) => api.put(bucketApi(bucket.name), values), ...useChange(bucket.name),
  })
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} fz={15}>{t('lake.general')}</Title>
        <Switch label={t('lake.keep_versions')} description={t('lake.keep_versions_hint')} disabled={!bucket.may_write || bucket.lock_enabled}
          checked={bucket.versioning === 'enabled'}
          onChange={(event) => change.mutate({ versioning: event.currentTarget.checked ? 'enabled' : 'suspended' })} />
        <Group align="flex-end" gap="xs">
          <TextInput label={t('lake.quota')} description={t('lake.quota_hint')} value={quota} placeholder="50 GB"
            disabled={!isAdministrator(session)} error={bytes === null ? t('lake.no_size') : undefined}
            onChange={(event) => setQuota(event.currentTarget.value)} />
          {isAdministrator(session) && (
            <Button variant="default" disabled={bytes === null || bytes === bucket.quota}
              onClick={() => change.mutate({ quota: bytes })}>{t('lake.save')}</Button>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {`${t('lake.is', { name: t('lake.owner') })} ${bucket.owner || '–'} · ${t('lake.is', { name: t('lake.region') })} ${bucket.region} · ${t('lake.is', { name: t('lake.created') })} `}
          <When ms={bucket.created_ms} />
        </Text>
        {bucket.versions !== undefined && (
          <Text size="sm" c="dimmed">
            {t('lake.kept', { versions: bucket.versions, objects: bucket.objects ?? 0 })}{' '}<Bytes value={bucket.bytes} />
          </Text>
        )}
        {change.isError && <ProblemView error={change.error} />}
      </Stack>
    </Card>
  )
}

function RuleText({ rule }: { rule: LifecycleRule }) {
  const t = useText()
  const parts = [
    rule.days && t('lake.rule_days', { days: rule.days }),
    rule.date_ms && t('lake.rule_date', { date: new Date(rule.date_ms).toISOString().slice(0, 10) }),
    rule.noncurrent_days && t('lake.rule_noncurrent', { days: rule.noncurrent_days }),
    rule.newer_noncurrent > 0 && t('lake.rule_newer', { count: rule.newer_noncurrent }),
    rule.expired_markers && t('lake.rule_markers'),
    rule.abort_days && t('lake.rule_abort', { days: rule.abort_days }),
  ].filter(Boolean)
  return <>{parts.join(' ; ')}</>
}

function escaped(text: string): string {
  return text.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A rule as S3 writes it. */
function ruleXml(id: string, prefix: string, days: number | '', noncurrent: number | '', abort: number | ''): string {
  return [
    `  <Rule>\n    <ID>${escaped(id)}</ID>\n    <Status>Enabled</Status>`,
    `    <Filter><Prefix>${escaped(prefix)}</Prefix></Filter>`,
    days !== '' && `    <Expiration><Days>${days}</Days></Expiration>`,
    noncurrent !== '' && `    <NoncurrentVersionExpiration><NoncurrentDays>${noncurrent}</NoncurrentDays></NoncurrentVersionExpiration>`,
    abort !== '' && `    <AbortIncompleteMultipartUpload><DaysAfterInitiation>${abort}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`,
    '  </Rule>',
  ].filter(Boolean).join('\n')
}

function NewRule({ onAdd }: { onAdd: (rule: string) => void }) {
  const t = useText()
  const [id, setId] = useState('')
  const [prefix, setPrefix] = useState('')
  const [days, setDays] = useState<number | ''>('')
  const [noncurrent, setNoncurrent] = useState<number | ''>('')
  const [abort, setAbort] = useState<number | ''>('')
  const number = (set: (value: number | '') => void) => (value: string | number) => set(typeof value === 'number' ? value : '')
  const empty = days === '' && noncurrent === '' && abort === ''
  return (
    <Stack gap="xs">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 5 }} spacing="xs">
        <TextInput size="xs" label={t('lake.rule_id')} value={id} onChange={(event) => setId(event.currentTarget.value)} />
        <TextInput size="xs" label={t('lake.prefix')} value={prefix} onChange={(event) => setPrefix(event.currentTarget.value)} />
        <NumberInput size="xs" min={1} label={t('lake.expire_after')} value={days} onChange={number(setDays)} />
        <NumberInput size="xs" min={1} label={t('lake.old_versions_after')} value={noncurrent} onChange={number(setNoncurrent)} />
        <NumberInput size="xs" min={1} label={t('lake.uploads_after')} value={abort} onChange={number(setAbort)} />
      </SimpleGrid>
      <Group>
        <Button size="xs" variant="light" leftSection={<IconPlus size={14} />} disabled={empty}
          onClick={() => onAdd(ruleXml(id || `rule-${Date.now()}`, prefix, days, noncurrent, abort))}>{t('lake.add_rule')}</Button>
      </Group>
    </Stack>
  )
}

const kEmpty = '<LifecycleConfiguration>\n</LifecycleConfiguration>'

function LifecycleCard({ bucket, lifecycle }: { bucket: BucketDetail; lifecycle: Lifecycle }) {
  const t = useText()
  const [xml, setXml] = useState<string | null>(null)
  const put = useMutation<Lifecycle, Problem, string>({
    mutationFn: (text) => api.put(bucketApi(bucket.name, '/lifecycle'), { xml: text }),
    ...useChange(bucket.name, () => setXml(null)),
  })
  const add = (rule: string) => {
    const before = lifecycle.xml || kEmpty
    put.mutate(before.replace(/<\/LifecycleConfiguration>\s*$/, `${rule}\n</LifecycleConfiguration>`))
  }
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} fz={15}>{t('lake.lifecycle')}</Title>
        {lifecycle.rules.length === 0 ? <Text size="sm" c="dimmed">{t('lake.no_rules')}</Text> : (
          <Table.ScrollContainer minWidth={420} type="native" tabIndex={0}>
            <Table fz="sm" aria-label={t('lake.lifecycle')}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t('lake.rule_id')}</Table.Th><Table.Th>{t('lake.prefix')}</Table.Th>
                  <Table.Th>{t('lake.rule_does')}</Table.Th><Table.Th>{t('lake.state')}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {lifecycle.rules.map((rule, index) => (
                  <Table.Tr key={index}>
                    <Table.Td>{shown(rule.id) || '–'}</Table.Td><Table.Td ff="monospace">{shown(rule.prefix) || '*'}</Table.Td>
                    <Table.Td><RuleText rule={rule} /></Table.Td><Table.Td>{t(rule.enabled ? 'lake.on' : 'lake.off')}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
        {bucket.may_write && <NewRule onAdd={add} />}
        {xml !== null && (
          <Textarea label={t('lake.lifecycle_xml')} value={xml} autosize minRows={8} maxRows={24} spellCheck={false}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
            onChange={(event) => setXml(event.currentTarget.value)} />
        )}
        {put.isError && <ProblemView error={put.error} />}
        {bucket.may_write && (
          <Group gap="xs">
            {xml === null
              ? <Button size="xs" variant="default" onClick={() => setXml(lifecycle.xml || kEmpty)}>{t('lake.edit_xml')}</Button>
              : <>
                  <Button size="xs" loading={put.isPending} onClick={() => put.mutate(xml)}>{t('lake.save')}</Button>
                  <Button size="xs" variant="default" onClick={() => setXml(null)}>{t('lake.cancel')}</Button>
                </>}
            {lifecycle.rules.length > 0 && (
              <ConfirmButton size="xs" variant="subtle" color="red" question={t('lake.remove_rules_question')}
                onConfirm={() => put.mutate('')}>{t('lake.remove_rules')}</ConfirmButton>
            )}
          </Group>
        )}
      </Stack>
    </Card>
  )
}

function Document({ title, text, none }: { title: string; text: string; none: string }) {
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} fz={15}>{title}</Title>
        {text ? <Code>{text}</Code> : <Text size="sm" c="dimmed">{none}</Text>}
      </Stack>
    </Card>
  )
}

export function BucketSettings({ bucket }: { bucket: BucketDetail }) {
  const t = useText()
  const session = useSession()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const remove = useMutation<unknown, Problem>({
    mutationFn: () => api.delete(bucketApi(bucket.name)),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['/api/v1/buckets'] })
      void navigate({ to: '/lake' as string })
    },
  })
  return (
    <Stack>
      <General key={`${bucket.versioning}-${bucket.quota}`} bucket={bucket} />
      {bucket.lifecycle ? <LifecycleCard bucket={bucket} lifecycle={bucket.lifecycle} />
        : <EmptyState title={t('lake.hidden_settings')} />}
      {bucket.notifications_xml !== undefined && (
        <Document title={t('lake.notifications')} text={bucket.notifications_xml} none={t('lake.no_notifications')} />
      )}
      {bucket.policy !== undefined && <Document title={t('lake.policy')} text={bucket.policy} none={t('lake.no_policy')} />}
      {mayEdit(session) && (
        <Card withBorder>
          <Stack align="flex-start">
            <Title order={2} fz={15}>{t('lake.delete_bucket')}</Title>
            <Text size="sm" c="dimmed">{t('lake.delete_bucket_hint')}</Text>
            {remove.isError && <ProblemView error={remove.error} />}
            <ConfirmButton color="red" variant="light" size="xs" question={t('lake.delete_bucket_question', { bucket: bucket.name })}
              confirm={t('lake.delete')} onConfirm={() => remove.mutate()}>{t('lake.delete_bucket')}</ConfirmButton>
          </Stack>
        </Card>
      )}
    </Stack>
  )
}
