import { Alert, Badge, Button, CopyButton, Group, Text } from '@mantine/core'
import { IconCheck, IconCopy, IconTerminal2 } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type Problem, quoteName, runSql, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Bytes, Code, Count, type DataColumn, DataTable, Loading, Page, ProblemView, UrlTabs, When } from '../../ui'
import { Maintenance } from './Maintenance'
import { Properties } from './Properties'
import { Sample } from './Sample'
import { Snapshots } from './Snapshots'
import type { TableDetail } from './types'

/** "a"."b"."c", or of a metadata table "a"."b"."c$files". */
export function fullName(table: TableDetail, part = ''): string {
  return [table.catalog, table.schema, table.name + (part && `$${part}`)].map(quoteName).join('.')
}

type ListedColumn = NonNullable<TableDetail['column_list']>[number]

function Columns({ table }: { table: TableDetail }) {
  const t = useText()
  const described = useQuery<ListedColumn[], Problem>({
    queryKey: ['lake-describe', fullName(table)],
    queryFn: async ({ signal }) => (await runSql(`DESCRIBE ${fullName(table)}`, { signal })).rows
      .map((row) => ({ name: String(row[0]), type: String(row[1]), required: false, comment: String(row[3] ?? '') })),
  })
  if (described.isPending) return <Loading />
  if (described.isError) return <ProblemView error={described.error} onRetry={() => void described.refetch()} />
  const known = new Map((table.column_list ?? []).map((column) => [column.name.toLowerCase(), column]))
  const columns: DataColumn<ListedColumn>[] = [
    { key: 'name', title: t('lake.column'), width: 'minmax(150px, 1fr)' },
    { key: 'type', title: t('lake.type'), width: 'minmax(150px, 1fr)' },
    { key: 'required', title: t('lake.required'), width: '110px', value: (column) => (known.get(column.name)?.required ? t('lake.yes') : t('lake.no')) },
    { key: 'comment', title: t('lake.comment'), width: 'minmax(160px, 2fr)', value: (column) => column.comment || known.get(column.name)?.comment || '–' },
  ]
  return (
    <>
      <Group gap="xl" mb="sm">
        <Text size="sm"><Text span c="dimmed" fz="sm">{t('lake.is', { name: t('lake.partitioning') })}{' '}</Text>{table.partitioned_by?.join(', ') || t('lake.none')}</Text>
        <Text size="sm"><Text span c="dimmed" fz="sm">{t('lake.is', { name: t('lake.sorted') })}{' '}</Text>{table.sorted_by?.join(', ') || t('lake.none')}</Text>
      </Group>
      <DataTable rows={described.data} columns={columns} rowKey={(column) => column.name} label={t('lake.columns')} />
    </>
  )
}

/** The rows of a metadata table. */
function useMetadata(table: TableDetail, statement: string) {
  return useQuery<Record<string, unknown>[], Problem>({
    queryKey: ['lake-metadata', fullName(table), statement, table.updated_ms],
    queryFn: async ({ signal }) => {
      const found = await runSql(statement, { signal, limit: 50_000 })
      return found.rows.map((row) => Object.fromEntries(found.columns.map((column, at) => [column.name, row[at]])))
    },
  })
}

const kMostFiles = 5000

