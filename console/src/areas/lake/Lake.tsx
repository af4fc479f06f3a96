import { Alert, Anchor, Badge, Button, Card, Group, Modal, Progress, SimpleGrid, Stack, Switch, Text, TextInput, Title } from '@mantine/core'
import { IconBucket, IconPlus, IconTable } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api, type Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { isAdministrator, mayEdit, useSession } from '../../shell/session'
import { Bytes, Count, type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView, When } from '../../ui'
import { bytesOf } from './names'
import type { Bucket, LakeTable } from './types'

function Figure({ title, children, to }: { title: string; children: ReactNode; to?: string }) {
  const content = (
    <>
      <Text size="xs" c="dimmed">{title}</Text>
      <Text fz={22} fw={600}>{children}</Text>
    </>
  )
  return (
    <Card withBorder padding="sm">
      {to ? <Anchor component={Link} to={to} underline="never" c="inherit">{content}</Anchor> : content}
    </Card>
  )
}

/** How much of a quota is used. */
export function Quota({ bucket }: { bucket: Bucket }) {
  const t = useText()
  if (!bucket.quota) return <Text span c="dimmed" fz="inherit">{t('lake.no_quota')}</Text>
  const percent = Math.min(100, ((bucket.bytes ?? 0) / bucket.quota) * 100)
  return (
    <Group gap={8} wrap="nowrap">
      <Progress value={percent} color={percent > 90 ? 'red' : undefined} w={56} size="sm"
        aria-label={t('lake.quota_used', { percent: Math.round(percent) })} />
      <Text span fz="xs"><Bytes value={bucket.quota} /></Text>
    </Group>
  )
}

