// Colours in cells: heat maps, calendars, cohorts, RFM; and what lies on a time line.
import { isFrench, timeFormat } from '../format'
import { Frame, gridOf, plain } from '../frame'
import { toNumber } from '../format'
import type { ChartConfig, ChartData, ChartTheme, Drawing, Kind, Pick, Slot } from '../types'
import { amount, area, colorOf, flag, formatSettings, inkOn, legend, say, timeAxis, writers, type Writers } from './parts'

const heatSlots: Slot[] = [{ key: 'x', accept: 'any' }, { key: 'y', accept: 'any' }, { key: 'value', accept: 'number' }]

type Cells = { frame: Frame; x: { names: string[]; raw: unknown[] }; y: { names: string[]; raw: unknown[] }; values: [number, number, number][] }

function distinct(frame: Frame, column: number): { names: string[]; raw: unknown[] } {
  const raw = [...new Map(frame.rows.map((row) => [plain(row[column]), row[column]])).values()]
  const type = frame.types[column]
  if (type === 'number') raw.sort((a, b) => (toNumber(a) ?? 0) - (toNumber(b) ?? 0))
  if (type === 'time') raw.sort((a, b) => (plain(a) < plain(b) ? -1 : 1))
  return { raw, names: raw.map(frame.write(column)) }
}

function cellsOf(data: ChartData, chart: ChartConfig, theme: ChartTheme, slots = heatSlots): Cells {
  const frame = new Frame(data, chart, theme, slots)
  const [x, y] = [distinct(frame, frame.at('x')), distinct(frame, frame.at('y'))]
  const [atX, atY] = [x, y].map((axis) => new Map(axis.raw.map((v, i) => [plain(v), i])))
  const sums = new Map<string, [number, number, number]>()
  for (const row of frame.rows) {
    const value = frame.number(row, frame.at('value'))
    if (value === null) continue
    const [i, j] = [atX!.get(plain(row[frame.at('x')]))!, atY!.get(plain(row[frame.at('y')]))!]
    const cell = sums.get(`${i},${j}`)
    if (cell) cell[2] += value
    else sums.set(`${i},${j}`, [i, j, value])
  }
  return { frame, x, y, values: [...sums.values()] }
}

function shade(theme: ChartTheme, part: number): string {
  return theme.scale[Math.min(theme.scale.length - 1, Math.max(0, Math.round(part * (theme.scale.length - 1))))]!
}

type Look = { labels: boolean; bar: boolean; w: Writers; max?: number; min?: number; tip: (x: number, y: number, value: number) => string; inverse?: boolean }

function cellDrawing(cells: Cells, chart: ChartConfig, theme: ChartTheme, look: Look): Drawing {
  const { frame, x, y, values } = cells
  const numbers = values.map((v) => v[2])
  const min = look.min ?? Math.min(0, ...numbers)
  const max = look.max ?? Math.max(...numbers, min + 1e-9)
  const ink = (v: number) => inkOn(shade(theme, (v - min) / (max - min || 1)))
  return {
    option: {
      legend: { show: false },
      grid: area([], chart, { bottom: look.bar ? 30 : 2, right: 4, top: 4 }),
      tooltip: { trigger: 'item', formatter: (m: { value: [number, number, number] }) => look.tip(...m.value) },
      xAxis: { type: 'category', data: x.names, axisLine: { show: false }, splitArea: { show: false }, axisLabel: { hideOverlap: true, width: 80, overflow: 'truncate' } },
      yAxis: { type: 'category', data: y.names, inverse: look.inverse ?? true, axisLine: { show: false }, axisLabel: { width: 110, overflow: 'truncate', hideOverlap: true } },
      visualMap: { type: 'continuous', show: look.bar, min, max, dimension: 2, orient: 'horizontal', left: 'center', bottom: 0, itemWidth: 10, itemHeight: 120, calculable: false, inRange: { color: theme.scale }, text: [look.w.short(max), look.w.short(min)] },
      series: [{
        type: 'heatmap', itemStyle: { borderColor: theme.panel, borderWidth: 1.5, borderRadius: 2 }, progressive: 0,
        data: look.labels ? values.map((v) => ({ value: v, label: { color: ink(v[2]) } })) : values,
        label: { show: look.labels, fontSize: 11, formatter: (m: { value: number[] }) => look.w.short(m.value[2]) }, labelLayout: { hideOverlap: true },
      }],
    },
    pick: (mark): Pick[] => {
      const value = values[mark.dataIndex ?? -1]
      if (!value) return []
      return [{ column: frame.columns[frame.at('x')]!.name, value: x.raw[value[0]] }, { column: frame.columns[frame.at('y')]!.name, value: y.raw[value[1]] }]
    },
  }
}