function Files({ table }: { table: TableDetail }) {
  const t = useText()
  // Bounds are cast to text: they are maps by field id, which differ from file to file.
  const files = useMetadata(table, `SELECT content, file_path, file_format, record_count, file_size_in_bytes,
    json_format(CAST(lower_bounds AS JSON)) AS lower_bounds, json_format(CAST(upper_bounds AS JSON)) AS upper_bounds
    FROM ${fullName(table, 'files')} ORDER BY file_path LIMIT ${kMostFiles}`)
  if (files.isPending) return <Loading />
  if (files.isError) return <ProblemView error={files.error} onRetry={() => void files.refetch()} />
  const base = `${table.location}/`
  const kind = (content: unknown) => t(content === 0 ? 'lake.content_data' : content === 1 ? 'lake.content_deletes' : 'lake.content_equality')
  const names = new Map((table.column_list ?? []).map((column) => [String(column.id), column.name]))
  const bounds = (row: Record<string, unknown>) => {
    const read = (text: unknown): Record<string, string> => {
      try {
        return JSON.parse(String(text)) ?? {}
      } catch {
        return {}
      }
    }
    const lower = read(row.lower_bounds)
    const upper = read(row.upper_bounds)
    return Object.keys(lower).map((id) => `${names.get(id) ?? id}: ${lower[id]} … ${upper[id] ?? ''}`).join(' ; ')
  }
  const columns: DataColumn<Record<string, unknown>>[] = [
    { key: 'file_path', title: t('lake.file'), width: 'minmax(260px, 3fr)',
      value: (row) => String(row.file_path).startsWith(base) ? String(row.file_path).slice(base.length) : String(row.file_path) },
    { key: 'content', title: t('lake.content'), width: '110px', value: (row) => kind(row.content) },
    { key: 'record_count', title: t('lake.rows'), align: 'right', width: '110px', render: (row) => <Count value={Number(row.record_count)} /> },
    { key: 'file_size_in_bytes', title: t('lake.size'), align: 'right', width: '100px', render: (row) => <Bytes value={Number(row.file_size_in_bytes)} /> },
    { key: 'bounds', title: t('lake.bounds'), width: 'minmax(240px, 3fr)', value: bounds, render: (row) => <span title={bounds(row)}>{bounds(row) || '–'}</span> },
  ]
  return (
    <>
      <DataTable rows={files.data} columns={columns} rowKey={(row) => String(row.file_path)} label={t('lake.files')} />
      {files.data.length === kMostFiles && <Text size="xs" c="dimmed" mt="xs">{t('lake.first_files', { count: kMostFiles })}</Text>}
    </>
  )
}

function Partitions({ table }: { table: TableDetail }) {
  const t = useText()
  const partitions = useMetadata(table, `SELECT ${table.partitioned_by?.length ? 'json_format(CAST(partition AS JSON)) AS partition, ' : ''}record_count, file_count, total_size
    FROM ${fullName(table, 'partitions')} LIMIT ${kMostFiles}`)
  if (partitions.isPending) return <Loading />
  if (partitions.isError) return <ProblemView error={partitions.error} onRetry={() => void partitions.refetch()} />
  const columns: DataColumn<Record<string, unknown>>[] = [
    { key: 'partition', title: t('lake.partition'), width: 'minmax(220px, 3fr)', value: (row) => String(row.partition ?? t('lake.whole_table')) },
    { key: 'record_count', title: t('lake.rows'), align: 'right', width: '130px', render: (row) => <Count value={Number(row.record_count)} /> },
    { key: 'file_count', title: t('lake.files'), align: 'right', width: '110px', render: (row) => <Count value={Number(row.file_count)} /> },
    { key: 'total_size', title: t('lake.size'), align: 'right', width: '110px', render: (row) => <Bytes value={Number(row.total_size)} /> },
  ]
  return <DataTable rows={partitions.data} columns={columns} rowKey={(row) => JSON.stringify(row)} label={t('lake.partitions')} />
}

function History({ table }: { table: TableDetail }) {
  const t = useText()
  const columns: DataColumn<{ made_current_ms: number; snapshot_id: string; at: number }>[] = [
    { key: 'made_current_ms', title: t('lake.made_current'), width: 'minmax(200px, 1fr)', render: (entry) => <When ms={entry.made_current_ms} /> },
    { key: 'snapshot_id', title: t('lake.snapshot'), width: 'minmax(200px, 1fr)' },
    { key: 'operation', title: t('lake.operation'), width: 'minmax(120px, 1fr)',
      value: (entry) => table.snapshot_list?.find((one) => one.id === entry.snapshot_id)?.operation ?? t('lake.expired') },
  ]
  const rows = (table.history ?? []).map((entry, at) => ({ ...entry, at })).reverse()
  return <DataTable rows={rows} columns={columns} rowKey={(entry) => String(entry.at)} label={t('lake.history')} />
}

