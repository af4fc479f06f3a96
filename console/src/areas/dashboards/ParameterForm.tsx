// What viewers may choose: the parameters of a dashboard, each with where its values come from.
import { ActionIcon, Button, Card, Checkbox, Group, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useText } from '../../i18n'
import { CodeEditor } from '../../ui/CodeEditor'
import { plain } from '../../ui/charts/frame'
import { Titles } from './ChartForm'
import type { Parameter } from './types'

const kKinds = ['text', 'number', 'date', 'boolean', 'choice'] as const
type Kind = (typeof kKinds)[number]

/** Of an option, which may be { value, label }. */
const bare = (value: unknown) => (value !== null && typeof value === 'object' && 'value' in value ? value.value : value)
const shown = (value: unknown) => plain(bare(value))

/** Typed words as values: those that were there stay what they were, others are numbers where all
 *  of them are. */
export function valuesOf(words: string[], before: unknown[]): unknown[] {
  const known = new Map(before.map((value) => [shown(value), value]))
  const numbers = words.every((word) => word.trim() !== '' && Number.isFinite(Number(word))) && before.every((value) => typeof bare(value) === 'number')
  return words.map((word) => known.get(word) ?? (numbers ? Number(word) : word))
}

interface Part {
  parameter: Parameter
  change: (next: Partial<Parameter>) => void
}

/** What holds until somebody chooses. */
function Default({ parameter, change }: Part) {
  const t = useText()
  const label = t('dashboards.parameter.default')
  const list = ([] as unknown[]).concat(parameter.default ?? [])
  const put = (value: unknown) => change({ default: value === '' ? undefined : value })
  if (parameter.kind === 'boolean') {
    return (
      <Select size="xs" label={label} clearable value={list.length ? String(list[0]) : null} data={[{ value: 'true', label: t('dashboards.yes') }, { value: 'false', label: t('dashboards.no') }]}
        onChange={(next) => put(next === null ? '' : next === 'true')} />
    )
  }
  if (parameter.kind === 'choice' && parameter.multiple) {
    const values = (words: string[]) => valuesOf(words, [...list, ...(parameter.options ?? []).map(bare)])
    return <TagsInput size="xs" label={label} value={list.map(plain)} onChange={(words) => change({ default: words.length ? values(words) : undefined })} />
  }
  const typed = (text: string) => (parameter.kind === 'number' && text !== '' && Number.isFinite(Number(text)) ? Number(text) : text)
  return <TextInput size="xs" label={label} type={parameter.kind === 'date' ? 'date' : 'text'} inputMode={parameter.kind === 'number' ? 'decimal' : undefined}
    value={list.length ? plain(list[0]) : ''} onChange={(event) => put(typed(event.currentTarget.value))} />
}

/** Where the values of a choice come from. */
function Choices({ parameter, change }: Part) {
  const t = useText()
  const [asked, setAsked] = useState(parameter.sql !== undefined)
  const turn = (to: boolean) => {
    setAsked(to)
    change(to ? { options: undefined, sql: parameter.sql ?? 'SELECT DISTINCT ' } : { options: parameter.options ?? [], sql: undefined })
  }
  return (
    <>
      <Group gap="lg">
        <Checkbox size="xs" label={t('dashboards.parameter.multiple')} checked={parameter.multiple === true}
          onChange={(event) => change({ multiple: event.currentTarget.checked || undefined, default: undefined })} />
        <Checkbox size="xs" label={t('dashboards.parameter.asked')} checked={asked} onChange={(event) => turn(event.currentTarget.checked)} />
      </Group>
      {asked
        ? <CodeEditor language="sql" label={t('dashboards.parameter.sql', { name: parameter.name })} height={90} value={parameter.sql ?? ''} onChange={(sql) => change({ sql })} />
        : <TagsInput size="xs" label={t('dashboards.parameter.options')} description={t('dashboards.parameter.options_hint')} value={(parameter.options ?? []).map(shown)}
            onChange={(words) => change({ options: valuesOf(words, parameter.options ?? []) })} />}
    </>
  )
}

