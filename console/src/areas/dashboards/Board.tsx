// The charts of a dashboard in their places, and what a click on one does to the others.
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useRef } from 'react'
import { kindOf } from '../../ui/charts/kinds'
import type { Pick } from '../../ui/charts/types'
import type { Answer, Answers } from './data'
import classes from './dashboards.module.css'
import { Tile } from './Tile'
import { type Chart, type Dashboard, kName, type Place } from './types'
import { parameterText, toggled, type Viewing } from './view'

/** Charts that the layout does not name stand below, two in a row. */
export function placesOf(dashboard: Dashboard): Place[] {
  const known = new Set(dashboard.charts.map((chart) => chart.id))
  const places = (dashboard.layout ?? []).filter((place) => known.has(place.id))
  const placed = new Set(places.map((place) => place.id))
  let bottom = Math.max(0, ...places.map((place) => place.y + place.h))
  let left = true
  for (const chart of dashboard.charts) {
    if (placed.has(chart.id)) continue
    const small = kindOf(chart.kind)?.view === 'number'
    const h = small ? 2 : 5
    places.push({ id: chart.id, x: left ? 0 : 6, y: bottom, w: 6, h })
    if (!left) bottom += h
    left = !left
  }
  return places
}

/** A column of the row that a mark stands for. */
function valueOf(picks: Pick[], answer: Answer, column: string): unknown {
  const picked = picks.find((pick) => pick.column === column)
  if (picked) return picked.value
  const { columns, rows } = answer.data ?? { columns: [], rows: [] }
  const at = (name: string) => columns.findIndex((one) => one.name === name)
  const row = rows.find((one) => picks.every((pick) => one[at(pick.column)] === pick.value))
  return row?.[at(column)]
}

export function Board({ dashboard, answers, viewing, linked }: {
  dashboard: Dashboard
  answers: Answers
  viewing: Viewing
  /** Clicks may lead to other dashboards. */
  linked: boolean
}) {
  const navigate = useNavigate()
  const latest = useRef(viewing)
  latest.current = viewing
  const pick = useCallback(
    (chart: Chart, picks: Pick[], answer: Answer) => {
      const { view, setDrill, setFilters } = latest.current
      const target = chart.drill?.dashboard
      if (target && linked && kName.test(target)) {
        const search = Object.entries(chart.drill?.parameters ?? {}).flatMap(([name, column]) => {
          const text = parameterText(valueOf(picks, answer, column))
          return text === undefined ? [] : [[`p.${name}`, text]]
        })
        void navigate({ to: '/dashboards/$name' as string, params: { name: target } as never, search: Object.fromEntries(search) as never })
        return
      }
      const levels = chart.drill?.by ?? []
      const level = view.drill[chart.id] ?? []
      const next = picks.find((one) => one.column === levels[level.length])
      if (next && level.length < levels.length - 1) setDrill(chart.id, [...level, next.value])
      else if (chart.filters_others !== false) setFilters(toggled(view.filters, picks, chart.id))
    },
    [navigate, linked],
  )
  const places = useMemo(() => placesOf(dashboard), [dashboard])
  const charts = useMemo(() => new Map(dashboard.charts.map((chart) => [chart.id, chart])), [dashboard])
  const setDrill = useCallback((id: string, values: unknown[]) => latest.current.setDrill(id, values), [])
  return (
    <div className={classes.board}>
      {places.map((place) => (
        <div key={place.id} style={{ gridColumn: `${place.x + 1} / span ${place.w}`, gridRow: `${place.y + 1} / span ${place.h}`, height: place.h * 72 - 12, minWidth: 0 }}>
          <Tile chart={charts.get(place.id)!} answers={answers} onPick={pick} level={viewing.view.drill[place.id]} onLevel={setDrill} />
        </div>
      ))}
    </div>
  )
}