function heatMap(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const cells = cellsOf(data, chart, theme)
  const w = writers(chart, theme)
  const few = cells.x.names.length <= 16 && cells.values.length <= 200
  return cellDrawing(cells, chart, theme, {
    w, labels: flag(chart, 'labels', few), bar: flag(chart, 'legend', true), min: amount(chart, 'min'), max: amount(chart, 'max'),
    tip: (x, y, v) => `${cells.x.names[x]} · ${cells.y.names[y]}\n${w.long(v)}`,
  })
}

const cohortSlots: Slot[] = [{ key: 'y', accept: 'any' }, { key: 'x', accept: 'number' }, { key: 'value', accept: 'number' }]

// A row per cohort; every value is a part of what the cohort began with, unless `percent: false`.
function cohort(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const cells = cellsOf(data, chart, theme, cohortSlots)
  const share = flag(chart, 'percent', true)
  const first = new Map(cells.values.filter((v) => v[0] === 0).map((v) => [v[1], v[2]]))
  const counts = new Map(cells.values.map((v) => [`${v[0]},${v[1]}`, v[2]]))
  if (share) cells.values = cells.values.map(([x, y, v]) => [x, y, first.get(y) ? v / first.get(y)! : 0])
  const w = writers(chart, theme, share ? { format: 'percent', decimals: 0 } : undefined)
  const count = writers(chart, theme, { format: 'integer' })
  return cellDrawing(cells, chart, theme, {
    w, labels: flag(chart, 'labels', cells.values.length <= 400), bar: false, min: 0, max: share ? 1 : undefined,
    tip: (x, y, v) => `${cells.y.names[y]} · +${cells.x.names[x]}\n${count.long(counts.get(`${x},${y}`))}${share ? ` (${w.long(v)})` : ''}`,
  })
}

// The usual segments by recency (x) and frequency (y) scores from 1 to 5.
export function segment(recency: number, frequency: number): { en: string; fr: string } {
  if (recency >= 4 && frequency >= 4) return { en: 'Champions', fr: 'Champions' }
  if (recency >= 3 && frequency >= 3) return { en: 'Loyal', fr: 'Fidèles' }
  if (recency >= 4) return frequency >= 2 ? { en: 'Promising', fr: 'Prometteurs' } : { en: 'New', fr: 'Nouveaux' }
  if (recency === 3) return { en: 'Need attention', fr: 'À relancer' }
  if (frequency >= 4) return { en: 'Cannot lose', fr: 'À sauver' }
  if (frequency >= 3) return { en: 'At risk', fr: 'À risque' }
  return { en: 'Hibernating', fr: 'En sommeil' }
}

const rfmSlots: Slot[] = [{ key: 'x', accept: 'number' }, { key: 'y', accept: 'number' }, { key: 'value', accept: 'number' }]

