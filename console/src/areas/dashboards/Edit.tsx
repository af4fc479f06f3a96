// A dashboard while it is changed: places by drag, charts by form, everything as YAML.
import 'react-grid-layout/css/styles.css'
import { ActionIcon, Alert, Box, Button, Drawer, Group, Modal, SegmentedControl, Stack, TagsInput, Text, Textarea, TextInput, Tooltip } from '@mantine/core'
import { IconArrowBackUp, IconArrowForwardUp, IconCopy, IconPencil, IconPlus, IconSettings, IconTrash } from '@tabler/icons-react'
import { useBlocker, useNavigate, useParams } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import GridLayout, { type Layout, useContainerWidth } from 'react-grid-layout'
import { parse, stringify } from 'yaml'
import { api, Problem, useApi } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { ConfirmButton, EmptyState, Loading, Page, ProblemView } from '../../ui'
import { CodeEditor } from '../../ui/CodeEditor'
import { textOf } from '../../ui/charts/format'
import { placesOf } from './Board'
import { ChartForm, Titles } from './ChartForm'
import { useAnswers } from './data'
import classes from './dashboards.module.css'
import { ParameterForm } from './ParameterForm'
import { pathOf, saveDashboard } from './saving'
import { Tile } from './Tile'
import type { Chart, Dashboard, Opened, Place } from './types'

const clone = <T,>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const kView = { parameters: {}, filters: [], drill: {} }

/** What was, is, and was undone. */
function useDraft(first: Dashboard) {
  const [state, setState] = useState({ past: [] as Dashboard[], now: first, future: [] as Dashboard[] })
  const set = useCallback((next: Dashboard) => {
    setState(({ past, now }) => (JSON.stringify(now) === JSON.stringify(next) ? { past, now, future: [] } : { past: [...past.slice(-99), now], now: next, future: [] }))
  }, [])
  const undo = useCallback(() => setState((s) => (s.past.length ? { past: s.past.slice(0, -1), now: s.past[s.past.length - 1], future: [s.now, ...s.future] } : s)), [])
  const redo = useCallback(() => setState((s) => (s.future.length ? { past: [...s.past, s.now], now: s.future[0], future: s.future.slice(1) } : s)), [])
  const reset = useCallback((now: Dashboard) => setState({ past: [], now, future: [] }), [])
  return { draft: state.now, set, undo, redo, reset, canUndo: state.past.length > 0, canRedo: state.future.length > 0 }
}

function freeId(charts: Chart[], wanted: string): string {
  const taken = new Set(charts.map((chart) => chart.id))
  let id = wanted
  for (let n = 2; taken.has(id); ++n) id = `${wanted}_${n}`
  return id
}

function Grid({ draft, set, name, onEdit }: { draft: Dashboard; set: (next: Dashboard) => void; name: string; onEdit: (id: string) => void }) {
  const t = useText()
  const { language } = useLanguage()
  const { width, containerRef, mounted } = useContainerWidth()
  const { answers } = useAnswers(pathOf(name), draft, kView, language)
  const places = useMemo(() => placesOf(draft), [draft])
  const layout = useMemo(() => places.map(({ id, x, y, w, h }) => ({ i: id, x, y, w, h, minW: 2, minH: 2 })), [places])
  const moved = (next: Layout) => {
    const list: Place[] = places.map((place) => {
      const item = next.find((one) => one.i === place.id)
      return item ? { id: place.id, x: item.x, y: item.y, w: item.w, h: item.h } : place
    })
    set({ ...draft, layout: list })
  }
  const copy = (chart: Chart) => {
    const id = freeId(draft.charts, `${chart.id}_copy`)
    const place = places.find((one) => one.id === chart.id)!
    set({ ...draft, charts: [...draft.charts, { ...clone(chart), id }], layout: [...places, { ...place, id, y: place.y + place.h }] })
  }
  const remove = (id: string) => set({ ...draft, charts: draft.charts.filter((chart) => chart.id !== id), layout: places.filter((place) => place.id !== id) })
  return (
    <div ref={containerRef} className={classes.editor}>
      {mounted && (
        <GridLayout width={width} layout={layout} gridConfig={{ cols: 12, rowHeight: 60, margin: [12, 12], containerPadding: [0, 0] }}
          dragConfig={{ enabled: true, handle: `.${classes.handle}`, cancel: 'button' }} resizeConfig={{ enabled: true, handles: ['se'] }} onDragStop={moved} onResizeStop={moved}>
          {draft.charts.map((chart) => {
            const title = textOf(chart.title, language) || chart.id
            return (
              <div key={chart.id}>
                <Tile chart={chart} answers={answers} handleClass={classes.handle} tools={
                  <Group gap={2} wrap="nowrap">
                    <ActionIcon size="sm" variant="subtle" aria-label={t('dashboards.chart_edit', { title })} onClick={() => onEdit(chart.id)}><IconPencil size={15} /></ActionIcon>
                    <ActionIcon size="sm" variant="subtle" color="gray" aria-label={t('dashboards.chart_copy', { title })} onClick={() => copy(chart)}><IconCopy size={15} /></ActionIcon>
                    <ActionIcon size="sm" variant="subtle" color="red" aria-label={t('dashboards.chart_remove', { title })} onClick={() => remove(chart.id)}><IconTrash size={15} /></ActionIcon>
                  </Group>
                } />
              </div>
            )
          })}
        </GridLayout>
      )}
    </div>
  )
}

