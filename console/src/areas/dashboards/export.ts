// Files from charts.
import type { ChartData } from '../../ui/charts/types'

/** Programs for tables run cells that begin like a formula; an apostrophe makes them text. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) && !Number.isFinite(Number(text)) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export function csvOf(data: ChartData): string {
  const rows = [data.columns.map((column) => column.name), ...data.rows]
  return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}

export function save(name: string, content: Blob | string, type = 'text/csv;charset=utf-8') {
  const url = typeof content === 'string' && content.startsWith('data:') ? content : URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  if (url.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
