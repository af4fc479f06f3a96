import { Button, Group, Select, Stack, Text } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type Problem, quoteName, type Result, runSql } from '../../api/client'
import { useLanguage } from '../../i18n'
import { EmptyState, Loading, ProblemView, useUrlState } from '../../ui'
import { Rows } from './Rows'
import { fullName } from './TablePage'
import type { TableDetail } from './types'

const kRows = 200

/** The first rows, as the table is or was. Whole numbers that JavaScript cannot hold come as text. */
async function sample(table: TableDetail, snapshot: string, signal: AbortSignal): Promise<Result> {
  const from = `${fullName(table)}${snapshot ? ` FOR VERSION AS OF ${BigInt(snapshot)}` : ''}`
  const shape = await runSql(`SELECT * FROM ${from} LIMIT 0`, { signal })
  if (shape.columns.length === 0) return shape
  const columns = shape.columns.map(({ name, type }) =>
    type === 'bigint' ? `CAST(${quoteName(name)} AS VARCHAR) AS ${quoteName(name)}` : quoteName(name))
  const found = await runSql(`SELECT ${columns.join(', ')} FROM ${from} LIMIT ${kRows + 1}`, { signal, limit: kRows })
  return { ...found, columns: shape.columns }
}

export function Sample({ table }: { table: TableDetail }) {
  const { text: t, language } = useLanguage()
  const [snapshot, setSnapshot] = useUrlState('snapshot')
  const snapshots = [...(table.snapshot_list ?? [])].sort((a, b) => b.committed_ms - a.committed_ms)
  const rows = useQuery<Result, Problem>({
    queryKey: ['lake-sample', fullName(table), snapshot, snapshot ? 0 : table.updated_ms],
    queryFn: ({ signal }) => sample(table, snapshot, signal),
  })
  return (
    <Stack gap="sm">
      <Group align="flex-end" gap="xs">
        {snapshots.length > 0 && (
          <Select size="xs" w={380} label={t('lake.as_of')} searchable allowDeselect={false} value={snapshot || 'now'}
            onChange={(value) => setSnapshot(value === 'now' || !value ? '' : value)}
            data={[{ value: 'now', label: t('lake.now') }, ...snapshots.map((one) => ({
              value: one.id,
              label: `${new Date(one.committed_ms).toLocaleString(language)} · ${one.operation ?? ''} · ${one.id}`,
            }))]} />
        )}
        <Button size="xs" variant="default" leftSection={<IconRefresh size={15} />} loading={rows.isFetching} onClick={() => void rows.refetch()}>
          {t('lake.refresh')}
        </Button>
      </Group>
      {rows.isPending ? <Loading /> : rows.isError ? <ProblemView error={rows.error} onRetry={() => void rows.refetch()} />
        : rows.data.rows.length === 0 ? <EmptyState title={t('lake.no_rows')} /> : (
            <>
              <Text size="xs" c="dimmed">{t(rows.data.truncated ? 'lake.first_rows' : 'lake.all_rows', { count: rows.data.rows.length })}</Text>
              <Rows columns={rows.data.columns} rows={rows.data.rows} label={t('lake.sample')} />
            </>
          )}
    </Stack>
  )
}