function Settings({ draft, set }: { draft: Dashboard; set: (next: Dashboard) => void }) {
  const t = useText()
  const put = (key: 'owner' | 'refresh', value: string) => set({ ...draft, [key]: value || undefined })
  return (
    <Stack>
      <Titles label={t('dashboards.field.title')} value={draft.title} onChange={(title) => set({ ...draft, title: title ?? '' })} />
      <Textarea label={t('dashboards.field.description')} autosize minRows={3} value={textOf(draft.description, 'en')}
        onChange={(event) => set({ ...draft, description: typeof draft.description === 'object' ? { ...draft.description, en: event.currentTarget.value } : event.currentTarget.value || undefined })} />
      <TextInput label={t('dashboards.field.owner')} value={draft.owner ?? ''} onChange={(event) => put('owner', event.currentTarget.value)} />
      <TagsInput label={t('dashboards.field.tags')} value={draft.tags ?? []} onChange={(tags) => set({ ...draft, tags })} />
      <TextInput label={t('dashboards.refresh_every')} description={t('dashboards.refresh_hint')} value={draft.refresh ?? ''} onChange={(event) => put('refresh', event.currentTarget.value)} />
      <TextInput label={t('dashboards.time_default')} description={t('dashboards.time_hint')} value={typeof draft.time?.default === 'string' ? draft.time.default : ''}
        onChange={(event) => set({ ...draft, time: event.currentTarget.value ? { default: event.currentTarget.value } : undefined })} />
      <ParameterForm parameters={draft.parameters ?? []} onChange={(parameters) => set({ ...draft, parameters })} />
      <Text size="sm" c="dimmed">{t('dashboards.settings_hint')}</Text>
    </Stack>
  )
}

/** Texts of YAML that is no dashboard are told as the parser tells them. */
function read(text: string): Dashboard {
  const value = parse(text) as Dashboard | null
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('{ title, charts }')
  return { ...value, charts: Array.isArray(value.charts) ? value.charts : [] }
}

