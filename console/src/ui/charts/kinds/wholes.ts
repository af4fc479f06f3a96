// Parts of a whole.
import { Frame, largest } from '../frame'
import type { ChartConfig, ChartData, ChartTheme, Drawing, Kind, Mark, Pick, Slot } from '../types'
import { amount, colorOf, flag, formatSettings, inkOn, limitSetting, say, sorted, word, writers } from './parts'

const sliceSlots: Slot[] = [{ key: 'label', accept: 'any' }, { key: 'value', accept: 'number' }]
type Slice = { name: string; value: number; raw: unknown; rest?: boolean }

function slices(frame: Frame, chart: ChartConfig, theme: ChartTheme): Slice[] {
  const [label, value] = [frame.at('label'), frame.at('value')]
  const list = frame.rows
    .map((row): Slice => ({ name: frame.label(row, label), value: frame.number(row, value) ?? 0, raw: row[label] }))
    .filter((s) => s.value > 0)
  const how = word(chart, 'sort', 'none')
  return largest(sorted(list, (s) => s.value, how), amount(chart, 'limit') || 12, (sum, count) => ({
    name: say(theme, `${count} others`, `${count} autres`), value: sum, raw: null, rest: true,
  }))
}

function slicePick(frame: Frame, list: Slice[]): (mark: Mark) => Pick[] {
  return (mark) => {
    const slice = list[mark.dataIndex ?? -1]
    return slice && !slice.rest ? [{ column: frame.columns[frame.at('label')]!.name, value: slice.raw }] : []
  }
}

function percentOf(theme: ChartTheme, chart: ChartConfig): (value: number) => string {
  return writers(chart, theme, { format: 'percent' }).long
}

type Shape = { inner?: string; rose?: boolean }

function pie(data: ChartData, chart: ChartConfig, theme: ChartTheme, shape: Shape): Drawing {
  const frame = new Frame(data, chart, theme, sliceSlots)
  const list = slices(frame, chart, theme)
  const w = writers(chart, theme)
  const percent = percentOf(theme, chart)
  const all = list.reduce((s, one) => s + one.value, 0) || 1
  const total = shape.inner && flag(chart, 'total', true)
  return {
    option: {
      legend: { show: false },
      tooltip: { trigger: 'item', formatter: (m: { dataIndex: number }) => `${list[m.dataIndex]!.name}\n${w.long(list[m.dataIndex]!.value)} (${percent(list[m.dataIndex]!.value / all)})` },
      title: total ? { text: w.short(all), left: 'center', top: 'center', textStyle: { fontSize: 20, fontWeight: 600, color: theme.ink } } : undefined,
      series: [{
        type: 'pie', radius: [shape.inner ?? (shape.rose ? '14%' : 0), shape.rose ? '80%' : '66%'], center: ['50%', '50%'], roseType: shape.rose ? 'area' : undefined,
        data: list.map((s, i) => ({ name: s.name, value: s.value, itemStyle: { color: s.rest ? theme.dim : colorOf(chart, theme, s.name, i) } })),
        itemStyle: { borderColor: theme.panel, borderWidth: 2, borderRadius: 3 },
        label: { color: theme.ink, fontSize: 11, overflow: 'truncate', formatter: (m: { name: string; value: number }) => `${m.name}\n${percent(m.value / all)}`, lineHeight: 14 },
        labelLine: { length: 12, length2: 8, lineStyle: { color: theme.line } },
        labelLayout: { hideOverlap: true },
        emphasis: { scaleSize: 5 },
      }],
    },
    pick: slicePick(frame, list),
  }
}

