// What a viewer has chosen stands in the address, so that a link shows the same:
//   ?p.country=["FR"]&time=last 30 days&f=[{"column":"category","values":["Bags"]}]&drill={"sales":["Bags"]}
// Whatever does not have the shape it should is left out: an address is written by anybody.
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { type Dashboard, type Filter, kName, type Parameter, type Time } from './types'

export interface View {
  parameters: Record<string, unknown>
  time?: Time
  filters: Filter[]
  drill: Record<string, unknown[]>
}

type Search = Record<string, string | undefined>

const scalar = (value: unknown) => value === null || ['string', 'number', 'boolean'].includes(typeof value)

function parsed(text: string | undefined): unknown {
  if (!text || text.length > 20_000) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The value of a parameter as its kind wants it; undefined if the address says nothing of use. */
export function parameterValue(parameter: Parameter, text: string | undefined): unknown {
  if (text === undefined) return undefined
  if (parameter.multiple) {
    const list = parsed(text)
    return Array.isArray(list) && list.every(scalar) ? list.slice(0, 1000) : [text]
  }
  if (parameter.kind === 'number') return Number.isFinite(Number(text)) && text.trim() ? Number(text) : undefined
  if (parameter.kind === 'boolean') return text === 'true'
  return text
}

/** How a value stands in the address. */
export function parameterText(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  return Array.isArray(value) ? JSON.stringify(value) : String(value)
}

function filtersOf(text: string | undefined): Filter[] {
  const list = parsed(text)
  if (!Array.isArray(list)) return []
  return list.slice(0, 20).flatMap((one): Filter[] => {
    const { column, values, source } = (one ?? {}) as Record<string, unknown>
    if (typeof column !== 'string' || !Array.isArray(values) || !values.every(scalar) || values.length === 0) return []
    return [{ column, op: 'in', values: values.slice(0, 100), ...(typeof source === 'string' && kName.test(source) ? { source } : {}) }]
  })
}

function drillOf(text: string | undefined): Record<string, unknown[]> {
  const map = parsed(text)
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return {}
  return Object.fromEntries(
    Object.entries(map).filter(([id, values]) => kName.test(id) && Array.isArray(values) && values.every(scalar) && values.length < 20),
  ) as Record<string, unknown[]>
}

const kDay = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?$/

/** "2026-01-01..2026-02-01", or words. */
export function timeOf(text: string | undefined): Time | undefined {
  if (!text) return undefined
  const [from, to, more] = text.split('..')
  if (to === undefined) return text.length < 60 ? text : undefined
  if (more !== undefined || ![from, to].every((day) => day === '' || kDay.test(day))) return undefined
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) }
}

export function timeText(time: Time | undefined): string | undefined {
  if (time === undefined || typeof time === 'string') return time || undefined
  return `${time.from ?? ''}..${time.to ?? ''}`
}

export interface Viewing {
  view: View
  /** Only the members given change; undefined takes one out of the address. */
  change: (search: Search) => void
  setParameter: (name: string, value: unknown) => void
  setTime: (time: Time | undefined) => void
  setFilters: (filters: Filter[]) => void
  setDrill: (id: string, values: unknown[]) => void
}

export function useView(dashboard: Dashboard | undefined, fixed?: Record<string, unknown>): Viewing {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  // The same text is the same view: nothing is asked again because a page was drawn again.
  const key = JSON.stringify(search)
  const view = useMemo<View>(() => {
    const given = JSON.parse(key) as Search
    const parameters: Record<string, unknown> = {}
    for (const parameter of dashboard?.parameters ?? []) {
      const value = fixed?.[parameter.name] ?? parameterValue(parameter, given[`p.${parameter.name}`])
      if (value !== undefined) parameters[parameter.name] = value
    }
    return { parameters, time: timeOf(given.time), filters: filtersOf(given.f), drill: drillOf(given.drill) }
  }, [key, dashboard, fixed])
  const change = useCallback(
    (next: Search) => {
      void navigate({ to: '.', search: ((before: Search) => ({ ...before, ...next })) as never, replace: true, resetScroll: false })
    },
    [navigate],
  )
  return {
    view,
    change,
    setParameter: (name, value) => change({ [`p.${name}`]: parameterText(value) }),
    setTime: (time) => change({ time: timeText(time) }),
    setFilters: (filters) => change({ f: filters.length ? JSON.stringify(filters.map(({ column, values, source }) => ({ column, values, source }))) : undefined }),
    setDrill: (id, values) => {
      const next = { ...view.drill, [id]: values }
      if (values.length === 0) delete next[id]
      change({ drill: Object.keys(next).length ? JSON.stringify(next) : undefined })
    },
  }
}

/** Adds what was clicked, or takes it away if it is there already. */
export function toggled(filters: Filter[], picks: { column: string; value: unknown }[], source: string): Filter[] {
  const same = (filter: Filter) => picks.some((pick) => pick.column === filter.column && filter.values.length === 1 && filter.values[0] === pick.value)
  const others = filters.filter((filter) => !picks.some((pick) => pick.column === filter.column))
  if (picks.every((pick) => filters.some((filter) => filter.column === pick.column && same(filter)))) return others
  return [...others, ...picks.map((pick): Filter => ({ column: pick.column, op: 'in', values: [pick.value], source }))]
}