function Editor({ name, opened }: { name: string; opened: Opened }) {
  const t = useText()
  const { language } = useLanguage()
  const navigate = useNavigate()
  const { draft, set, undo, redo, reset, canUndo, canRedo } = useDraft(opened.dashboard)
  const [saved, setSaved] = useState({ dashboard: opened.dashboard, yaml: opened.yaml ?? '', etag: opened.etag })
  const [mode, setMode] = useState('board')
  const [yaml, setYaml] = useState('')
  const [editing, setEditing] = useState<string | null>(null)
  const [settings, setSettings] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [conflict, setConflict] = useState(false)
  const [saving, setSaving] = useState(false)
  const written = mode === 'yaml' ? yaml !== saved.yaml : false
  const dirty = written || JSON.stringify(draft) !== JSON.stringify(saved.dashboard)
  const leaving = useRef(false)
  const blocker = useBlocker({ shouldBlockFn: () => dirty && !leaving.current, enableBeforeUnload: () => dirty && !leaving.current, withResolver: true })

  const turn = (next: string) => {
    setProblem(null)
    if (next === 'yaml') {
      setYaml(JSON.stringify(draft) === JSON.stringify(saved.dashboard) ? saved.yaml : stringify(draft, { lineWidth: 100 }))
    } else {
      try {
        if (yaml !== saved.yaml || JSON.stringify(draft) !== JSON.stringify(saved.dashboard)) set(read(yaml))
      } catch (error) {
        const at = (error as { linePos?: { line: number; col: number }[] }).linePos?.[0]
        setProblem(new Problem(422, { code: 'INVALID', detail: (error as Error).message, line: at?.line, column: at?.col }))
        return
      }
    }
    setMode(next)
  }
  const store = async (etag = saved.etag) => {
    setSaving(true)
    setProblem(null)
    try {
      const done = await saveDashboard(name, mode === 'yaml' ? { yaml } : { dashboard: draft }, etag)
      setSaved({ dashboard: done.dashboard, yaml: done.yaml ?? '', etag: done.etag })
      reset(done.dashboard)
      if (mode === 'yaml') setYaml(done.yaml ?? yaml)
    } catch (error) {
      if ((error as Problem).status === 412) setConflict(true)
      else setProblem(error as Problem)
    }
    setSaving(false)
  }
  const theirs = async (keepMine: boolean) => {
    const now = await api.get<Opened>(pathOf(name))
    setConflict(false)
    if (keepMine) {
      setSaved((before) => ({ ...before, etag: now.etag }))
      await store(now.etag)
      return
    }
    setSaved({ dashboard: now.dashboard, yaml: now.yaml ?? '', etag: now.etag })
    reset(now.dashboard)
    setYaml(now.yaml ?? '')
  }
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || (event.target as HTMLElement).closest('input, textarea, [contenteditable]')) return
      if (event.key === 'z' && !event.shiftKey) undo()
      else if (event.key === 'y' || (event.key === 'z' && event.shiftKey)) redo()
      else return
      event.preventDefault()
    }
    addEventListener('keydown', keys)
    return () => removeEventListener('keydown', keys)
  }, [undo, redo])
  const add = () => {
    const id = freeId(draft.charts, 'chart')
    set({ ...draft, charts: [...draft.charts, { id, kind: 'bar', title: '', sql: 'SELECT ' }] })
    setEditing(id)
  }
  const remove = async () => {
    try {
      await api.delete(pathOf(name))
      leaving.current = true
      await navigate({ to: '/dashboards' as string })
    } catch (error) {
      setProblem(error as Problem)
    }
  }
  const chart = draft.charts.find((one) => one.id === editing)
  const errors = problem ? (problem.errors.length ? problem.errors : problem.line ? [{ message: problem.detail, line: problem.line, column: problem.column }] : []) : []
  const marks = errors.filter((one) => one.line).map((one) => ({ line: one.line!, column: one.column, message: one.message }))
  const title = textOf(draft.title, language) || name
  return (
    <Page title={title} crumbs={[{ title: t('dashboards.title'), to: '/dashboards' }, { title, to: `/dashboards/${encodeURIComponent(name)}` }]}
      subtitle={dirty ? t('dashboards.unsaved') : t('dashboards.all_saved')}
      actions={
        <Group gap="xs">
          <SegmentedControl size="xs" value={mode} onChange={turn} aria-label={t('dashboards.view')} data={[{ value: 'board', label: t('dashboards.layout') }, { value: 'yaml', label: 'YAML' }]} />
          <Tooltip label={t('dashboards.undo')}><ActionIcon variant="default" size={30} disabled={!canUndo || mode === 'yaml'} aria-label={t('dashboards.undo')} onClick={undo}><IconArrowBackUp size={16} /></ActionIcon></Tooltip>
          <Tooltip label={t('dashboards.redo')}><ActionIcon variant="default" size={30} disabled={!canRedo || mode === 'yaml'} aria-label={t('dashboards.redo')} onClick={redo}><IconArrowForwardUp size={16} /></ActionIcon></Tooltip>
          <Button size="xs" variant="default" leftSection={<IconSettings size={15} />} disabled={mode === 'yaml'} onClick={() => setSettings(true)}>{t('dashboards.settings')}</Button>
          <Button size="xs" variant="default" leftSection={<IconPlus size={15} />} disabled={mode === 'yaml'} onClick={add}>{t('dashboards.chart_add')}</Button>
          <ConfirmButton size="xs" variant="light" color="red" question={t('dashboards.remove_question', { title })} onConfirm={() => void remove()}>{t('dashboards.remove')}</ConfirmButton>
          <Button size="xs" loading={saving} disabled={!dirty} onClick={() => void store()}>{t('dashboards.save')}</Button>
        </Group>
      }>
      {problem && <ProblemView error={problem} />}
      {mode === 'yaml'
        ? <CodeEditor language="yaml" label={t('dashboards.yaml_of', { title })} height="70vh" value={yaml} onChange={setYaml} marks={marks} onSave={() => void store()} />
        : draft.charts.length > 0 ? <Grid draft={draft} set={set} name={name} onEdit={setEditing} />
        : <EmptyState title={t('dashboards.no_charts')} hint={t('dashboards.no_charts_hint')} action={<Button onClick={add}>{t('dashboards.chart_add')}</Button>} />}
      <Drawer opened={Boolean(chart)} onClose={() => setEditing(null)} size="min(1100px, 96vw)" title={t('dashboards.chart')}>
        {chart && (
          <ChartForm key={chart.id} chart={chart} name={name} onDone={() => setEditing(null)}
            onChange={(next) => set({ ...draft, charts: draft.charts.map((one) => (one.id === next.id ? next : one)) })} />
        )}
      </Drawer>
      <Drawer opened={settings} onClose={() => setSettings(false)} size="min(620px, 96vw)" title={t('dashboards.settings')}>
        <Settings draft={draft} set={set} />
      </Drawer>
      <Modal opened={conflict} onClose={() => setConflict(false)} title={t('dashboards.conflict')}>
        <Stack>
          <Alert color="orange">{t('dashboards.conflict_text')}</Alert>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => void theirs(false)}>{t('dashboards.conflict_theirs')}</Button>
            <Button color="orange" onClick={() => void theirs(true)}>{t('dashboards.conflict_mine')}</Button>
          </Group>
        </Stack>
      </Modal>
      <Modal opened={blocker.status === 'blocked'} onClose={() => blocker.reset?.()} title={t('dashboards.leave')}>
        <Stack>
          <Text size="sm">{t('dashboards.leave_text')}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => blocker.reset?.()}>{t('dashboards.stay')}</Button>
            <Button color="red" onClick={() => blocker.proceed?.()}>{t('dashboards.leave_anyway')}</Button>
          </Group>
        </Stack>
      </Modal>
    </Page>
  )
}

