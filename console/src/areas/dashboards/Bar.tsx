// Above the charts: time, parameters, what was clicked.
import { ActionIcon, Button, Group, MultiSelect, NumberInput, Pill, Popover, Select, Stack, Switch, Text, TextInput } from '@mantine/core'
import { IconCalendar, IconX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useApi } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { plain } from '../../ui/charts/frame'
import { textOf } from '../../ui/charts/format'
import classes from './dashboards.module.css'
import type { Dashboard, Filter, Parameter, Time } from './types'
import { type Viewing, parameterText } from './view'

const kRanges = [
  'today', 'last 15 minutes', 'last 1 hours', 'last 24 hours', 'last 7 days', 'last 30 days', 'last 90 days', 'last 12 months',
  'this month', 'this year', 'all',
]

function rangeText(t: ReturnType<typeof useText>, time: Time | undefined): string {
  if (time === undefined) return t('dashboards.time.all')
  if (typeof time !== 'string') return `${time.from ?? '…'} – ${time.to ?? '…'}`
  const m = /^last (?:(\d+) )?(minute|hour|day|week|month|year)s?$/.exec(time)
  if (m) return t(`dashboards.time.last_${m[2]}s`, { n: Number(m[1] ?? 1) })
  const words = ['today', 'yesterday', 'this week', 'this month', 'this quarter', 'this year', 'all']
  return words.includes(time) ? t(`dashboards.time.${time.replace(' ', '_')}`) : time
}

