// Statements over Trino's protocol, with what the protocol leaves to the client: its session. Rows
// come page by page; numbers stay exact.
import { csrfHeaders, Problem, problemOf } from '../../api/client'
import { sqlUser, type Stats } from '../../api/sql'
import { parseExact } from './exact'
import { type ColumnType, Rows } from './rows'

export const kMostRows = 1_000_000
export const kMostBytes = 256 * 1024 * 1024

/** What SET SESSION, PREPARE, USE and transactions leave behind, a tab. */
export interface ClientSession {
  catalog: string
  schema: string
  properties: Map<string, string>
  prepared: Map<string, string>
  roles: Map<string, string>
  transaction: string
}
export function newSession(catalog = '', schema = ''): ClientSession {
  return { catalog, schema, properties: new Map(), prepared: new Map(), roles: new Map(), transaction: 'NONE' }
}

interface Page {
  id: string
  nextUri?: string
  columns?: ColumnType[]
  data?: unknown[][]
  stats: Stats
  updateType?: string
  updateCount?: number
  error?: {
    message: string
    errorName: string
    hint?: string
    errorLocation?: { lineNumber: number; columnNumber: number }
  }
}

export interface Progress {
  id: string
  stats: Stats
  rows: Rows | null
  updateType?: string
  updateCount?: number
  /** There are more rows than may be kept. */
  cut?: 'rows' | 'bytes'
}

const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')
const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
const ascii = (text: string) => (/^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text))

function headersOf(session: ClientSession): Record<string, string> {
  const headers: Record<string, string> = {
    'X-Trino-User': ascii(sqlUser()),
    'X-Trino-Source': 'sql-lab',
    'X-Trino-Client-Capabilities': 'PATH,PARAMETRIC_DATETIME,SESSION_AUTHORIZATION',
    'X-Trino-Transaction-Id': session.transaction,
    ...csrfHeaders(),
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (zone) headers['X-Trino-Time-Zone'] = zone
  if (session.catalog) headers['X-Trino-Catalog'] = ascii(session.catalog)
  if (session.catalog && session.schema) headers['X-Trino-Schema'] = ascii(session.schema)
  const list = (name: string, map: Map<string, string>, key: (text: string) => string) => {
    if (map.size) headers[name] = [...map].map(([k, v]) => `${key(k)}=${encode(v)}`).join(',')
  }
  list('X-Trino-Session', session.properties, (key) => key)
  list('X-Trino-Role', session.roles, (key) => key)
  list('X-Trino-Prepared-Statement', session.prepared, encode)
  return headers
}

function readHeaders(headers: Headers, session: ClientSession) {
  const all = (name: string) => (headers.get(name) ?? '').split(',').map((part) => part.trim()).filter(Boolean)
  const pairs = (name: string, map: Map<string, string>, key: (text: string) => string) => {
    for (const item of all(name)) {
      const at = item.indexOf('=')
      map.set(key(item.slice(0, at)), decode(item.slice(at + 1)))
    }
  }
  session.catalog = headers.get('X-Trino-Set-Catalog') ?? session.catalog
  session.schema = headers.get('X-Trino-Set-Schema') ?? session.schema
  pairs('X-Trino-Set-Session', session.properties, (key) => key)
  for (const name of all('X-Trino-Clear-Session')) session.properties.delete(name)
  pairs('X-Trino-Set-Role', session.roles, (key) => key)
  pairs('X-Trino-Added-Prepare', session.prepared, decode)
  for (const name of all('X-Trino-Deallocated-Prepare')) session.prepared.delete(decode(name))
  session.transaction = headers.get('X-Trino-Started-Transaction-Id') ?? session.transaction
  if (headers.get('X-Trino-Clear-Transaction-Id')) session.transaction = 'NONE'
}

/** nextUri names the server as it sees itself; the path is enough and stays on this origin. */
function pathOf(uri: string): string {
  const url = new URL(uri, location.href)
  return url.pathname + url.search
}

async function ask(path: string, options: RequestInit, session: ClientSession): Promise<{ page: Page; bytes: number }> {
  let answer: Response
  try {
    answer = await fetch(path, { cache: 'no-store', ...options })
  } catch (error) {
    throw new Problem(0, { code: 'UNAVAILABLE', detail: (error as Error).message })
  }
  if (!answer.ok) throw await problemOf(answer)
  const text = await answer.text()
  readHeaders(answer.headers, session)
  return { page: parseExact(text) as Page, bytes: text.length }
}

const cancel = (path: string) => fetch(path, { method: 'DELETE', headers: csrfHeaders() }).catch(() => undefined)

/** Runs a statement to its end or to `limit` rows. Throws Problem, also when `signal` cancelled it
 *  (code USER_CANCELED). */
export async function run(
  statement: string,
  session: ClientSession,
  limit: number,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<Progress> {
  const headers = headersOf(session)
  let { page, bytes } = await ask('/v1/statement', { method: 'POST', body: statement, headers }, session)
  const told: Progress = { id: page.id, stats: page.stats, rows: null }
  let asked = false
  for (;;) {
    told.stats = page.stats
    told.updateType = page.updateType ?? told.updateType
    told.updateCount = page.updateCount ?? told.updateCount
    if (page.columns && !told.rows) told.rows = new Rows(page.columns.map(({ name, type }) => ({ name, type })))
    if (page.data && told.rows && !told.rows.add(page.data, limit)) told.cut = 'rows'
    else if (bytes > kMostBytes) told.cut = 'bytes'
    onProgress({ ...told })
    if (page.error) {
      const { message, errorName, hint, errorLocation: at } = page.error
      throw new Problem(400, { detail: message, code: errorName, hint, line: at?.lineNumber, column: at?.columnNumber })
    }
    if (!page.nextUri) return told
    const next = pathOf(page.nextUri)
    if (told.cut) {
      void cancel(next)
      return told
    }
    if (signal.aborted && !asked) {
      asked = true
      await cancel(next)
    }
    const stop = () => void cancel(next)
    signal.addEventListener('abort', stop, { once: true })
    const came = await ask(next, { headers }, session).finally(() => signal.removeEventListener('abort', stop))
    page = came.page
    bytes += came.bytes
  }
}
