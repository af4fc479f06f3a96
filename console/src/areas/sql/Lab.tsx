import { ActionIcon, Button, Drawer, Group, Menu, Select, Tabs, Tooltip, VisuallyHidden } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import type { EditorView } from '@codemirror/view'
import {
  IconChevronDown, IconDeviceFloppy, IconIndentIncrease, IconLayoutSidebar, IconPlayerPlay, IconPlayerStop, IconPlayerTrackNext, IconRoute, IconShare, IconStopwatch,
} from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { type PointerEvent, useEffect, useMemo, useRef, useState } from 'react'
import { Problem } from '../../api/client'
import { useLanguage } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { CodeEditor } from '../../ui/CodeEditor'
import { ProblemView, useUrlState } from '../../ui'
import { completeSql } from './complete'
import classes from './Lab.module.css'
import {
  activeTab, cancelRun, changeTab, chooseTab, clearMarks, kLimits, kNoRun, openTab, runPieces, type StatementRun, storedLimit, storeLimit, type Tab, useLab,
} from './lab'
import { HistoryList, SavedList } from './Lists'
import { names, written } from './names'
import { Objects } from './Objects'
import { Results } from './Results'
import { readSaved, type SavedQuery } from './saved'
import { SaveDialog } from './SaveDialog'
import { type Piece, statementAt, statementsOf } from './statements'
import { TabBar, titleOf } from './TabBar'

const kHeight = 'meesh.sql.editor'

/** Catalogs and schemas to choose from; what does not answer has none. */
function useChoices(tab: Tab) {
  const catalogs = useQuery({ queryKey: ['sql names'], queryFn: names.catalogs, staleTime: 60_000 })
  const schemas = useQuery({
    queryKey: ['sql names', tab.catalog],
    queryFn: () => names.schemas(tab.catalog),
    enabled: tab.catalog !== '',
    staleTime: 60_000,
  })
  return { catalogs: catalogs.data ?? [], schemas: tab.catalog ? (schemas.data ?? []) : [] }
}

/** What Ctrl-Enter runs: the selected statements, else the one at the cursor. */
function chosenPieces(view: EditorView | null, text: string): Piece[] {
  const range = view?.state.selection.main
  if (range && !range.empty) {
    const inside = statementsOf(text.slice(range.from, range.to))
    return inside.map((piece) => ({ ...piece, from: piece.from + range.from, to: piece.to + range.from }))
  }
  const one = statementAt(text, range?.head ?? text.length)
  return one ? [one] : []
}

/** The selection laid out, or everything; one step to undo. */
async function layOutText(view: EditorView | null, onFailure: () => void) {
  if (!view) return
  const range = view.state.selection.main
  const [from, to] = range.empty ? [0, view.state.doc.length] : [range.from, range.to]
  const before = view.state.sliceDoc(from, to)
  if (!before.trim()) return
  const { formatted } = await import('./formatting')
  const insert = formatted(before)
  if (view.state.sliceDoc(from, to) !== before) return // typed meanwhile
  if (insert === undefined) onFailure()
  else if (insert !== before) view.dispatch({ changes: { from, to, insert }, selection: { anchor: from }, userEvent: 'input.format' })
  view.focus()
}

function useEditorHeight(): [number, (height: number) => void] {
  const [height, setHeight] = useState(() => Number(localStorage.getItem(kHeight)) || 220)
  return [
    height,
    (next) => {
      const bounded = Math.round(Math.max(80, Math.min(window.innerHeight - 320, next)))
      setHeight(bounded)
      localStorage.setItem(kHeight, String(bounded))
    },
  ]
}

