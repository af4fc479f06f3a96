// How columns go together: points, radars, parallel axes, correlations.
import { Frame, plain, typeOf } from '../frame'
import { Unfit, type ChartConfig, type ChartData, type ChartTheme, type Drawing, type Kind, type Pick, type Slot } from '../types'
import { amount, area, axisSettings, colorOf, flag, legend, timeAxis, valueAxis, word, writers, zoom } from './parts'
import { grainOf, timeFormat } from '../format'

const scatterSlots: Slot[] = [
  { key: 'x', accept: 'number' }, { key: 'y', accept: 'number' },
  { key: 'series', accept: 'category', optional: true }, { key: 'label', accept: 'any', optional: true },
]
const bubbleSlots: Slot[] = [scatterSlots[0]!, scatterSlots[1]!, { key: 'size', accept: 'number' }, scatterSlots[2]!, scatterSlots[3]!]

type Group = { name: string; raw: unknown; rows: unknown[][] }

function grouped(frame: Frame): Group[] {
  const by = frame.at('series')
  if (by < 0) return [{ name: frame.name(frame.at('y')), raw: undefined, rows: frame.rows }]
  const found = new Map<string, Group>()
  for (const row of frame.rows) {
    const key = plain(row[by])
    const group = found.get(key)
    if (group) group.rows.push(row)
    else found.set(key, { name: frame.label(row, by), raw: row[by], rows: [row] })
  }
  return [...found.values()]
}

// Bubbles share their colour by series; with as many series as rows the name is their label instead.
function tooManySeries(frame: Frame): boolean {
  const by = frame.at('series')
  return by >= 0 && frame.rows.length > 1 && new Set(frame.rows.map((row) => plain(row[by]))).size > 12
}

function slotsOf(data: ChartData, chart: ChartConfig, theme: ChartTheme, slots: Slot[]): Frame {
  const x = chart.encode?.x
  const time = data.columns.find((c) => c.name === x)
  const wanted = time && typeOf(time) === 'time' ? slots.map((s) => (s.key === 'x' ? { ...s, accept: 'time' as const } : s)) : slots
  const frame = new Frame(data, chart, theme, wanted)
  if (chart.encode?.series || !tooManySeries(frame)) return frame
  const by = frame.columns[frame.at('series')]!.name
  return new Frame(data, { ...chart, encode: { label: by, ...chart.encode } }, theme, wanted.filter((s) => s.key !== 'series'))
}

