// Lines and areas over time or any other order.
import { grainOf, timeFormat } from '../format'
import { Frame, gridOf, type Grid, type Series } from '../frame'
import type { ChartConfig, ChartData, ChartTheme, Drawing, Kind, Slot } from '../types'
import { amount, area, axisSettings, axisTip, categoryAxis, colorOf, flag, gridPick, legend, say, timeAxis, valueAxis, word, writers, zoom, type Writers } from './parts'

export const trendSlots: Slot[] = [
  { key: 'x', accept: 'dimension' },
  { key: 'y', accept: 'number', many: true },
  { key: 'series', accept: 'category', optional: true },
]

type Shape = { area?: boolean; stack?: 'sum' | 'share'; step?: boolean }

// Parts of the whole at every x.
export function shares(grid: Grid): Series[] {
  const sums = grid.raw.map((_, i) => grid.series.reduce((sum, s) => sum + Math.max(0, s.values[i] ?? 0), 0))
  return grid.series.map((s) => ({ ...s, values: s.values.map((v, i) => (sums[i] ? Math.max(0, v ?? 0) / sums[i]! : v)) }))
}

export function xAxisOf(frame: Frame, grid: Grid, chart: ChartConfig, theme: ChartTheme): object {
  if (grid.times) {
    const write = timeFormat(theme.language, grainOf(grid.times))
    return timeAxis(chart, theme, write)
  }
  if (frame.types[grid.x] === 'number') {
    return { ...valueAxis({ ...chart, options: { x_title: word(chart, 'x_title') } }, writers(chart, theme, {}), { scale: true, splitLine: { show: false } }), nameLocation: 'middle', nameGap: 26, name: word(chart, 'x_title') || undefined }
  }
  return categoryAxis(chart, grid.names, { boundaryGap: false })
}

function points(frame: Frame, grid: Grid, series: Series, stacked: boolean): { data: unknown[]; at: number[] } {
  const data: unknown[] = []
  const at: number[] = []
  const category = !grid.times && frame.types[grid.x] !== 'number'
  grid.raw.forEach((raw, i) => {
    // No row at this x is no point; a NULL is a gap. Stacks need a point at every x.
    if (!series.given[i] && !stacked) return
    const value = stacked ? series.values[i] ?? 0 : series.values[i]
    data.push([category ? grid.names[i] : grid.times ? grid.times[i] : Number(raw), value])
    at.push(i)
  })
  return { data, at }
}

function lineOf(chart: ChartConfig, theme: ChartTheme, shape: Shape, series: Series, i: number, data: unknown[], w: Writers): object {
  const color = colorOf(chart, theme, series.name, i)
  const alone = data.length === 1
  return {
    type: 'line',
    name: series.name,
    data,
    stack: shape.stack ? 'all' : undefined,
    step: shape.step ? 'end' : false,
    smooth: flag(chart, 'smooth') ? 0.25 : false,
    connectNulls: flag(chart, 'connect'),
    sampling: shape.stack || shape.step ? undefined : 'lttb',
    showSymbol: alone || (flag(chart, 'points', data.length <= 24) && !shape.stack),
    symbolSize: 6,
    lineStyle: { width: shape.area || shape.stack ? 1.5 : 2, color },
    itemStyle: { color },
    areaStyle: shape.area || shape.stack ? { color, opacity: shape.stack ? 0.75 : 0.18 } : undefined,
    label: flag(chart, 'labels') ? { show: true, formatter: ({ value }: { value: unknown[] }) => w.short(value[1]), color: theme.dim, fontSize: 11 } : undefined,
    emphasis: { focus: 'series', lineStyle: { width: 2.5 } },
    labelLayout: { hideOverlap: true },
  }
}

