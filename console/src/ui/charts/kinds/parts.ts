// Pieces of options that many kinds share: axes, legend, tooltip, what a click stands for.
import { isFrench, numberFormat, specOf, type Format, type FormatSpec } from '../format'
import type { Frame, Grid } from '../frame'
import type { ChartConfig, ChartTheme, Mark, Pick, Setting } from '../types'

export const formatSettings: Setting[] = [
  { key: 'format', type: 'choice', choices: ['number', 'integer', 'compact', 'percent', 'currency', 'bytes', 'duration'], default: 'number' },
  { key: 'unit', type: 'text' },
  { key: 'decimals', type: 'number' },
]

export const axisSettings: Setting[] = [
  ...formatSettings,
  { key: 'legend', type: 'boolean', default: true },
  { key: 'labels', type: 'boolean', default: false },
  { key: 'zoom', type: 'boolean', default: false },
  { key: 'log', type: 'boolean', default: false },
  { key: 'x_title', type: 'text' },
  { key: 'y_title', type: 'text' },
  { key: 'min', type: 'number' },
  { key: 'max', type: 'number' },
]

export const sortSetting: Setting = { key: 'sort', type: 'choice', choices: ['none', 'desc', 'asc'], default: 'none' }
export const limitSetting = (n: number): Setting => ({ key: 'limit', type: 'number', default: n })

export function flag(chart: ChartConfig, key: string, otherwise = false): boolean {
  const value = chart.options?.[key]
  return typeof value === 'boolean' ? value : value === undefined || value === null ? otherwise : value === 'true'
}

export function word(chart: ChartConfig, key: string, otherwise = ''): string {
  const value = chart.options?.[key]
  return value === undefined || value === null || typeof value === 'object' ? otherwise : String(value)
}

export function amount(chart: ChartConfig, key: string): number | undefined {
  const value = chart.options?.[key]
  const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() ? Number(value) : NaN
  return Number.isFinite(number) ? number : undefined
}

export function say(theme: ChartTheme, en: string, fr: string): string {
  return isFrench(theme.language) ? fr : en
}

export type Writers = { long: Format; short: Format }

export function writers(chart: ChartConfig, theme: ChartTheme, spec?: FormatSpec): Writers {
  const chosen = spec ?? specOf(chart.options)
  return { long: numberFormat(chosen, theme.language), short: numberFormat(chosen, theme.language, true) }
}

export function legend(names: string[], chart: ChartConfig): object | undefined {
  if (names.length < 2 || !flag(chart, 'legend', true)) return { show: false }
  return { type: 'scroll', top: 0, left: 0, right: 0, itemWidth: 12, itemHeight: 8, itemGap: 12, icon: 'roundRect', data: names }
}

// The drawing area: labels stay inside of it. `top` leaves room for the legend.
export function area(names: string[], chart: ChartConfig, more: object = {}): object {
  const listed = names.length >= 2 && flag(chart, 'legend', true)
  const zoomed = flag(chart, 'zoom')
  const named = word(chart, 'y_title') !== ''
  return {
    left: 4, right: 16, top: (listed ? 32 : 10) + (named ? 18 : 0),
    bottom: (zoomed ? 34 : 2) + (word(chart, 'x_title') ? 18 : 0),
    outerBoundsMode: 'same', outerBoundsContain: 'axisLabel', ...more,
  }
}

export function zoom(chart: ChartConfig, horizontal = false): object[] | undefined {
  if (!flag(chart, 'zoom')) return undefined
  const axis = horizontal ? { yAxisIndex: 0 } : { xAxisIndex: 0 }
  return [
    { type: 'slider', ...axis, ...(horizontal ? { right: 0, width: 14 } : { bottom: 4, height: 18 }), brushSelect: false, showDetail: false },
    { type: 'inside', ...axis, zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false, moveOnMouseMove: true },
  ]
}

export function valueAxis(chart: ChartConfig, w: Writers, more: object = {}): object {
  return {
    type: flag(chart, 'log') ? 'log' : 'value',
    axisLabel: { formatter: w.short, hideOverlap: true },
    name: word(chart, 'y_title') || undefined,
    nameLocation: 'end',
    nameTextStyle: { align: 'left' },
    nameGap: 10,
    min: amount(chart, 'min'),
    max: amount(chart, 'max'),
    splitNumber: 4,
    ...more,
  }
}