export function NewBucket({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useText()
  const session = useSession()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [versioning, setVersioning] = useState(false)
  const [quota, setQuota] = useState('')
  const bytes = bytesOf(quota)
  const create = useMutation<Bucket, Problem>({
    mutationFn: () =>
      api.post('/api/v1/buckets', { name, versioning: versioning ? 'enabled' : 'never', ...(bytes ? { quota: bytes } : {}) }),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['/api/v1/buckets'] })
      onClose()
      void navigate({ to: `/lake/buckets/${made.name}` })
    },
  })
  return (
    <Modal lockScroll={false} opened={opened} onClose={onClose} title={t('lake.new_bucket')}>
      <form onSubmit={(event) => { event.preventDefault(); create.mutate() }}>
        <Stack>
          <TextInput label={t('lake.name')} description={t('lake.bucket_name_hint')} value={name} data-autofocus required
            onChange={(event) => setName(event.currentTarget.value)} />
          <Switch label={t('lake.keep_versions')} description={t('lake.keep_versions_hint')} checked={versioning}
            onChange={(event) => setVersioning(event.currentTarget.checked)} />
          {isAdministrator(session) && (
            <TextInput label={t('lake.quota')} description={t('lake.quota_hint')} value={quota} placeholder="50 GB"
              error={bytes === null ? t('lake.no_size') : undefined} onChange={(event) => setQuota(event.currentTarget.value)} />
          )}
          {create.isError && <ProblemView error={create.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={create.isPending} disabled={!name || bytes === null}>{t('lake.create')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

interface CatalogRow {
  name: string
  tables: number
  rows: number
  bytes: number
  committed_ms: number
}

function catalogsOf(tables: LakeTable[]): CatalogRow[] {
  const all = new Map<string, CatalogRow>()
  for (const table of tables) {
    const row = all.get(table.catalog) ?? { name: table.catalog, tables: 0, rows: 0, bytes: 0, committed_ms: 0 }
    row.tables += 1
    row.rows += table.rows ?? 0
    row.bytes += table.bytes ?? 0
    row.committed_ms = Math.max(row.committed_ms, table.committed_ms ?? 0)
    all.set(table.catalog, row)
  }
  return [...all.values()]
}

function Buckets({ buckets, onNew }: { buckets: Bucket[]; onNew: () => void }) {
  const t = useText()
  const session = useSession()
  const navigate = useNavigate()
  const columns: DataColumn<Bucket>[] = [
    { key: 'name', title: t('lake.bucket'), width: 'minmax(170px, 2fr)',
      render: (bucket) => <Anchor component={Link} to={`/lake/buckets/${bucket.name}`} fz="sm">{bucket.name}</Anchor> },
    { key: 'objects', title: t('lake.objects'), align: 'right', width: '110px', render: (bucket) => <Count value={bucket.objects} /> },
    { key: 'bytes', title: t('lake.size'), align: 'right', width: '110px', render: (bucket) => <Bytes value={bucket.bytes} /> },
    { key: 'quota', title: t('lake.quota'), width: '160px', render: (bucket) => <Quota bucket={bucket} /> },
    { key: 'versioning', title: t('lake.versions'), width: '120px',
      render: (bucket) => (
        <Badge variant="light" size="sm" tt="none" color={bucket.versioning === 'enabled' ? 'teal' : 'gray'}>
          {t(`lake.versioning_${bucket.versioning}`)}
        </Badge>
      ) },
    { key: 'owner', title: t('lake.owner'), width: '120px' },
    { key: 'created_ms', title: t('lake.created'), width: '150px', render: (bucket) => <When ms={bucket.created_ms} /> },
  ]
  return (
    <DataTable rows={buckets} columns={columns} rowKey={(bucket) => bucket.name} label={t('lake.buckets')} name="b"
      onRow={(bucket) => void navigate({ to: `/lake/buckets/${bucket.name}` })} height="48vh"
      empty={<EmptyState icon={<IconBucket size={24} />} title={t('lake.no_buckets')} hint={t('lake.no_buckets_hint')}
        action={mayEdit(session) ? <Button size="xs" onClick={onNew}>{t('lake.new_bucket')}</Button> : undefined} />} />
  )
}

function Catalogs({ tables }: { tables: LakeTable[] }) {
  const t = useText()
  const navigate = useNavigate()
  const open = (row: CatalogRow) => void navigate({ to: '/lake/tables' as string, search: { catalog: row.name } as never })
  const columns: DataColumn<CatalogRow>[] = [
    { key: 'name', title: t('lake.catalog'), width: 'minmax(170px, 2fr)',
      render: (row) => <Anchor component={Link} to="/lake/tables" search={{ catalog: row.name } as never} fz="sm">{row.name}</Anchor> },
    { key: 'tables', title: t('lake.tables'), align: 'right', width: '110px', render: (row) => <Count value={row.tables} /> },
    { key: 'rows', title: t('lake.rows'), align: 'right', width: '130px', render: (row) => <Count value={row.rows} /> },
    { key: 'bytes', title: t('lake.size'), align: 'right', width: '110px', render: (row) => <Bytes value={row.bytes} /> },
    { key: 'committed_ms', title: t('lake.last_commit'), width: '150px', render: (row) => <When ms={row.committed_ms} /> },
  ]
  return (
    <DataTable rows={catalogsOf(tables)} columns={columns} rowKey={(row) => row.name} label={t('lake.catalogs')} name="c"
      search={false} onRow={open} height="40vh"
      empty={<EmptyState icon={<IconTable size={24} />} title={t('lake.no_tables')} hint={t('lake.no_tables_hint')} />} />
  )
}

export default function Lake() {
  const t = useText()
  const session = useSession()
  const [making, setMaking] = useState(false)
  const buckets = useApi<{ buckets: Bucket[]; next?: string }>('/api/v1/buckets', { limit: 10_000 })
  const tables = useApi<{ tables: LakeTable[]; next?: string }>('/api/v1/lake/tables', { limit: 10_000 })
  const all = buckets.data?.buckets ?? []
  const counted = all.every((bucket) => bucket.objects !== undefined)
  const sum = (member: 'objects' | 'bytes') => all.reduce((total, bucket) => total + (bucket[member] ?? 0), 0)
  return (
    <Page title={t('lake.title')} subtitle={t('lake.subtitle')}
      actions={mayEdit(session) && (
        <Button size="sm" leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>{t('lake.new_bucket')}</Button>
      )}>
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
        <Figure title={t('lake.buckets')}><Count value={buckets.data && all.length} /></Figure>
        <Figure title={t('lake.objects')}><Count value={buckets.data && counted ? sum('objects') : null} /></Figure>
        <Figure title={t('lake.size')}><Bytes value={buckets.data && counted ? sum('bytes') : null} /></Figure>
        <Figure title={t('lake.tables')} to="/lake/tables"><Count value={tables.data?.tables.length} /></Figure>
      </SimpleGrid>
      <Stack gap="xs">
        <Title order={2} fz={16}>{t('lake.buckets')}</Title>
        {buckets.isPending ? <Loading /> : buckets.isError ? <ProblemView error={buckets.error} onRetry={() => void buckets.refetch()} />
          : <Buckets buckets={all} onNew={() => setMaking(true)} />}
        {buckets.data?.next && <Alert variant="light">{t('lake.first_buckets', { count: all.length })}</Alert>}
      </Stack>
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} fz={16}>{t('lake.catalogs')}</Title>
          <Anchor component={Link} to="/lake/tables" size="sm">{t('lake.all_tables')}</Anchor>
        </Group>
        {tables.isPending ? <Loading /> : tables.isError ? <ProblemView error={tables.error} onRetry={() => void tables.refetch()} />
          : <Catalogs tables={tables.data.tables} />}
      </Stack>
      {making && <NewBucket opened onClose={() => setMaking(false)} />}
    </Page>
  )
}