function draw(data: ChartData, chart: ChartConfig, theme: ChartTheme, shape: Shape): Drawing {
  const frame = new Frame(data, chart, theme, trendSlots)
  const grid = gridOf(frame)
  const share = shape.stack === 'share'
  const list = share ? shares(grid) : grid.series
  const w = writers(chart, theme, share ? { format: 'percent' } : undefined)
  const names = list.map((s) => s.name)
  const drawn = list.map((s) => points(frame, grid, s, shape.stack !== undefined))
  return {
    option: {
      legend: legend(names, chart),
      grid: area(names, chart),
      tooltip: axisTip(w, list.length),
      xAxis: xAxisOf(frame, grid, chart, theme),
      yAxis: valueAxis(chart, w, share ? { max: 1, interval: 0.25 } : { scale: !shape.area && !shape.stack && !flag(chart, 'zero', true) }),
      dataZoom: zoom(chart),
      series: list.map((s, i) => lineOf(chart, theme, shape, s, i, drawn[i]!.data, w)),
    },
    pick: gridPick(frame, grid, drawn.map((d) => d.at)),
  }
}

const lineSettings = [
  ...axisSettings,
  { key: 'smooth', type: 'boolean', default: false } as const,
  { key: 'points', type: 'boolean' } as const,
  { key: 'connect', type: 'boolean', default: false } as const,
  { key: 'zero', type: 'boolean', default: true } as const,
]

function trend(name: string, shape: Shape): Kind {
  return { name, family: 'trend', slots: trendSlots, settings: lineSettings, draw: (d, c, t) => draw(d, c, t, shape) }
}

// Individuals control chart: limits at the mean ± 2.66 mean moving ranges; what lies outside is red.
function control(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, [trendSlots[0]!, { key: 'y', accept: 'number' }])
  const grid = gridOf(frame)
  const series = grid.series[0]
  const w = writers(chart, theme)
  const { data: list, at } = series ? points(frame, grid, series, false) : { data: [], at: [] }
  const values = (list as [unknown, number | null][]).map((p) => p[1]).filter((v): v is number => v !== null)
  const mean = amount(chart, 'target') ?? values.reduce((a, b) => a + b, 0) / (values.length || 1)
  const ranges = values.slice(1).map((v, i) => Math.abs(v - values[i]!))
  const reach = 2.66 * (ranges.reduce((a, b) => a + b, 0) / (ranges.length || 1))
  const limits = { low: mean - reach, high: mean + reach }
  const mark = (value: number, text: string, color: string) => ({
    yAxis: value, lineStyle: { color, type: 'dashed', width: 1 }, label: { formatter: `${text} ${w.short(value)}`, color, position: 'end', fontSize: 11 },
  })
  const outside = (v: number | null) => v !== null && (v < limits.low || v > limits.high)
  return {
    option: {
      grid: area([], chart, { right: 92 }),
      legend: { show: false },
      tooltip: axisTip(w, 1),
      xAxis: xAxisOf(frame, grid, chart, theme),
      yAxis: valueAxis(chart, w, { min: Math.min(limits.low - reach * 0.2, ...values), max: Math.max(limits.high + reach * 0.35, ...values), axisLabel: { formatter: w.short, hideOverlap: true, showMinLabel: false, showMaxLabel: false } }),
      dataZoom: zoom(chart),
      series: [{
        type: 'line', name: series?.name, symbolSize: 7, showSymbol: true, lineStyle: { width: 1.5, color: theme.palette[2] },
        data: (list as [unknown, number | null][]).map((p) => ({ value: p, itemStyle: { color: outside(p[1]) ? theme.bad : theme.palette[2] }, symbolSize: outside(p[1]) ? 10 : 6 })),
        markLine: {
          silent: true, symbol: 'none', animation: false,
          data: [mark(mean, say(theme, 'mean', 'moyenne'), theme.dim), mark(limits.high, say(theme, 'upper', 'haute'), theme.warn), mark(limits.low, say(theme, 'lower', 'basse'), theme.warn)],
        },
      }],
    },
    pick: gridPick(frame, grid, [at]),
  }
}