function Divider({ height, setHeight }: { height: number; setHeight: (height: number) => void }) {
  const { text: t } = useLanguage()
  const drag = (event: PointerEvent<HTMLElement>) => {
    event.preventDefault()
    const handle = event.currentTarget
    const start = event.clientY
    handle.setPointerCapture(event.pointerId)
    const move = (moved: globalThis.PointerEvent) => setHeight(height + moved.clientY - start)
    const end = () => handle.removeEventListener('pointermove', move)
    handle.addEventListener('pointermove', move)
    handle.addEventListener('pointerup', end, { once: true })
    handle.addEventListener('pointercancel', end, { once: true })
  }
  return (
    <div className={classes.divider} role="separator" aria-orientation="horizontal" aria-label={t('sql.editor')} aria-valuenow={height} aria-valuemin={80}
      aria-valuemax={1000} tabIndex={0} onPointerDown={drag}
      onKeyDown={(event) => {
        if (event.key === 'ArrowUp') setHeight(height - 24)
        if (event.key === 'ArrowDown') setHeight(height + 24)
      }} />
  )
}

/** The query of the address in a tab of its own, and the address of the tab that is chosen. */
function useSavedAddress(tab: Tab, tabs: Tab[]) {
  const { saved } = useParams({ strict: false }) as { saved?: string }
  const navigate = useNavigate()
  const wanted = useQuery<SavedQuery, Problem>({
    queryKey: ['/api/v1/sql/saved', saved],
    queryFn: () => readSaved(saved!),
    enabled: saved !== undefined,
    retry: false,
  })
  const opened = useRef<string | undefined>(undefined)
  useEffect(() => {
    const query = wanted.data
    if (!query || opened.current === saved) return
    opened.current = saved
    const there = tabs.find((one) => one.saved === query.id)
    if (there) chooseTab(there.id)
    else
      openTab({
        title: query.name, text: query.statement, catalog: query.catalog ?? '', schema: query.schema ?? '', saved: query.id, savedText: query.statement,
      })
  }, [saved, wanted.data, tabs])
  useEffect(() => {
    const settled = saved === undefined || opened.current === saved || wanted.isError
    if (!settled || tab.saved === saved || (saved !== undefined && wanted.isError && tab.saved === undefined)) return
    opened.current = tab.saved
    void navigate({ to: (tab.saved ? '/sql/$saved' : '/sql') as never, params: { saved: tab.saved } as never, search: ((before: object) => before) as never, replace: true })
  }, [tab.id, tab.saved, saved, wanted.isError, navigate])
  return { query: wanted.data && wanted.data.id === tab.saved ? wanted.data : null, problem: wanted.error }
}

/** `?sql=` of a link from another page: a tab with that text, once. */
function useLinkedStatement() {
  const [linked, setLinked] = useUrlState('sql')
  useEffect(() => {
    if (!linked) return
    openTab({ text: linked })
    setLinked('')
  }, [linked, setLinked])
}

function Side({ onInsert, onPreview, onSaved, onPast }: {
  onInsert: (text: string) => void
  onPreview: (path: string[]) => void
  onSaved: (query: SavedQuery) => void
  onPast: (past: { statement: string; catalog?: string; schema?: string }) => void
}) {
  const { text: t } = useLanguage()
  const [side, setSide] = useUrlState('side', 'objects')
  return (
    <Tabs value={side} onChange={(value) => value && setSide(value)} keepMounted={false} className={classes.panel}>
      <Tabs.List grow>
        <Tabs.Tab value="objects">{t('sql.objects')}</Tabs.Tab>
        <Tabs.Tab value="saved">{t('sql.saved')}</Tabs.Tab>
        <Tabs.Tab value="history">{t('sql.history')}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="objects" className={classes.panel}><Objects onInsert={onInsert} onPreview={onPreview} /></Tabs.Panel>
      <Tabs.Panel value="saved" className={classes.panel}><SavedList onOpen={onSaved} /></Tabs.Panel>
      <Tabs.Panel value="history" className={classes.panel}><HistoryList onOpen={onPast} /></Tabs.Panel>
    </Tabs>
  )
}

