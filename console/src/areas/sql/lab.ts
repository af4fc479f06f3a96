// The state of the SQL lab: tabs with their texts (kept by the browser), and what runs in them. It
// lives outside of the page, so that a statement goes on while another page is looked at.
import { useSyncExternalStore } from 'react'
import { Problem } from '../../api/client'
import type { Mark } from '../../ui/CodeEditor'
import { forgetNames } from './names'
import { type ClientSession, kMostRows, newSession, type Progress, run } from './protocol'
import { type Piece, placeOf } from './statements'

export interface Tab {
  id: string
  title: string
  text: string
  catalog: string
  schema: string
  /** The saved query it shows, and its text as it is saved. */
  saved?: string
  savedText?: string
}
export interface StatementRun {
  key: string
  text: string
  state: 'running' | 'finished' | 'failed' | 'canceled'
  plan: boolean
  startedMs: number
  endedMs?: number
  progress?: Progress
  problem?: Problem
}
export interface TabRun {
  runs: StatementRun[]
  shown: number
  running: boolean
  marks: Mark[]
}
interface State {
  tabs: Tab[]
  active: string
  results: Record<string, TabRun>
}

const kStored = 'meesh.sql.tabs'
const kStoredLimit = 'meesh.sql.limit'
const kMostTabs = 50
export const kLimits = [1_000, 10_000, 100_000, kMostRows]
export const kNoRun: TabRun = { runs: [], shown: 0, running: false, marks: [] }

function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
function isTab(tab: unknown): tab is Tab {
  const one = tab as Tab
  return typeof one?.id === 'string' && typeof one.title === 'string' && typeof one.text === 'string'
}

function read(): { tabs: Tab[]; active: string } {
  try {
    const kept = JSON.parse(localStorage.getItem(kStored) ?? '{}') as { tabs?: unknown[]; active?: string }
    const tabs = (kept.tabs ?? []).filter(isTab).map((tab) => ({ ...tab, catalog: tab.catalog ?? '', schema: tab.schema ?? '' }))
    if (tabs.length > 0) return { tabs, active: tabs.some((tab) => tab.id === kept.active) ? kept.active! : tabs[0].id }
  } catch {
    // Written by something else: begin anew.
  }
  const first: Tab = { id: newId(), title: '', text: '', catalog: '', schema: '' }
  return { tabs: [first], active: first.id }
}

let state: State = { ...read(), results: {} }
const listeners = new Set<() => void>()
const sessions = new Map<string, ClientSession>()
const aborts = new Map<string, AbortController>()

let writing: ReturnType<typeof setTimeout> | undefined
function write() {
  clearTimeout(writing)
  writing = undefined
  try {
    localStorage.setItem(kStored, JSON.stringify({ tabs: state.tabs, active: state.active }))
  } catch {
    // A full or forbidden storage: the tabs last as long as the page.
  }
}
window.addEventListener('pagehide', () => writing && write())

function set(change: Partial<State>) {
  state = { ...state, ...change }
  if (change.tabs || change.active) writing ??= setTimeout(write, 300)
  for (const listener of listeners) listener()
}

export function useLab(): State {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => state,
  )
}

export function labState(): State {
  return state
}
export function activeTab(): Tab {
  return state.tabs.find((tab) => tab.id === state.active) ?? state.tabs[0]
}

// ---- tabs

export function changeTab(id: string, change: Partial<Tab>) {
  set({ tabs: state.tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) })
  const session = sessions.get(id)
  if (session && change.catalog !== undefined) session.catalog = change.catalog
  if (session && change.schema !== undefined) session.schema = change.schema
}
export function chooseTab(id: string) {
  set({ active: id })
}
export function openTab(tab: Partial<Tab> = {}): Tab {
  const { catalog, schema } = activeTab()
  const made: Tab = { title: '', text: '', catalog, schema, ...tab, id: newId() }
  set({ tabs: [...state.tabs, made].slice(-kMostTabs), active: made.id })
  return made
}
export function closeTab(id: string) {
  cancelRun(id)
  sessions.delete(id)
  const at = state.tabs.findIndex((tab) => tab.id === id)
  const left = state.tabs.filter((tab) => tab.id !== id)
  const tabs = left.length > 0 ? left : [{ id: newId(), title: '', text: '', catalog: '', schema: '' }]
  const results = { ...state.results }
  delete results[id]
  const active = state.active === id ? tabs[Math.min(Math.max(at, 0), tabs.length - 1)].id : state.active
  set({ tabs, active, results })
}
/** Puts a tab where another one stands. */
export function moveTab(id: string, to: number) {
  const tab = state.tabs.find((one) => one.id === id)
  if (!tab) return
  const tabs = state.tabs.filter((one) => one.id !== id)
  tabs.splice(Math.max(0, Math.min(to, tabs.length)), 0, tab)
  set({ tabs })
}

