// One chart: what it asks, what it is drawn as, with a preview that follows what is typed.
import { Box, Button, Checkbox, Collapse, Group, MultiSelect, NumberInput, SegmentedControl, Select, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { api, Problem, useApi } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { ProblemView } from '../../ui'
import { CodeEditor } from '../../ui/CodeEditor'
import { ChartView } from '../../ui/charts/ChartView'
import { textOf } from '../../ui/charts/format'
import { kindOf } from '../../ui/charts/kinds'
import type { ChartData, Setting, Slot, Text as Words } from '../../ui/charts/types'
import { asks } from './data'
import classes from './dashboards.module.css'
import { KindPicker } from './KindPicker'
import type { Chart, Line, Model, Query } from './types'

function words(en: string, fr: string): Words | undefined {
  if (en && fr) return { en, fr }
  return en || (fr ? { fr } : undefined)
}

function Titles({ value, label, size, onChange }: { value: Words | undefined; label: string; size?: string; onChange: (value: Words | undefined) => void }) {
  const t = useText()
  const en = typeof value === 'string' ? value : value?.en ?? ''
  const fr = typeof value === 'string' ? '' : value?.fr ?? ''
  return (
    <Group grow>
      <TextInput size={size} label={label} value={en} onChange={(event) => onChange(words(event.currentTarget.value, fr))} />
      <TextInput size={size} label={t('dashboards.in_french', { field: label })} value={fr} onChange={(event) => onChange(words(en, event.currentTarget.value))} />
    </Group>
  )
}
export { Titles }

interface Part {
  chart: Chart
  change: (next: Partial<Chart>) => void
}

function MetricForm({ chart, change }: Part) {
  const t = useText()
  const { language } = useLanguage()
  const told = useApi<{ models: Model[] }>('/api/v1/semantic')
  const query: Query = chart.query ?? { model: '', metrics: [] }
  const model = told.data?.models.find((one) => one.name === query.model)
  const set = (next: Partial<Query>) => change({ query: { ...query, ...next }, sql: undefined })
  const used = (query.dimensions ?? []).map((one) => (typeof one === 'string' ? { name: one } : one))
  if (told.error) return <ProblemView error={told.error} />
  const named = (list: { name: string; title?: Words }[]) => list.map((one) => ({ value: one.name, label: textOf(one.title, language) || one.name }))
  return (
    <Stack gap="xs">
      <Select label={t('dashboards.model')} data={named(told.data?.models ?? [])} value={query.model || null} onChange={(next) => change({ query: { model: next ?? '', metrics: [] }, sql: undefined })} />
      {model && (
        <>
          <MultiSelect label={t('dashboards.metrics')} data={named(model.metrics)} value={query.metrics} onChange={(metrics) => set({ metrics })} searchable />
          <MultiSelect label={t('dashboards.dimensions')} data={named(model.dimensions)} value={used.map((one) => one.name)} searchable
            onChange={(names) => set({ dimensions: names.map((name) => {
              const grains = model.dimensions.find((one) => one.name === name)?.grains
              return used.find((one) => one.name === name) ?? (grains?.length ? { name, grain: grains.includes('month') ? 'month' : grains[0] } : name)
            }) })} />
          {used.map((dimension) => {
            const grains = model.dimensions.find((one) => one.name === dimension.name)?.grains
            if (!grains?.length) return null
            return (
              <Select key={dimension.name} label={t('dashboards.grain', { dimension: dimension.name })} value={'grain' in dimension ? dimension.grain ?? null : null} clearable
                data={grains.map((grain) => ({ value: grain, label: t(`dashboards.grain.${grain}`) }))}
                onChange={(grain) => set({ dimensions: used.map((one) => (one.name === dimension.name ? (grain ? { name: one.name, grain } : one.name) : one)) })} />
            )
          })}
          <Group grow>
            <Select label={t('dashboards.order')} clearable value={query.order?.[0] ?? null}
              data={[...query.metrics, ...used.map((one) => one.name)].flatMap((name) => [{ value: name, label: `${name} ↑` }, { value: `-${name}`, label: `${name} ↓` }])}
              onChange={(next) => set({ order: next ? [next] : undefined })} />
            <NumberInput label={t('dashboards.limit_rows')} min={1} value={query.limit ?? ''} onChange={(next) => set({ limit: Number(next) || undefined })} />
          </Group>
        </>
      )}
    </Stack>
  )
}

function SlotField({ slot, chart, change, columns }: Part & { slot: Slot; columns: string[] }) {
  const t = useText()
  const value = chart.encode?.[slot.key]
  const set = (next: string | string[] | null) => {
    const encode = { ...chart.encode }
    if (next === null || next.length === 0) delete encode[slot.key]
    else encode[slot.key] = next
    change({ encode: Object.keys(encode).length ? encode : undefined })
  }
  const label = t(`charts.slot.${slot.key}`)
  const chosen = ([] as string[]).concat(value ?? [])
  const data = [...new Set([...columns, ...chosen])]
  if (slot.many) return <MultiSelect size="xs" label={label} data={data} value={chosen} placeholder={chosen.length ? undefined : t('charts.by_itself')} onChange={set} clearable />
  return <Select size="xs" label={label} data={data} value={chosen[0] ?? null} placeholder={t('charts.by_itself')} onChange={set} clearable />
}

function SettingField({ setting, chart, change }: Part & { setting: Setting }) {
  const t = useText()
  const value = chart.options?.[setting.key]
  const set = (next: unknown) => {
    const options = { ...chart.options }
    if (next === undefined || next === null || next === '') delete options[setting.key]
    else options[setting.key] = next
    change({ options: Object.keys(options).length ? options : undefined })
  }
  const label = t(`charts.set.${setting.key}`)
  switch (setting.type) {
    case 'boolean':
      return <Checkbox size="xs" mt="xs" label={label} checked={value === undefined ? setting.default === true : value === true} onChange={(event) => set(event.currentTarget.checked)} />
    case 'number':
      return <NumberInput size="xs" label={label} value={typeof value === 'number' ? value : ''} onChange={(next) => set(next === '' ? undefined : Number(next))} />
    case 'choice':
      return <Select size="xs" label={label} clearable value={typeof value === 'string' ? value : null} placeholder={setting.default ? t(`charts.choice.${String(setting.default)}`) : undefined}
        data={(setting.choices ?? []).map((one) => ({ value: one, label: t(`charts.choice.${one}`) }))} onChange={set} />
    case 'markdown':
      return <Textarea label={label} autosize minRows={6} maxRows={16} value={textOf(chart.text, 'en')} onChange={(event) => change({ text: event.currentTarget.value })} />
    default:
      return <TextInput size="xs" label={label} value={typeof value === 'string' ? value : ''} onChange={(event) => set(event.currentTarget.value)} />
  }
}

/** Asks for the rows of a chart as it is now, half a second after the last change. */
function usePreview(chart: Chart, name: string) {
  const { language } = useLanguage()
  const asked = JSON.stringify({ id: chart.id, kind: chart.kind, sql: chart.sql, query: chart.query })
  const [settled] = useDebouncedValue(asked, 500)
  const [state, setState] = useState<{ data?: ChartData; problem?: Problem; loading: boolean }>({ loading: false })
  useEffect(() => {
    const one = JSON.parse(settled) as Chart
    if (!asks(one) || !(one.query || /\S\s+\S/.test(one.sql ?? '')) || (one.query && (!one.query.model || one.query.metrics.length === 0))) {
      setState({ loading: false })
      return
    }
    const control = new AbortController()
    setState((before) => ({ ...before, loading: true }))
    api.post<Line>('/api/v1/charts/data', { chart: { ...one, id: one.id || 'preview' }, dashboard: name, parameters: {}, language }, { signal: control.signal })
      .then((line) => setState(line.problem
        ? { problem: new Problem(Number(line.problem.status ?? 500), line.problem), loading: false }
        : { data: { columns: line.columns ?? [], rows: line.rows ?? [] }, loading: false }))
      .catch((error: Error) => {
        if (!control.signal.aborted) setState({ problem: error as Problem, loading: false })
      })
    return () => control.abort()
  }, [settled, name, language])
  return state
}

export function ChartForm({ chart, name, onChange, onDone }: { chart: Chart; name: string; onChange: (chart: Chart) => void; onDone: () => void }) {
  const t = useText()
  const [picking, setPicking] = useState(false)
  const [more, setMore] = useState(false)
  const kind = kindOf(chart.kind)
  const change = (next: Partial<Chart>) => onChange(JSON.parse(JSON.stringify({ ...chart, ...next })) as Chart)
  const preview = usePreview(chart, name)
  const columns = preview.data?.columns.map((column) => column.name) ?? []
  const marks = preview.problem?.line ? [{ line: preview.problem.line, column: preview.problem.column, message: preview.problem.detail }] : []
  const text = kind?.view === 'text'
  return (
    <div className={classes.form}>
      <Stack gap="sm">
        <Titles label={t('dashboards.field.title')} value={chart.title} onChange={(title) => change({ title })} />
        <Group justify="space-between">
          <Text size="sm" fw={500}>{t('dashboards.kind')}: {t(`charts.kind.${kind?.name ?? 'line'}`)}</Text>
          <Button size="compact-xs" variant="light" onClick={() => setPicking(!picking)}>{t(picking ? 'dashboards.kinds_close' : 'dashboards.kinds_open')}</Button>
        </Group>
        <Collapse expanded={picking}>{picking && <KindPicker value={kind?.name ?? ''} onChange={(next) => change({ kind: next })} />}</Collapse>
        {!text && (
          <>
            <SegmentedControl size="xs" value={chart.query ? 'metrics' : 'sql'} onChange={(next) => change(next === 'sql' ? { query: undefined, sql: chart.sql ?? 'SELECT ' } : { query: { model: '', metrics: [] }, sql: undefined })}
              data={[{ value: 'sql', label: 'SQL' }, { value: 'metrics', label: t('dashboards.from_metrics') }]} aria-label={t('dashboards.source')} />
            {chart.query
              ? <MetricForm chart={chart} change={change} />
              : <CodeEditor language="sql" label="SQL" height={190} value={chart.sql ?? ''} onChange={(sql) => change({ sql })} marks={marks} />}
          </>
        )}
        <div className={classes.kinds}>
          {kind?.slots.map((slot) => <SlotField key={slot.key} slot={slot} chart={chart} change={change} columns={columns} />)}
        </div>
        <div className={text ? undefined : classes.kinds}>
          {kind?.settings.map((setting) => <SettingField key={setting.key} setting={setting} chart={chart} change={change} />)}
        </div>
        {!text && (
          <>
            <Button size="compact-xs" variant="subtle" onClick={() => setMore(!more)} aria-expanded={more}>{t('dashboards.interaction')}</Button>
            <Collapse expanded={more}>
              <Stack gap="xs">
                <Checkbox size="xs" label={t('dashboards.filters_others')} checked={chart.filters_others !== false} onChange={(event) => change({ filters_others: event.currentTarget.checked ? undefined : false })} />
                <Checkbox size="xs" label={t('dashboards.live')} checked={chart.live === true} onChange={(event) => change({ live: event.currentTarget.checked || undefined })} />
                <MultiSelect size="xs" label={t('dashboards.drill_by')} data={[...new Set([...columns, ...(chart.drill?.by ?? [])])]} value={chart.drill?.by ?? []} onChange={(by) => change({ drill: by.length ? { ...chart.drill, by } : undefined })} />
                <TextInput size="xs" label={t('dashboards.drill_to')} value={chart.drill?.dashboard ?? ''} onChange={(event) => change({ drill: event.currentTarget.value ? { ...chart.drill, dashboard: event.currentTarget.value } : undefined })} />
              </Stack>
            </Collapse>
          </>
        )}
        <Group justify="flex-end"><Button onClick={onDone}>{t('dashboards.done')}</Button></Group>
      </Stack>
      <div className={classes.preview}>
        <Text size="sm" fw={500} mb={6}>{t('dashboards.preview')}</Text>
        <Box className={classes.tile} h={340} p={10} style={{ opacity: preview.loading ? 0.6 : 1 }}>
          {preview.problem ? <ProblemView error={preview.problem} />
            : text ? <ChartView chart={chart} data={{ columns: [], rows: [] }} />
            : preview.data ? <ChartView chart={chart} data={preview.data} />
            : <Text c="dimmed" size="sm" p="md">{t('dashboards.preview_none')}</Text>}
        </Box>
        {preview.data && <Text size="xs" c="dimmed" mt={6}>{t('ui.rows', { count: preview.data.rows.length })} · {columns.join(', ')}</Text>}
      </div>
    </div>
  )
}