function Ddl({ table }: { table: TableDetail }) {
  const ddl = useQuery<string, Problem>({
    queryKey: ['lake-ddl', fullName(table), table.updated_ms],
    queryFn: async ({ signal }) =>
      String((await runSql(`SHOW CREATE ${table.kind === 'view' ? 'VIEW' : 'TABLE'} ${fullName(table)}`, { signal })).rows[0]?.[0] ?? ''),
  })
  if (ddl.isPending) return <Loading />
  if (ddl.isError) return <ProblemView error={ddl.error} onRetry={() => void ddl.refetch()} />
  return <Code maxHeight={640}>{ddl.data}</Code>
}

function tabsOf(table: TableDetail, editable: boolean, changed: () => void, t: (key: string) => string) {
  const iceberg = table.format === 'iceberg' && table.kind === 'table'
  const all = [
    { key: 'columns', label: t('lake.columns'), content: () => <Columns table={table} /> },
    { key: 'sample', label: t('lake.sample'), content: () => <Sample table={table} /> },
  ]
  if (iceberg) {
    all.push(
      { key: 'snapshots', label: t('lake.snapshots'), content: () => <Snapshots table={table} editable={editable} onChange={changed} /> },
      { key: 'files', label: t('lake.files'), content: () => <Files table={table} /> },
      { key: 'partitions', label: t('lake.partitions'), content: () => <Partitions table={table} /> },
      { key: 'properties', label: t('lake.properties'), content: () => <Properties table={table} editable={editable} onChange={changed} /> },
      { key: 'history', label: t('lake.history'), content: () => <History table={table} /> },
    )
    if (editable) all.push({ key: 'maintenance', label: t('lake.maintenance'), content: () => <Maintenance table={table} onChange={changed} /> })
  }
  all.push({ key: 'ddl', label: t('lake.ddl'), content: () => <Ddl table={table} /> })
  return all
}

export default function TablePage() {
  const t = useText()
  const session = useSession()
  const queries = useQueryClient()
  const { catalog, schema, table: name } = useParams({ strict: false }) as { catalog: string; schema: string; table: string }
  const place = `/api/v1/lake/tables/${[catalog, schema, name].map(encodeURIComponent).join('/')}`
  const table = useApi<TableDetail>(place)
  const changed = () => {
    void queries.invalidateQueries({ queryKey: [place] })
    void queries.invalidateQueries({ queryKey: ['/api/v1/lake/tables'] })
    void queries.invalidateQueries({ queryKey: ['lake-sample'] })
  }
  const statement = table.data && `SELECT * FROM ${fullName(table.data)} LIMIT 100`
  return (
    <Page title={name}
      crumbs={[{ title: t('lake.title'), to: '/lake' }, { title: t('lake.tables'), to: '/lake/tables' }]}
      subtitle={table.data && (
        <Group gap="md">
          <span>{`${catalog}.${schema}`}</span>
          {table.data.rows !== undefined && <span><Count value={table.data.rows} />{` ${t('lake.rows_word')} · `}<Bytes value={table.data.bytes} /></span>}
          {table.data.committed_ms && <span>{`${t('lake.is', { name: t('lake.last_commit') })} `}<When ms={table.data.committed_ms} /></span>}
          <Badge variant="light" size="sm" tt="none">
            {table.data.kind === 'view' ? t('lake.view') : table.data.format_version ? `${table.data.format} v${table.data.format_version}` : table.data.format}
          </Badge>
        </Group>
      )}
      actions={statement && (
        <Button.Group>
          <Button size="xs" variant="default" component={Link} to={'/sql' as string} search={{ sql: statement } as never} leftSection={<IconTerminal2 size={15} />}>
            {t('lake.open_query')}
          </Button>
          <CopyButton value={statement}>
            {({ copied, copy }) => (
              <Button size="xs" px={8} variant="default" onClick={copy} aria-label={t(copied ? 'lake.copied' : 'lake.copy_query')} title={t('lake.copy_query')}>
                {copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
              </Button>
            )}
          </CopyButton>
        </Button.Group>
      )}>
      {table.isPending ? <Loading /> : table.isError ? <ProblemView error={table.error} onRetry={() => void table.refetch()} /> : (
        <>
          {table.data.comment && <Alert variant="light" color="gray" p="xs">{table.data.comment}</Alert>}
          <UrlTabs tabs={tabsOf(table.data, mayEdit(session), changed, t)} />
        </>
      )}
    </Page>
  )
}