function rfm(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const cells = cellsOf(data, chart, theme, rfmSlots)
  const w = writers(chart, theme)
  const name = (x: number, y: number) => {
    const s = segment(Number(cells.x.raw[x]), Number(cells.y.raw[y]))
    return isFrench(theme.language) ? s.fr : s.en
  }
  const titles = { x_title: say(theme, 'recency →', 'récence →'), y_title: say(theme, 'frequency', 'fréquence') }
  const drawing = cellDrawing(cells, chart, theme, {
    w, labels: true, bar: false, inverse: false,
    tip: (x, y, v) => `${name(x, y)} (R${cells.x.names[x]} F${cells.y.names[y]})\n${w.long(v)}`,
  })
  const option = drawing.option as { series: { label: object }[]; grid: object; xAxis: object; yAxis: object }
  option.grid = area([], chart, { top: 24, bottom: 20, right: 4 })
  option.xAxis = { ...option.xAxis, name: titles.x_title, nameLocation: 'middle', nameGap: 24 }
  option.yAxis = { ...option.yAxis, name: titles.y_title, nameLocation: 'end', nameGap: 8, nameTextStyle: { align: 'left' } }
  option.series[0]!.label = { show: true, fontSize: 11, lineHeight: 14, formatter: (m: { value: number[] }) => `${name(m.value[0]!, m.value[1]!)}\n${w.short(m.value[2])}` }
  return drawing as Drawing
}

const calendarSlots: Slot[] = [{ key: 'x', accept: 'time' }, { key: 'value', accept: 'number' }]
const day = 86_400_000

// Days as squares, a band per year, the last three years at most.
function calendar(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, calendarSlots)
  const grid = gridOf(frame, 'x', 'value', 'none')
  const w = writers(chart, theme)
  const write = timeFormat(theme.language, 'day')
  const iso = (t: number) => new Date(t).toISOString().slice(0, 10)
  const sums = new Map<string, { value: number; raw: unknown }>();
  (grid.times ?? []).forEach((t, i) => {
    const v = grid.series[0]?.values[i]
    if (v === null || v === undefined || Number.isNaN(t)) return
    const key = iso(t)
    sums.set(key, { value: (sums.get(key)?.value ?? 0) + v, raw: grid.raw[i] })
  })
  const years = [...new Set([...sums.keys()].map((k) => k.slice(0, 4)))].sort().slice(-3)
  const numbers = [...sums.values()].map((s) => s.value)
  const names = (options: Intl.DateTimeFormatOptions, count: number, at: (i: number) => number) => {
    const format = new Intl.DateTimeFormat(theme.language, { ...options, timeZone: 'UTC' })
    return Array.from({ length: count }, (_, i) => format.format(at(i)))
  }
  const listed = years.map((year) => [...sums].filter(([k]) => k.startsWith(year)))
  const edges = [...sums.keys()].sort()
  const one = years.length === 1 || (edges.length > 0 && Date.parse(edges[edges.length - 1]!) - Date.parse(edges[0]!) < 366 * day)
  const bands = one ? [[...sums].filter(([k]) => years.includes(k.slice(0, 4)))] : listed
  const ranges = one ? [[edges[0] ?? '2024-01-01', edges[edges.length - 1] ?? '2024-12-31']] : years
  const height = 100 / Math.max(1, bands.length)
  return {
    option: {
      legend: { show: false },
      tooltip: { trigger: 'item', formatter: (m: { value: [string, number] }) => `${write(Date.parse(m.value[0]))}\n${w.long(m.value[1])}` },
      visualMap: { type: 'continuous', show: one, min: Math.min(0, ...numbers), max: Math.max(1e-9, ...numbers), orient: 'horizontal', left: 'center', bottom: 0, itemWidth: 10, itemHeight: 120, inRange: { color: theme.scale }, text: [w.short(Math.max(0, ...numbers)), w.short(Math.min(0, ...numbers))] },
      calendar: ranges.map((range, i) => ({
        range, left: 40, right: 8, top: one ? 26 : `${i * height + 7}%`, ...(one ? { bottom: 34 } : { height: `${height - 9}%` }), cellSize: ['auto', 'auto'],
        itemStyle: { color: 'transparent', borderColor: theme.line, borderWidth: 0.5 }, splitLine: { lineStyle: { color: theme.dim, width: 1 } },
        dayLabel: { firstDay: 1, color: theme.dim, fontSize: 10, nameMap: names({ weekday: 'short' }, 7, (d) => Date.UTC(2024, 8, 1 + d)) },
        monthLabel: { color: theme.dim, fontSize: 11, nameMap: names({ month: 'short' }, 12, (m) => Date.UTC(2024, m, 1)) },
        yearLabel: { show: !one, color: theme.dim, fontSize: 12, margin: 26 },
      })),
      series: bands.map((list, i) => ({ type: 'heatmap', coordinateSystem: 'calendar', calendarIndex: i, data: list.map(([k, s]) => [k, s.value]), itemStyle: { borderRadius: 2 } })),
    },
    pick: (mark) => {
      const entry = bands[mark.seriesIndex ?? 0]?.[mark.dataIndex ?? -1]
      return entry ? [{ column: frame.columns[grid.x]!.name, value: entry[1].raw }] : []
    },
  }
}

