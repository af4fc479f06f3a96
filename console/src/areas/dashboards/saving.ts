// Changes of a dashboard's file: never over what somebody else has saved meanwhile.
import { api, ask } from '../../api/client'
import type { Alert, Dashboard, Opened, Report } from './types'

export const pathOf = (name: string) => `/api/v1/dashboards/${encodeURIComponent(name)}`

/** Throws a Problem of status 412 if the file is no longer the one that `etag` names. */
export async function saveDashboard(name: string, what: { dashboard: Dashboard } | { yaml: string }, etag: string | undefined): Promise<Opened> {
  const answer = await ask('PUT', pathOf(name), what, { headers: etag ? { 'If-Match': etag } : {} })
  const text = await answer.text()
  return text ? (JSON.parse(text) as Opened) : api.get<Opened>(pathOf(name))
}

/** Adds an alert or a report, in place of one of the same name. */
export async function saveList(name: string, list: 'alerts' | 'reports', entry: Alert | Report): Promise<void> {
  const opened = await api.get<Opened>(pathOf(name))
  const others = ((opened.dashboard[list] ?? []) as { name: string }[]).filter((one) => one.name !== entry.name)
  await saveDashboard(name, { dashboard: { ...opened.dashboard, [list]: [...others, entry] } as Dashboard }, opened.etag)
}