function TimePicker({ value, onChange }: { value: Time | undefined; onChange: (time: Time) => void }) {
  const t = useText()
  const [open, setOpen] = useState(false)
  const given = typeof value === 'object' ? value : {}
  const [from, setFrom] = useState(given.from ?? '')
  const [to, setTo] = useState(given.to ?? '')
  const choose = (time: Time) => {
    onChange(time)
    setOpen(false)
  }
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="default" size="xs" leftSection={<IconCalendar size={15} />} onClick={() => setOpen(!open)} aria-label={t('dashboards.time_range', { range: rangeText(t, value) })}>
          {rangeText(t, value)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={4}>
          <Group gap={4} maw={330}>
            {kRanges.map((range) => (
              <Button key={range} size="compact-xs" variant={range === value ? 'filled' : 'light'} onClick={() => choose(range)}>{rangeText(t, range)}</Button>
            ))}
          </Group>
          <Group gap="xs" align="flex-end" mt="xs">
            <TextInput type="date" size="xs" label={t('dashboards.from')} value={from.slice(0, 10)} onChange={(event) => setFrom(event.currentTarget.value)} />
            <TextInput type="date" size="xs" label={t('dashboards.to')} value={to.slice(0, 10)} onChange={(event) => setTo(event.currentTarget.value)} />
            <Button size="xs" disabled={!from && !to} onClick={() => choose({ ...(from ? { from } : {}), ...(to ? { to } : {}) })}>{t('dashboards.apply')}</Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

interface Option {
  value: string
  label: string
}

function optionsOf(list: unknown[] | undefined): { options: Option[]; raw: Map<string, unknown> } {
  const raw = new Map<string, unknown>()
  const options = (list ?? []).flatMap((one): Option[] => {
    const pair = one !== null && typeof one === 'object' ? (one as { value: unknown; label?: unknown }) : { value: one }
    const value = plain(pair.value)
    if (raw.has(value)) return []
    raw.set(value, pair.value)
    return [{ value, label: pair.label === undefined || pair.label === null ? value : String(pair.label) }]
  })
  return { options, raw }
}

interface FieldProps {
  base: string
  parameter: Parameter
  value: unknown
  onChange: (value: unknown) => void
}

function Choice({ base, parameter, value, onChange }: FieldProps) {
  const t = useText()
  const { language } = useLanguage()
  const told = useApi<{ options: unknown[] }>(`${base}/parameters/${encodeURIComponent(parameter.name)}`, { language }, { enabled: Boolean(parameter.sql) || !parameter.options, staleTime: 60_000 })
  const chosen = ([] as unknown[]).concat(value ?? [])
  const { options, raw } = optionsOf([...(parameter.options ?? told.data?.options ?? []), ...chosen])
  const label = textOf(parameter.label, language) || parameter.name
  const shared = { label, data: options, size: 'xs' as const, searchable: true, clearable: true, error: told.error?.detail, nothingFoundMessage: t('dashboards.no_option'), limit: 200, comboboxProps: { width: 'max-content', position: 'bottom-start' as const } }
  if (parameter.multiple) {
    return <MultiSelect {...shared} maw={340} miw={150} value={chosen.map(plain)} placeholder={chosen.length ? undefined : t('dashboards.every')} onChange={(list) => onChange(list.map((one) => raw.get(one)))} />
  }
  return <Select {...shared} maw={240} value={value === undefined || value === null ? null : plain(value)} placeholder={t('dashboards.every')} onChange={(one) => onChange(one === null ? undefined : raw.get(one))} />
}

/** Typed text counts when the typing is over. */
function Typed({ parameter, value, onChange }: FieldProps) {
  const { language } = useLanguage()
  const [text, setText] = useState(parameterText(value) ?? '')
  useEffect(() => setText(parameterText(value) ?? ''), [value])
  const done = (next: string) => next !== (parameterText(value) ?? '') && onChange(next === '' ? undefined : next)
  const label = textOf(parameter.label, language) || parameter.name
  const shared = { label, size: 'xs' as const, onBlur: () => done(text), onKeyDown: (event: React.KeyboardEvent) => event.key === 'Enter' && done(text) }
  if (parameter.kind === 'number') return <NumberInput {...shared} w={130} value={text} onChange={(next) => setText(String(next))} />
  return <TextInput {...shared} w={170} type={parameter.kind === 'date' ? 'date' : 'text'} value={text} maxLength={1000} onChange={(event) => setText(event.currentTarget.value)} />
}

function Field(props: FieldProps) {
  const { language } = useLanguage()
  const { parameter, value, onChange } = props
  if (parameter.kind === 'choice') return <Choice {...props} />
  if (parameter.kind === 'boolean') {
    return <Switch label={textOf(parameter.label, language) || parameter.name} size="sm" mb={6} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />
  }
  return <Typed {...props} />
}

export function Chips({ filters, onChange }: { filters: Filter[]; onChange: (filters: Filter[]) => void }) {
  const t = useText()
  if (filters.length === 0) return null
  return (
    <Group gap={6} role="list" aria-label={t('dashboards.filters')}>
      {filters.map((filter) => (
        <Pill key={filter.column} role="listitem" withRemoveButton size="md" onRemove={() => onChange(filters.filter((one) => one !== filter))}
          removeButtonProps={{ 'aria-label': t('dashboards.filter_remove', { column: filter.column }), tabIndex: 0, 'aria-hidden': false }}>
          {filter.column.replace(/_/g, ' ')}: {filter.values.map(plain).join(', ').slice(0, 80)}
        </Pill>
      ))}
      <ActionIcon variant="subtle" size="sm" aria-label={t('dashboards.filters_clear')} onClick={() => onChange([])}><IconX size={15} /></ActionIcon>
    </Group>
  )
}

/** What was chosen, in words: for paper. */
export function Chosen({ dashboard, viewing, fixed }: { dashboard: Dashboard; viewing: Viewing; fixed?: Record<string, unknown> }) {
  const t = useText()
  const { language } = useLanguage()
  const parts = timed(dashboard) ? [rangeText(t, viewing.view.time ?? dashboard.time?.default)] : []
  for (const parameter of dashboard.parameters ?? []) {
    const value = fixed?.[parameter.name] ?? viewing.view.parameters[parameter.name] ?? parameter.default
    const words = ([] as unknown[]).concat(value ?? []).map(plain).join(', ')
    if (words) parts.push(`${textOf(parameter.label, language) || parameter.name}: ${words}`)
  }
  parts.push(new Date().toLocaleString(language, { dateStyle: 'long', timeStyle: 'short' }))
  return <Text size="sm" c="dimmed">{parts.join(' · ')}</Text>
}

/** Does any chart ask for :from or :to? */
function timed(dashboard: Dashboard): boolean {
  return Boolean(dashboard.time) || dashboard.charts.some((chart) => /:(from|to)\b/.test(chart.sql ?? ''))
}

export function Bar({ base, dashboard, viewing, fixed }: { base: string; dashboard: Dashboard; viewing: Viewing; fixed?: Record<string, unknown> }) {
  const parameters = (dashboard.parameters ?? []).filter((parameter) => fixed?.[parameter.name] === undefined)
  const { view } = viewing
  if (!timed(dashboard) && parameters.length === 0 && view.filters.length === 0) return null
  return (
    <div className={classes.bar}>
      {timed(dashboard) && <TimePicker key={JSON.stringify(view.time)} value={view.time ?? dashboard.time?.default} onChange={viewing.setTime} />}
      {parameters.map((parameter) => (
        <Field key={parameter.name} base={base} parameter={parameter} value={view.parameters[parameter.name] ?? parameter.default}
          onChange={(value) => viewing.setParameter(parameter.name, value)} />
      ))}
      <Chips filters={view.filters} onChange={viewing.setFilters} />
    </div>
  )
}
