import { type UseQueryOptions, type UseQueryResult, useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'

/** An error as the server tells it (RFC 9457), or that it did not answer (status 0). */
export class Problem extends Error {
  status: number
  code: string
  detail: string
  hint?: string
  file?: string
  line?: number
  column?: number
  errors: { message: string; line?: number; column?: number; file?: string }[]

  constructor(status: number, told: Record<string, unknown>) {
    const detail = String(told.detail ?? told.message ?? told.title ?? `HTTP ${status}`)
    super(detail)
    this.status = status
    this.code = String(told.code ?? told.title ?? '')
    this.detail = detail
    this.hint = told.hint as string | undefined
    this.file = told.file as string | undefined
    this.line = told.line as number | undefined
    this.column = told.column as number | undefined
    this.errors = (told.errors as Problem['errors'] | undefined) ?? []
  }
}

export interface Session {
  user: string
  role: 'viewer' | 'editor' | 'administrator'
  mode: 'open' | 'closed'
  mesh: string
  version: string
  language?: string
  csrf?: string
}

let csrf = ''
/** What the session's requests that change something must carry. */
export function setCsrf(token: string) {
  csrf = token
}
export function csrfHeaders(): Record<string, string> {
  return csrf ? { 'X-Meesh-Csrf': csrf } : {}
}

export type Query = Record<string, string | number | boolean | undefined | null>

/** A path with its parameters; those that are empty are left out. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value))
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

/** The problem an answer tells of. */
export async function problemOf(answer: Response): Promise<Problem> {
  const text = await answer.text()
  try {
    const told = JSON.parse(text)
    return new Problem(answer.status, told.error && typeof told.error === 'object' ? told.error : told)
  } catch {
    return new Problem(answer.status, { detail: text.trim() || answer.statusText })
  }
}

export interface Options {
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Asks the server; throws Problem. A 401 leads to the sign-in page. */
export async function ask(method: string, path: string, body?: unknown, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers }
  if (method !== 'GET') Object.assign(headers, csrfHeaders())
  let sent: BodyInit | undefined
  if (body instanceof Blob || body instanceof FormData || typeof body === 'string') sent = body
  else if (body !== undefined) {
    sent = JSON.stringify(body)
    headers['Content-Type'] = 'application/json'
  }
  let answer: Response
  try {
    answer = await fetch(path, { method, headers, body: sent, signal: options.signal })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new Problem(0, { code: 'UNAVAILABLE', detail: (error as Error).message })
  }
  if (answer.ok) return answer
  const problem = await problemOf(answer)
  const bare = ['/sign-in', '/shared'].some((page) => location.pathname.startsWith(page))
  if (answer.status === 401 && !bare)
    location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`)
  throw problem
}

async function json<T>(answer: Response): Promise<T> {
  const text = await answer.text()
  return (text ? JSON.parse(text) : undefined) as T
}

export const api = {
  get: async <T>(path: string, query?: Query, options?: Options) =>
    json<T>(await ask('GET', address(path, query), undefined, options)),
  post: async <T>(path: string, body?: unknown, options?: Options) =>
    json<T>(await ask('POST', path, body ?? {}, options)),
  put: async <T>(path: string, body?: unknown, options?: Options) => json<T>(await ask('PUT', path, body, options)),
  patch: async <T>(path: string, body?: unknown, options?: Options) =>
    json<T>(await ask('PATCH', path, body, options)),
  delete: async <T>(path: string, body?: unknown, options?: Options) =>
    json<T>(await ask('DELETE', path, body, options)),
}

/** What a GET answers, kept and asked again as TanStack Query does. */
export function useApi<T>(
  path: string,
  query?: Query,
  options?: Omit<UseQueryOptions<T, Problem>, 'queryKey' | 'queryFn'>,
): UseQueryResult<T, Problem> {
  return useQuery<T, Problem>({
    queryKey: [path, query ?? {}],
    queryFn: ({ signal }) => api.get<T>(path, query, { signal }),
    ...options,
  })
}

/** Lines of JSON as they arrive. */
export async function lines<T>(answer: Response, use: (line: T) => void): Promise<void> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    rest += value ?? ''
    const parts = rest.split('\n')
    rest = done ? '' : parts.pop()!
    for (const part of parts) if (part.trim()) use(JSON.parse(part) as T)
    if (done) return
  }
}

/** Server-sent events of a path while the component is there; null: none. The browser connects
 *  again by itself. */
export function useEvents(path: string | null, onEvent: (name: string, data: unknown) => void, names: string[] = []) {
  const use = useRef(onEvent)
  use.current = onEvent
  const listened = names.join(',')
  useEffect(() => {
    if (!path) return
    const source = new EventSource(path)
    const take = (event: MessageEvent) => {
      let data: unknown = event.data
      try {
        data = JSON.parse(event.data as string)
      } catch {
        // Plain text is an event's data too.
      }
      use.current(event.type, data)
    }
    source.addEventListener('message', take)
    for (const name of listened.split(',').filter(Boolean)) source.addEventListener(name, take)
    return () => source.close()
  }, [path, listened])
}

export { type Column, quoteName, quoteText, type Result, runSql, sqlUser } from './sql'