function funnel(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, sliceSlots)
  const list = slices(frame, { ...chart, options: { sort: 'desc', ...chart.options } }, theme)
  const w = writers(chart, theme)
  const percent = percentOf(theme, chart)
  const first = list[0]?.value || 1
  return {
    option: {
      legend: { show: false },
      tooltip: { trigger: 'item', formatter: (m: { dataIndex: number }) => {
        const [one, before] = [list[m.dataIndex]!, list[m.dataIndex - 1]]
        const step = before ? `\n${say(theme, 'of the step before', 'de l’étape précédente')}: ${percent(one.value / before.value)}` : ''
        return `${one.name}\n${w.long(one.value)} (${percent(one.value / first)})${step}`
      } },
      series: [{
        type: 'funnel', left: 8, right: '42%', top: 8, bottom: 8, minSize: '4%', maxSize: '100%', sort: 'none', gap: 3,
        data: list.map((s, i) => ({ name: s.name, value: s.value, itemStyle: { color: colorOf(chart, theme, s.name, i) } })),
        label: { position: 'right', color: theme.ink, fontSize: 12, lineHeight: 15, formatter: (m: { name: string; value: number }) => `${m.name}\n{value|${w.short(m.value)} · ${percent(m.value / first)}}`, rich: { value: { color: theme.dim, fontSize: 11, lineHeight: 14 } } },
        labelLine: { length: 12, lineStyle: { color: theme.line } },
        itemStyle: { borderWidth: 0 },
      }],
    },
    pick: slicePick(frame, list),
  }
}

export const pathSlots: Slot[] = [{ key: 'path', accept: 'category', many: true }, { key: 'value', accept: 'number' }]

export type Branch = { name: string; value: number; picks: Pick[]; children: Branch[] }

// Rows as a tree: a level for every column of the path.
export function branches(frame: Frame): Branch[] {
  const path = frame.all('path')
  const value = frame.at('value')
  const root: Branch = { name: '', value: 0, picks: [], children: [] }
  const index = new Map<string, Branch>()
  for (const row of frame.rows) {
    const add = value < 0 ? 1 : frame.number(row, value) ?? 0
    let at = root
    let key = ''
    for (const column of path) {
      if (row[column] === null || row[column] === '') break
      key += `\u0000${String(row[column])}`
      let next = index.get(key)
      if (!next) {
        next = { name: frame.label(row, column), value: 0, picks: [...at.picks, { column: frame.columns[column]!.name, value: row[column] }], children: [] }
        index.set(key, next)
        at.children.push(next)
      }
      next.value += add
      at = next
    }
  }
  return root.children
}

const branchPick = (mark: Mark): Pick[] => (mark.data as Branch | undefined)?.picks ?? []

function treemap(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, pathSlots)
  const w = writers(chart, theme)
  const list = branches(frame).filter((b) => b.value > 0).map((b, i) => ({ ...b, itemStyle: { color: colorOf(chart, theme, b.name, i), borderColor: colorOf(chart, theme, b.name, i) } }))
  const deep = frame.all('path').length > 1
  return {
    option: {
      tooltip: { trigger: 'item', formatter: (m: { name: string; value: number; treePathInfo?: { name: string }[] }) => `${(m.treePathInfo ?? []).slice(1).map((p) => p.name).join(' › ') || m.name}\n${w.long(m.value)}` },
      series: [{
        type: 'treemap', data: list, left: 0, right: 0, top: 0, bottom: flag(chart, 'zoom') ? 24 : 0, roam: false, nodeClick: flag(chart, 'zoom') ? 'zoomToNode' : false, breadcrumb: { show: flag(chart, 'zoom'), height: 20, bottom: 0 },
        label: { fontSize: 11, lineHeight: 15, overflow: 'truncate', formatter: (m: { name: string; value: number }) => `${m.name}\n${w.short(m.value)}`, color: theme.dark ? '#10202a' : '#ffffff' },
        upperLabel: { show: deep, height: 20, fontSize: 11, color: theme.dark ? '#10202a' : '#ffffff', textBorderWidth: 0, formatter: (m: { name: string; value: number }) => (m.name ? `${m.name}  ${w.short(m.value)}` : '') },
        itemStyle: { borderColor: theme.panel, borderWidth: 1, gapWidth: 1 },
        levels: [{ itemStyle: { gapWidth: 3, borderWidth: 0 }, upperLabel: { show: false } }, { itemStyle: { gapWidth: 0, borderWidth: deep ? 2 : 1, ...(deep ? {} : { borderColor: theme.panel }) } }, { itemStyle: { gapWidth: 0, borderWidth: 1, borderColor: theme.panel } }],
      }],
    },
    pick: branchPick,
  }
}

