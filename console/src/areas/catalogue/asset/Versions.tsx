import { Anchor, Code, Stack, Text, Title } from '@mantine/core'
import { IconHistory } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../../../api/client'
import { quoteName, runSql } from '../../../api/sql'
import { useText } from '../../../i18n'
import { type DataColumn, DataTable, EmptyState, Loading, ProblemView, When } from '../../../ui'
import type { Asset, CommitList } from '../types'

type Commit = CommitList['commits'][number]
interface Snapshot {
  id: string
  at: string
  operation: string
}

function parts(name: string): [string, string, string] {
  const first = name.indexOf('.')
  const second = name.indexOf('.', first + 1)
  return [name.slice(0, first), name.slice(first + 1, second), name.slice(second + 1)]
}

function Snapshots({ name }: { name: string }) {
  const t = useText()
  const [catalog, schema, table] = parts(name)
  const snapshots = useQuery({
    queryKey: ['snapshots', name],
    queryFn: async ({ signal }) => {
      const { rows } = await runSql(
        `SELECT CAST(snapshot_id AS varchar), CAST(committed_at AS varchar), operation FROM ${quoteName(catalog)}.${quoteName(schema)}.${quoteName(`${table}$snapshots`)} ORDER BY committed_at DESC`,
        { limit: 100, signal })
      return rows.map(([id, at, operation]) => ({ id: String(id), at: String(at), operation: String(operation) }))
    },
    retry: false,
  })
  if (snapshots.isPending) return <Loading />
  if (snapshots.isError) return <ProblemView error={snapshots.error} onRetry={() => void snapshots.refetch()} />
  const columns: DataColumn<Snapshot>[] = [
    { key: 'at', title: t('catalogue.when'), width: '260px' },
    { key: 'operation', title: t('catalogue.operation'), width: '140px' },
    { key: 'id', title: t('catalogue.snapshot'), width: 'minmax(200px, 1fr)', render: (one) => <Code>{one.id}</Code> },
  ]
  return (
    <Stack gap="xs">
      <Title order={2} fz="md">{t('catalogue.snapshots')}</Title>
      <Anchor component={Link} size="sm" {...({ to: '/lake/tables/$catalog/$schema/$table', params: { catalog, schema, table } } as object)}>{t('catalogue.in_lake')}</Anchor>
      <DataTable rows={snapshots.data} columns={columns} rowKey={(one) => one.id} label={t('catalogue.snapshots')} name="snapshot_" height="40vh" search={false} />
    </Stack>
  )
}

function Commits({ name }: { name: string }) {
  const t = useText()
  const list = useApi<CommitList>('/api/v1/catalogue/commits', { asset: name })
  if (list.isPending) return <Loading />
  if (list.isError) return <ProblemView error={list.error} onRetry={() => void list.refetch()} />
  const columns: DataColumn<Commit>[] = [
    { key: 'subject', title: t('catalogue.change'), width: 'minmax(220px, 3fr)' },
    { key: 'author', title: t('catalogue.author'), width: 'minmax(120px, 1fr)' },
    { key: 'time_ms', title: t('catalogue.when'), width: '150px', render: (one) => <When ms={one.time_ms} /> },
    { key: 'id', title: t('catalogue.commit'), width: '110px', render: (one) => <Code>{one.id.slice(0, 8)}</Code> },
  ]
  const { files, repository, commits } = list.data
  return (
    <Stack gap="xs">
      <Title order={2} fz="md">{t('catalogue.git')}</Title>
      {files.length === 0 ? <Text size="sm" c="dimmed">{t('catalogue.no_file')}</Text> : (
        <>
          <Text size="sm" c="dimmed" component="div">{t('catalogue.defined_in')} {files.map((file) => <Code key={file} mr={6}>{file}</Code>)}</Text>
          {!repository ? <EmptyState icon={<IconHistory size={24} />} title={t('catalogue.no_git')} hint={t('catalogue.no_git_hint')} /> : (
            <DataTable rows={commits} columns={columns} rowKey={(one) => one.id} label={t('catalogue.git')} name="commit_" height="40vh" search={false}
              empty={<Text size="sm" c="dimmed" ta="center">{t('catalogue.no_commits')}</Text>} />
          )}
        </>
      )}
    </Stack>
  )
}

export default function Versions({ asset }: { asset: Asset }) {
  return (
    <Stack gap="lg">
      {asset.lake && asset.kind === 'table' && <Snapshots name={asset.name} />}
      <Commits name={asset.name} />
    </Stack>
  )
}
