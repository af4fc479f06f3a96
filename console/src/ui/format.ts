import type { Language } from '../i18n'

const kUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** 1,234,567 as "1.2 MB" (thousands, as disks are sold); French has "o" for bytes. */
export function bytesText(bytes: number, language: Language): string {
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1000 && unit < kUnits.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : 1
  const name = language === 'fr' ? kUnits[unit].replace('B', 'o') : kUnits[unit]
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${name}`
}

/** Milliseconds as people say them: "85 ms", "1.2 s", "3 min 20 s", "2 h 5 min". */
export function durationText(ms: number, language: Language): string {
  if (ms < 1000) return `${Math.round(ms).toLocaleString(language)} ms`
  if (ms < 60_000) return `${(ms / 1000).toLocaleString(language, { maximumFractionDigits: 1 })} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.floor(minutes / 1440)} d`
}

const kSteps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** "3 minutes ago", "in 2 hours"; less than a minute is `justNow`. */
export function relativeText(ms: number, now: number, language: Language, justNow: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const distance = ms - now
  for (const [unit, size] of kSteps)
    if (Math.abs(distance) >= size) return format.format(Math.trunc(distance / size), unit)
  return justNow
}
