// Chart kinds without a browser: `node --test gallery/kinds.test.mjs` in console/.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { build } from 'vite'

const root = new URL('..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'kinds-'))
after(() => rmSync(folder, { recursive: true }))

const entry = '\0entry'
await build({
  root, configFile: false, logLevel: 'error',
  plugins: [{
    name: 'entry',
    resolveId: (id) => (id === 'entry' ? entry : undefined),
    load: (id) => (id !== entry ? undefined : ['kinds/index', 'samples', 'theme', 'format', 'frame', 'echarts', 'kinds/relations', 'kinds/spreads', 'kinds/flows', 'types']
      .map((name) => `export * from '${root}src/ui/charts/${name}.ts'`).join('\n')),
  }],
  build: { ssr: true, outDir: folder, rollupOptions: { input: 'entry', output: { entryFileNames: 'charts.mjs' } } },
  ssr: { noExternal: true },
})
const charts = await import(join(folder, 'charts.mjs'))
const { kinds, kindOf, samples, chartTheme, echarts, numberFormat, toTime, grainOf } = charts

const theme = (scheme = 'light', language = 'en') => chartTheme(scheme, language)

function svg(kind, data, chart, look = theme()) {
  const canvas = echarts.init(null, `meesh-${look.dark ? 'dark' : 'light'}`, { renderer: 'svg', ssr: true, width: 480, height: 300 })
  canvas.setOption({ animation: false, useUTC: true, ...kind.draw(data, chart, look).option })
  const text = canvas.renderToSVGString()
  canvas.dispose()
  return text.replace(/<style[^]*?<\/style>/g, '')
}

test('there are more than 50 kinds, each with a sample', () => {
  assert.ok(kinds.length >= 50, `${kinds.length}`)
  assert.deepEqual(kinds.map((kind) => kind.name).sort(), Object.keys(samples).sort())
})

for (const kind of kinds.filter((one) => one.draw)) {
  test(`${kind.name} draws its sample, in both themes and languages`, () => {
    const { data, chart } = samples[kind.name]
    for (const [scheme, language] of [['light', 'en'], ['dark', 'fr']]) {
      const text = svg(kind, data, chart, theme(scheme, language))
      assert.ok((text.match(/<(path|rect|circle|polyline|polygon|text)/g) ?? []).length > 3, 'nothing is drawn')
      assert.doesNotMatch(text, /NaN|undefined|\[object/)
    }
  })

  test(`${kind.name} tells what it lacks instead of breaking`, () => {
    const none = { columns: [{ name: 'a', type: 'boolean' }], rows: [[true]] }
    try {
      svg(kind, none, { kind: kind.name })
    } catch (error) {
      assert.equal(typeof error.key, 'string', String(error.stack))
    }
  })

  test(`${kind.name} draws NULLs`, () => {
    const { data, chart } = samples[kind.name]
    const holes = { ...data, rows: data.rows.map((row, i) => (i % 3 ? row : row.map((value) => (typeof value === 'number' ? null : value)))) }
    assert.doesNotMatch(svg(kind, holes, chart), /NaN/)
    svg(kind, { ...data, rows: data.rows.slice(0, 1).map((row) => row.map(() => null)) }, { ...chart })
  })
}

const hostile = [
  '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '{a|b}', '${7*7}', '</text><script>x</script>', 'a\u0000b', '__proto__', 'constructor',
  '{c0}{value}', '\u202egnp.exe',
]
test('names of marks are text, whatever they are', () => {
  for (const kind of kinds.filter((one) => one.draw)) {
    const { data, chart } = samples[kind.name]
    const text = data.columns.findIndex((column) => column.type === 'varchar')
    if (text < 0) continue
    const rows = data.rows.map((row, i) => row.map((value, c) => (c === text ? hostile[i % hostile.length] : value)))
    assert.doesNotMatch(svg(kind, { ...data, rows }, chart), /<script|<img/, kind.name)
  }
})

test('decimals and large integers come as text', () => {
  const data = { columns: [{ name: 'name', type: 'varchar' }, { name: 'v', type: 'decimal(20,2)' }], rows: [['a', '12.50'], ['b', '9007199254740993']] }
  const { option } = kindOf('bar').draw(data, { kind: 'bar' }, theme())
  assert.deepEqual(option.series[0].data, [12.5, 9007199254740992])
})

test('a NULL is a gap and a missing row is no point', () => {
  const data = {
    columns: [{ name: 'day', type: 'date' }, { name: 'who', type: 'varchar' }, { name: 'v', type: 'double' }],
    rows: [['2025-01-01', 'a', 1], ['2025-01-02', 'a', null], ['2025-01-03', 'a', 3], ['2025-01-01', 'b', 5], ['2025-01-03', 'b', 7]],
  }
  const { option } = kindOf('line').draw(data, { kind: 'line' }, theme())
  assert.deepEqual(option.series[0].data.map((point) => point[1]), [1, null, 3])
  assert.equal(option.series[1].data.length, 2)
})

test('a line of 10,000 points is sampled and quick', () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => [new Date(Date.UTC(2020, 0, 1) + i * 3_600_000).toISOString(), Math.sin(i / 300)])
  const data = { columns: [{ name: 't', type: 'timestamp(3)' }, { name: 'v', type: 'double' }], rows }
  const { option } = kindOf('line').draw(data, { kind: 'line' }, theme())
  assert.equal(option.series[0].sampling, 'lttb')
  assert.equal(option.series[0].showSymbol, false)
  assert.ok(svg(kindOf('line'), data, { kind: 'line' }).length < 60_000)
})

