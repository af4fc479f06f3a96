// How values are spread: histograms, boxes, densities, candles.
import { Frame, plain, quantile } from '../frame'
import { gridOf } from '../frame'
import type { ChartConfig, ChartData, ChartTheme, Drawing, Kind, Slot } from '../types'
import { amount, area, axisSettings, axisTip, categoryAxis, colorOf, legend, say, valueAxis, writers, zoom } from './parts'

const spreadSlots: Slot[] = [{ key: 'value', accept: 'number' }, { key: 'series', accept: 'category', optional: true }]

type Group = { name: string; raw: unknown; values: number[] }

function groups(frame: Frame, value: number, by: number): Group[] {
  const found = new Map<string, Group>()
  for (const row of frame.rows) {
    const number = frame.number(row, value)
    if (number === null) continue
    const key = by < 0 ? '' : plain(row[by])
    let group = found.get(key)
    if (!group) found.set(key, (group = { name: by < 0 ? frame.name(value) : frame.label(row, by), raw: by < 0 ? undefined : row[by], values: [] }))
    group.values.push(number)
  }
  for (const group of found.values()) group.values.sort((a, b) => a - b)
  return [...found.values()]
}

// A round width near to what is wanted: 1, 2, 2.5 or 5 times a power of ten.
export function roundStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width))
  const part = width / power
  return power * (part < 1.5 ? 1 : part < 2.25 ? 2 : part < 3.5 ? 2.5 : part < 7.5 ? 5 : 10)
}

function histogram(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, spreadSlots)
  const list = groups(frame, frame.at('value'), frame.at('series'))
  const w = writers(chart, theme)
  const low = Math.min(...list.map((g) => g.values[0]!))
  const high = Math.max(...list.map((g) => g.values[g.values.length - 1]!))
  const total = Math.max(1, ...list.map((g) => g.values.length))
  const wanted = amount(chart, 'bins') ?? Math.min(60, Math.max(8, Math.ceil(1.6 * Math.log2(total))))
  const step = high > low ? roundStep((high - low) / Math.min(200, Math.max(1, wanted))) : 1
  const first = Math.floor(low / step) * step
  const count = list.length ? Math.max(1, Math.floor((high - first) / step + 1e-9) + 1) : 0
  const names = Array.from({ length: count }, (_, i) => `${w.short(first + i * step)} – ${w.short(first + (i + 1) * step)}`)
  const counted = list.map((g) => {
    const bins = Array(count).fill(0) as number[]
    for (const v of g.values) bins[Math.min(count - 1, Math.floor((v - first) / step + 1e-9))]! += 1
    return bins
  })
  const plainWriter = writers(chart, theme, { format: 'integer' })
  return {
    option: {
      legend: legend(list.map((g) => g.name), chart),
      grid: area(list.map((g) => g.name), chart),
      tooltip: { ...axisTip(plainWriter, list.length), axisPointer: { type: 'shadow' } },
      xAxis: categoryAxis(chart, names, { axisLabel: { hideOverlap: true, formatter: (_: string, i: number) => w.short(first + i * step), align: 'center' } }),
      yAxis: valueAxis(chart, plainWriter),
      series: list.map((g, i) => ({
        type: 'bar', name: list.length > 1 ? g.name : say(theme, 'count', 'nombre'), data: counted[i], barCategoryGap: '4%', barGap: '-100%',
        itemStyle: { color: colorOf(chart, theme, g.name, i), opacity: list.length > 1 ? 0.6 : 1, borderRadius: [2, 2, 0, 0] },
      })),
    },
  }
}

const boxSlots: Slot[] = [{ key: 'value', accept: 'number' }, { key: 'x', accept: 'category', optional: true }]
const madeSlots = ['min', 'q1', 'median', 'q3', 'max']

// Boxes of five columns that the statement has worked out.
function madeBoxes(data: ChartData, chart: ChartConfig, theme: ChartTheme): { frame: Frame; names: string[]; raws: unknown[]; boxes: (number | null)[][] } {
  const frame = new Frame(data, chart, theme, [{ key: 'x', accept: 'category' }, ...madeSlots.map((key): Slot => ({ key, accept: 'number' }))])
  return {
    frame,
    names: frame.rows.map((row) => frame.label(row, frame.at('x'))),
    raws: frame.rows.map((row) => row[frame.at('x')]),
    boxes: frame.rows.map((row) => madeSlots.map((key) => frame.number(row, frame.at(key)))),
  }
}