const timeLabels = {
  en: { year: '{yyyy}', month: '{MMM}', day: '{MMM} {d}', hour: '{HH}:{mm}', minute: '{HH}:{mm}', second: '{HH}:{mm}:{ss}', millisecond: '{ss}.{SSS}' },
  fr: { year: '{yyyy}', month: '{MMM}', day: '{d} {MMM}', hour: '{HH}:{mm}', minute: '{HH}:{mm}', second: '{HH}:{mm}:{ss}', millisecond: '{ss},{SSS}' },
}

export function titled(chart: ChartConfig): object {
  return { name: word(chart, 'x_title') || undefined, nameLocation: 'middle', nameGap: 26 }
}

export function timeAxis(chart: ChartConfig, theme: ChartTheme, write: (ms: number) => string, more: object = {}): object {
  return {
    type: 'time',
    axisLabel: { formatter: isFrench(theme.language) ? timeLabels.fr : timeLabels.en, hideOverlap: true },
    axisPointer: { label: { formatter: ({ value }: { value: number }) => write(value) } },
    ...titled(chart),
    ...more,
  }
}

// Long names are cut; the whole name is in the tooltip.
export function categoryAxis(chart: ChartConfig, names: string[], more: object = {}): object {
  const few = names.length <= 12
  const width = Math.max(34, Math.round(420 / Math.max(1, names.length)))
  return {
    type: 'category',
    data: names,
    axisLabel: { hideOverlap: true, width: few ? Math.min(110, width) : 72, overflow: 'truncate', ...(few ? { interval: 0 } : {}) },
    ...titled(chart),
    ...more,
  }
}

export function axisTip(w: Writers, count: number): object {
  return {
    trigger: 'axis',
    valueFormatter: (value: unknown) => w.long(value),
    order: count > 3 ? 'valueDesc' : 'seriesAsc',
    axisPointer: { type: count ? 'line' : 'shadow' },
  }
}

export function itemTip(text: (mark: Mark & { percent?: number; color?: string }) => string): object {
  return { trigger: 'item', formatter: (mark: Mark & { percent?: number }) => text(mark) }
}

// The mark at `dataIndex` of a grid's series.
export function gridPick(frame: Frame, grid: Grid, indices?: number[][]): (mark: Mark) => Pick[] {
  const by = frame.at('series')
  return (mark) => {
    const s = mark.seriesIndex ?? 0
    const i = indices?.[s]?.[mark.dataIndex ?? -1] ?? mark.dataIndex ?? -1
    if (i < 0 || i >= grid.raw.length) return []
    const picks: Pick[] = [{ column: frame.columns[grid.x]!.name, value: grid.raw[i] }]
    if (by >= 0 && grid.series[s]) picks.push({ column: frame.columns[by]!.name, value: grid.series[s]!.value })
    return picks
  }
}

// A colour chosen for a name, or the palette's. `colors: {France: '#…'}`; only plain colour values.
export function colorOf(chart: ChartConfig, theme: ChartTheme, name: string, i: number): string {
  const given = (chart.options?.colors as Record<string, unknown> | undefined)?.[name]
  const one = i === 0 ? chart.options?.color : undefined
  for (const color of [given, one]) {
    if (typeof color === 'string' && /^(#[0-9a-fA-F]{3,8}|[a-z]{3,20})$/.test(color)) return color
  }
  return theme.palette[i % theme.palette.length]!
}

// Black or white, whichever is read better on this colour.
export function inkOn(color: string): string {
  const hex = color.replace('#', '')
  if (!/^[0-9a-f]{6}/i.test(hex)) return '#ffffff'
  const [r, g, b] = [0, 2, 4].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.36 ? '#10202a' : '#ffffff'
}

export function sorted<T>(items: T[], value: (item: T) => number, how: string): T[] {
  if (how !== 'asc' && how !== 'desc') return items
  const sign = how === 'asc' ? 1 : -1
  return [...items].sort((a, b) => sign * (value(a) - value(b)))
}
