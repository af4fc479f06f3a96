// Bars and what is drawn like bars.
import { Frame, gridOf, type Grid, type Series } from '../frame'
import type { ChartConfig, ChartData, ChartTheme, Drawing, Kind, Slot } from '../types'
import { amount, area, axisSettings, axisTip, categoryAxis, colorOf, flag, formatSettings, gridPick, inkOn, legend, limitSetting, say, sortSetting, valueAxis, word, writers, zoom, type Writers } from './parts'
import { shares, trendSlots } from './trends'

type Shape = { horizontal?: boolean; stack?: 'sum' | 'share'; thin?: boolean }

// Orders and cuts the categories by the sum of their values.
export function arranged(grid: Grid, chart: ChartConfig): Grid {
  const how = word(chart, 'sort', 'none')
  const limit = amount(chart, 'limit')
  if (how === 'none' && limit === undefined) return grid
  const sum = (i: number) => grid.series.reduce((s, one) => s + (one.values[i] ?? 0), 0)
  let order = grid.raw.map((_, i) => i)
  if (how !== 'none') order.sort((a, b) => (how === 'asc' ? 1 : -1) * (sum(a) - sum(b)))
  if (limit !== undefined && limit > 0) order = order.slice(0, limit)
  const take = <T>(list: T[]) => order.map((i) => list[i]!)
  return {
    ...grid, raw: take(grid.raw), names: take(grid.names), times: grid.times && take(grid.times),
    series: grid.series.map((s) => ({ ...s, values: take(s.values), given: take(s.given) })),
  }
}

function barOf(chart: ChartConfig, theme: ChartTheme, shape: Shape, s: Series, i: number, last: boolean, w: Writers): object {
  const color = colorOf(chart, theme, s.name, i)
  const round = shape.horizontal ? [0, 3, 3, 0] : [3, 3, 0, 0]
  const inside = shape.stack !== undefined
  return {
    type: 'bar', name: s.name, data: s.values, stack: shape.stack ? 'all' : undefined,
    itemStyle: { color, borderRadius: shape.stack && !last ? 0 : round },
    barMaxWidth: shape.thin ? 3 : 56, barCategoryGap: '28%', barMinHeight: shape.stack ? 0 : 1,
    emphasis: { focus: 'series' }, large: s.values.length > 2000,
    label: flag(chart, 'labels')
      ? { show: true, position: inside ? 'inside' : shape.horizontal ? 'right' : 'top', color: inside ? inkOn(color) : theme.dim, fontSize: 11, formatter: ({ value }: { value: unknown }) => (value === null || value === undefined ? '' : w.short(value)) }
      : undefined,
    labelLayout: { hideOverlap: true },
  }
}

// The ends of lollipops.
function heads(chart: ChartConfig, theme: ChartTheme, grid: Grid): object[] {
  return grid.series.map((s, i) => ({
    type: 'scatter', name: s.name, data: s.values.map((v, at) => [at, v]), symbolSize: 12, z: 3,
    itemStyle: { color: colorOf(chart, theme, s.name, i) }, tooltip: { show: false },
  }))
}

function draw(data: ChartData, chart: ChartConfig, theme: ChartTheme, shape: Shape): Drawing {
  const frame = new Frame(data, chart, theme, trendSlots)
  const grid = arranged(gridOf(frame), chart)
  const share = shape.stack === 'share'
  const list = share ? shares(grid) : grid.series
  const w = writers(chart, theme, share ? { format: 'percent' } : undefined)
  const names = list.map((s) => s.name)
  const values = valueAxis(chart, w, share ? { max: 1, interval: 0.25 } : {})
  const categories = categoryAxis(chart, grid.names, shape.horizontal ? { inverse: true, name: undefined, axisLabel: { width: 140, overflow: 'truncate', hideOverlap: true } } : {})
  return {
    option: {
      legend: legend(names, chart),
      grid: area(names, chart, shape.horizontal && flag(chart, 'labels') && !shape.stack ? { right: 56 } : {}),
      tooltip: { ...axisTip(w, list.length), axisPointer: { type: 'shadow' } },
      xAxis: shape.horizontal ? values : categories,
      yAxis: shape.horizontal ? categories : values,
      dataZoom: zoom(chart, shape.horizontal),
      series: [...list.map((s, i) => barOf(chart, theme, shape, s, i, i === list.length - 1, w)), ...(shape.thin ? heads(chart, theme, grid) : [])],
    },
    pick: gridPick(frame, grid),
  }
}