const ganttSlots: Slot[] = [{ key: 'label', accept: 'category' }, { key: 'start', accept: 'time' }, { key: 'end', accept: 'time' }, { key: 'series', accept: 'category', optional: true }]

type Api = { value: (i: number) => number; coord: (p: unknown[]) => number[]; size: (p: unknown[]) => number[] }
type Bounds = { coordSys: { x: number; width: number } }

function gantt(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, ganttSlots)
  const [label, start, end, by] = ['label', 'start', 'end', 'series'].map((k) => frame.at(k)) as [number, number, number, number]
  const rows = frame.rows.filter((row) => frame.time(row, start) !== null)
  const names = [...new Set(rows.map((row) => frame.label(row, label)))]
  const keys = by < 0 ? [''] : [...new Set(rows.map((row) => frame.label(row, by)))]
  const now = Math.max(...rows.map((row) => frame.time(row, end) ?? frame.time(row, start)!))
  const write = timeFormat(theme.language, 'minute')
  const bar = (bounds: Bounds, api: Api, color: string) => {
    const from = api.coord([api.value(1), api.value(0)])
    const to = api.coord([api.value(2), api.value(0)])
    const height = Math.min(22, api.size([0, 1])[1]! * 0.62)
    const { x, width } = bounds.coordSys
    const left = Math.max(x, from[0]!)
    const right = Math.min(x + width, to[0]!)
    if (right < x || left > x + width) return null
    return { type: 'rect', shape: { x: left, y: from[1]! - height / 2, width: Math.max(3, right - left), height, r: 3 }, style: { fill: color } }
  }
  return {
    option: {
      legend: legend(keys, chart),
      grid: area(keys, chart),
      tooltip: { trigger: 'item', formatter: (m: { seriesIndex: number; data: number[] }) => `${names[m.data[0]!]}${by < 0 ? '' : ` · ${keys[m.seriesIndex]}`}\n${write(m.data[1]!)} – ${write(m.data[2]!)}` },
      xAxis: timeAxis(chart, theme, write, { splitLine: { show: true, lineStyle: { color: theme.line } } }),
      yAxis: { type: 'category', data: names, inverse: true, axisLabel: { width: 120, overflow: 'truncate' }, axisLine: { show: false } },
      series: keys.map((key, i) => ({
        type: 'custom', name: key, encode: { x: [1, 2], y: 0 }, itemStyle: { color: colorOf(chart, theme, key, i) },
        renderItem: (bounds: Bounds, api: Api) => bar(bounds, api, colorOf(chart, theme, key, i)),
        data: rows.filter((row) => by < 0 || frame.label(row, by) === key).map((row) => [names.indexOf(frame.label(row, label)), frame.time(row, start), frame.time(row, end) ?? now]),
      })),
    },
    pick: (mark) => {
      const name = names[(mark.data as number[] | undefined)?.[0] ?? -1]
      const row = rows.find((r) => frame.label(r, label) === name)
      return row ? [{ column: frame.columns[label]!.name, value: row[label] }] : []
    },
  }
}