type Boxes = ReturnType<typeof madeBoxes> & { far: [number, number][] }

function boxesOf(data: ChartData, chart: ChartConfig, theme: ChartTheme): Boxes {
  const given = chart.encode?.median !== undefined || (data.columns.some((c) => c.name === 'q1') && data.columns.some((c) => c.name === 'q3'))
  if (given) {
    const named = { ...chart, encode: { ...Object.fromEntries(madeSlots.filter((k) => data.columns.some((c) => c.name === k)).map((k) => [k, k])), ...chart.encode } }
    return { ...madeBoxes(data, named, theme), far: [] }
  }
  const frame = new Frame(data, chart, theme, boxSlots)
  const list = groups(frame, frame.at('value'), frame.at('x'))
  const far: [number, number][] = []
  const boxes = list.map((g, i) => {
    const [q1, q2, q3] = [0.25, 0.5, 0.75].map((q) => quantile(g.values, q)) as [number, number, number]
    const [low, high] = [q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)]
    const inside = g.values.filter((v) => v >= low && v <= high)
    const outside = g.values.filter((v) => v < low || v > high)
    for (const v of outside.slice(0, 200)) far.push([i, v])
    return [inside[0]!, q1, q2, q3, inside[inside.length - 1]!]
  })
  return { frame, names: list.map((g) => g.name), raws: list.map((g) => g.raw), boxes, far }
}

function boxPlot(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const { frame, names, raws, boxes, far } = boxesOf(data, chart, theme)
  const w = writers(chart, theme)
  const parts = [say(theme, 'low', 'bas'), 'Q1', say(theme, 'median', 'médiane'), 'Q3', say(theme, 'high', 'haut')]
  const x = frame.at('x')
  return {
    option: {
      grid: area([], chart),
      legend: { show: false },
      tooltip: { trigger: 'item', formatter: (m: { seriesType: string; dataIndex: number; value: number[] }) =>
        m.seriesType === 'boxplot'
          ? [names[m.dataIndex], ...parts.map((p, i) => `${p}: ${w.long(boxes[m.dataIndex]![i])}`)].join('\n')
          : `${names[m.value[0]!]}\n${w.long(m.value[1])}` },
      xAxis: categoryAxis(chart, names),
      yAxis: valueAxis(chart, w, { scale: true }),
      dataZoom: zoom(chart),
      series: [
        { type: 'boxplot', data: boxes, boxWidth: [8, 46], itemStyle: { color: theme.scale[1], borderColor: theme.palette[0], borderWidth: 1.5 } },
        { type: 'scatter', data: far, symbolSize: 5, itemStyle: { color: theme.palette[3], opacity: 0.7 } },
      ],
    },
    pick: (mark) => (x >= 0 && names[mark.dataIndex ?? -1] !== undefined ? [{ column: frame.columns[x]!.name, value: raws[mark.dataIndex!] }] : []),
  }
}

// Gaussian kernel density at 48 points between the ends, Silverman's bandwidth.
export function density(values: number[], points = 48): [number, number][] {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, n - 1)) || Math.abs(mean) * 0.01 || 1
  const width = 1.06 * deviation * n ** -0.2
  const sample = n > 2000 ? Array.from({ length: 2000 }, (_, i) => values[Math.floor((i * n) / 2000)]!) : values
  const [low, high] = [values[0]! - width, values[n - 1]! + width]
  return Array.from({ length: points }, (_, i) => {
    const at = low + ((high - low) * i) / (points - 1)
    const sum = sample.reduce((s, v) => s + Math.exp(-0.5 * ((at - v) / width) ** 2), 0)
    return [at, sum / (sample.length * width * 2.5066)]
  })
}

