// Made-up rows for every kind: the pictures of the editor's choice, of the documentation and of the
// tests. The same numbers every time.
import type { ChartConfig, ChartData } from './types'

export interface Sample {
  data: ChartData
  chart: ChartConfig
}

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return state / 4294967296
  }
}

const table = (columns: string, rows: unknown[][]): ChartData => ({
  columns: columns.split(' ').map((part) => {
    const [name, type] = part.split(':')
    return { name, type: type ?? 'varchar' }
  }),
  rows,
})

const months = Array.from({ length: 12 }, (_, i) => `2025-${String(i + 1).padStart(2, '0')}-01`)
const days = (count: number, from = Date.UTC(2025, 0, 1)) =>
  Array.from({ length: count }, (_, i) => new Date(from + i * 86_400_000).toISOString().slice(0, 10))
const countries = ['France', 'Germany', 'Spain', 'Italy', 'Portugal']
const categories = ['Bicycles', 'Helmets', 'Lights', 'Locks', 'Bags', 'Tyres', 'Tools']

function monthly(seed: number, count = 3): ChartData {
  const next = random(seed)
  return table('month:date country revenue:double', countries.slice(0, count).flatMap((country, c) =>
    months.map((month, m) => [month, country, Math.round(40_000 + 22_000 * (count - c) + m * (2600 - c * 500) + 9_000 * Math.sin(m / 1.9 + c) + next() * 7000)])))
}

function byCategory(seed: number): ChartData {
  const next = random(seed)
  return table('category revenue:double', categories.map((name, i) => [name, Math.round(92_000 / (1 + i * 0.55) + next() * 8000)]))
}

function byCategoryAndCountry(seed: number): ChartData {
  const next = random(seed)
  return table('category country revenue:double', categories.slice(0, 5).flatMap((category, i) =>
    countries.slice(0, 3).map((country) => [category, country, Math.round(12_000 + 30_000 / (1 + i) * (0.5 + next()))])))
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next())
}

function spread(seed: number): ChartData {
  const next = random(seed)
  return table('channel minutes:double', ['Web', 'Shop', 'Phone', 'App'].flatMap((channel, c) =>
    Array.from({ length: 220 }, () => [channel, Math.max(0.5, 14 + c * 4 + normal(next) * (3 + c * 1.6) + (next() > 0.97 ? 22 : 0))])))
}

function points(seed: number): ChartData {
  const next = random(seed)
  return table('weight:double price:double orders:bigint category name', Array.from({ length: 150 }, (_, i) => {
    const c = i % 3
    const weight = 4 + c * 4 + normal(next) * 1.7
    return [weight, 300 + weight * 70 * (1 + c * 0.35) + normal(next) * 160, Math.round(next() * 900), ['City', 'Road', 'Mountain'][c], `Bike ${i + 1}`]
  }))
}

const bubbles = table('spend:double revenue:double orders:bigint country', [
  [12000, 88000, 910, 'France'], [9800, 64000, 720, 'Germany'], [6100, 51000, 540, 'Spain'], [7400, 39000, 430, 'Italy'],
  [2800, 22000, 260, 'Portugal'], [4300, 27500, 210, 'Belgium'], [3500, 14000, 160, 'Austria'], [1600, 9800, 90, 'Ireland'],
])

const steps = table('step people:bigint', [['Visited', 48200], ['Saw a product', 31800], ['Filled a cart', 12900], ['Started to pay', 8100], ['Paid', 6150]])

const paths = table('category product revenue:double', [
  ['Bicycles', 'City', 52000], ['Bicycles', 'Road', 38000], ['Bicycles', 'Mountain', 29000], ['Bicycles', 'Children', 12500],
  ['Clothing', 'Jackets', 21000], ['Clothing', 'Gloves', 8600], ['Clothing', 'Shoes', 16500],
  ['Parts', 'Tyres', 14000], ['Parts', 'Chains', 6200], ['Parts', 'Brakes', 9400], ['Service', 'Repair', 17800], ['Service', 'Lease', 11000],
])

