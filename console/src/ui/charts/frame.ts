// The rows of a chart, by the places its kind asks for.
import { grainOf, textOf, timeFormat, toNumber, toTime } from './format'
import { Unfit, type ChartConfig, type ChartData, type ChartTheme, type Column, type Slot } from './types'

export type ColumnType = 'number' | 'time' | 'category'

const numberType = /^(tinyint|smallint|integer|int|bigint|hugeint|real|float|double|decimal|numeric)/i
const timeType = /^(date|timestamp)/i

export function typeOf(column: Column): ColumnType {
  if (numberType.test(column.type)) return 'number'
  return timeType.test(column.type) ? 'time' : 'category'
}

// A value as text: NULL has its own sign, structures are JSON.
export function plain(value: unknown): string {
  if (value === null || value === undefined) return '∅'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const fits: Record<Slot['accept'], ColumnType[]> = {
  number: ['number'],
  time: ['time'],
  category: ['category'],
  dimension: ['time', 'category', 'number'], // the first type that has a column left is taken
  any: ['category', 'time', 'number'],
}

export class Frame {
  readonly columns: Column[]
  readonly rows: unknown[][]
  readonly types: ColumnType[]
  private readonly slots = new Map<string, number[]>()
  private readonly labels = new Map<number, (value: unknown) => string>()

  constructor(
    data: ChartData,
    readonly chart: ChartConfig,
    readonly theme: ChartTheme,
    slots: Slot[],
  ) {
    this.columns = data.columns
    this.rows = data.rows
    this.types = data.columns.map(typeOf)
    this.choose(slots)
  }

  private named(slot: Slot): number[] {
    const given = this.chart.encode?.[slot.key]
    if (given === undefined || given === null || given === '') return []
    const names = Array.isArray(given) ? given : [given]
    return names.map((name) => {
      const at = this.columns.findIndex((c) => c.name === name)
      const near = at >= 0 ? at : this.columns.findIndex((c) => c.name.toLowerCase() === String(name).toLowerCase())
      if (near < 0) throw new Unfit('charts.no_column', String(name))
      return near
    })
  }

  private choose(slots: Slot[]): void {
    const used = new Set<number>()
    for (const slot of slots) {
      const found = this.named(slot)
      found.forEach((c) => used.add(c))
      if (found.length) this.slots.set(slot.key, found)
    }
    // What must be there chooses first, then what may be.
    const waiting = slots.filter((slot) => !this.slots.has(slot.key))
    for (const slot of [...waiting.filter((s) => !s.optional), ...waiting.filter((s) => s.optional)]) {
      this.fill(slot, used)
    }
    for (const slot of slots) {
      if (!slot.optional && !this.slots.has(slot.key)) throw new Unfit('charts.no_slot', slot.key)
    }
  }

  private fill(slot: Slot, used: Set<number>): void {
    const free = this.types.map((_, c) => c).filter((c) => !used.has(c))
    const type = fits[slot.accept].find((t) => free.some((c) => this.types[c] === t))
    if (!type) return
    const all = free.filter((c) => this.types[c] === type)
    const taken = slot.many && slot.optional !== true ? all : all.slice(0, 1)
    taken.forEach((c) => used.add(c))
    this.slots.set(slot.key, taken)
  }

  has(slot: string): boolean {
    return this.slots.has(slot)
  }

  // The column of a slot, -1 if it has none.
  at(slot: string): number {
    return this.slots.get(slot)?.[0] ?? -1
  }

  all(slot: string): number[] {
    return this.slots.get(slot) ?? []
  }

  name(column: number): string {
    const name = this.columns[column]?.name ?? ''
    const given = (this.chart.options?.names as Record<string, string> | undefined)?.[name]
    return given ? textOf(given, this.theme.language) : name.replace(/_/g, ' ')
  }

  number(row: unknown[], column: number): number | null {
    return column < 0 ? null : toNumber(row[column])
  }

  time(row: unknown[], column: number): number | null {
    return column < 0 ? null : toTime(row[column])
  }

  // How a column's values are written: times by the grain they have, the rest as they are.
  label(row: unknown[], column: number): string {
    return column < 0 ? '' : this.write(column)(row[column])
  }

  write(column: number): (value: unknown) => string {
    const kept = this.labels.get(column)
    if (kept) return kept
    const made = this.types[column] === 'time' ? this.timeLabel(column) : plain
    this.labels.set(column, made)
    return made
  }

  private timeLabel(column: number): (value: unknown) => string {
    const times = this.rows.map((row) => this.time(row, column)).filter((t): t is number => t !== null)
    const years = new Set(times.map((t) => new Date(t).getUTCFullYear()))
    const format = timeFormat(this.theme.language, grainOf(times), years.size > 1)
    return (value) => {
      const time = toTime(value)
      return time === null ? plain(value) : format(time)
    }
  }
}

// Values at every x, a list per series. `null` is a gap: a NULL, or no row (then `given` is false).
export type Series = { name: string; column: number; value: unknown; values: (number | null)[]; given: boolean[] }
export type Grid = {
  x: number; // column
  raw: unknown[]; // x as the server sent it
  names: string[]; // x as text
  times: number[] | null; // x in ms if it is a time
  series: Series[]
}

function orderOf(frame: Frame, x: number): { raw: unknown[]; at: Map<unknown, number> } {
  const at = new Map<unknown, number>()
  const raw: unknown[] = []
  for (const row of frame.rows) {
    const value = row[x]
    if (!at.has(value)) {
      at.set(value, raw.length)
      raw.push(value)
    }
  }
  const type = frame.types[x]
  if (type === 'category') return { raw, at }
  const key = type === 'time' ? toTime : toNumber
  raw.sort((a, b) => (key(a) ?? Infinity) - (key(b) ?? Infinity))
  raw.forEach((value, i) => at.set(value, i))
  return { raw, at }
}

// Rows with the same x and series are added up.
export function gridOf(frame: Frame, xSlot = 'x', ySlot = 'y', seriesSlot = 'series'): Grid {
  const x = frame.at(xSlot)
  const by = frame.at(seriesSlot)
  const { raw, at } = orderOf(frame, x)
  const series = new Map<string, Series>()
  for (const row of frame.rows) {
    for (const y of frame.all(ySlot)) {
      const key = by < 0 ? String(y) : `${y}\u0000${plain(row[by])}`
      let one = series.get(key)
      if (!one) {
        const several = frame.all(ySlot).length > 1
        const name = by < 0 ? frame.name(y) : several ? `${frame.label(row, by)} · ${frame.name(y)}` : frame.label(row, by)
        one = { name, column: y, value: by < 0 ? undefined : row[by], values: Array(raw.length).fill(null), given: Array(raw.length).fill(false) }
        series.set(key, one)
      }
      const i = at.get(row[x])!
      const value = frame.number(row, y)
      one.values[i] = one.values[i] === null ? value : one.values[i]! + (value ?? 0)
      one.given[i] = true
    }
  }
  const write = frame.write(x)
  const times = frame.types[x] === 'time' ? raw.map((v) => toTime(v) ?? NaN) : null
  return { x, raw, names: raw.map(write), times, series: [...series.values()] }
}

// Keeps the largest `limit` of pairs and joins the rest, so that a pie of a thousand slices is read.
export function largest<T extends { name: string; value: number }>(items: T[], limit: number, rest: (value: number, count: number) => T): T[] {
  if (items.length <= limit) return items
  const sorted = [...items].sort((a, b) => b.value - a.value)
  const tail = sorted.slice(limit - 1)
  return [...sorted.slice(0, limit - 1), rest(tail.reduce((sum, item) => sum + item.value, 0), tail.length)]
}

export function quantile(sorted: number[], q: number): number {
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const high = Math.ceil(at)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low)
}
