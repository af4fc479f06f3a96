// A chart of a kind, from its configuration and its rows:
//   <ChartView chart={{ kind: 'bar', encode: { x: 'country', y: 'revenue' } }} data={{ columns, rows }}
//              onPick={(picks) => …} />
// Columns that `encode` does not name are chosen by their types. What cannot be drawn says why, in the
// chart's own place.
import { Center, Text, useComputedColorScheme } from '@mantine/core'
import { Component, type ReactNode, type Ref, useMemo } from 'react'
import { useLanguage, useText } from '../../i18n'
import { Chart, type ChartHandle } from '../Chart'
import { textOf } from './format'
import { Frame as Columns } from './frame'
import { kindOf } from './kinds'
import { chartTheme } from './theme'
import { type ChartConfig, type ChartData, type ChartTheme, type Drawing, type Kind, type Mark, type Pick, Unfit } from './types'
import { NumberView, PivotView, ProgressView, SparklinesView, TableView, TextView } from './Views'

interface Props {
  chart: ChartConfig
  data: ChartData
  onPick?: (picks: Pick[]) => void
  handle?: Ref<ChartHandle>
  height?: number | string
}

function Told({ children }: { children: ReactNode }) {
  return <Center h="100%" mih={80} px="md"><Text size="sm" c="dimmed" ta="center">{children}</Text></Center>
}

// What goes wrong in one chart stays there.
class Frame extends Component<{ children: ReactNode; tell: (error: Error) => ReactNode; chart: unknown; data: unknown }, { error?: Error }> {
  state: { error?: Error } = {}
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  componentDidUpdate(before: { chart: unknown; data: unknown }) {
    if (this.state.error && (before.chart !== this.props.chart || before.data !== this.props.data)) this.setState({ error: undefined })
  }
  render() {
    return this.state.error ? this.props.tell(this.state.error) : this.props.children
  }
}

/** The theme charts are drawn in now. */
export function useChartTheme(): ChartTheme {
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false })
  const { language } = useLanguage()
  return useMemo(() => chartTheme(scheme, language), [scheme, language])
}

// What a kind makes of the rows, or why it cannot; views only have their columns looked for.
function prepared(kind: Kind, data: ChartData, chart: ChartConfig, theme: ChartTheme): Drawing | Error | null {
  try {
    if (kind.draw) return data.rows.length > 0 ? kind.draw(data, chart, theme) : null
    if (kind.view !== 'text' && data.rows.length > 0) new Columns(data, chart, theme, kind.slots)
    return null
  } catch (error) {
    return error as Error
  }
}

function Drawn({ drawing, chart, data, onPick, handle, height }: Props & { drawing: Drawing }) {
  const { language } = useLanguage()
  const click = onPick && drawing.pick
    ? (mark: Mark) => {
        const picks = drawing.pick!(mark)
        if (picks.length > 0) onPick(picks)
      }
    : undefined
  return (
    <Chart option={drawing.option} height={height} language={language} handle={handle} description={describe(chart, data, language)}
      onEvents={click ? { click } : undefined} />
  )
}

// For those who hear the chart: its name, how many rows, the first of them.
function describe(chart: ChartConfig, data: ChartData, language: string): string {
  const rows = data.rows.slice(0, 5).map((row) => row.map((value, i) => `${data.columns[i].name} ${value === null ? '∅' : String(value)}`).join(', '))
  return [textOf(chart.title, language), chart.kind.replace(/_/g, ' '), ...rows].filter(Boolean).join('. ')
}

export function ChartView(props: Props) {
  const t = useText()
  const theme = useChartTheme()
  const { chart, data } = props
  const kind = kindOf(chart.kind)
  const made = useMemo(() => (kind ? prepared(kind, data, chart, theme) : null), [kind, data, chart, theme])
  if (!kind) return <Told>{t('charts.no_kind', { kind: String(props.chart.kind) })}</Told>
  const shown = { ...props, kind, theme }
  const tell = (error: Error) =>
    error instanceof Unfit ? <Told>{t(error.key, { slot: error.slot })}</Told> : <Told>{t('charts.cannot', { reason: error.message })}</Told>
  if (made instanceof Error) return tell(made)
  const view = () => {
    if (kind.view === 'text') return <TextView {...shown} />
    if (props.data.rows.length === 0) return <Told>{t('charts.empty')}</Told>
    switch (kind.view) {
      case 'number': return <NumberView {...shown} />
      case 'progress': return <ProgressView {...shown} />
      case 'table': return <TableView {...shown} />
      case 'pivot': return <PivotView {...shown} />
      case 'sparklines': return <SparklinesView {...shown} />
      default: return <Drawn {...props} drawing={made!} />
    }
  }
  return <Frame tell={tell} chart={props.chart} data={props.data}>{view()}</Frame>
}