function scatter(data: ChartData, chart: ChartConfig, theme: ChartTheme, bubbles: boolean): Drawing {
  const frame = slotsOf(data, chart, theme, bubbles ? bubbleSlots : scatterSlots)
  const [x, y, size, label] = [frame.at('x'), frame.at('y'), frame.at('size'), frame.at('label')]
  const list = grouped(frame)
  const w = writers(chart, theme)
  const plainW = writers(chart, theme, {})
  const most = Math.max(1e-300, ...frame.rows.map((row) => Math.abs(frame.number(row, size) ?? 0)))
  const timed = frame.types[x] === 'time'
  const at = (row: unknown[]) => (timed ? frame.time(row, x) : frame.number(row, x))
  const write = timeFormat(theme.language, timed ? grainOf(frame.rows.map((r) => frame.time(r, x) ?? 0)) : 'day')
  const names = list.map((g) => g.name)
  const tip = (m: { seriesIndex: number; dataIndex: number }) => {
    const row = list[m.seriesIndex]!.rows[m.dataIndex]!
    const lines = [label >= 0 ? frame.label(row, label) : list.length > 1 ? list[m.seriesIndex]!.name : '']
    lines.push(`${frame.name(x)}: ${timed ? frame.label(row, x) : plainW.long(row[x])}`, `${frame.name(y)}: ${w.long(row[y])}`)
    if (size >= 0) lines.push(`${frame.name(size)}: ${plainW.long(row[size])}`)
    return lines.filter(Boolean).join('\n')
  }
  const named = label >= 0 && flag(chart, 'labels', frame.rows.length <= 25 && bubbles)
  const xTitle = word(chart, 'x_title', frame.name(x))
  const xAxis = timed
    ? timeAxis(chart, theme, write)
    : { type: flag(chart, 'log_x') ? 'log' : 'value', scale: true, axisLabel: { formatter: plainW.short, hideOverlap: true }, axisLine: { onZero: false }, splitLine: { lineStyle: { color: theme.line } }, name: xTitle, nameLocation: 'middle', nameGap: 24, splitNumber: 5 }
  const chartTitled = { ...chart, options: { y_title: frame.name(y), x_title: xTitle, ...chart.options } }
  return {
    option: {
      legend: legend(names, chart),
      grid: area(names, chartTitled),
      tooltip: { trigger: 'item', formatter: tip },
      xAxis,
      yAxis: valueAxis(chartTitled, w, { scale: true, axisLine: { show: false, onZero: false } }),
      dataZoom: zoom(chart),
      series: list.map((g, i) => ({
        type: 'scatter', name: g.name,
        data: g.rows.map((row) => [at(row), frame.number(row, y), frame.number(row, size)]),
        symbolSize: bubbles ? (v: number[]) => 6 + 38 * Math.sqrt(Math.abs(v[2] ?? 0) / most) : g.rows.length > 500 ? 4 : 8,
        large: !bubbles && g.rows.length > 5000,
        itemStyle: { color: colorOf(chart, theme, g.name, i), opacity: bubbles ? 0.65 : 0.75 },
        label: named ? { show: true, position: 'top', distance: 3, color: theme.ink, fontSize: 11, formatter: (m: { dataIndex: number }) => frame.label(g.rows[m.dataIndex]!, label) } : undefined,
        labelLayout: { hideOverlap: true },
        emphasis: { focus: 'series' },
      })),
    },
    pick: (mark) => {
      const group = list[mark.seriesIndex ?? -1]
      const row = group?.rows[mark.dataIndex ?? -1]
      if (!row) return []
      const by = label >= 0 ? label : frame.at('series')
      return by < 0 ? [] : [{ column: frame.columns[by]!.name, value: row[by] }]
    },
  }
}

const manySlots: Slot[] = [{ key: 'label', accept: 'category' }, { key: 'y', accept: 'number', many: true }]

function radar(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, manySlots)
  const ys = frame.all('y')
  const w = writers(chart, theme)
  const rows = frame.rows.slice(0, amount(chart, 'limit') || 8)
  const names = rows.map((row) => frame.label(row, frame.at('label')))
  const common = flag(chart, 'common_scale')
  const top = (y: number) => Math.max(...frame.rows.map((row) => frame.number(row, y) ?? 0))
  const all = Math.max(...ys.map(top))
  return {
    option: {
      legend: legend(names, chart),
      tooltip: { trigger: 'item', formatter: (m: { name: string; value: number[] }) => [m.name, ...ys.map((y, i) => `${frame.name(y)}: ${w.long(m.value[i])}`)].join('\n') },
      radar: { indicator: ys.map((y) => ({ name: frame.name(y), max: (common ? all : top(y)) * 1.05 || 1 })), center: ['50%', names.length > 1 ? '57%' : '52%'], radius: names.length > 1 ? '62%' : '70%', splitNumber: 4, axisName: { fontSize: 11, overflow: 'truncate', width: 110 } },
      series: [{ type: 'radar', symbolSize: 5, data: rows.map((row, i) => {
        const color = colorOf(chart, theme, names[i]!, i)
        return { name: names[i], value: ys.map((y) => frame.number(row, y)), itemStyle: { color }, lineStyle: { color, width: 2 }, areaStyle: { color, opacity: 0.1 } }
      }) }],
    },
    pick: (mark) => (rows[mark.dataIndex ?? -1] ? [{ column: frame.columns[frame.at('label')]!.name, value: rows[mark.dataIndex!]![frame.at('label')] }] : []),
  }
}

const parallelSlots: Slot[] = [{ key: 'y', accept: 'number', many: true }, { key: 'label', accept: 'category', optional: true }]