const flows = table('channel step visits:bigint', [
  ['Search', 'Product', 4200], ['Search', 'Home', 1800], ['E-mail', 'Product', 2300], ['E-mail', 'Sale', 1900], ['Social', 'Home', 2100], ['Social', 'Sale', 700],
  ['Home', 'Product', 2400], ['Home', 'Leave', 1500], ['Product', 'Cart', 4800], ['Product', 'Leave', 4100], ['Sale', 'Cart', 1700], ['Sale', 'Leave', 900], ['Cart', 'Paid', 4900], ['Cart', 'Leave', 1600],
])

const trade = table('from to value:double', [
  ['Lyon', 'Paris', 320], ['Paris', 'Lyon', 280], ['Paris', 'Lille', 240], ['Lille', 'Paris', 150], ['Lyon', 'Nice', 190], ['Nice', 'Lyon', 120], ['Nantes', 'Paris', 210], ['Paris', 'Nantes', 170], ['Nantes', 'Lyon', 70], ['Lille', 'Lyon', 60],
])

function heat(seed: number): ChartData {
  const next = random(seed)
  const week = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
  return table('hour:integer day orders:bigint', week.flatMap((day, d) =>
    Array.from({ length: 12 }, (_, h) => [h * 2, day, Math.round((20 + 80 * Math.exp(-(((h - 6.5) / 2.6) ** 2))) * (d > 4 ? 0.55 : 1) * (0.75 + next() * 0.5))])))
}

function calendarDays(seed: number): ChartData {
  const next = random(seed)
  return table('day:date orders:bigint', days(365).map((day, i) => [day, Math.max(0, Math.round(40 + 30 * Math.sin(i / 58) + next() * 35 - (i % 7 > 4 ? 25 : 0)))]))
}

function prices(seed: number): ChartData {
  const next = random(seed)
  let price = 100
  return table('day:date open:double high:double low:double close:double', days(40, Date.UTC(2025, 2, 3)).map((day) => {
    const open = price
    price += normal(next) * 2.2 + 0.25
    return [day, open, Math.max(open, price) + next() * 1.6, Math.min(open, price) - next() * 1.6, price].map((v) => (typeof v === 'number' ? Math.round(v * 100) / 100 : v))
  }))
}

function cohorts(seed: number): ChartData {
  const next = random(seed)
  return table('cohort:date month:integer customers:bigint', months.slice(0, 8).flatMap((month, c) =>
    Array.from({ length: 8 - c }, (_, age) => [month, age, Math.round((420 - c * 18) * (age === 0 ? 1 : 0.52 * Math.exp(-age / 6) * (0.9 + next() * 0.2)))])))
}

function scores(seed: number): ChartData {
  const next = random(seed)
  return table('recency:integer frequency:integer customers:bigint', [1, 2, 3, 4, 5].flatMap((r) =>
    [1, 2, 3, 4, 5].map((f) => [r, f, Math.round(30 + 140 * Math.exp(-((r - f) ** 2) / 3) * (0.6 + next() * 0.6))])))
}

const work = table('step start:timestamp(3) end:timestamp(3) state', [
  ['load orders', '2025-03-01 02:00:00', '2025-03-01 02:12:00', 'done'], ['load customers', '2025-03-01 02:00:00', '2025-03-01 02:07:30', 'done'],
  ['clean orders', '2025-03-01 02:12:00', '2025-03-01 02:21:00', 'done'], ['join', '2025-03-01 02:21:00', '2025-03-01 02:34:00', 'done'],
  ['check', '2025-03-01 02:34:00', '2025-03-01 02:37:00', 'failed'], ['check again', '2025-03-01 02:40:00', '2025-03-01 02:44:00', 'done'], ['publish', '2025-03-01 02:44:00', '2025-03-01 02:49:00', 'done'],
])

const events = table('day:date event kind', [
  ['2025-01-15', 'New shop in Lyon', 'shop'], ['2025-02-20', 'Winter sale', 'sale'], ['2025-04-03', 'Web shop 2', 'web'], ['2025-05-28', 'Shop in Nice', 'shop'],
  ['2025-07-01', 'Summer sale', 'sale'], ['2025-09-12', 'App', 'web'], ['2025-11-28', 'Black Friday', 'sale'],
])

