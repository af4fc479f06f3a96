// Every kind of chart by its name.
import type { Kind } from '../types'
import { bars } from './bars'
import { flows } from './flows'
import { lists } from './lists'
import { matrices } from './matrices'
import { relations } from './relations'
import { spreads } from './spreads'
import { trends } from './trends'
import { wholes } from './wholes'

export const kinds: Kind[] = [...trends, ...bars, ...wholes, ...spreads, ...relations, ...flows, ...matrices, ...lists]

const simple = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')
const byName = new Map(kinds.map((kind) => [simple(kind.name), kind]))

// Other names that people know a kind by.
const aliases: Record<string, string> = {
  bignumber: 'number', kpi: 'number', stat: 'number', bignumbertrend: 'numbertrend', areachart: 'area', column: 'bar', columns: 'bar',
  row: 'horizontalbar', stackedbars: 'stackedbar', bar100: 'percentbar', area100: 'percentarea', heatmap: 'heatmap', calendarheatmap: 'calendar',
  boxplot: 'boxplot', box: 'boxplot', density: 'violin', dough: 'donut', doughnut: 'donut', nightingale: 'rose', graph: 'network', mixed: 'dualaxis',
  combo: 'dualaxis', controlchart: 'control', retention: 'cohort', markdown: 'text', pivottable: 'pivot', sparkline: 'sparklines', sparklinetable: 'sparklines',
  wordcloud: 'wordcloud', paralleldimensions: 'parallel', streamgraph: 'themeriver', ohlc: 'candlestick', radialbar: 'polarbar', rfmgrid: 'rfm',
}

export function kindOf(name: string): Kind | undefined {
  const key = simple(String(name))
  return byName.get(key) ?? byName.get(aliases[key] ?? '')
}
