// What the chart kinds share: the data of a chart, its configuration as it stands in a dashboard's
// YAML, the theme it is drawn in, and what a kind is. A kind is a pure function from these to an
// ECharts option, so it can be tested without a browser.
import type { EChartsCoreOption } from 'echarts/core'

// A text in one language, or in several.
export type Text = string | { en?: string; fr?: string }

export type Column = { name: string; type: string }

// Rows as the server sends them: decimals and large integers are strings, times ISO texts,
// NULL is null.
export type ChartData = { columns: Column[]; rows: unknown[][] }

export type ChartConfig = {
  id?: string
  title?: Text
  kind: string
  encode?: Record<string, string | string[]>
  options?: Record<string, unknown>
  text?: Text
}

export type ChartTheme = {
  dark: boolean
  language: string; // BCP 47: formats of numbers and dates
  palette: string[]; // told apart by colour-blind people
  ink: string
  dim: string
  line: string
  panel: string
  good: string
  bad: string
  warn: string
  scale: string[]; // from little to much
  diverging: string[]; // from below to above
  font: string
}

export type Family = 'trend' | 'compare' | 'share' | 'spread' | 'relation' | 'flow' | 'matrix' | 'single' | 'list'

// Where a column is put: {key} of `encode`. Without a choice of the user the first unused column
// whose type fits is taken.
export type Slot = {
  key: string
  accept: 'number' | 'time' | 'category' | 'dimension' | 'any'
  many?: boolean
  optional?: boolean
}

// One field of the editor's form, kept under `options`.
export type Setting = {
  key: string
  type: 'boolean' | 'number' | 'text' | 'choice' | 'markdown'
  choices?: readonly string[]
  default?: unknown
}

// A condition that a mark stands for: what a click on it filters the other charts by.
export type Pick = { column: string; value: unknown }

export type Mark = {
  seriesIndex?: number
  seriesName?: string
  dataIndex?: number
  dataType?: string
  name?: string
  value?: unknown
  data?: unknown
}

export type Drawing = {
  option: EChartsCoreOption
  pick?: (mark: Mark) => Pick[]
}

export type View = 'table' | 'pivot' | 'text' | 'number' | 'sparklines' | 'progress'

export type Kind = {
  name: string
  family: Family
  slots: Slot[]
  settings: Setting[]
  // Either an ECharts drawing or the name of a view made of elements.
  draw?: (data: ChartData, chart: ChartConfig, theme: ChartTheme) => Drawing
  view?: View
}

// Thrown by a kind that cannot be drawn from these columns; `key` is a text's key.
export class Unfit extends Error {
  constructor(
    readonly key: string,
    readonly slot = '',
  ) {
    super(slot ? `${key}: ${slot}` : key)
  }
}