test('a click on a mark names its columns and values', () => {
  const { data, chart } = samples.stacked_bar
  const { pick } = kindOf('stacked_bar').draw(data, chart, theme())
  assert.deepEqual(pick({ seriesIndex: 1, dataIndex: 2 }), [{ column: 'category', value: 'Lights' }, { column: 'country', value: 'Germany' }])
})

test('the columns that encode names are taken; others are refused by name', () => {
  const { data } = samples.bar
  assert.throws(() => kindOf('bar').draw(data, { kind: 'bar', encode: { x: 'nothing' } }, theme()), (error) => error.key === 'charts.no_column' && error.slot === 'nothing')
})

test('kinds are known by other names too', () => {
  for (const [other, name] of [['heatmap', 'heat_map'], ['big_number', 'number'], ['stacked-bar', 'stacked_bar'], ['Markdown', 'text'], ['doughnut', 'donut']]) {
    assert.equal(kindOf(other)?.name, name)
  }
  for (const none of ['', '__proto__', 'constructor', 'x'.repeat(10_000)]) assert.equal(kindOf(none), undefined)
})

test('numbers are written as the language does', () => {
  const written = (spec, value, language = 'en', short = false) => numberFormat(spec, language, short)(value).replace(/[\u00a0\u202f]/g, ' ')
  assert.equal(written({}, 1234567.891), '1,234,567.89')
  assert.equal(written({}, 1234567.891, 'fr'), '1 234 567,89')
  assert.equal(written({ format: 'currency', unit: 'EUR' }, 12.5, 'fr'), '12,50 €')
  assert.equal(written({ format: 'currency', unit: 'EUR' }, 1250, 'fr'), '1 250 €')
  assert.equal(written({ format: 'currency', unit: 'nonsense' }, 3), '3 nonsense')
  assert.equal(written({ format: 'percent' }, 0.1234), '12.3%')
  assert.equal(written({ format: 'bytes' }, 1_500_000), '1.5 MB')
  assert.equal(written({ format: 'bytes' }, 1_500_000, 'fr'), '1,5 Mo')
  assert.equal(written({ format: 'duration', unit: 'ms' }, 95_000), '1 min 35 s')
  assert.equal(written({}, 1_250_000, 'en', true), '1.3M')
  assert.equal(written({}, null), '–')
  assert.equal(written({}, 'abc'), '–')
})

test('times without a zone are shown as written', () => {
  assert.equal(toTime('2025-03-01'), Date.UTC(2025, 2, 1))
  assert.equal(toTime('2025-03-01 12:30:00.250'), Date.UTC(2025, 2, 1, 12, 30, 0, 250))
  assert.equal(toTime('2025-03-01T12:30:00'), Date.UTC(2025, 2, 1, 12, 30))
  assert.equal(toTime('yesterday'), null)
  assert.equal(grainOf([Date.UTC(2025, 0, 1), Date.UTC(2025, 1, 1)]), 'month')
  assert.equal(grainOf([Date.UTC(2025, 0, 1), Date.UTC(2025, 1, 5)]), 'day')
})

test('a sankey with a circle is drawn', () => {
  const data = { columns: ['from', 'to'].map((name) => ({ name, type: 'varchar' })).concat({ name: 'v', type: 'bigint' }), rows: [['a', 'b', 1], ['b', 'c', 2], ['c', 'a', 3], ['a', 'a', 1]] }
  assert.match(svg(kindOf('sankey'), data, { kind: 'sankey' }), /↩/)
})

test('correlations and densities are right', () => {
  assert.equal(charts.correlation([1, 2, 3, null], [2, 4, 6, 8]), 1)
  assert.equal(charts.correlation([1, 2, 3], [3, 2, 1]), -1)
  assert.equal(charts.correlation([1, 1], [1, 2]), null)
  const curve = charts.density([1, 2, 3, 4, 5, 6, 7, 8, 9], 400)
  const step = curve[1][0] - curve[0][0]
  const all = curve.reduce((sum, point) => sum + point[1] * step, 0)
  assert.ok(all > 0.85 && all < 1.01, `the area below is ${all}`)
})

// Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
const blindness = {
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
function lab(rgb) {
  const [x, y, z] = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]].map((row, i) => row.reduce((sum, k, j) => sum + k * rgb[j], 0) / [0.9505, 1, 1.089][i])
  const f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
  return [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))]
}
test('the first eight colours stay apart for people who see fewer', () => {
  const linear = (color) => [1, 3, 5].map((at) => {
    const c = parseInt(color.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  for (const scheme of ['light', 'dark']) {
    const colors = theme(scheme).palette.slice(0, 8)
    for (const [name, matrix] of Object.entries(blindness)) {
      const seen = colors.map((color) => lab(matrix.map((row) => Math.min(1, Math.max(0, row.reduce((sum, k, i) => sum + k * linear(color)[i], 0))))))
      seen.forEach((one, i) => seen.slice(i + 1).forEach((other, j) => {
        const distance = Math.hypot(...one.map((v, k) => v - other[k]))
        assert.ok(distance > 14, `${scheme}, ${name}: ${colors[i]} and ${colors[i + 1 + j]} are ${distance.toFixed(1)} apart`)
      }))
    }
  }
})
