// The kinds of chart that are made of elements: numbers, tables, pivots, texts.
import { Group, Text as Words } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { useText } from '../../i18n'
import { Markdown } from '../Markdown'
import { numberFormat, specOf, textOf, toNumber } from './format'
import { Frame, gridOf, plain } from './frame'
import { amount, flag, inkOn, word } from './kinds/parts'
import { Spark } from './Spark'
import type { ChartConfig, ChartData, ChartTheme, Kind, Pick } from './types'
import classes from './views.module.css'

export interface ViewProps {
  kind: Kind
  data: ChartData
  chart: ChartConfig
  theme: ChartTheme
  onPick?: (picks: Pick[]) => void
}

function Change({ now, before, good, theme }: { now: number | null; before: number | null; good: string; theme: ChartTheme }) {
  const t = useText()
  if (now === null || before === null || before === 0) return null
  const part = (now - before) / Math.abs(before)
  const percent = new Intl.NumberFormat(theme.language, { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' }).format(part)
  const better = good === 'none' || part === 0 ? null : part > 0 === (good === 'up')
  return (
    <Words component="span" size="sm" fw={600} style={{ color: better === null ? theme.dim : better ? theme.good : theme.bad }}
      aria-label={t('charts.change', { percent })}>
      {part > 0 ? '▲' : part < 0 ? '▼' : '='} {percent}
    </Words>
  )
}

function summed(values: (number | null)[], how: string): number | null {
  const numbers = values.filter((value): value is number => value !== null)
  if (numbers.length === 0) return null
  if (how === 'sum') return numbers.reduce((a, b) => a + b, 0)
  if (how === 'average') return numbers.reduce((a, b) => a + b, 0) / numbers.length
  return how === 'max' ? numbers.reduce((a, b) => Math.max(a, b)) : numbers[numbers.length - 1]
}

export function NumberView({ kind, data, chart, theme }: ViewProps) {
  const t = useText()
  const frame = new Frame(data, chart, theme, kind.slots)
  const write = numberFormat(specOf(chart.options), theme.language)
  const row = frame.rows[0] ?? []
  const trend = frame.has('x') ? gridOf(frame, 'x', 'value', 'none').series[0]?.values ?? [] : []
  const how = word(chart, 'total', 'last')
  const value = frame.has('x') ? summed(trend, how) : frame.number(row, frame.at('value'))
  const before = frame.has('x') ? (how === 'last' ? trend[trend.length - 2] ?? null : null) : frame.number(row, frame.at('previous'))
  const after = word(chart, 'text_after')
  return (
    <div className={classes.figure}>
      <Group gap="xs" align="baseline">
        <span className={classes.value}>{write(value)}</span>
        <Change now={value} before={before} good={word(chart, 'good', 'up')} theme={theme} />
      </Group>
      {after && <Words size="xs" c="dimmed">{after}</Words>}
      {trend.length > 1 && (
        <Spark className={classes.spark} values={trend} color={theme.palette[0]} area width={300} height={60} label={t('charts.trend')} />
      )}
    </div>
  )
}

export function ProgressView({ kind, data, chart, theme, onPick }: ViewProps) {
  const frame = new Frame(data, chart, theme, kind.slots)
  const write = numberFormat(specOf(chart.options), theme.language)
  const percent = numberFormat({ format: 'percent', decimals: 0 }, theme.language)
  const label = frame.at('label')
  return (
    <div className={classes.progress}>
      {frame.rows.slice(0, 100).map((row, i) => {
        const value = frame.number(row, frame.at('value'))
        const target = frame.number(row, frame.at('target')) ?? amount(chart, 'target') ?? (word(chart, 'format') === 'percent' ? 1 : 100)
        const part = value === null ? 0 : Math.max(0, Math.min(1, value / (target || 1)))
        const name = label < 0 ? frame.name(frame.at('value')) : frame.label(row, label)
        const pick = label < 0 || !onPick ? undefined : () => onPick([{ column: frame.columns[label].name, value: row[label] }])
        return (
          <div key={i} onClick={pick} style={{ cursor: pick ? 'pointer' : undefined }}>
            <Group justify="space-between" gap="xs" mb={3} wrap="nowrap">
              <Words size="sm" truncate>{name}</Words>
              <Words size="sm" c="dimmed" style={{ whiteSpace: 'nowrap' }}>{write(value)} / {write(target)} · {percent(part)}</Words>
            </Group>
            <div className={classes.track} role="progressbar" aria-label={name} aria-valuenow={Math.round(part * 100)} aria-valuemin={0} aria-valuemax={100}>
              <i style={{ width: `${part * 100}%`, background: part >= 1 ? theme.good : theme.palette[0] }} />
            </div>
          </div>
        )
      })}
    </div>
  )
}

const kRow = 28

/** Rows as they are, sorted by a click on a title; only those that are seen are made. */
export function TableView({ data, chart, theme, onPick }: Omit<ViewProps, 'kind'>) {
  const t = useText()
  const scroller = useRef<HTMLDivElement>(null)
  const [order, setOrder] = useState<{ column: number; down: boolean } | null>(null)
  const frame = useMemo(
    () => new Frame(data, chart, theme, [{ key: 'columns', accept: 'any', many: true, optional: true }]),
    [data, chart, theme],
  )
  const columns = chart.encode?.columns ? frame.all('columns') : data.columns.map((_, i) => i)
  const write = useMemo(() => numberFormat(specOf(chart.options), theme.language), [chart.options, theme.language])
  const formatted = new Set(([] as unknown[]).concat(chart.options?.format_columns ?? []).map(String))
  const rows = useMemo(() => {
    if (!order) return data.rows
    const numeric = frame.types[order.column] === 'number'
    const key = (row: unknown[]) => (numeric ? toNumber(row[order.column]) : row[order.column] === null ? null : plain(row[order.column]))
    return [...data.rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)]
      if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
      const way = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), theme.language)
      return order.down ? -way : way
    })
  }, [data.rows, order, frame, theme.language])
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => kRow, overscan: 8 })
  const most = useMemo(
    () => new Map(columns.filter((c) => frame.types[c] === 'number').map((c) => [c, Math.max(...data.rows.map((row) => Math.abs(toNumber(row[c]) ?? 0)), 1e-300)])),
    // The columns follow from the chart and the data.
    [data, frame], // eslint-disable-line react-hooks/exhaustive-deps
  )
  const bars = flag(chart, 'bars')
  const plainNumber = useMemo(() => numberFormat({ decimals: undefined }, theme.language), [theme.language])
  const cell = (row: unknown[], c: number) => {
    if (row[c] === null || row[c] === undefined) return <span className={classes.none}>∅</span>
    if (frame.types[c] === 'time') return frame.label(row, c)
    if (frame.types[c] !== 'number') return plain(row[c])
    const text = (formatted.size ? formatted.has(data.columns[c].name) : chart.options?.format) ? write(row[c]) : plainNumber(row[c])
    if (!bars) return text
    return <><i style={{ width: `${(Math.abs(toNumber(row[c]) ?? 0) / most.get(c)!) * 100}%` }} /><span>{text}</span></>
  }
  const items = virtual.getVirtualItems()
  const before = items[0]?.start ?? 0
  const after = virtual.getTotalSize() - (items[items.length - 1]?.end ?? 0)
  return (
    <div className={classes.scroll} ref={scroller} tabIndex={0} role="region" aria-label={t('charts.table')}>
      <table className={classes.table}>
        <thead>
          <tr>
            {columns.map((c) => {
              const active = order?.column === c
              return (
                <th key={c} className={frame.types[c] === 'number' ? classes.number : undefined} aria-sort={active ? (order.down ? 'descending' : 'ascending') : undefined}>
                  <button type="button" className={classes.sort} onClick={() => setOrder(active && order.down ? null : { column: c, down: active })}>
                    {frame.name(c)}{active ? (order.down ? ' ↓' : ' ↑') : ''}
                  </button>
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden><td style={{ height: before, padding: 0 }} colSpan={columns.length} /></tr>}
          {items.map((item) => {
            const row = rows[item.index]
            const first = columns.find((c) => frame.types[c] === 'category')
            const pick = onPick && first !== undefined ? () => onPick([{ column: data.columns[first].name, value: row[first] }]) : undefined
            return (
              <tr key={item.index} className={pick && classes.clickable} onClick={pick}>
                {columns.map((c) => (
                  <td key={c} title={plain(row[c])} className={frame.types[c] === 'number' ? `${classes.number} ${bars ? classes.bar : ''}` : undefined}>{cell(row, c)}</td>
                ))}
              </tr>
            )
          })}
          {after > 0 && <tr aria-hidden><td style={{ height: after, padding: 0 }} colSpan={columns.length} /></tr>}
        </tbody>
      </table>
    </div>
  )
}

type Sums = Map<string, Map<string, number>>

function pivoted(frame: Frame): { rows: string[]; columns: string[]; sums: Sums } {
  const sums: Sums = new Map()
  const columns = new Set<string>()
  for (const row of frame.rows) {
    const key = frame.all('rows').map((c) => frame.label(row, c)).join(' · ')
    const across = frame.all('columns').map((c) => frame.label(row, c)).join(' · ')
    columns.add(across)
    const line = sums.get(key) ?? new Map<string, number>()
    sums.set(key, line)
    line.set(across, (line.get(across) ?? 0) + (frame.number(row, frame.at('value')) ?? 0))
  }
  return { rows: [...sums.keys()].slice(0, 500), columns: [...columns].slice(0, 60), sums }
}

export function PivotView({ kind, data, chart, theme }: ViewProps) {
  const t = useText()
  const frame = useMemo(() => new Frame(data, chart, theme, kind.slots), [data, chart, theme, kind])
  const { rows, columns, sums } = useMemo(() => pivoted(frame), [frame])
  const write = numberFormat(specOf(chart.options), theme.language)
  const totals = flag(chart, 'totals', true)
  const colored = flag(chart, 'colors', true)
  const most = Math.max(...rows.flatMap((row) => [...sums.get(row)!.values()]), 1e-300)
  const shade = (value: number) => theme.scale[Math.min(theme.scale.length - 1, Math.max(0, Math.floor((value / most) * theme.scale.length)))]
  const across = (row: string) => columns.reduce((sum, column) => sum + (sums.get(row)!.get(column) ?? 0), 0)
  const down = (column: string) => rows.reduce((sum, row) => sum + (sums.get(row)!.get(column) ?? 0), 0)
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={t('charts.table')}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th>{frame.all('rows').map((c) => frame.name(c)).join(' · ')}</th>
            {columns.map((column) => <th key={column} className={classes.number}>{column}</th>)}
            {totals && <th className={classes.number}>{t('charts.total')}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              <td>{row}</td>
              {columns.map((column) => {
                const value = sums.get(row)!.get(column)
                if (value === undefined) return <td key={column} className={`${classes.number} ${classes.none}`}>–</td>
                const color = shade(value)
                return <td key={column} className={classes.number} style={colored ? { background: color, color: inkOn(color) } : undefined}>{write(value)}</td>
              })}
              {totals && <td className={`${classes.number} ${classes.total}`}>{write(across(row))}</td>}
            </tr>
          ))}
          {totals && (
            <tr>
              <td className={classes.total}>{t('charts.total')}</td>
              {columns.map((column) => <td key={column} className={`${classes.number} ${classes.total}`}>{write(down(column))}</td>)}
              <td className={`${classes.number} ${classes.total}`}>{write(rows.reduce((sum, row) => sum + across(row), 0))}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  )
}

export function SparklinesView({ kind, data, chart, theme, onPick }: ViewProps) {
  const t = useText()
  const frame = new Frame(data, chart, theme, kind.slots)
  const named = new Frame(data, { ...chart, encode: { ...chart.encode, series: frame.columns[frame.at('label')].name, x: frame.columns[frame.at('x')].name, y: frame.columns[frame.at('y')].name } }, theme,
    [{ key: 'x', accept: 'any' }, { key: 'y', accept: 'number' }, { key: 'series', accept: 'any' }])
  const list = gridOf(named).series.slice(0, amount(chart, 'limit') || 50)
  const write = numberFormat(specOf(chart.options), theme.language)
  const label = frame.columns[frame.at('label')].name
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={t('charts.table')}>
      <table className={classes.table}>
        <thead>
          <tr><th>{frame.name(frame.at('label'))}</th><th>{t('charts.trend')}</th><th className={classes.number}>{t('charts.last')}</th><th className={classes.number}>{t('charts.total')}</th></tr>
        </thead>
        <tbody>
          {list.map((series) => {
            const values = series.values.filter((value): value is number => value !== null)
            return (
              <tr key={series.name} className={onPick && classes.clickable} onClick={onPick && (() => onPick([{ column: label, value: series.value }]))}>
                <td>{series.name}</td>
                <td><Spark values={series.values} color={theme.palette[0]} label={series.name} /></td>
                <td className={classes.number}>{write(values[values.length - 1])}</td>
                <td className={classes.number}>{write(values.reduce((a, b) => a + b, 0))}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

export function TextView({ chart, theme }: { chart: ChartConfig; theme: ChartTheme }) {
  return <div className={classes.text}><Markdown>{textOf(chart.text, theme.language) || word(chart, 'text')}</Markdown></div>
}