function bar(name: string, shape: Shape, options: Record<string, unknown> = {}): Kind {
  return {
    name, family: 'compare', slots: trendSlots, settings: [...axisSettings, sortSetting, limitSetting(0)],
    draw: (d, c, t) => draw(d, { ...c, options: { ...options, ...c.options } }, t, shape),
  }
}

type Step = { name: string; from: number; to: number; total: boolean }

function steps(grid: Grid, chart: ChartConfig, theme: ChartTheme): Step[] {
  let at = 0
  const list = grid.names.map((name, i) => {
    const from = at
    at += grid.series[0]?.values[i] ?? 0
    return { name, from, to: at, total: false }
  })
  if (flag(chart, 'total', true)) list.push({ name: word(chart, 'total_name', 'Total'), from: 0, to: at, total: true })
  void theme
  return list
}

type Api = { value: (i: number) => number; coord: (p: unknown[]) => number[]; size: (p: unknown[]) => number[] }

function waterfall(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, [trendSlots[0]!, { key: 'y', accept: 'number' }])
  const grid = gridOf(frame)
  const list = steps(grid, chart, theme)
  const w = writers(chart, theme)
  const color = (s: Step) => (s.total ? theme.palette[2]! : s.to >= s.from ? theme.good : theme.bad)
  const text = (s: Step) => (s.total ? w.short(s.to) : (s.to >= s.from ? '+' : '') + w.short(s.to - s.from))
  return {
    option: {
      grid: area([], chart, { top: 22 }),
      tooltip: { trigger: 'item', formatter: (m: { dataIndex: number }) => {
        const s = list[m.dataIndex]!
        return s.total ? `${s.name}\n${w.long(s.to)}` : `${s.name}\n${s.to >= s.from ? '+' : ''}${w.long(s.to - s.from)}\n= ${w.long(s.to)}`
      } },
      xAxis: categoryAxis(chart, list.map((s) => s.name)),
      yAxis: valueAxis(chart, w),
      series: [{
        type: 'custom', data: list.map((s, i) => [i, s.from, s.to]), encode: { x: 0, y: [1, 2] },
        renderItem: (_: unknown, api: Api) => {
          const step = list[api.value(0)]!
          const [x = 0, y1 = 0] = api.coord([api.value(0), step.from])
          const [, y2 = 0] = api.coord([api.value(0), step.to])
          const width = Math.min(56, api.size([1, 0])[0]! * 0.66)
          const top = Math.min(y1, y2)
          return {
            type: 'group',
            children: [
              { type: 'rect', shape: { x: x - width / 2, y: top, width, height: Math.max(1, Math.abs(y2 - y1)), r: 2 }, style: { fill: color(step) } },
              { type: 'text', style: { text: text(step), x, y: top - 4, textAlign: 'center', textVerticalAlign: 'bottom', fill: theme.dim, fontSize: 11, fontFamily: theme.font } },
            ],
          }
        },
      }],
    },
    pick: (mark) => (list[mark.dataIndex ?? -1]?.total === false ? [{ column: frame.columns[grid.x]!.name, value: grid.raw[mark.dataIndex!] }] : []),
  }
}

function pareto(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, [trendSlots[0]!, { key: 'y', accept: 'number' }])
  const grid = arranged(gridOf(frame), { ...chart, options: { ...chart.options, sort: 'desc' } })
  const values = (grid.series[0]?.values ?? []).map((v) => v ?? 0)
  const all = values.reduce((a, b) => a + b, 0) || 1
  let sum = 0
  const parts = values.map((v) => (sum += v) / all)
  const w = writers(chart, theme)
  const percent = writers(chart, theme, { format: 'percent' })
  const name = grid.series[0]?.name ?? ''
  const share = say(theme, 'cumulated share', 'part cumulée')
  return {
    option: {
      legend: legend([name, share], chart),
      grid: area([name, share], chart, { right: 4 }),
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: categoryAxis(chart, grid.names),
      yAxis: [valueAxis(chart, w), { type: 'value', min: 0, max: 1, splitLine: { show: false }, axisLabel: { formatter: percent.short }, interval: 0.25 }],
      series: [
        { type: 'bar', name, data: values, barMaxWidth: 56, itemStyle: { color: theme.palette[0], borderRadius: [3, 3, 0, 0] }, tooltip: { valueFormatter: w.long } },
        { type: 'line', name: share, yAxisIndex: 1, data: parts, symbolSize: 6, itemStyle: { color: theme.palette[1] }, lineStyle: { width: 2, color: theme.palette[1] }, tooltip: { valueFormatter: percent.long } },
      ],
    },
    pick: (mark) => gridPick(frame, grid)({ ...mark, seriesIndex: 0 }),
  }
}