/** The text of a file that has mistakes; nothing if there is none. */
async function brokenText(name: string): Promise<string | null> {
  const answer = await fetch(pathOf(name), { headers: { Accept: 'application/json' } })
  const told = (await answer.json().catch(() => ({}))) as { yaml?: unknown }
  return typeof told.yaml === 'string' ? told.yaml : null
}

/** A file with mistakes is mended as text. */
function Mend({ name, problem, onMended }: { name: string; problem: Problem; onMended: () => void }) {
  const t = useText()
  const [text, setText] = useState<string | null>(null)
  const [now, setNow] = useState(problem)
  useEffect(() => {
    void brokenText(name).then(setText)
  }, [name])
  const store = async () => {
    try {
      await saveDashboard(name, { yaml: text ?? '' }, undefined)
      onMended()
    } catch (error) {
      setNow(error as Problem)
    }
  }
  const errors = now.errors.length ? now.errors : [{ message: now.detail, line: now.line, column: now.column }]
  return (
    <Page title={name} crumbs={[{ title: t('dashboards.title'), to: '/dashboards' }]} actions={text !== null && <Button size="xs" onClick={() => void store()}>{t('dashboards.save')}</Button>}>
      <ProblemView error={now} />
      {text !== null && (
        <CodeEditor language="yaml" label={t('dashboards.yaml_of', { title: name })} height="65vh" value={text} onChange={setText} onSave={() => void store()}
          marks={errors.filter((one) => one.line).map((one) => ({ line: one.line!, column: one.column, message: one.message }))} />
      )}
    </Page>
  )
}

export default function Edit() {
  const { name = '' } = useParams({ strict: false }) as { name?: string }
  const opened = useApi<Opened>(pathOf(name), undefined, { staleTime: Infinity, gcTime: 0, refetchOnMount: 'always' })
  if (opened.isPending || (opened.isFetching && !opened.data)) return <Loading />
  if (opened.isError && opened.error.status === 422) return <Mend name={name} problem={opened.error} onMended={() => void opened.refetch()} />
  if (opened.isError) return <Box p="lg"><ProblemView error={opened.error} onRetry={() => void opened.refetch()} /></Box>
  return <Editor key={name} name={name} opened={opened.data} />
}
