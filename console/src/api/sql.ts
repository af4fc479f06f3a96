import { ask, csrfHeaders, Problem } from './client'

export interface Column {
  name: string
  type: string
}
export interface Stats {
  state: string
  queued: boolean
  elapsedTimeMillis: number
  processedRows: number
  processedBytes: number
  progressPercentage?: number
  [key: string]: unknown
}
export interface Result {
  id: string
  columns: Column[]
  rows: unknown[][]
  stats?: Stats
  updateType?: string
  updateCount?: number
  /** There are more rows than were asked for. */
  truncated: boolean
}
export interface RunOptions {
  catalog?: string
  schema?: string
  /** Rows; no limit if left out. */
  limit?: number
  signal?: AbortSignal
  headers?: Record<string, string>
  onProgress?: (stats: Stats, id: string) => void
}

interface Page {
  id: string
  nextUri?: string
  columns?: { name: string; type: string }[]
  data?: unknown[][]
  stats?: Stats
  updateType?: string
  updateCount?: number
  error?: { message: string; errorName: string; errorLocation?: { lineNumber: number; columnNumber: number } }
}

/** Whose statements these are; set once the session is known. */
let user = 'console'
export function setSqlUser(name: string) {
  user = name
}
export function sqlUser(): string {
  return user
}

/** "a" or "with ""quotes""", as SQL wants a name. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Runs one statement over the Trino protocol and gathers its rows; numbers are JavaScript's. Throws
 *  Problem with the place of the error. Cancelled by its signal, on the server too. */
export async function runSql(statement: string, options: RunOptions = {}): Promise<Result> {
  const headers: Record<string, string> = { 'X-Trino-User': user, 'X-Trino-Source': 'console', ...options.headers }
  if (options.catalog) headers['X-Trino-Catalog'] = options.catalog
  if (options.schema) headers['X-Trino-Schema'] = options.schema
  const result: Result = { id: '', columns: [], rows: [], truncated: false }
  let page = (await (await ask('POST', '/v1/statement', statement, { headers, signal: options.signal })).json()) as Page
  for (;;) {
    result.id = page.id
    if (page.columns) result.columns = page.columns.map(({ name, type }) => ({ name, type }))
    if (page.data) result.rows.push(...page.data)
    if (page.stats) {
      result.stats = page.stats
      options.onProgress?.(page.stats, page.id)
    }
    if (page.error) {
      const { message, errorName, errorLocation: at } = page.error
      throw new Problem(400, { detail: message, code: errorName, line: at?.lineNumber, column: at?.columnNumber })
    }
    result.updateType = page.updateType ?? result.updateType
    result.updateCount = page.updateCount ?? result.updateCount
    if (!page.nextUri) return result
    const next = new URL(page.nextUri).pathname
    const enough = options.limit !== undefined && result.rows.length > options.limit
    if (enough || options.signal?.aborted) {
      await fetch(next, { method: 'DELETE', headers: csrfHeaders() }).catch(() => undefined)
      if (options.signal?.aborted) throw new DOMException('cancelled', 'AbortError')
      result.rows.length = options.limit!
      result.truncated = true
      return result
    }
    page = (await (await ask('GET', next, undefined, { headers })).json()) as Page
  }
}
