import { Button, Group, MultiSelect, Select, Text } from '@mantine/core'
import { IconLayoutDashboard } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { ChartView } from '../../ui/charts/ChartView'
import { kindOf } from '../../ui/charts/kinds'
import type { ChartConfig } from '../../ui/charts/types'
import { AddToDashboard } from './AddToDashboard'
import classes from './Lab.module.css'
import { isNumeric, type Rows } from './rows'

const kKinds = ['line', 'area', 'bar', 'stacked_bar', 'horizontal_bar', 'scatter', 'pie', 'treemap', 'heatmap', 'histogram', 'number']
const kMostRows = 10_000

const isTime = (type: string) => /^(date|timestamp)/.test(type)

/** A first guess: time or words along, numbers up. */
function guess(rows: Rows): { kind: string; x: string; y: string[]; series: string } {
  const { columns } = rows
  const time = columns.find((column) => isTime(column.type))
  const word = columns.find((column) => !isNumeric(column.type) && !isTime(column.type))
  const x = time ?? word ?? columns[0]
  const y = columns.filter((column) => column !== x && isNumeric(column.type)).map((column) => column.name)
  const series = time && word && y.length === 1 ? word.name : ''
  return { kind: time ? 'line' : !word && y.length > 0 ? 'scatter' : 'bar', x: x?.name ?? '', y: y.slice(0, 1), series }
}

/** Each kind calls its columns as it likes: numbers go where it takes numbers, the other to the first
 *  place that is left. */
function chartOf(kind: string, x: string, y: string[], series: string): ChartConfig {
  const known = kindOf(kind)
  const encode: Record<string, string | string[]> = {}
  let along = x
  for (const slot of known?.slots ?? []) {
    if (slot.key === 'series') {
      if (series) encode.series = series
    } else if (slot.accept === 'number' && slot.key !== 'x') {
      if (y.length > 0 && !('y' in encode) && !('value' in encode)) encode[slot.key] = slot.many && y.length > 1 ? y : y[0]
    } else if (slot.key === 'x' && slot.accept === 'number' && kind === 'histogram') {
      if (y.length > 0) encode.x = y[0]
    } else if (along) {
      encode[slot.key] = along
      along = ''
    }
  }
  return { kind: known?.name ?? kind, encode }
}

export function ResultChart({ rows, count, statement, title }: { rows: Rows; count: number; statement: string; title: string }) {
  const t = useText()
  const session = useSession()
  const columns = rows.columns.map((column) => column.name)
  const names = [...new Set(columns)]
  const [picked, pick] = useState(() => ({ columns: columns.join('\n'), ...guess(rows) }))
  if (picked.columns !== columns.join('\n')) pick({ columns: columns.join('\n'), ...guess(rows) })
  const [adding, setAdding] = useState(false)
  const { kind, x, y, series } = picked
  const chart = useMemo(() => chartOf(kind, x, y, series), [kind, x, y, series])
  const data = useMemo(() => {
    // The chosen columns alone: a kind would find use for the others.
    const chosen = [...new Set([x, ...y, series])].map((name) => columns.indexOf(name)).filter((column) => column >= 0)
    const drawn = Math.min(count, kMostRows)
    return {
      columns: chosen.map((column) => rows.columns[column]),
      rows: Array.from({ length: drawn }, (_, row) => chosen.map((column) => rows.at(row, column))),
    }
  }, [rows, count, x, y, series])

  return (
    <>
      <Group gap="xs" p="xs" align="flex-end">
        <Select size="xs" w={150} label={t('sql.chart.kind')} value={kind} allowDeselect={false} onChange={(value) => value && pick({ ...picked, kind: value })}
          data={kKinds.map((value) => ({ value, label: t(`sql.chart.${value}`) }))} />
        <Select size="xs" w={150} label={t('sql.chart.x')} value={x} searchable data={names} onChange={(value) => pick({ ...picked, x: value ?? '' })} />
        <MultiSelect size="xs" miw={170} label={t('sql.chart.y')} value={y} searchable data={names} onChange={(value) => pick({ ...picked, y: value })} />
        <Select size="xs" w={150} label={t('sql.chart.series')} value={series || null} placeholder={t('sql.chart.series.none')} searchable clearable
          data={names} onChange={(value) => pick({ ...picked, series: value ?? '' })} />
        {mayEdit(session) && (
          <Button size="xs" variant="default" leftSection={<IconLayoutDashboard size={15} />} onClick={() => setAdding(true)}>
            {t('sql.dashboard')}
          </Button>
        )}
        {count > kMostRows && <Text size="xs" c="dimmed">{t('sql.chart.rows', { count: kMostRows })}</Text>}
      </Group>
      <div className={classes.body} data-testid="chart">
        <ChartView chart={chart} data={data} height={360} />
      </div>
      {adding && <AddToDashboard chart={chart} statement={statement} title={title} onClose={() => setAdding(false)} />}
    </>
  )
}
