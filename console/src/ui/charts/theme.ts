// Colours of the charts. The palettes stay apart for people with protanopia, deuteranopia and
// tritanopia because neighbours differ in lightness too (tested in gallery/kinds.test.mjs).
import type { ChartTheme } from './types'

const font = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

const light = {
  dark: false,
  palette: ['#0c8577', '#e38b00', '#2c5fa8', '#d13f44', '#5ecbe0', '#5f4772', '#c4c54d', '#cb8ab5', '#7a4a21', '#7d8794'],
  ink: '#1f2933',
  dim: '#616e7c',
  line: '#e1e6eb',
  panel: '#ffffff',
  good: '#0c8577',
  bad: '#c92a4b',
  warn: '#e38b00',
  scale: ['#eaf6f3', '#b7e0d8', '#74c3b6', '#2f9f90', '#0f7266', '#084840'],
  diverging: ['#b2432f', '#e59a7c', '#f3ece6', '#7fb8cf', '#22638f'],
  font,
}

const dark = {
  dark: true,
  palette: ['#2bb8a6', '#f2a93b', '#5b93e0', '#e56783', '#9ddcfb', '#ba96cc', '#b4dd75', '#f8d2d0', '#b98452', '#9aa5b4'],
  ink: '#e3e8ee',
  dim: '#98a4b3',
  line: '#363c44',
  panel: '#242424',
  good: '#2bb8a6',
  bad: '#ff7a8a',
  warn: '#f2a93b',
  scale: ['#233734', '#1d544d', '#1c776c', '#26a191', '#63cdbf', '#b8efe6'],
  diverging: ['#e8896d', '#9c5a48', '#3f4042', '#46789a', '#7fc4ee'],
  font,
}

export function chartTheme(scheme: 'light' | 'dark', language: string): ChartTheme {
  return { ...(scheme === 'dark' ? dark : light), language }
}

function axis(theme: ChartTheme, grid: boolean) {
  return {
    axisLine: { show: !grid, lineStyle: { color: theme.line } },
    axisTick: { show: false },
    axisLabel: { color: theme.dim, fontSize: 11 },
    nameTextStyle: { color: theme.dim, fontSize: 11 },
    splitLine: { show: grid, lineStyle: { color: theme.line } },
    splitArea: { show: false },
  }
}

// The same colours as an ECharts theme, for options that name none.
export function echartsTheme(theme: ChartTheme): object {
  return {
    color: theme.palette,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: theme.font, color: theme.ink },
    title: { textStyle: { color: theme.ink }, subtextStyle: { color: theme.dim } },
    legend: {
      textStyle: { color: theme.ink, fontSize: 12 },
      pageTextStyle: { color: theme.dim },
      pageIconColor: theme.ink,
      pageIconInactiveColor: theme.line,
    },
    tooltip: {
      backgroundColor: theme.panel,
      borderColor: theme.line,
      textStyle: { color: theme.ink, fontSize: 12 },
      axisPointer: { lineStyle: { color: theme.dim }, crossStyle: { color: theme.dim }, label: { color: theme.ink, backgroundColor: theme.line } },
    },
    categoryAxis: axis(theme, false),
    valueAxis: axis(theme, true),
    logAxis: axis(theme, true),
    timeAxis: axis(theme, false),
    line: { symbol: 'circle', symbolSize: 6 },
    radar: {
      axisName: { color: theme.dim },
      axisLine: { lineStyle: { color: theme.line } },
      splitLine: { lineStyle: { color: theme.line } },
      splitArea: { show: false },
    },
    visualMap: { textStyle: { color: theme.dim, fontSize: 11 } },
    dataZoom: { textStyle: { color: theme.dim }, borderColor: theme.line },
  }
}
