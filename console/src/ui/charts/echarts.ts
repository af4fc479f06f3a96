// The parts of ECharts that the chart kinds use, and nothing else of it. Imported only by EChart.tsx,
// which is loaded when the first chart is shown.
import {
  BarChart, BoxplotChart, CandlestickChart, ChordChart, CustomChart, FunnelChart, GaugeChart, GraphChart,
  HeatmapChart, LineChart, ParallelChart, PieChart, RadarChart, SankeyChart, ScatterChart, SunburstChart,
  ThemeRiverChart, TreeChart, TreemapChart,
} from 'echarts/charts'
import {
  AriaComponent, CalendarComponent, DataZoomComponent, GraphicComponent, GridComponent,
  LegendComponent, LegendScrollComponent, MarkAreaComponent, MarkLineComponent, MarkPointComponent,
  ParallelComponent, PolarComponent, RadarComponent, SingleAxisComponent, TitleComponent, TooltipComponent,
  VisualMapComponent,
} from 'echarts/components'
import * as core from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers'
import { chartTheme, echartsTheme } from './theme'

core.use([
  BarChart, BoxplotChart, CandlestickChart, ChordChart, CustomChart, FunnelChart, GaugeChart, GraphChart,
  HeatmapChart, LineChart, ParallelChart, PieChart, RadarChart, SankeyChart, ScatterChart, SunburstChart,
  ThemeRiverChart, TreeChart, TreemapChart,
  AriaComponent, CalendarComponent, DataZoomComponent, GraphicComponent, GridComponent,
  LegendComponent, LegendScrollComponent, MarkAreaComponent, MarkLineComponent, MarkPointComponent,
  ParallelComponent, PolarComponent, RadarComponent, SingleAxisComponent, TitleComponent, TooltipComponent,
  VisualMapComponent,
  LabelLayout, CanvasRenderer, SVGRenderer,
])

core.registerTheme('meesh-light', echartsTheme(chartTheme('light', 'en')))
core.registerTheme('meesh-dark', echartsTheme(chartTheme('dark', 'en')))

function names(part: Intl.DateTimeFormatOptions, count: number, at: (i: number) => Date): string[] {
  const format = new Intl.DateTimeFormat('fr', { ...part, timeZone: 'UTC' })
  return Array.from({ length: count }, (_, i) => format.format(at(i)))
}

// French for ECharts' own texts: the months of time axes and what screen readers are told.
function french() {
  const month = (i: number) => new Date(Date.UTC(2024, i, 1))
  const day = (i: number) => new Date(Date.UTC(2024, 8, 1 + i)); // 1 September 2024 is a Sunday
  return {
    time: {
      month: names({ month: 'long' }, 12, month),
      monthAbbr: names({ month: 'short' }, 12, month),
      dayOfWeek: names({ weekday: 'long' }, 7, day),
      dayOfWeekAbbr: names({ weekday: 'short' }, 7, day),
    },
    legend: { selector: { all: 'Tout', inverse: 'Inverser' } },
    toolbox: {},
    series: { typeNames: { chart: 'Graphique', line: 'Courbe', bar: 'Barres', pie: 'Secteurs', scatter: 'Nuage de points' } },
    aria: {
      general: { withTitle: 'Graphique intitulé « {title} »', withoutTitle: 'Graphique' },
      series: {
        single: { prefix: '', withName: ' de type {seriesType} nommé {seriesName}.', withoutName: ' de type {seriesType}.' },
        multiple: {
          prefix: ' de {seriesCount} séries.',
          withName: ' La série {seriesId} est de type {seriesType} et représente {seriesName}.',
          withoutName: ' La série {seriesId} est de type {seriesType}.',
          separator: { middle: '', end: '' },
        },
      },
      data: {
        allData: ' Les données : ',
        partialData: ' Les {displayCnt} premiers points : ',
        withName: '{name} vaut {value}',
        withoutName: '{value}',
        separator: { middle: ' ; ', end: '. ' },
      },
    },
  }
}
core.registerLocale('FR', french() as never)

export { core as echarts }
