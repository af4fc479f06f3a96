// The rows of a dashboard's charts. One request asks for all of them; each chart is drawn when its
// line has come, and only that chart.
import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import { ask, lines, Problem } from '../../api/client'
import { kindOf } from '../../ui/charts/kinds'
import type { ChartData } from '../../ui/charts/types'
import type { Dashboard, Line } from './types'
import type { View } from './view'

export interface Answer {
  data?: ChartData
  line?: Line
  problem?: Problem
  loading: boolean
  /** When it came. */
  at: number
}

const kNothing: Answer = { loading: true, at: 0 }

export class Answers {
  private readonly byChart = new Map<string, Answer>()
  private readonly listeners = new Map<string, Set<() => void>>()
  private running: AbortController | null = null
  private partial = new Set<AbortController>()

  get(id: string): Answer {
    return this.byChart.get(id) ?? kNothing
  }

  listen(id: string, use: () => void): () => void {
    const all = this.listeners.get(id) ?? new Set()
    this.listeners.set(id, all.add(use))
    return () => void all.delete(use)
  }

  private set(id: string, answer: Answer) {
    this.byChart.set(id, answer)
    this.listeners.get(id)?.forEach((use) => use())
  }

  private take(line: Line) {
    if (line.problem) {
      const problem = new Problem(Number(line.problem.status ?? 500), line.problem)
      this.set(line.id, { problem, line, loading: false, at: Date.now() })
    } else {
      // The same answer to the same question is not drawn again.
      const before = this.byChart.get(line.id)
      const same = before?.data && line.statement && before.line?.statement === line.statement && before.line.version_ms === line.version_ms
      const data = same ? before.data! : { columns: line.columns ?? [], rows: line.rows ?? [] }
      this.set(line.id, { data, line, loading: false, at: Date.now() })
    }
  }

  /** Asks for these charts; what an earlier question for all of them has not brought is given up.
   *  `quiet`: what is shown stays as it is until there is something new. */
  async load(path: string, ids: string[], body: object, all: boolean, quiet: boolean): Promise<void> {
    if (ids.length === 0) return
    const control = new AbortController()
    if (all) {
      this.stop()
      this.running = control
    } else {
      this.partial.add(control)
    }
    if (!quiet) for (const id of ids) this.set(id, { ...this.get(id), loading: true })
    const waiting = new Set(ids)
    try {
      const answer = await ask('POST', path, all ? body : { ...body, charts: ids }, { signal: control.signal, headers: { Accept: 'application/x-ndjson, application/json' } })
      await lines<Line>(answer, (line) => {
        if (control.signal.aborted) return
        waiting.delete(line.id)
        this.take(line)
      })
    } catch (error) {
      if (control.signal.aborted) return
      const problem = error instanceof Problem ? error : new Problem(0, { detail: (error as Error).message })
      for (const id of waiting) this.set(id, { ...(quiet ? this.get(id) : {}), problem, loading: false, at: Date.now() })
      return
    } finally {
      this.partial.delete(control)
    }
    for (const id of waiting) if (!control.signal.aborted) this.set(id, { data: { columns: [], rows: [] }, ...this.get(id), loading: false })
  }

  stop() {
    this.running?.abort()
    this.partial.forEach((control) => control.abort())
    this.partial.clear()
  }
}

export function useAnswer(answers: Answers, id: string): Answer {
  return useSyncExternalStore(
    useCallback((use) => answers.listen(id, use), [answers, id]),
    () => answers.get(id),
  )
}

/** What is asked of the server for a view. */
export function bodyOf(view: View, language: string): Record<string, unknown> {
  return {
    parameters: view.parameters,
    ...(view.time !== undefined ? { time: view.time } : {}),
    filters: view.filters.map(({ column, op, values, source }) => ({ column, op, values, ...(source ? { chart: source } : {}) })),
    drill: Object.fromEntries(Object.entries(view.drill).map(([id, values]) => [id, { level: values.length, values }])),
    language,
  }
}

/** Charts of text ask for nothing; a shared dashboard does not tell its queries. */
export const asks = (chart: { kind: string }) => kindOf(chart.kind)?.view !== 'text'

/** Loads all charts when the view changes; `reload` asks for some, or all, again. */
export function useAnswers(base: string, dashboard: Dashboard | undefined, view: View, language: string) {
  const answers = useMemo(() => new Answers(), [base])
  const body = useMemo(() => bodyOf(view, language), [view, language])
  const latest = useRef({ body, dashboard })
  latest.current = { body, dashboard }
  const reload = useCallback(
    (ids?: string[], quiet = true) => {
      const all = (latest.current.dashboard?.charts ?? []).filter(asks).map((chart) => chart.id)
      const wanted = ids ? all.filter((id) => ids.includes(id)) : all
      void answers.load(`${base}/data`, wanted, latest.current.body, !ids, quiet)
    },
    [answers, base],
  )
  const text = JSON.stringify(body)
  const charts = JSON.stringify((dashboard?.charts ?? []).filter(asks).map((chart) => chart.id))
  useEffect(() => {
    reload(undefined, false)
  }, [reload, text, charts])
  useEffect(() => () => answers.stop(), [answers])
  return { answers, reload }
}