const people = table('name speed:double handling:double comfort:double range:double price:double weight:double', [
  ['City', 5, 6, 9, 7, 8, 4], ['Road', 9, 8, 4, 8, 5, 9], ['Mountain', 6, 9, 6, 6, 6, 6],
])

const measured = (() => {
  const next = random(77)
  return table('type speed:double weight:double price:double range:double', Array.from({ length: 36 }, (_, i) => {
    const c = i % 3
    return [['City', 'Road', 'Mountain'][c], 22 + c * 6 + normal(next) * 2.4, 14 - c * 2.5 + normal(next), 900 + c * 800 + normal(next) * 220, 60 + (c === 1 ? 40 : c * 8) + normal(next) * 9]
  }))
})()

const words = table('word count:bigint', [
  ['delivery', 480], ['price', 410], ['quality', 350], ['size', 290], ['colour', 220], ['brakes', 190], ['comfort', 180], ['battery', 165], ['service', 150], ['assembly', 130], ['weight', 118],
  ['saddle', 96], ['chain', 88], ['lights', 80], ['noise', 66], ['manual', 60], ['packaging', 52], ['gears', 48], ['pedals', 40], ['bell', 30], ['bottle', 26], ['lock', 24],
])

const control = (() => {
  const next = random(31)
  return table('day:date minutes:double', days(34).map((day, i) => [day, i === 22 ? 21.4 : Math.round((12 + normal(next) * 1.4) * 10) / 10]))
})()

const change = table('product before:double after:double', [['City', 320, 410], ['Road', 280, 260], ['Mountain', 190, 300], ['Children', 120, 150], ['Cargo', 60, 140]])
const targets = table('country revenue:double goal:double', [['France', 92000, 85000], ['Germany', 61000, 75000], ['Spain', 48000, 45000], ['Italy', 30000, 42000]])
const money = { format: 'currency', unit: 'EUR' }
const year = table('year country revenue:double', countries.flatMap((country, i) => [['2023', country, 40000 + i * 9000], ['2024', country, 43000 + (4 - i) * 9500]]))
const cash = table('item amount:double', [['Sales', 182000], ['Service', 41000], ['Goods', -96000], ['Salaries', -58000], ['Rent', -17000]])
const pareto = byCategory(8)
const rates = table('month:date orders:bigint conversion:double', months.map((month, i) => [month, 900 + i * 60 + (i % 3) * 120, 0.021 + 0.001 * i + (i % 2) * 0.002]))

