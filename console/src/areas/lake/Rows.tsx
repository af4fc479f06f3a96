import { Box, Table, Text } from '@mantine/core'
import classes from './lake.module.css'

interface Props {
  columns: { name: string; type: string }[]
  rows: unknown[][]
  label: string
  height?: number | string
}

function cellText(value: unknown): string {
  if (typeof value === 'object') return JSON.stringify(value)
  return String(value)
}

const kNumbers = /^(tinyint|smallint|integer|bigint|real|double|decimal)/

/** A few hundred rows as they are; values are text, whatever is in them. */
export function Rows({ columns, rows, label, height = '60vh' }: Props) {
  return (
    <Box className={classes.rows} mah={height} tabIndex={0} role="region" aria-label={label}>
      <Table stickyHeader striped="even" withColumnBorders verticalSpacing={4} fz="xs" aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column, index) => (
              <Table.Th key={index} className={classes.value}>
                {column.name}
                <Text span display="block" fz={11} c="dimmed" fw={400}>{column.type}</Text>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, index) => (
            <Table.Tr key={index}>
              {columns.map((column, at) => (
                <Table.Td key={at} className={classes.value} ta={kNumbers.test(column.type) ? 'right' : undefined}>
                  {row[at] === null || row[at] === undefined
                    ? <Text span fz="inherit" c="dimmed" fs="italic">{'NULL'}</Text>
                    : cellText(row[at])}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  )
}
