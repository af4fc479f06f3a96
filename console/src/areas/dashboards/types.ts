import type { ChartConfig, Column, Text } from '../../ui/charts/types'

export interface Place {
  id: string
  x: number
  y: number
  w: number
  h: number
}

export interface Parameter {
  name: string
  label?: Text
  kind?: 'text' | 'number' | 'date' | 'choice' | 'boolean'
  multiple?: boolean
  sql?: string
  options?: unknown[]
  default?: unknown
}

export interface Query {
  model: string
  metrics: string[]
  dimensions?: (string | { name: string; grain?: string })[]
  filters?: { dimension: string; op?: string; values?: unknown[] }[]
  order?: string[]
  limit?: number
}

export interface Chart extends ChartConfig {
  id: string
  description?: Text
  sql?: string
  query?: Query
  drill?: { dashboard?: string; parameters?: Record<string, string>; by?: string[]; aggregate?: string }
  filters_others?: boolean
  live?: boolean
}

export interface Alert {
  name: string
  chart?: string
  sql?: string
  column?: string
  above?: number
  below?: number
  change?: { percent: number; periods?: number }
  no_data?: boolean
  every?: string
  repeat?: string
  to?: { webhook?: string; email?: string[] }
}

export interface Report {
  name: string
  cron: string
  format?: 'pdf' | 'png' | 'html'
  language?: string
  to: { email?: string[]; bucket?: string }
}

export type Time = string | { from?: string; to?: string }

export interface Dashboard {
  title: Text
  description?: Text
  owner?: string
  tags?: string[]
  refresh?: string
  time?: { default?: Time }
  parameters?: Parameter[]
  charts: Chart[]
  layout?: Place[]
  alerts?: Alert[]
  reports?: Report[]
}

export interface Opened {
  name: string
  dashboard: Dashboard
  yaml?: string
  etag?: string
  may_edit: boolean
  parameters?: Record<string, unknown>
}

/** What a click on a mark asks of the other charts. */
export interface Filter {
  column: string
  op: 'in'
  values: unknown[]
  source?: string
}

/** A line of the answer to a question for data. */
export interface Line {
  id: string
  columns?: Column[]
  rows?: unknown[][]
  cached?: boolean
  version_ms?: number
  elapsed_ms?: number
  truncated?: boolean
  statement?: string
  ignored_filters?: string[]
  problem?: Record<string, unknown>
}

export interface Model {
  name: string
  title?: Text
  dimensions: { name: string; title?: Text; kind?: string; grains?: string[] }[]
  metrics: { name: string; title?: Text; format?: string; unit?: string }[]
}

export const kName = /^[a-z0-9_-]+$/
