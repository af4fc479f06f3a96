// Results as text, in the browser: what is loaded, or a part of it.
import { cellText, isNumeric, type Rows } from './rows'

export interface Part {
  /** Numbers of rows in the order they are shown. */
  rows: Iterable<number>
  columns: number[]
}

export function allOf(rows: Rows, order: Uint32Array | null): Part {
  return {
    rows: order ?? { *[Symbol.iterator]() { for (let row = 0; row < rows.count; row++) yield row } },
    columns: rows.columns.map((_, column) => column),
  }
}

const kFormula = /^[=+\-@\t\r]/

/** A field of CSV. `guard`: text that spreadsheets would take for a formula gets a ' before it. */
export function csvField(value: unknown, type: string, guard: boolean): string {
  if (value === null || value === undefined) return ''
  const text = cellText(value, type)
  const formula = guard && typeof value === 'string' && !isNumeric(type) && kFormula.test(text)
  if (formula) return `"'${text.replaceAll('"', '""')}"`
  return text === '' || /[",\r\n]|^ | $/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function asCsv(rows: Rows, part: Part, guard: boolean, head = true): string {
  const lines: string[] = []
  if (head) lines.push(part.columns.map((column) => csvField(rows.columns[column].name, 'varchar', guard)).join(','))
  for (const row of part.rows)
    lines.push(part.columns.map((column) => csvField(rows.at(row, column), rows.columns[column].type, guard)).join(','))
  return `${lines.join('\r\n')}\r\n`
}

/** As spreadsheets paste it: tabs and line ends inside of cells become spaces. */
export function asTsv(rows: Rows, part: Part, head = false): string {
  const clean = (text: string) => text.replaceAll(/[\t\r\n]+/g, ' ')
  const lines: string[] = []
  if (head) lines.push(part.columns.map((column) => clean(rows.columns[column].name)).join('\t'))
  for (const row of part.rows)
    lines.push(
      part.columns
        .map((column) => {
          const value = rows.at(row, column)
          return value === null ? '' : clean(cellText(value, rows.columns[column].type))
        })
        .join('\t'),
    )
  return lines.join('\n')
}

/** An array of objects; whole numbers too large for JavaScript stay numbers in the text. */
export function asJson(rows: Rows, part: Part): string {
  const taken = new Set<string>()
  const keys = part.columns.map((column) => {
    const name = rows.columns[column].name
    let key = name
    for (let n = 1; taken.has(key); n++) key = `${name}_${n}`
    taken.add(key)
    return JSON.stringify(key)
  })
  const lines: string[] = []
  for (const row of part.rows) {
    const members = part.columns.map((column, i) => {
      const value = rows.at(row, column)
      const exact = rows.columns[column].type === 'bigint' && typeof value === 'string'
      return `${keys[i]}:${exact ? value : JSON.stringify(value)}`
    })
    lines.push(`{${members.join(',')}}`)
  }
  return `[\n${lines.join(',\n')}\n]\n`
}

/** Gives a file to the person. */
export function download(content: BlobPart, name: string, type: string) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** A name that any file system takes. */
export function fileName(title: string): string {
  const clean = title.replaceAll(/[^\p{L}\p{N} ._-]+/gu, '_').trim().slice(0, 80)
  return clean || 'result'
}