// ---- runs

function changeResult(id: string, change: (result: TabRun) => TabRun) {
  set({ results: { ...state.results, [id]: change(state.results[id] ?? kNoRun) } })
}
function changeRun(id: string, key: string, change: Partial<StatementRun>) {
  changeResult(id, (result) => ({
    ...result,
    runs: result.runs.map((one) => (one.key === key ? { ...one, ...change } : one)),
  }))
}
export function showRun(id: string, shown: number) {
  changeResult(id, (result) => ({ ...result, shown }))
}
export function clearMarks(id: string) {
  if (state.results[id]?.marks.length) changeResult(id, (result) => ({ ...result, marks: [] }))
}
export function cancelRun(id: string) {
  aborts.get(id)?.abort()
}

export function storedLimit(): number {
  const kept = Number(localStorage.getItem(kStoredLimit))
  return kLimits.includes(kept) ? kept : 100_000
}
export function storeLimit(limit: number) {
  localStorage.setItem(kStoredLimit, String(limit))
}

function sessionOf(tab: Tab): ClientSession {
  let session = sessions.get(tab.id)
  if (!session) sessions.set(tab.id, (session = newSession(tab.catalog, tab.schema)))
  session.catalog = tab.catalog
  session.schema = tab.schema
  return session
}

/** Where an error of a statement is in the text of its tab. */
function markOf(problem: Problem, tab: Tab, piece: Piece, linesBefore: number): Mark {
  const start = placeOf(tab.text, piece.from)
  const line = Math.max(1, (problem.line ?? 1) - linesBefore)
  return {
    line: start.line + line - 1,
    column: line === 1 ? start.column + (problem.column ?? 1) - 1 : problem.column,
    message: problem.detail,
  }
}

const kChangesNames = /^(CREATE|DROP|ALTER|RENAME|COMMENT|ADD|REFRESH)/

/** One after another, until one fails. `explain`: its plan instead, "ANALYZE" runs it for that. */
export async function runPieces(id: string, pieces: Piece[], explain?: 'plan' | 'analyze') {
  const tab = state.tabs.find((one) => one.id === id)
  if (!tab || pieces.length === 0 || aborts.has(id)) return
  const abort = new AbortController()
  aborts.set(id, abort)
  const session = sessionOf(tab)
  const limit = storedLimit()
  changeResult(id, () => ({ runs: [], shown: 0, running: true, marks: [] }))
  for (const [index, piece] of pieces.entries()) {
    const key = newId()
    const prefix = explain ? (explain === 'analyze' ? 'EXPLAIN ANALYZE\n' : 'EXPLAIN\n') : ''
    const started: StatementRun = { key, text: piece.text, state: 'running', plan: explain !== undefined, startedMs: Date.now() }
    changeResult(id, (result) => ({ ...result, runs: [...result.runs, started], shown: index }))
    let frame = 0
    let newest: Progress | undefined
    const show = () => {
      frame = 0
      changeRun(id, key, { progress: newest })
    }
    try {
      const done = await run(prefix + piece.text, session, limit, abort.signal, (progress) => {
        // The first rows at once, what follows as often as the screen is drawn.
        const first = !newest?.rows?.count && progress.rows?.count
        newest = progress
        if (first) show()
        else frame ||= requestAnimationFrame(show)
      })
      cancelAnimationFrame(frame)
      changeRun(id, key, { progress: done, state: 'finished', endedMs: Date.now() })
      if (kChangesNames.test(done.updateType ?? '')) forgetNames()
      if (session.catalog !== tab.catalog || session.schema !== tab.schema)
        changeTab(id, { catalog: session.catalog, schema: session.schema })
    } catch (error) {
      cancelAnimationFrame(frame)
      const problem = error instanceof Problem ? error : new Problem(0, { detail: (error as Error).message })
      const canceled = abort.signal.aborted
      changeRun(id, key, { progress: newest, problem, state: canceled ? 'canceled' : 'failed', endedMs: Date.now() })
      if (!canceled && problem.line !== undefined)
        changeResult(id, (result) => ({ ...result, marks: [markOf(problem, tab, piece, prefix ? 1 : 0)] }))
      break
    }
    if (abort.signal.aborted) break
  }
  aborts.delete(id)
  if (state.results[id]) changeResult(id, (result) => ({ ...result, running: false }))
}
