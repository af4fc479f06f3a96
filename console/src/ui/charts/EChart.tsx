// One ECharts canvas in an element: made when it is shown, resized with its element, disposed of with
// it. Loaded lazily by ../Chart.tsx.
import { useComputedColorScheme } from '@mantine/core'
import type { EChartsCoreOption, EChartsType } from 'echarts/core'
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react'
import { echarts } from './echarts'

export type ChartHandle = {
  // A data URL of the picture, twice as sharp as the screen.
  picture: (type: 'png' | 'svg') => string
}

export type ChartProps = {
  option: EChartsCoreOption
  height?: number | string; // default 100 % of the parent
  onEvents?: Record<string, (event: never) => void>
  description?: string; // for screen readers, instead of ECharts' own
  language?: string; // default: of the document
  handle?: Ref<ChartHandle>
}

function localeOf(language?: string): string {
  return (language ?? document.documentElement.lang).startsWith('fr') ? 'FR' : 'EN'
}

// Tooltips are drawn in the canvas: HTML ones need style attributes, which the content policy
// forbids, and would take names for markup.
function complete(option: EChartsCoreOption, description?: string): EChartsCoreOption {
  const aria = { enabled: true, label: { enabled: true, ...(description ? { description } : {}) } }
  const tooltip = option.tooltip as object | undefined
  return {
    animation: false,
    useUTC: true,
    aria,
    ...option,
    ...(tooltip ? { tooltip: { confine: true, ...tooltip, renderMode: 'richText' } } : {}),
  }
}

function drawSvg(option: EChartsCoreOption, chart: EChartsType, theme: string, locale: string): string {
  const copy = echarts.init(null, theme, {
    renderer: 'svg', ssr: true, width: chart.getWidth(), height: chart.getHeight(), locale,
  })
  copy.setOption(option)
  // The styles of marks under the pointer are of no use in a picture.
  const text = copy.renderToSVGString().replace(/<style[^]*?<\/style>/g, '')
  copy.dispose()
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`
}

export default function EChart({ option, height = '100%', onEvents, description, language, handle }: ChartProps) {
  const element = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType | null>(null)
  const events = useRef(onEvents)
  events.current = onEvents
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false })
  const theme = `meesh-${scheme}`
  const locale = localeOf(language)
  const latest = useRef(option)
  latest.current = complete(option, description)

  useEffect(() => {
    const made = echarts.init(element.current!, theme, { renderer: 'canvas', locale })
    chart.current = made
    made.setOption(latest.current)
    for (const name of Object.keys(events.current ?? {})) {
      made.on(name, (event: unknown) => events.current?.[name]?.(event as never))
    }
    let frame = 0
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => {
        const box = element.current
        if (!box || (box.clientWidth === made.getWidth() && box.clientHeight === made.getHeight())) return
        made.resize()
      })
    })
    observer.observe(element.current!)
    return () => {
      cancelAnimationFrame(frame)
      observer.disconnect()
      chart.current = null
      made.dispose()
    }
  }, [theme, locale])

  // The option of the first drawing is set above; equal options are not drawn again.
  const drawn = useRef<EChartsCoreOption | null>(null)
  useEffect(() => {
    if (drawn.current && drawn.current !== option) chart.current?.setOption(latest.current, { notMerge: true })
    drawn.current = option
  }, [option])

  useImperativeHandle(handle, () => ({
    picture: (type) => {
      if (!chart.current) return ''
      if (type === 'svg') return drawSvg(latest.current, chart.current, theme, locale)
      const background = scheme === 'dark' ? '#242424' : '#ffffff'
      return chart.current.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: background })
    },
  }), [theme, locale, scheme])

  return <div ref={element} style={{ width: '100%', height, minHeight: 0 }} />
}