function parallel(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, parallelSlots)
  const by = frame.at('label')
  const columns = frame.all('y')
  const keys = [...new Set(frame.rows.map((row) => plain(row[by])))]
  const w = writers(chart, theme, {})
  const colored = by >= 0 && keys.length <= 10
  const names = colored ? keys : []
  return {
    option: {
      legend: legend(names, chart),
      tooltip: { trigger: 'item', formatter: (m: { seriesName: string; value: unknown[] }) => [by >= 0 ? m.seriesName : '', ...columns.map((c, i) => `${frame.name(c)}: ${w.long(m.value[i])}`)].filter(Boolean).join('\n') },
      parallel: { left: 40, right: 46, top: names.length > 1 ? 64 : 36, bottom: 16 },
      parallelAxis: columns.map((c, dim) => ({
        dim, name: frame.name(c), type: 'value', scale: true, nameTextStyle: { color: theme.dim, fontSize: 11 }, nameTruncate: { maxWidth: 90 }, splitNumber: 4,
        axisLabel: { formatter: w.short, color: theme.dim, fontSize: 10, backgroundColor: theme.panel, padding: 1 }, axisLine: { lineStyle: { color: theme.dim } }, axisTick: { show: false }, splitLine: { show: false },
      })),
      series: (colored ? keys : ['']).map((key, i) => ({
        type: 'parallel', name: key, smooth: 0, progressive: 0,
        lineStyle: { color: colorOf(chart, theme, key, i), width: 1.5, opacity: frame.rows.length > 200 ? 0.25 : 0.65 },
        data: frame.rows.filter((row) => !colored || plain(row[by]) === key).map((row) => columns.map((c) => frame.number(row, c) ?? '-')),
      })),
    },
  }
}

// Pearson's r of two columns over the rows where both have a value.
export function correlation(a: (number | null)[], b: (number | null)[]): number | null {
  const pairs = a.map((v, i) => [v, b[i]]).filter((p): p is [number, number] => p[0] !== null && p[1] !== null && p[1] !== undefined)
  const n = pairs.length
  if (n < 2) return null
  const [ma, mb] = [0, 1].map((k) => pairs.reduce((s, p) => s + p[k as 0 | 1], 0) / n) as [number, number]
  let [ab, aa, bb] = [0, 0, 0]
  for (const [x, y] of pairs) {
    ab += (x - ma) * (y - mb)
    aa += (x - ma) ** 2
    bb += (y - mb) ** 2
  }
  return aa && bb ? ab / Math.sqrt(aa * bb) : null
}

function correlations(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, [{ key: 'y', accept: 'number', many: true }])
  const columns = frame.all('y')
  if (columns.length < 2) throw new Unfit('charts.no_slot', 'y')
  const names = columns.map((c) => frame.name(c))
  const values = columns.map((c) => frame.rows.map((row) => frame.number(row, c)))
  const w = writers(chart, theme, { decimals: 2 })
  const cells = columns.flatMap((_, i) => columns.map((__, j) => [i, j, correlation(values[i]!, values[j]!)]))
  return {
    option: {
      legend: { show: false },
      grid: area([], chart, { right: 4 }),
      tooltip: { trigger: 'item', formatter: (m: { value: [number, number, number] }) => `${names[m.value[0]]} × ${names[m.value[1]]}\nr = ${w.long(m.value[2])}` },
      xAxis: { type: 'category', data: names, axisLine: { show: false }, axisLabel: { width: 80, overflow: 'truncate', interval: 0 } },
      yAxis: { type: 'category', data: names, inverse: true, axisLine: { show: false }, axisLabel: { width: 100, overflow: 'truncate' } },
      visualMap: { show: false, min: -1, max: 1, dimension: 2, inRange: { color: theme.diverging } },
      series: [{ type: 'heatmap', data: cells.filter((c) => c[2] !== null).map((c) => ({ value: c, label: { color: Math.abs(c[2]!) > 0.6 ? '#ffffff' : theme.ink } })), label: { show: columns.length <= 10, fontSize: 11, formatter: (m: { value: number[] }) => w.long(m.value[2]) }, itemStyle: { borderColor: theme.panel, borderWidth: 2 } }],
    },
  }
}