function One({ parameter, change, taken }: Part & { taken: string[] }) {
  const t = useText()
  const [name, setName] = useState(parameter.name)
  const wrong = !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || ['from', 'to'].includes(name) || taken.includes(name)
  const turn = (kind: Kind) => change({
    kind, default: undefined, multiple: undefined, sql: undefined, options: kind === 'choice' ? parameter.options ?? [] : undefined,
  })
  return (
    <Stack gap="xs">
      <Group grow align="flex-start">
        <TextInput size="xs" label={t('dashboards.field.name')} description={t('dashboards.parameter.name_hint', { name: wrong ? 'name' : name })} value={name}
          error={wrong ? t('dashboards.parameter.name_wrong') : undefined}
          onChange={(event) => setName(event.currentTarget.value)} onBlur={() => (wrong ? setName(parameter.name) : change({ name }))} />
        <Select size="xs" label={t('dashboards.kind')} description={t('dashboards.parameter.kind_hint')} allowDeselect={false} value={parameter.kind ?? 'text'}
          data={kKinds.map((kind) => ({ value: kind, label: t(`dashboards.parameter.${kind}`) }))} onChange={(kind) => turn(kind as Kind)} />
      </Group>
      <Titles size="xs" label={t('dashboards.parameter.label')} value={parameter.label} onChange={(label) => change({ label })} />
      {parameter.kind === 'choice' && <Choices key={parameter.name} parameter={parameter} change={change} />}
      <Default parameter={parameter} change={change} />
    </Stack>
  )
}

export function ParameterForm({ parameters, onChange }: { parameters: Parameter[]; onChange: (next: Parameter[] | undefined) => void }) {
  const t = useText()
  const put = (next: Parameter[]) => onChange(next.length ? next : undefined)
  const swap = (at: number, to: number) => {
    const next = [...parameters]
    ;[next[at], next[to]] = [next[to], next[at]]
    put(next)
  }
  const add = () => {
    const taken = parameters.map((one) => one.name)
    let n = parameters.length + 1
    while (taken.includes(`parameter_${n}`)) n += 1
    put([...parameters, { name: `parameter_${n}`, kind: 'text' }])
  }
  return (
    <Stack gap="sm" role="group" aria-label={t('dashboards.parameters')}>
      <Group justify="space-between">
        <Text fw={600} size="sm">{t('dashboards.parameters')}</Text>
        <Button size="compact-xs" variant="light" leftSection={<IconPlus size={14} />} onClick={add}>{t('dashboards.parameter.add')}</Button>
      </Group>
      {parameters.length === 0 && <Text size="sm" c="dimmed">{t('dashboards.parameter.none')}</Text>}
      {parameters.map((parameter, at) => (
        <Card key={parameter.name} withBorder padding="sm" role="group" aria-label={parameter.name}>
          <Group justify="flex-end" gap={2} mb={4}>
            <ActionIcon size="sm" variant="subtle" disabled={at === 0} aria-label={t('dashboards.parameter.up', { name: parameter.name })} onClick={() => swap(at, at - 1)}><IconArrowUp size={14} /></ActionIcon>
            <ActionIcon size="sm" variant="subtle" disabled={at === parameters.length - 1} aria-label={t('dashboards.parameter.down', { name: parameter.name })} onClick={() => swap(at, at + 1)}><IconArrowDown size={14} /></ActionIcon>
            <ActionIcon size="sm" variant="subtle" color="red" aria-label={t('dashboards.parameter.remove', { name: parameter.name })} onClick={() => put(parameters.filter((one) => one !== parameter))}><IconTrash size={14} /></ActionIcon>
          </Group>
          <One parameter={parameter} taken={parameters.filter((one) => one !== parameter).map((one) => one.name)}
            change={(next) => put(parameters.map((one) => (one === parameter ? { ...one, ...next } : one)))} />
        </Card>
      ))}
    </Stack>
  )
}