const dualSlots: Slot[] = [trendSlots[0]!, { key: 'y', accept: 'number' }, { key: 'y2', accept: 'number' }]

function dual(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, dualSlots)
  const bars = gridOf(frame, 'x', 'y', 'none')
  const lines = gridOf(frame, 'x', 'y2', 'none')
  const w = writers(chart, theme)
  const w2 = writers(chart, theme, { format: word(chart, 'format2') || undefined, unit: word(chart, 'unit2') || undefined })
  const names = [...bars.series, ...lines.series].map((s) => s.name)
  return {
    option: {
      legend: legend(names, chart),
      grid: area(names, chart, { right: 4 }),
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: categoryAxis(chart, bars.names),
      yAxis: [valueAxis(chart, w), { type: 'value', splitLine: { show: false }, axisLabel: { formatter: w2.short }, splitNumber: 4, scale: false }],
      dataZoom: zoom(chart),
      series: [
        ...bars.series.map((s, i) => ({ ...barOf(chart, theme, {}, s, i, true, w), tooltip: { valueFormatter: w.long } })),
        ...lines.series.map((s, i) => {
          const color = colorOf(chart, theme, s.name, bars.series.length + i)
          return { type: 'line', name: s.name, data: s.values, yAxisIndex: 1, symbolSize: 6, showSymbol: s.values.length <= 40, itemStyle: { color }, lineStyle: { width: 2, color }, tooltip: { valueFormatter: w2.long } }
        }),
      ],
    },
    pick: (mark) => gridPick(frame, bars)({ ...mark, seriesIndex: 0 }),
  }
}

const bulletSlots: Slot[] = [{ key: 'label', accept: 'category' }, { key: 'value', accept: 'number' }, { key: 'target', accept: 'number' }]

// A bar against a target, on bands at 60, 80 and 120 % of the target's scale.
function bullet(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, bulletSlots)
  const w = writers(chart, theme)
  const names = frame.rows.map((row) => frame.label(row, frame.at('label')))
  const values = frame.rows.map((row) => frame.number(row, frame.at('value')))
  const targets = frame.rows.map((row) => frame.number(row, frame.at('target')))
  const bands = [[1.2, 0.1], [0.8, 0.13], [0.6, 0.16]] as const
  return {
    option: {
      grid: area([], chart),
      legend: { show: false },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, formatter: (list: { dataIndex: number }[]) => {
        const i = list[0]?.dataIndex ?? 0
        const share = targets[i] ? ` (${writers(chart, theme, { format: 'percent' }).long((values[i] ?? 0) / targets[i]!)})` : ''
        return `${names[i]}\n${frame.name(frame.at('value'))}: ${w.long(values[i])}\n${frame.name(frame.at('target'))}: ${w.long(targets[i])}${share}`
      } },
      xAxis: valueAxis(chart, w, { splitLine: { show: false } }),
      yAxis: [
        { type: 'category', data: names, inverse: true, axisLine: { show: false }, axisLabel: { width: 120, overflow: 'truncate' } },
        ...[1, 2, 3, 4].map(() => ({ type: 'category', data: names, inverse: true, show: false })),
      ],
      series: [
        ...bands.map(([part, opacity], i) => ({ type: 'bar', silent: true, yAxisIndex: i, barWidth: '58%', z: 1, data: targets.map((t) => (t === null ? null : t * part)), itemStyle: { color: theme.dim, opacity } })),
        { type: 'bar', yAxisIndex: 3, barWidth: '22%', z: 3, data: values.map((v, i) => ({ value: v, itemStyle: { color: (v ?? 0) >= (targets[i] ?? 0) ? theme.good : theme.warn } })), itemStyle: { borderRadius: [0, 2, 2, 0] } },
        { type: 'scatter', symbol: 'rect', symbolSize: [3, 22], z: 4, silent: true, data: targets.map((t, i) => [t, i]), itemStyle: { color: theme.ink } },
      ],
    },
    pick: (mark) => (frame.rows[mark.dataIndex ?? -1] ? [{ column: frame.columns[frame.at('label')]!.name, value: frame.rows[mark.dataIndex!]![frame.at('label')] }] : []),
  }
}

const dumbbellSlots: Slot[] = [{ key: 'label', accept: 'any' }, { key: 'start', accept: 'number' }, { key: 'end', accept: 'number' }]