/** A sample of every kind by its name. */
export const samples: Record<string, Sample> = {
  line: { data: monthly(1), chart: { kind: 'line', options: money } },
  area: { data: monthly(2, 1), chart: { kind: 'area', options: money } },
  stacked_area: { data: monthly(3), chart: { kind: 'stacked_area', options: money } },
  percent_area: { data: monthly(4), chart: { kind: 'percent_area' } },
  step: { data: monthly(5, 2), chart: { kind: 'step', options: money } },
  control: { data: control, chart: { kind: 'control' } },
  slope: { data: year, chart: { kind: 'slope', encode: { x: 'year', series: 'country', y: 'revenue' }, options: money } },
  theme_river: { data: monthly(6, 4), chart: { kind: 'theme_river', options: money } },
  bar: { data: byCategory(7), chart: { kind: 'bar', options: money } },
  grouped_bar: { data: byCategoryAndCountry(9), chart: { kind: 'grouped_bar', encode: { x: 'category', series: 'country' }, options: money } },
  stacked_bar: { data: byCategoryAndCountry(10), chart: { kind: 'stacked_bar', encode: { x: 'category', series: 'country' }, options: money } },
  percent_bar: { data: byCategoryAndCountry(11), chart: { kind: 'percent_bar', encode: { x: 'category', series: 'country' } } },
  horizontal_bar: { data: byCategory(12), chart: { kind: 'horizontal_bar', options: { ...money, labels: true } } },
  lollipop: { data: byCategory(13), chart: { kind: 'lollipop', options: money } },
  waterfall: { data: cash, chart: { kind: 'waterfall', options: money } },
  pareto: { data: pareto, chart: { kind: 'pareto', options: money } },
  dual_axis: { data: rates, chart: { kind: 'dual_axis', options: { format2: 'percent' } } },
  bullet: { data: targets, chart: { kind: 'bullet', options: money } },
  dumbbell: { data: change, chart: { kind: 'dumbbell', encode: { label: 'product', start: 'before', end: 'after' } } },
  polar_bar: { data: byCategory(14), chart: { kind: 'polar_bar', options: money } },
  pie: { data: byCategory(15), chart: { kind: 'pie', options: money } },
  donut: { data: byCategory(16), chart: { kind: 'donut', options: money } },
  rose: { data: byCategory(17), chart: { kind: 'rose', options: money } },
  funnel: { data: steps, chart: { kind: 'funnel' } },
  treemap: { data: paths, chart: { kind: 'treemap', options: money } },
  sunburst: { data: paths, chart: { kind: 'sunburst', options: money } },
  gauge: { data: table('uptime:double', [[0.873]]), chart: { kind: 'gauge', options: { format: 'percent', target: 0.95, max: 1 } } },
  histogram: { data: table('minutes:double', spread(18).rows.map((row) => [row[1]])), chart: { kind: 'histogram' } },
  box_plot: { data: spread(19), chart: { kind: 'box_plot' } },
  violin: { data: spread(20), chart: { kind: 'violin' } },
  candlestick: { data: prices(21), chart: { kind: 'candlestick', options: { decimals: 2 } } },
  scatter: { data: points(22), chart: { kind: 'scatter', encode: { x: 'weight', y: 'price', series: 'category' }, options: money } },
  bubble: { data: bubbles, chart: { kind: 'bubble', encode: { x: 'spend', y: 'revenue', size: 'orders', label: 'country' }, options: money } },
  radar: { data: people, chart: { kind: 'radar', options: { common_scale: true } } },
  parallel: { data: measured, chart: { kind: 'parallel' } },
  correlation: { data: measured, chart: { kind: 'correlation' } },
  word_cloud: { data: words, chart: { kind: 'word_cloud' } },
  sankey: { data: flows, chart: { kind: 'sankey', encode: { from: 'channel', to: 'step', value: 'visits' } } },
  chord: { data: trade, chart: { kind: 'chord', encode: { from: 'from', to: 'to', value: 'value' } } },
  network: { data: flows, chart: { kind: 'network', encode: { from: 'channel', to: 'step', value: 'visits' } } },
  tree: { data: paths, chart: { kind: 'tree', options: { ...money, root: 'All' } } },
  heat_map: { data: heat(23), chart: { kind: 'heat_map' } },
  calendar: { data: calendarDays(24), chart: { kind: 'calendar' } },
  cohort: { data: cohorts(25), chart: { kind: 'cohort', encode: { y: 'cohort', x: 'month', value: 'customers' } } },
  rfm: { data: scores(26), chart: { kind: 'rfm' } },
  gantt: { data: work, chart: { kind: 'gantt' } },
  timeline: { data: events, chart: { kind: 'timeline' } },
  number: { data: table('revenue:double before:double', [[482300, 431200]]), chart: { kind: 'number', encode: { value: 'revenue', previous: 'before' }, options: money } },
  number_trend: { data: monthly(27, 1), chart: { kind: 'number_trend', options: money } },
  progress: { data: table('team done:integer goal:integer', [['Sales', 84, 100], ['Web', 61, 80], ['Shops', 118, 110]]), chart: { kind: 'progress' } },
  table: { data: byCategoryAndCountry(28), chart: { kind: 'table', options: { bars: true } } },
  pivot: { data: byCategoryAndCountry(29), chart: { kind: 'pivot', options: { ...money, decimals: 0 } } },
  sparklines: { data: monthly(30, 5), chart: { kind: 'sparklines', options: money } },
  text: { data: { columns: [], rows: [] }, chart: { kind: 'text', text: '## Sales of the year\n\nWhat is **sold**, where, and to whom.\n\n- Revenue is without tax\n- Returns are *subtracted*\n\n| Region | Goal |\n|---|---|\n| North | 1.2 M |\n| South | 0.9 M |' } },
}