// Names sized by their value, placed on a spiral from the middle where they cover no other.
type Place = { x: number; y: number; size: number }
export function cloud(words: { name: string; value: number }[], width: number, height: number): (Place | null)[] {
  const most = Math.max(...words.map((w) => w.value), 1e-300)
  const taken: [number, number, number, number][] = []
  const largest = Math.min(46, height / 4, width / 8)
  return words.map(({ name, value }) => {
    const size = Math.max(10, largest * Math.sqrt(Math.max(0, value) / most))
    const w = size * 0.6 * [...name].length + 6
    const h = size * 1.15
    for (let t = 0; t < 900; ++t) {
      const [x, y] = [width / 2 + t * 0.4 * (width / height) * Math.cos(t * 0.35), height / 2 + t * 0.4 * Math.sin(t * 0.35)]
      const box: [number, number, number, number] = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
      if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) continue
      if (taken.some((b) => box[0] < b[2] && box[2] > b[0] && box[1] < b[3] && box[3] > b[1])) continue
      taken.push(box)
      return { x, y, size }
    }
    return null
  })
}

const wordSlots: Slot[] = [{ key: 'label', accept: 'category' }, { key: 'value', accept: 'number' }]

function words(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, wordSlots)
  const w = writers(chart, theme)
  const list = frame.rows
    .map((row) => ({ name: frame.label(row, frame.at('label')).slice(0, 60), raw: row[frame.at('label')], value: frame.number(row, frame.at('value')) ?? 0 }))
    .filter((one) => one.value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, amount(chart, 'limit') || 120)
  let placed: { width: number; height: number; places: (Place | null)[] } | null = null
  type Api = { value: (i: number) => number; getWidth: () => number; getHeight: () => number }
  const drawWord = (_: unknown, api: Api) => {
    const [width, height] = [api.getWidth(), api.getHeight()]
    if (placed?.width !== width || placed.height !== height) placed = { width, height, places: cloud(list, width, height) }
    const i = api.value(0)
    const place = placed.places[i]
    if (!place) return null
    return { type: 'text', style: { text: list[i]!.name, x: place.x, y: place.y, fill: theme.palette[i % 8], fontSize: place.size, fontFamily: theme.font, fontWeight: place.size > 24 ? 600 : 400, textAlign: 'center', textVerticalAlign: 'middle' } }
  }
  return {
    option: {
      tooltip: { trigger: 'item', formatter: (m: { dataIndex: number }) => `${list[m.dataIndex]!.name}\n${w.long(list[m.dataIndex]!.value)}` },
      series: [{ type: 'custom', coordinateSystem: 'none', renderItem: drawWord, data: list.map((_, i) => [i]) }],
    },
    pick: (mark): Pick[] => (list[mark.dataIndex ?? -1] ? [{ column: frame.columns[frame.at('label')]!.name, value: list[mark.dataIndex!]!.raw }] : []),
  }
}

export const relations: Kind[] = [
  { name: 'scatter', family: 'relation', slots: scatterSlots, settings: axisSettings, draw: (d, c, t) => scatter(d, c, t, false) },
  { name: 'bubble', family: 'relation', slots: bubbleSlots, settings: axisSettings, draw: (d, c, t) => scatter(d, c, t, true) },
  { name: 'radar', family: 'relation', slots: manySlots, settings: [...axisSettings.slice(0, 4), { key: 'common_scale', type: 'boolean', default: false }], draw: radar },
  { name: 'parallel', family: 'relation', slots: parallelSlots, settings: axisSettings.slice(0, 4), draw: parallel },
  { name: 'correlation', family: 'relation', slots: [{ key: 'y', accept: 'number', many: true }], settings: [], draw: correlations },
  { name: 'word_cloud', family: 'relation', slots: wordSlots, settings: [...axisSettings.slice(0, 3), { key: 'limit', type: 'number', default: 120 }], draw: words },
]