function sunburst(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, pathSlots)
  const w = writers(chart, theme)
  const list = branches(frame).filter((b) => b.value > 0).map((b, i) => {
    const color = colorOf(chart, theme, b.name, i)
    return { ...b, itemStyle: { color }, label: { color: inkOn(color) } }
  })
  return {
    option: {
      tooltip: { trigger: 'item', formatter: (m: { name: string; value: number; treePathInfo?: { name: string }[] }) => `${(m.treePathInfo ?? []).slice(1).map((p) => p.name).join(' › ') || m.name}\n${w.long(m.value)}` },
      series: [{
        type: 'sunburst', data: list, radius: ['16%', '94%'], nodeClick: false, sort: 'desc',
        label: { fontSize: 11, rotate: 'radial', minAngle: 9, overflow: 'truncate', width: 74, color: theme.dark ? '#10202a' : '#ffffff' },
        itemStyle: { borderColor: theme.panel, borderWidth: 1.5 }, emphasis: { focus: 'ancestor' },
      }],
    },
    pick: branchPick,
  }
}

const gaugeSlots: Slot[] = [{ key: 'value', accept: 'number' }, { key: 'target', accept: 'number', optional: true }]

function gauge(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, gaugeSlots)
  const row = frame.rows[0] ?? []
  const value = frame.number(row, frame.at('value'))
  const target = frame.number(row, frame.at('target')) ?? amount(chart, 'target')
  const w = writers(chart, theme)
  const max = amount(chart, 'max') ?? target ?? (word(chart, 'format') === 'percent' ? 1 : Math.max(100, (value ?? 0) * 1.25))
  const min = amount(chart, 'min') ?? 0
  const [warn, bad] = [amount(chart, 'warn'), amount(chart, 'bad')]
  const over = (limit?: number) => limit !== undefined && value !== null && (bad !== undefined && warn !== undefined && bad < warn ? value <= limit : value >= limit)
  const color = over(bad) ? theme.bad : over(warn) ? theme.warn : theme.palette[0]
  return {
    option: {
      tooltip: { show: false },
      series: [{
        type: 'gauge', min, max, startAngle: 205, endAngle: -25, center: ['50%', '60%'], radius: '92%', splitNumber: 4,
        progress: { show: true, width: 16, itemStyle: { color }, roundCap: true }, axisLine: { lineStyle: { width: 16, color: [[1, theme.line]] }, roundCap: true },
        pointer: { show: false }, axisTick: { show: false }, splitLine: { show: false },
        axisLabel: { distance: -34, color: theme.dim, fontSize: 11, formatter: (v: number) => (v === min || v === max ? w.short(v) : '') },
        detail: { formatter: () => (w.long(value).length > 7 ? w.short(value) : w.long(value)), color: theme.ink, fontSize: 22, fontWeight: 600, offsetCenter: [0, '2%'] },
        title: { show: target !== undefined && target !== null, color: theme.dim, fontSize: 12, offsetCenter: [0, '34%'] },
        data: [{ value: value ?? min, name: target === undefined || target === null ? '' : `${say(theme, 'target', 'objectif')} ${w.short(target)}` }],
      }],
    },
  }
}

const sliceSettings = [...formatSettings, limitSetting(12), { key: 'sort', type: 'choice' as const, choices: ['none', 'desc', 'asc'], default: 'none' }]

export const wholes: Kind[] = [
  { name: 'pie', family: 'share', slots: sliceSlots, settings: sliceSettings, draw: (d, c, t) => pie(d, c, t, {}) },
  { name: 'donut', family: 'share', slots: sliceSlots, settings: [...sliceSettings, { key: 'total', type: 'boolean', default: true }], draw: (d, c, t) => pie(d, c, t, { inner: '44%' }) },
  { name: 'rose', family: 'share', slots: sliceSlots, settings: sliceSettings, draw: (d, c, t) => pie(d, c, t, { rose: true }) },
  { name: 'funnel', family: 'share', slots: sliceSlots, settings: sliceSettings, draw: funnel },
  { name: 'treemap', family: 'share', slots: pathSlots, settings: [...formatSettings, { key: 'zoom', type: 'boolean', default: false }], draw: treemap },
  { name: 'sunburst', family: 'share', slots: pathSlots, settings: formatSettings, draw: sunburst },
  { name: 'gauge', family: 'single', slots: gaugeSlots, settings: [...formatSettings, { key: 'min', type: 'number' }, { key: 'max', type: 'number' }, { key: 'target', type: 'number' }, { key: 'warn', type: 'number' }, { key: 'bad', type: 'number' }], draw: gauge },
]