function dumbbell(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, dumbbellSlots)
  const [label, start, end] = [frame.at('label'), frame.at('start'), frame.at('end')]
  const w = writers(chart, theme)
  const names = frame.rows.map((row) => frame.label(row, label))
  const dots = [start, end].map((column, i) => ({
    type: 'scatter', name: frame.name(column), symbolSize: 12, z: 3, cursor: 'pointer',
    data: frame.rows.map((row, at) => [frame.number(row, column), at]), itemStyle: { color: theme.palette[i === 0 ? 1 : 0] },
  }))
  return {
    option: {
      legend: legend(dots.map((d) => d.name), chart),
      grid: area(dots.map((d) => d.name), chart),
      tooltip: { trigger: 'item', formatter: (m: { dataIndex: number }) => {
        const row = frame.rows[m.dataIndex]!
        return `${names[m.dataIndex]}\n${dots[0]!.name}: ${w.long(row[start])}\n${dots[1]!.name}: ${w.long(row[end])}`
      } },
      xAxis: valueAxis(chart, w, { scale: true }),
      yAxis: { type: 'category', data: names, inverse: true, axisLine: { show: false }, splitLine: { show: true, lineStyle: { color: theme.line } }, axisLabel: { width: 120, overflow: 'truncate' } },
      series: [
        {
          type: 'custom', silent: true, encode: { x: [1, 2], y: 0 }, z: 2, tooltip: { show: false },
          data: frame.rows.map((row, i) => [i, frame.number(row, start), frame.number(row, end)]),
          renderItem: (_: unknown, api: Api) => {
            const a = api.coord([api.value(1), api.value(0)])
            const b = api.coord([api.value(2), api.value(0)])
            return { type: 'line', shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: theme.line, lineWidth: 4 } }
          },
        },
        ...dots,
      ],
    },
    pick: (mark) => (frame.rows[mark.dataIndex ?? -1] ? [{ column: frame.columns[label]!.name, value: frame.rows[mark.dataIndex!]![label] }] : []),
  }
}

function polar(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, trendSlots)
  const grid = arranged(gridOf(frame), chart)
  const w = writers(chart, theme)
  const names = grid.series.map((s) => s.name)
  return {
    option: {
      legend: legend(names, chart),
      tooltip: { trigger: 'axis', valueFormatter: w.long, axisPointer: { type: 'shadow' } },
      polar: { radius: ['14%', '78%'], center: ['50%', names.length > 1 ? '56%' : '50%'] },
      angleAxis: { type: 'category', data: grid.names, axisLine: { lineStyle: { color: theme.line } }, axisLabel: { color: theme.dim, fontSize: 11 }, axisTick: { show: false } },
      radiusAxis: { axisLine: { show: false }, axisTick: { show: false }, splitNumber: 3, splitLine: { lineStyle: { color: theme.line } }, axisLabel: { formatter: w.short, color: theme.dim, fontSize: 10, showMinLabel: false } },
      series: grid.series.map((s, i) => ({ type: 'bar', coordinateSystem: 'polar', name: s.name, data: s.values, stack: 'all', itemStyle: { color: colorOf(chart, theme, s.name, i) } })),
    },
    pick: gridPick(frame, grid),
  }
}

export const bars: Kind[] = [
  bar('bar', {}),
  bar('grouped_bar', {}),
  bar('stacked_bar', { stack: 'sum' }),
  bar('percent_bar', { stack: 'share' }),
  bar('horizontal_bar', { horizontal: true }),
  bar('lollipop', { thin: true }),
  { name: 'waterfall', family: 'compare', slots: [trendSlots[0]!, { key: 'y', accept: 'number' }], settings: [...axisSettings, { key: 'total', type: 'boolean', default: true }, { key: 'total_name', type: 'text' }], draw: waterfall },
  { name: 'pareto', family: 'compare', slots: [trendSlots[0]!, { key: 'y', accept: 'number' }], settings: [...axisSettings, limitSetting(0)], draw: pareto },
  { name: 'dual_axis', family: 'compare', slots: dualSlots, settings: [...axisSettings, { ...formatSettings[0]!, key: 'format2' }, { key: 'unit2', type: 'text' }], draw: dual },
  { name: 'bullet', family: 'compare', slots: bulletSlots, settings: axisSettings, draw: bullet },
  { name: 'dumbbell', family: 'compare', slots: dumbbellSlots, settings: axisSettings, draw: dumbbell },
  { name: 'polar_bar', family: 'compare', slots: trendSlots, settings: [...axisSettings, sortSetting], draw: polar },
]
