// Numbers, times, durations and bytes in the reader's language. A format is made once per chart, for
// Intl's constructors are slow.
import type { Text } from './types'

export type Format = (value: unknown) => string

export type FormatSpec = {
  format?: string; // number integer percent currency bytes duration compact
  unit?: string; // currency code, or ms|s|min|h of durations, or a text after the number
  decimals?: number
}

export const formats = ['number', 'integer', 'compact', 'percent', 'currency', 'bytes', 'duration'] as const

const none = '–'
const byteUnits = { en: ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], fr: ['o', 'ko', 'Mo', 'Go', 'To', 'Po'] }

export function isFrench(language: string): boolean {
  return language.toLowerCase().startsWith('fr')
}

export function textOf(text: Text | undefined, language: string): string {
  if (text === undefined || text === null) return ''
  if (typeof text === 'string') return text
  return (isFrench(language) ? text.fr ?? text.en : text.en ?? text.fr) ?? ''
}

// A number, or null for NULL, NaN and what is no number.
export function toNumber(value: unknown): number | null {
  if (value === null || value === undefined || value === '') return null
  const number = typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : Number(String(value))
  return Number.isFinite(number) ? number : null
}

function bytesFormat(language: string): (n: number) => string {
  const units = isFrench(language) ? byteUnits.fr : byteUnits.en
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  return (n) => {
    let power = 0
    let size = Math.abs(n)
    while (size >= 1000 && power < units.length - 1) {
      size /= 1000;
      ++power
    }
    return `${n < 0 ? '-' : ''}${format.format(size)}\u00a0${units[power]}`
  }
}

const secondsOf: Record<string, number> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400 }

function durationFormat(language: string, unit = 's'): (n: number) => string {
  const factor = secondsOf[unit] ?? 1
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const days = isFrench(language) ? 'j' : 'd'
  return (n) => {
    const seconds = Math.abs(n) * factor
    const sign = n < 0 ? '-' : ''
    if (seconds === 0) return '0\u00a0s'
    if (seconds < 1e-3) return `${sign}${format.format(seconds * 1e6)}\u00a0µs`
    if (seconds < 1) return `${sign}${format.format(seconds * 1e3)}\u00a0ms`
    if (seconds < 60) return `${sign}${format.format(seconds)}\u00a0s`
    if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)}\u00a0min${parts(seconds % 60, 's')}`
    if (seconds < 86400) return `${sign}${Math.floor(seconds / 3600)}\u00a0h${parts((seconds % 3600) / 60, 'min')}`
    return `${sign}${Math.floor(seconds / 86400)}\u00a0${days}${parts((seconds % 86400) / 3600, 'h')}`
  }
}

function parts(rest: number, unit: string): string {
  const whole = Math.floor(rest)
  return whole > 0 ? ` ${whole}\u00a0${unit}` : ''
}

// Intl refuses unknown currency codes with an exception; they are then a plain unit.
function currencyFormat(language: string, unit: string, options: Intl.NumberFormatOptions): Intl.NumberFormat | null {
  try {
    return new Intl.NumberFormat(language, { style: 'currency', currency: unit, ...options })
  } catch {
    return null
  }
}

function plainFormat(spec: FormatSpec, language: string, short: boolean): (n: number) => string {
  const { format = 'number', unit, decimals } = spec
  const compact: Intl.NumberFormatOptions = short || format === 'compact' ? { notation: 'compact', maximumFractionDigits: 1 } : {}
  const fixed: Intl.NumberFormatOptions =
    decimals === undefined ? {} : { minimumFractionDigits: compact.notation ? 0 : decimals, maximumFractionDigits: decimals }
  if (format === 'currency') {
    const money = currencyFormat(language, unit || 'EUR', {
      ...(compact.notation ? { ...compact, minimumFractionDigits: 0 } : {}), ...fixed,
    })
    if (money) {
      const whole = currencyFormat(language, unit || 'EUR', { ...compact, minimumFractionDigits: 0, maximumFractionDigits: 0 })!
      return (n) => (decimals === undefined && !compact.notation && Math.abs(n) >= 1000 ? whole : money).format(n)
    }
  }
  const number = new Intl.NumberFormat(language, {
    ...(format === 'percent' ? { style: 'percent', maximumFractionDigits: 1 } : { maximumFractionDigits: format === 'integer' ? 0 : 2 }),
    ...(format === 'percent' ? {} : compact),
    ...fixed,
  })
  const after = format !== 'percent' && unit ? `\u00a0${unit}` : ''
  return (n) => number.format(n) + after
}

// `short` is for axes and marks: 1.2M instead of 1,234,567.
export function numberFormat(spec: FormatSpec, language: string, short = false): Format {
  const format =
    spec.format === 'bytes' ? bytesFormat(language)
    : spec.format === 'duration' ? durationFormat(language, spec.unit)
    : plainFormat(spec, language, short)
  return (value) => {
    const number = toNumber(value)
    return number === null ? none : format(number)
  }
}

export function specOf(options: Record<string, unknown> | undefined): FormatSpec {
  const o = options ?? {}
  const decimals = toNumber(o.decimals)
  return {
    format: typeof o.format === 'string' ? o.format : undefined,
    unit: typeof o.unit === 'string' ? o.unit : undefined,
    decimals: decimals === null ? undefined : Math.min(10, Math.max(0, Math.round(decimals))),
  }
}

const isoTime = /^(\d{4,})-(\d\d)(?:-(\d\d))?(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/

// Milliseconds of a date or timestamp so that UTC's calendar shows what is to be shown: times without
// a zone as written, times with a zone in the browser's.
export function toTime(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return null
  const m = isoTime.exec(value.trim())
  if (!m) return null
  const [, year, month, day = '01', hour = '0', minute = '0', second = '0', fraction = '0', zone] = m
  const ms = Math.floor(Number(`0.${fraction}`) * 1000)
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), ms)
  if (!zone) return time
  const offset = /[+-]/.test(zone[0]!) ? offsetOf(zone) : 0
  const instant = time - offset
  return instant - new Date(instant).getTimezoneOffset() * 60_000
}

function offsetOf(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone[0] === '-' ? -1 : 1) * minutes * 60_000
}

export type Grain = 'year' | 'month' | 'day' | 'minute' | 'second'

// The coarsest calendar unit that tells all these times apart from its beginnings.
export function grainOf(times: number[]): Grain {
  let grain: Grain = 'year'
  for (const time of times) {
    const date = new Date(time)
    if (date.getUTCSeconds() || date.getUTCMilliseconds()) return 'second'
    if (date.getUTCHours() || date.getUTCMinutes()) grain = 'minute'
    else if (grain !== 'minute' && date.getUTCDate() !== 1) grain = 'day'
    else if (grain === 'year' && date.getUTCMonth()) grain = 'month'
  }
  return times.length === 1 && grain !== 'minute' ? 'day' : grain
}

const grainOptions: Record<Grain, Intl.DateTimeFormatOptions> = {
  year: { year: 'numeric' },
  month: { year: 'numeric', month: 'short' },
  day: { year: 'numeric', month: 'short', day: 'numeric' },
  minute: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  second: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
}

export function timeFormat(language: string, grain: Grain, withYear = true): (ms: number) => string {
  const options = { ...grainOptions[grain], timeZone: 'UTC' }
  if (!withYear && grain === 'day') delete options.year
  const format = new Intl.DateTimeFormat(language, options)
  return (ms) => format.format(ms)
}