// Two or more moments side by side, names and values at the ends of the lines.
function slope(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const slots: Slot[] = [{ key: 'series', accept: 'category' }, { key: 'x', accept: 'dimension' }, { key: 'y', accept: 'number' }]
  const frame = new Frame(data, chart, theme, slots)
  const grid = gridOf(frame)
  const w = writers(chart, theme)
  const last = grid.raw.length - 1
  return {
    option: {
      grid: { left: 44, right: 130, top: 24, bottom: 24 },
      tooltip: { trigger: 'item', formatter: (m: { seriesName: string; name: string; value: unknown }) => `${m.seriesName}\n${m.name}: ${w.long(Array.isArray(m.value) ? m.value[1] : m.value)}` },
      xAxis: { type: 'category', data: grid.names, boundaryGap: false, axisLine: { show: false }, splitLine: { show: true, lineStyle: { color: theme.line } } },
      yAxis: { type: 'value', show: false, scale: true, boundaryGap: ['12%', '6%'] },
      series: grid.series.map((s, i) => ({
        type: 'line', name: s.name, data: s.values, symbolSize: 8, connectNulls: true, labelLayout: { moveOverlap: 'shiftY' },
        lineStyle: { width: 2, color: colorOf(chart, theme, s.name, i) }, itemStyle: { color: colorOf(chart, theme, s.name, i) },
        emphasis: { focus: 'series' },
        label: { show: true, position: 'left', color: theme.dim, fontSize: 11, formatter: (p: { dataIndex: number; value: number }) => (p.dataIndex === 0 ? w.short(p.value) : '') },
        endLabel: { show: last >= 0, color: theme.ink, fontSize: 11, width: 122, overflow: 'truncate', formatter: () => `${w.short(s.values[last])}  ${s.name}` },
      })),
    },
    pick: gridPick(frame, grid),
  }
}

function river(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const slots: Slot[] = [{ key: 'x', accept: 'dimension' }, { key: 'y', accept: 'number' }, { key: 'series', accept: 'category' }]
  const frame = new Frame(data, chart, theme, slots)
  const grid = gridOf(frame)
  const w = writers(chart, theme)
  const names = grid.series.map((s) => s.name)
  const list = grid.series.flatMap((s) => grid.raw.map((raw, i) => [grid.times ? grid.times[i] : Number(raw), s.values[i] ?? 0, s.name]))
  const write = timeFormat(theme.language, grainOf(grid.times ?? []))
  const base = grid.times ? timeAxis(chart, theme, write) : { type: 'value', min: 'dataMin', max: 'dataMax' }
  return {
    option: {
      legend: legend(names, chart),
      tooltip: { trigger: 'axis', valueFormatter: (v: unknown) => w.long(v), axisPointer: { type: 'line' } },
      singleAxis: { ...base, top: names.length > 1 ? 40 : 12, bottom: 26, left: 20, right: 20, splitLine: { show: true, lineStyle: { color: theme.line } } },
      series: [{ type: 'themeRiver', data: list, label: { show: false }, emphasis: { focus: 'self' }, color: names.map((n, i) => colorOf(chart, theme, n, i)) }],
    },
  }
}

export const trends: Kind[] = [
  trend('line', {}),
  trend('area', { area: true }),
  trend('stacked_area', { stack: 'sum' }),
  trend('percent_area', { stack: 'share' }),
  trend('step', { step: true }),
  { name: 'control', family: 'trend', slots: [trendSlots[0]!, { key: 'y', accept: 'number' }], settings: [...axisSettings, { key: 'target', type: 'number' }], draw: control },
  { name: 'slope', family: 'trend', slots: [{ key: 'series', accept: 'category' }, { key: 'x', accept: 'dimension' }, { key: 'y', accept: 'number' }], settings: axisSettings, draw: slope },
  { name: 'theme_river', family: 'trend', slots: [{ key: 'x', accept: 'dimension' }, { key: 'y', accept: 'number' }, { key: 'series', accept: 'category' }], settings: axisSettings, draw: river },
]
