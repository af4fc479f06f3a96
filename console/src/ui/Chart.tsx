// A chart. ECharts is large, so it is loaded when the first chart is shown; until then the place is
// kept empty, that nothing moves when it appears.
//   <Chart option={{ xAxis: …, series: […] }} height={240} onEvents={{ click: (mark) => … }} />
import { lazy, Suspense } from 'react'
import type { ChartProps } from './charts/EChart'

const load = () => import('./charts/EChart')
const EChart = lazy(load)

// Starts the download before there is data to draw.
export function preloadCharts(): void {
  void load()
}

export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<div style={{ width: '100%', height: props.height ?? '100%' }} />}>
      <EChart {...props} />
    </Suspense>
  )
}

export type { ChartHandle, ChartProps } from './charts/EChart'
export default Chart