const timelineSlots: Slot[] = [{ key: 'x', accept: 'time' }, { key: 'label', accept: 'category' }, { key: 'series', accept: 'category', optional: true }]

// Events on a line; the names go up and down in turns so that they do not cover each other.
function timeline(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, timelineSlots)
  const [x, label, by] = [frame.at('x'), frame.at('label'), frame.at('series')]
  const rows = frame.rows.filter((row) => frame.time(row, x) !== null).sort((a, b) => frame.time(a, x)! - frame.time(b, x)!)
  const keys = by < 0 ? [''] : [...new Set(rows.map((row) => frame.label(row, by)))]
  const heights = [1, -1, 2, -2, 3, -3]
  const write = timeFormat(theme.language, 'day')
  const color = (row: unknown[]) => colorOf(chart, theme, by < 0 ? '' : frame.label(row, by), by < 0 ? 0 : keys.indexOf(frame.label(row, by)))
  return {
    option: {
      legend: { show: false },
      grid: { left: 50, right: 50, top: 20, bottom: 24 },
      tooltip: { trigger: 'item', formatter: (m: { dataIndex: number }) => `${frame.label(rows[m.dataIndex]!, x)}${by < 0 ? '' : ` · ${frame.label(rows[m.dataIndex]!, by)}`}\n${frame.label(rows[m.dataIndex]!, label)}` },
      xAxis: timeAxis(chart, theme, write, { axisLine: { show: true, onZero: false, lineStyle: { color: theme.line } }, boundaryGap: ['6%', '6%'] }),
      yAxis: { type: 'value', show: false, min: -4, max: 4 },
      series: [{
        type: 'custom', encode: { x: 0, y: 1 }, data: rows.map((row, i) => [frame.time(row, x), heights[i % heights.length]!]),
        renderItem: (item: { dataIndex: number }, api: Api) => {
          const row = rows[item.dataIndex]!
          const [px = 0, py = 0] = api.coord([api.value(0), api.value(1)])
          const [, zero = 0] = api.coord([api.value(0), 0])
          return { type: 'group', children: [
            { type: 'line', shape: { x1: px, y1: zero, x2: px, y2: py }, style: { stroke: theme.line, lineWidth: 1.5 } },
            { type: 'circle', shape: { cx: px, cy: zero, r: 5 }, style: { fill: color(row) } },
            { type: 'text', style: { text: frame.label(row, label), x: px, y: py, textAlign: 'center', textVerticalAlign: api.value(1) > 0 ? 'bottom' : 'top', fill: theme.ink, fontSize: 11, fontFamily: theme.font, width: 96, overflow: 'truncate' } },
          ] }
        },
      }],
    },
    pick: (mark) => (rows[mark.dataIndex ?? -1] ? [{ column: frame.columns[label]!.name, value: rows[mark.dataIndex!]![label] }] : []),
  }
}

const cellSettings = [...formatSettings, { key: 'labels', type: 'boolean' as const }]

export const matrices: Kind[] = [
  { name: 'heat_map', family: 'matrix', slots: heatSlots, settings: [...cellSettings, { key: 'legend', type: 'boolean', default: true }, { key: 'min', type: 'number' }, { key: 'max', type: 'number' }], draw: heatMap },
  { name: 'calendar', family: 'matrix', slots: calendarSlots, settings: formatSettings, draw: calendar },
  { name: 'cohort', family: 'matrix', slots: cohortSlots, settings: [...cellSettings, { key: 'percent', type: 'boolean', default: true }], draw: cohort },
  { name: 'rfm', family: 'matrix', slots: rfmSlots, settings: formatSettings, draw: rfm },
  { name: 'gantt', family: 'matrix', slots: ganttSlots, settings: [{ key: 'legend', type: 'boolean', default: true }], draw: gantt },
  { name: 'timeline', family: 'matrix', slots: timelineSlots, settings: [], draw: timeline },
]
