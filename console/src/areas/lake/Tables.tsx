import { Anchor, Badge, Group, Select } from '@mantine/core'
import { IconTable } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, Count, type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView, useUrlState, When } from '../../ui'
import type { LakeTable } from './types'

export function tablePlace(table: { catalog: string; schema: string; name: string }) {
  return {
    to: '/lake/tables/$catalog/$schema/$table',
    params: { catalog: table.catalog, schema: table.schema, table: table.name },
  } as never
}

export default function Tables() {
  const t = useText()
  const navigate = useNavigate()
  const [catalog, setCatalog] = useUrlState('catalog')
  const [schema, setSchema] = useUrlState('schema')
  const tables = useApi<{ tables: LakeTable[]; next?: string }>('/api/v1/lake/tables', { limit: 10_000 })
  const all = tables.data?.tables ?? []
  const catalogs = [...new Set(all.map((table) => table.catalog))]
  const schemas = [...new Set(all.filter((table) => !catalog || table.catalog === catalog).map((table) => table.schema))].sort()
  const shown = all.filter((table) => (!catalog || table.catalog === catalog) && (!schema || table.schema === schema))
  const columns: DataColumn<LakeTable>[] = [
    { key: 'name', title: t('lake.table'), width: 'minmax(220px, 3fr)', value: (table) => `${table.catalog}.${table.schema}.${table.name}`,
      render: (table) => (
        <Group gap={6} wrap="nowrap">
          <Anchor component={Link} {...(tablePlace(table) as object)} fz="sm" truncate>{`${table.catalog}.${table.schema}.${table.name}`}</Anchor>
          {table.kind === 'view' && <Badge size="xs" variant="light" color="grape" tt="none">{t('lake.view')}</Badge>}
        </Group>
      ) },
    { key: 'rows', title: t('lake.rows'), align: 'right', width: '120px', render: (table) => <Count value={table.rows} /> },
    { key: 'bytes', title: t('lake.size'), align: 'right', width: '100px', render: (table) => <Bytes value={table.bytes} /> },
    { key: 'files', title: t('lake.files'), align: 'right', width: '90px', render: (table) => <Count value={table.files} /> },
    { key: 'snapshots', title: t('lake.snapshots'), align: 'right', width: '110px', render: (table) => <Count value={table.snapshots} /> },
    { key: 'committed_ms', title: t('lake.last_commit'), width: '150px', render: (table) => table.committed_ms ? <When ms={table.committed_ms} /> : '–' },
    { key: 'format', title: t('lake.format'), width: '100px' },
    { key: 'partitioned_by', title: t('lake.partitioning'), width: 'minmax(120px, 1fr)', value: (table) => table.partitioned_by?.join(', ') || '–' },
  ]
  return (
    <Page title={t('lake.tables')} crumbs={[{ title: t('lake.title'), to: '/lake' }]}>
      {tables.isPending ? <Loading /> : tables.isError ? <ProblemView error={tables.error} onRetry={() => void tables.refetch()} /> : (
        <DataTable rows={shown} columns={columns} rowKey={(table) => `${table.catalog}.${table.schema}.${table.name}`} label={t('lake.tables')}
          onRow={(table) => void navigate(tablePlace(table))}
          toolbar={
            <>
              <Select size="xs" w={140} clearable placeholder={t('lake.catalog')} aria-label={t('lake.catalog')} data={catalogs}
                value={catalog || null} onChange={(value) => setCatalog(value ?? '')} />
              <Select size="xs" w={160} clearable searchable placeholder={t('lake.schema')} aria-label={t('lake.schema')} data={schemas}
                value={schema || null} onChange={(value) => setSchema(value ?? '')} />
            </>
          }
          empty={<EmptyState icon={<IconTable size={24} />} title={t('lake.no_tables')} hint={t('lake.no_tables_hint')} />} />
      )}
    </Page>
  )
}
