import { Box, Button, Group, Stack, Table, Text } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { runSql } from '../../../api/sql'
import { useText } from '../../../i18n'
import { EmptyState, Loading, ProblemView } from '../../../ui'
import { tableSql } from '../Asset'
import classes from '../catalogue.module.css'

const kRows = 100

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export default function Sample({ name }: { name: string }) {
  const t = useText()
  const sample = useQuery({
    queryKey: ['sample', name],
    queryFn: ({ signal }) => runSql(`SELECT * FROM ${tableSql(name)} LIMIT ${kRows}`, { limit: kRows, signal }),
    retry: false,
  })
  if (sample.isPending) return <Loading />
  if (sample.isError) return <ProblemView error={sample.error} onRetry={() => void sample.refetch()} />
  const { columns, rows } = sample.data
  if (rows.length === 0) return <EmptyState title={t('catalogue.no_rows')} />
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="xs" c="dimmed">{t('catalogue.first_rows', { count: rows.length })}</Text>
        <Button size="compact-xs" variant="subtle" leftSection={<IconRefresh size={14} />} onClick={() => void sample.refetch()}>{t('catalogue.again')}</Button>
      </Group>
      <Box className={classes.table} tabIndex={0} mah="64vh" style={{ overflow: 'auto' }}>
        <Table verticalSpacing={4} striped stickyHeader aria-label={t('catalogue.sample')} fz="sm">
          <Table.Thead>
            <Table.Tr>{columns.map((column) => (
              <Table.Th key={column.name}>{column.name}<Text size="xs" c="dimmed" fw={400}>{column.type}</Text></Table.Th>
            ))}</Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, at) => (
              <Table.Tr key={at}>{row.map((value, column) => (
                <Table.Td key={column} style={{ whiteSpace: 'nowrap' }}>
                  {value === null ? <Text span size="xs" c="dimmed" fs="italic">{'NULL'}</Text> : shown(value).slice(0, 200)}
                </Table.Td>
              ))}</Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Box>
    </Stack>
  )
}