function violin(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, spreadSlots)
  const by = frame.at('series')
  const list = groups(frame, frame.at('value'), by)
  const w = writers(chart, theme)
  const curves = list.map((g) => density(g.values))
  const peaks = curves.map((c) => Math.max(...c.map((p) => p[1])) || 1)
  const ends = curves.flatMap((c) => [c[0]![0], c[c.length - 1]![0]])
  type Api = { value: (i: number) => number; coord: (p: number[]) => number[]; size: (p: number[]) => number[] }
  const shape = (_: unknown, api: Api) => {
    const i = api.value(0)
    const g = list[i]!
    const half = Math.min(70, api.size([1, 0])[0]! * 0.42)
    const side = (sign: number) => curves[i]!.map(([v, d]) => {
      const [x = 0, y = 0] = api.coord([i, v])
      return [x + sign * half * (d / peaks[i]!), y]
    })
    const color = colorOf(chart, theme, g.name, i)
    const [x = 0, middle = 0] = api.coord([i, quantile(g.values, 0.5)])
    const [, low = 0] = api.coord([i, quantile(g.values, 0.25)])
    const [, high = 0] = api.coord([i, quantile(g.values, 0.75)])
    return { type: 'group', children: [
      { type: 'polygon', shape: { points: [...side(1), ...side(-1).reverse()], smooth: 0.1 }, style: { fill: color, opacity: 0.45, stroke: color, lineWidth: 1.5 } },
      { type: 'line', shape: { x1: x, y1: low, x2: x, y2: high }, style: { stroke: theme.ink, lineWidth: 5, opacity: 0.65 } },
      { type: 'circle', shape: { cx: x, cy: middle, r: 4 }, style: { fill: theme.panel, stroke: theme.ink } },
    ] }
  }
  return {
    option: {
      grid: area([], chart),
      legend: { show: false },
      tooltip: { trigger: 'item', formatter: (m: { dataIndex: number }) => {
        const g = list[m.dataIndex]!
        const row = (name: string, q: number) => `${name}: ${w.long(quantile(g.values, q))}`
        return [`${g.name} (${g.values.length})`, row(say(theme, 'median', 'médiane'), 0.5), row('Q1', 0.25), row('Q3', 0.75)].join('\n')
      } },
      xAxis: categoryAxis(chart, list.map((g) => g.name)),
      yAxis: valueAxis(chart, w, { scale: true, ...(ends.length ? { min: amount(chart, 'min') ?? Math.min(...ends), max: amount(chart, 'max') ?? Math.max(...ends), axisLabel: { formatter: w.short, showMinLabel: false, showMaxLabel: false } } : {}) }),
      series: [{ type: 'custom', renderItem: shape, data: list.map((g, i) => [i, quantile(g.values, 0.5)]) }],
    },
    pick: (mark) => (by >= 0 && list[mark.dataIndex ?? -1] ? [{ column: frame.columns[by]!.name, value: list[mark.dataIndex!]!.raw }] : []),
  }
}

const candleSlots: Slot[] = [{ key: 'x', accept: 'dimension' }, ...['open', 'close', 'low', 'high'].map((key): Slot => ({ key, accept: 'number' }))]

function candles(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  // Columns of these names are what they say, wherever they stand.
  const byName = Object.fromEntries(['open', 'close', 'low', 'high'].filter((k) => data.columns.some((c) => c.name.toLowerCase() === k)).map((k) => [k, k]))
  const frame = new Frame(data, { ...chart, encode: { ...byName, ...chart.encode } }, theme, candleSlots)
  const grid = gridOf(frame, 'x', 'open', 'none')
  const rows = new Map(frame.rows.map((row) => [row[grid.x], row]))
  const w = writers(chart, theme)
  const names = [say(theme, 'open', 'ouverture'), say(theme, 'close', 'clôture'), say(theme, 'low', 'bas'), say(theme, 'high', 'haut')]
  const values = grid.raw.map((x) => ['open', 'close', 'low', 'high'].map((key) => frame.number(rows.get(x)!, frame.at(key))))
  return {
    option: {
      grid: area([], chart),
      legend: { show: false },
      tooltip: { trigger: 'axis', axisPointer: { type: 'cross' }, formatter: (list: { dataIndex: number }[]) => {
        const i = list[0]?.dataIndex ?? 0
        return [grid.names[i], ...names.map((n, k) => `${n}: ${w.long(values[i]?.[k])}`)].join('\n')
      } },
      xAxis: categoryAxis(chart, grid.names),
      yAxis: valueAxis(chart, w, { scale: true }),
      dataZoom: zoom(chart),
      series: [{ type: 'candlestick', data: values.map((v) => v.map((n) => n ?? '-')), itemStyle: { color: theme.good, borderColor: theme.good, color0: theme.bad, borderColor0: theme.bad } }],
    },
  }
}

export const spreads: Kind[] = [
  { name: 'histogram', family: 'spread', slots: spreadSlots, settings: [...axisSettings, { key: 'bins', type: 'number' }], draw: histogram },
  { name: 'box_plot', family: 'spread', slots: boxSlots, settings: axisSettings, draw: boxPlot },
  { name: 'violin', family: 'spread', slots: spreadSlots, settings: axisSettings, draw: violin },
  { name: 'candlestick', family: 'spread', slots: candleSlots, settings: axisSettings, draw: candles },
]
