// What goes from where to where, and trees.
import { Frame, plain } from '../frame'
import type { ChartConfig, ChartData, ChartTheme, Drawing, Kind, Mark, Pick, Slot } from '../types'
import { amount, colorOf, flag, formatSettings, word, writers } from './parts'
import { branches, pathSlots, type Branch } from './wholes'

const flowSlots: Slot[] = [{ key: 'from', accept: 'any' }, { key: 'to', accept: 'any' }, { key: 'value', accept: 'number', optional: true }]

type Link = { source: string; target: string; value: number }

function links(frame: Frame): Link[] {
  const found = new Map<string, Link>()
  for (const row of frame.rows) {
    const [source, target] = [frame.label(row, frame.at('from')), frame.label(row, frame.at('to'))]
    const value = frame.at('value') < 0 ? 1 : frame.number(row, frame.at('value')) ?? 0
    const key = `${source}\u0000${target}`
    const link = found.get(key)
    if (link) link.value += value
    else found.set(key, { source, target, value })
  }
  return [...found.values()].filter((l) => l.value > 0)
}

// A sankey has no way back: the target of a link that would close a circle is drawn once more on the
// right, its name with an arrow.
export function withoutCircles(list: Link[]): Link[] {
  const next = new Map<string, Set<string>>()
  const reaches = (from: string, to: string): boolean => {
    const seen = new Set<string>()
    const waiting = [from]
    while (waiting.length) {
      const at = waiting.pop()!
      if (at === to) return true
      if (seen.has(at)) continue
      seen.add(at)
      next.get(at)?.forEach((n) => waiting.push(n))
    }
    return false
  }
  return list.map((link) => {
    const target = reaches(link.target, link.source) ? `${link.target} ↩` : link.target
    if (!next.has(link.source)) next.set(link.source, new Set())
    next.get(link.source)!.add(target)
    return { ...link, target }
  })
}

function nodesOf(list: Link[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const l of list) {
    sums.set(l.source, (sums.get(l.source) ?? 0) + l.value)
    sums.set(l.target, (sums.get(l.target) ?? 0) + l.value)
  }
  return sums
}

function flowPick(frame: Frame): (mark: Mark) => Pick[] {
  const raw = (slot: string, name: string): Pick[] => {
    const column = frame.at(slot)
    const row = frame.rows.find((r) => frame.label(r, column) === name)
    return row ? [{ column: frame.columns[column]!.name, value: row[column] }] : []
  }
  return (mark) => {
    const link = mark.data as Partial<Link> | undefined
    if (mark.dataType === 'edge' && link?.source !== undefined) return [...raw('from', link.source), ...raw('to', link.target ?? '')]
    const from = raw('from', mark.name ?? '')
    return from.length ? from : raw('to', mark.name ?? '')
  }
}

type Tip = { dataType: string; name: string; value: unknown; data: Partial<Link> }

function flowTip(sums: Map<string, number>, write: (v: unknown) => string): (m: Tip) => string {
  return (m) => (m.dataType === 'edge' ? `${m.data.source} → ${m.data.target}\n${write(m.data.value)}` : `${m.name}\n${write(sums.get(m.name) ?? m.value)}`)
}

function sankey(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, flowSlots)
  const list = withoutCircles(links(frame))
  const names = [...nodesOf(list).keys()]
  const w = writers(chart, theme)
  return {
    option: {
      tooltip: { trigger: 'item', formatter: (m: Tip) => (m.dataType === 'edge' ? `${m.data.source} → ${m.data.target}\n${w.long(m.data.value)}` : `${m.name}\n${w.long(m.value)}`) },
      series: [{
        type: 'sankey', left: 4, right: 112, top: 8, bottom: 8, nodeGap: 10, nodeWidth: 14, nodeAlign: 'justify', draggable: false,
        data: names.map((name, i) => ({ name, itemStyle: { color: colorOf(chart, theme, name, i) } })), links: list,
        lineStyle: { color: 'gradient', opacity: 0.35, curveness: 0.5 }, itemStyle: { borderWidth: 0 },
        label: { color: theme.ink, fontSize: 11, width: 104, overflow: 'truncate' }, emphasis: { focus: 'adjacency' },
      }],
    },
    pick: flowPick(frame),
  }
}