export default function Lab() {
  const { text: t, language } = useLanguage()
  const session = useSession()
  const client = useQueryClient()
  const { tabs, active, results } = useLab()
  const tab = tabs.find((one) => one.id === active) ?? tabs[0]
  const result = results[tab.id] ?? kNoRun
  const title = titleOf(tab, tabs, t)
  const { query, problem } = useSavedAddress(tab, tabs)
  useLinkedStatement()
  const choices = useChoices(tab)
  const view = useRef<EditorView | null>(null)
  const [limit, setLimit] = useState(storedLimit)
  const [height, setHeight] = useEditorHeight()
  const [saving, setSaving] = useState(false)
  const [drawer, setDrawer] = useState(false)
  const [panel, setPanel] = useUrlState('panel', 'results')
  const complete = useMemo(() => completeSql(activeTab), [])
  useEffect(() => {
    document.title = `${title} · DataMeesh`
  }, [title])

  const run = (pieces: Piece[], explain?: 'plan' | 'analyze') => void runPieces(tab.id, pieces, explain)
  const runChosen = () => run(chosenPieces(view.current, activeTab().text))
  const insert = (text: string) => {
    const shown = view.current
    if (!shown) return
    shown.dispatch(shown.state.replaceSelection(text))
    shown.focus()
    setDrawer(false)
  }
  const preview = (path: string[]) => {
    const text = `SELECT * FROM ${path.map(written).join('.')} LIMIT 100`
    const made = openTab({ title: path[path.length - 1], text, catalog: path[0], schema: path[1] })
    void runPieces(made.id, statementsOf(text))
    setDrawer(false)
  }
  const openSaved = (saved: SavedQuery) => {
    const there = tabs.find((one) => one.saved === saved.id)
    if (there) chooseTab(there.id)
    else openTab({ title: saved.name, text: saved.statement, catalog: saved.catalog ?? '', schema: saved.schema ?? '', saved: saved.id, savedText: saved.statement })
    setDrawer(false)
  }
  const openPast = (past: { statement: string; catalog?: string; schema?: string }) => {
    openTab({ text: past.statement, catalog: past.catalog ?? '', schema: past.schema ?? '' })
    setDrawer(false)
  }
  const share = async () => {
    if (!tab.saved) {
      setSaving(true)
      return
    }
    await navigator.clipboard.writeText(`${location.origin}/sql/${encodeURIComponent(tab.saved)}`)
    notifications.show({ message: t(query && !query.everyone ? 'sql.share.private' : 'sql.share.copied') })
  }
  const more = (one: StatementRun, most: number) => {
    storeLimit(most)
    setLimit(most)
    const piece = statementsOf(tab.text).find((found) => found.text === one.text) ?? { text: one.text, from: 0, to: one.text.length }
    run([piece])
  }
  const layOut = () => void layOutText(view.current, () => notifications.show({ message: t('sql.format.not'), color: 'orange' }))
  useHotkeys([['mod+s', () => setSaving(true)]], [])
  useHotkeys([['shift+alt+F', layOut, { usePhysicalKeys: true }]], [], true)

  const side = <Side onInsert={insert} onPreview={preview} onSaved={openSaved} onPast={openPast} />
  return (
    <div className={classes.page}>
      <VisuallyHidden><h1>{t('sql.title')}</h1></VisuallyHidden>
      <aside className={classes.left} aria-label={t('sql.objects.open')}>{side}</aside>
      <Drawer lockScroll={false} opened={drawer} onClose={() => setDrawer(false)} title={t('sql.objects.open')} size={320}>
        {drawer && <div style={{ height: 'calc(100dvh - 100px)', display: 'flex' }}>{side}</div>}
      </Drawer>
      <div className={classes.main}>
        <TabBar tabs={tabs} active={tab.id} />
        {problem && <ProblemView error={problem} />}
        <Group className={classes.toolbar} gap={8}>
          <ActionIcon hiddenFrom="md" variant="default" size={30} aria-label={t('sql.objects.open')} onClick={() => setDrawer(true)}>
            <IconLayoutSidebar size={16} />
          </ActionIcon>
          {result.running ? (
            <Button size="xs" color="red" leftSection={<IconPlayerStop size={15} />} onClick={() => cancelRun(tab.id)}>{t('sql.cancel')}</Button>
          ) : (
            <Button.Group>
              <Tooltip label={t('sql.run.hint')}>
                <Button size="xs" leftSection={<IconPlayerPlay size={15} />} onClick={runChosen}>{t('sql.run')}</Button>
              </Tooltip>
              <Menu position="bottom-start">
                <Menu.Target>
                  <Button size="xs" px={6} aria-label={t('sql.run_more')}><IconChevronDown size={15} /></Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconPlayerTrackNext size={15} />} onClick={() => run(statementsOf(tab.text))}>{t('sql.run_all')}</Menu.Item>
                  <Menu.Item leftSection={<IconStopwatch size={15} />} onClick={() => run(chosenPieces(view.current, tab.text).slice(0, 1), 'analyze')}>
                    {t('sql.explain_analyze')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </Button.Group>
          )}
          <Button size="xs" variant="default" leftSection={<IconRoute size={15} />} disabled={result.running}
            onClick={() => run(chosenPieces(view.current, tab.text).slice(0, 1), 'plan')}>
            {t('sql.explain')}
          </Button>
          <Select size="xs" w={118} searchable clearable aria-label={t('sql.catalog')} placeholder={t('sql.catalog')} value={tab.catalog || null}
            data={[...new Set([...choices.catalogs, tab.catalog].filter(Boolean))]}
            onChange={(value) => changeTab(tab.id, { catalog: value ?? '', schema: '' })} />
          <Select size="xs" w={126} searchable clearable disabled={!tab.catalog} aria-label={t('sql.schema')} placeholder={t('sql.schema')} value={tab.schema || null}
            data={[...new Set([...choices.schemas, tab.schema].filter(Boolean))]} onChange={(value) => changeTab(tab.id, { schema: value ?? '' })} />
          <Select size="xs" w={138} aria-label={t('sql.limit')} title={t('sql.limit')} allowDeselect={false} value={String(limit)}
            data={kLimits.map((one) => ({ value: String(one), label: t('sql.limit.rows', { count: one.toLocaleString(language) }) }))}
            onChange={(value) => {
              storeLimit(Number(value))
              setLimit(Number(value))
            }} />
          <Tooltip label={t('sql.format')}>
            <ActionIcon variant="default" size={30} aria-label={t('sql.format')} onClick={layOut}><IconIndentIncrease size={15} /></ActionIcon>
          </Tooltip>
          <Group gap={8} ml="auto">
            {mayEdit(session) && (
              <Button size="xs" variant="default" leftSection={<IconDeviceFloppy size={15} />} onClick={() => setSaving(true)}>{t('sql.save')}</Button>
            )}
            <Tooltip label={t('sql.share')}>
              <ActionIcon variant="default" size={30} aria-label={t('sql.share')} onClick={() => void share()}><IconShare size={15} /></ActionIcon>
            </Tooltip>
          </Group>
        </Group>
        <div className={classes.editor}>
          <CodeEditor name={tab.id} language="sql" label={t('sql.editor')} height={height} value={tab.text} marks={result.marks} autoFocus
            placeholder={t('sql.placeholder')} complete={complete} onRun={runChosen} onSave={() => setSaving(true)}
            onView={(shown) => {
              view.current = shown
            }}
            onChange={(text) => {
              changeTab(tab.id, { text })
              clearMarks(tab.id)
            }} />
        </div>
        <Divider height={height} setHeight={setHeight} />
        <Results tab={tab} result={result} title={title} panel={panel} onPanel={setPanel} onMore={more} />
      </div>
      {saving && mayEdit(session) && (
        <SaveDialog tab={tab} title={tab.title} before={query}
          onSaved={(saved) => {
            client.setQueryData(['/api/v1/sql/saved', saved.id], saved)
            changeTab(tab.id, { title: saved.name, saved: saved.id, savedText: saved.statement })
          }}
          onDeleted={() => changeTab(tab.id, { saved: undefined, savedText: undefined })} onClose={() => setSaving(false)} />
      )}
    </div>
  )
}
