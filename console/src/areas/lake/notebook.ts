// A Jupyter notebook as this console shows it: Markdown, code, and of the outputs text and pictures.
// HTML, JavaScript and SVG of outputs are left out.

export type Output =
  | { kind: 'text'; text: string; error?: boolean }
  | { kind: 'picture'; type: 'image/png' | 'image/jpeg'; bytes: Uint8Array }
  | { kind: 'hidden'; type: string }
export interface Cell {
  kind: 'markdown' | 'code' | 'raw'
  source: string
  count?: number
  outputs: Output[]
}
export interface Notebook {
  language: string
  cells: Cell[]
}

function joined(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join('')
  return typeof value === 'string' ? value : ''
}

/** Terminal colours are left out. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '')
}

function picture(data: Record<string, unknown>): Output | null {
  for (const type of ['image/png', 'image/jpeg'] as const) {
    if (!data[type]) continue
    try {
      const raw = atob(joined(data[type]).replace(/\s+/g, ''))
      return { kind: 'picture', type, bytes: Uint8Array.from(raw, (character) => character.charCodeAt(0)) }
    } catch {
      return { kind: 'hidden', type }
    }
  }
  return null
}

function outputOf(output: Record<string, unknown>): Output | null {
  if (output.output_type === 'stream') return { kind: 'text', text: plain(joined(output.text)) }
  if (output.output_type === 'error')
    return { kind: 'text', error: true, text: plain((Array.isArray(output.traceback) ? output.traceback : []).map(String).join('\n')) }
  const data = (output.data ?? {}) as Record<string, unknown>
  const drawn = picture(data)
  if (drawn) return drawn
  if (data['text/plain']) return { kind: 'text', text: plain(joined(data['text/plain'])) }
  const type = Object.keys(data)[0]
  return type ? { kind: 'hidden', type } : null
}

/** Throws what JSON.parse throws, and for what is no notebook. */
export function parseNotebook(text: string): Notebook {
  const read = JSON.parse(text) as { cells?: unknown; metadata?: { kernelspec?: { language?: unknown } } }
  if (!Array.isArray(read?.cells)) throw new Error('cells')
  const cells = (read.cells as Record<string, unknown>[]).map((cell): Cell => ({
    kind: cell.cell_type === 'markdown' ? 'markdown' : cell.cell_type === 'code' ? 'code' : 'raw',
    source: joined(cell.source),
    count: typeof cell.execution_count === 'number' ? cell.execution_count : undefined,
    outputs: (Array.isArray(cell.outputs) ? cell.outputs : []).map(outputOf).filter((one): one is Output => one !== null),
  }))
  const language = read.metadata?.kernelspec?.language
  return { language: typeof language === 'string' ? language : 'python', cells }
}