function chord(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, flowSlots)
  const list = links(frame)
  const sums = nodesOf(list)
  const w = writers(chart, theme)
  return {
    option: {
      tooltip: { trigger: 'item', formatter: flowTip(sums, w.long) },
      series: [{
        type: 'chord', radius: ['66%', '74%'], padAngle: 2, minAngle: 1,
        data: [...sums.keys()].map((name, i) => ({ name, itemStyle: { color: colorOf(chart, theme, name, i) } })), links: list,
        label: { show: true, color: theme.ink, fontSize: 11 }, lineStyle: { color: 'source', opacity: 0.35 }, emphasis: { focus: 'adjacency' },
      }],
    },
    pick: flowPick(frame),
  }
}

function network(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, flowSlots)
  const list = links(frame)
  const sums = nodesOf(list)
  const most = Math.max(...sums.values(), 1e-300)
  const thick = Math.max(...list.map((l) => l.value), 1e-300)
  const w = writers(chart, theme)
  const names = [...sums.keys()]
  const round = word(chart, 'layout', sums.size <= 12 ? 'circle' : 'force') === 'circle'
  return {
    option: {
      tooltip: { trigger: 'item', formatter: flowTip(sums, w.long) },
      series: [{
        type: 'graph', layout: round ? 'circular' : 'force', roam: flag(chart, 'zoom'), left: 70, right: 70, top: round ? 58 : 24, bottom: round ? 58 : 24, circular: { rotateLabel: true },
        force: { repulsion: 140, edgeLength: [30, 110], gravity: 0.12, layoutAnimation: false },
        data: [...sums].map(([name, value], i) => ({ name, value, symbolSize: 10 + 26 * Math.sqrt(value / most), itemStyle: { color: colorOf(chart, theme, name, i) } })),
        links: list.map((l) => ({ ...l, lineStyle: { width: 1 + 4 * (l.value / thick), color: colorOf(chart, theme, l.source, names.indexOf(l.source)) } })),
        edgeSymbol: ['none', 'arrow'], edgeSymbolSize: 6, lineStyle: { opacity: 0.5, curveness: 0.12 },
        label: { show: sums.size <= 60, position: 'right', color: theme.ink, fontSize: 11 }, labelLayout: { hideOverlap: true }, emphasis: { focus: 'adjacency' },
      }],
    },
    pick: flowPick(frame),
  }
}

const treeSlots: Slot[] = [pathSlots[0]!, { ...pathSlots[1]!, optional: true }]

function tree(data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing {
  const frame = new Frame(data, chart, theme, treeSlots)
  const w = writers(chart, theme)
  const list = branches(frame)
  const radial = word(chart, 'layout') === 'radial'
  const label = plain(word(chart, 'root', '') || frame.name(frame.all('path')[0]!))
  const root: Branch = list.length === 1 ? list[0]! : { name: label, value: list.reduce((s, b) => s + b.value, 0), picks: [], children: list }
  return {
    option: {
      tooltip: { trigger: 'item', formatter: (m: { name: string; value: number }) => `${m.name}\n${w.long(m.value)}` },
      series: [{
        type: 'tree', data: [root], layout: radial ? 'radial' : 'orthogonal', orient: 'LR', left: radial ? 40 : 90, right: radial ? 40 : 110, top: radial ? 30 : 8, bottom: radial ? 30 : 8,
        symbol: 'circle', symbolSize: 8, initialTreeDepth: amount(chart, 'depth') ?? 3, expandAndCollapse: true, animationDurationUpdate: 0,
        itemStyle: { color: theme.palette[0], borderColor: theme.palette[0] }, lineStyle: { color: theme.line, width: 1.5 },
        label: radial ? { color: theme.ink, fontSize: 11 } : { position: 'left', align: 'right', color: theme.ink, fontSize: 11 },
        leaves: radial ? {} : { label: { position: 'right', align: 'left', width: 104, overflow: 'truncate' } },
      }],
    },
    pick: (mark) => (mark.data as Branch | undefined)?.picks ?? [],
  }
}

export const flows: Kind[] = [
  { name: 'sankey', family: 'flow', slots: flowSlots, settings: formatSettings, draw: sankey },
  { name: 'chord', family: 'flow', slots: flowSlots, settings: formatSettings, draw: chord },
  { name: 'network', family: 'flow', slots: flowSlots, settings: [...formatSettings, { key: 'layout', type: 'choice', choices: ['circle', 'force'] }], draw: network },
  { name: 'tree', family: 'flow', slots: treeSlots, settings: [...formatSettings, { key: 'layout', type: 'choice', choices: ['left_right', 'radial'], default: 'left_right' }, { key: 'depth', type: 'number', default: 3 }], draw: tree },
]
