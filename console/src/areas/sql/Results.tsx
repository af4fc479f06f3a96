import { Alert, Button, Code, CopyButton, Group, Menu, Modal, Progress as Bar, ScrollArea, SegmentedControl, Stack, Tabs, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconAlertTriangle, IconCopy, IconPlayerStop } from '@tabler/icons-react'
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from 'react'
import { useLanguage, useText } from '../../i18n'
import { EmptyState, Loading, ProblemView, StatusBadge } from '../../ui'
import { bytesText, durationText } from '../../ui/format'
import { ExportMenu } from './ExportMenu'
import { asCsv, asJson, asTsv, type Part } from './files'
import { Grid, type Place, type Selection, type Sort } from './Grid'
import classes from './Lab.module.css'
import { cancelRun, kLimits, showRun, type StatementRun, type Tab, type TabRun } from './lab'
import { PlanView } from './PlanView'
import { cellText, isNested, type Rows, sorted } from './rows'

const ResultChart = lazy(async () => ({ default: (await import('./ResultChart')).ResultChart }))

/** Ticks while something runs. */
function useNow(running: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(Date.now()), 200)
    return () => clearInterval(timer)
  }, [running])
  return now
}

function Status({ run, running, onCancel }: { run: StatementRun; running: boolean; onCancel: () => void }) {
  const { text: t, language } = useLanguage()
  const now = useNow(run.state === 'running')
  const { progress } = run
  const stats = progress?.stats
  const count = progress?.rows?.count ?? 0
  const elapsed = run.state === 'running' ? now - run.startedMs : (stats?.elapsedTimeMillis ?? (run.endedMs ?? now) - run.startedMs)
  // The server is done before its rows are here.
  const stage = run.state !== 'running' || !stats ? run.state : stats.state === 'FINISHED' ? 'loading' : stats.state
  const parts = [durationText(Math.max(0, elapsed), language)]
  if (progress?.updateType && run.state === 'finished')
    parts.unshift(
      progress.updateCount === undefined
        ? t('sql.done', { type: progress.updateType })
        : t('sql.changed', { type: progress.updateType, count: progress.updateCount }),
    )
  else if (progress?.rows && !run.plan) parts.unshift(count === 1 ? t('sql.row') : t('sql.rows', { count }))
  if (stats && stats.processedRows > 0) parts.push(stats.processedRows === 1 ? t('sql.read_one') : t('sql.read', { rows: stats.processedRows }))
  if (stats && stats.processedBytes > 0) parts.push(bytesText(stats.processedBytes, language))
  return (
    <Group gap="xs" className={classes.running} role="status" data-testid="status">
      <StatusBadge state={run.state} label={t(`sql.state.${stage}`)} />
      {run.state === 'running' && (
        <Bar value={stats?.progressPercentage ?? 100} animated={stats?.progressPercentage === undefined} striped={stats?.progressPercentage === undefined}
          w={110} size="sm" aria-label={t('sql.progress')} />
      )}
      <Text size="xs" c="dimmed">{parts.join(' · ')}</Text>
      {running && (
        <Button size="compact-xs" color="red" variant="light" leftSection={<IconPlayerStop size={13} />} onClick={onCancel}>
          {t('sql.cancel')}
        </Button>
      )}
    </Group>
  )
}

/** The cell whole; JSON with indents. */
function CellViewer({ rows, row, column, shownRow, onClose }: { rows: Rows; row: number; column: number; shownRow: number; onClose: () => void }) {
  const t = useText()
  const { name, type } = rows.columns[column]
  const value = rows.at(row, column)
  const text = useMemo(() => {
    if (!isNested(type) || value === null) return cellText(value, type)
    try {
      return JSON.stringify(typeof value === 'string' ? JSON.parse(value) : value, null, 2)
    } catch {
      return cellText(value, type)
    }
  }, [value, type])
  return (
    <Modal opened lockScroll={false} onClose={onClose} size="lg" title={t('sql.cell.of', { column: name, row: String(shownRow + 1) })}>
      <Stack gap="xs">
        <Text size="xs" c="dimmed">{type}</Text>
        <ScrollArea.Autosize mah="60vh" type="auto">
          <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{text}</Code>
        </ScrollArea.Autosize>
        <Group justify="flex-end">
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" leftSection={<IconCopy size={14} />} onClick={copy}>{t(copied ? 'ui.copied' : 'ui.copy')}</Button>
            )}
          </CopyButton>
        </Group>
      </Stack>
    </Modal>
  )
}

const kStart: Selection = { from: { row: 0, column: 0 }, to: { row: 0, column: 0 } }

interface View {
  sort: Sort | null
  order: Uint32Array | null
  selection: Selection
}

function partOf(selection: Selection, order: Uint32Array | null): Part {
  const rows: number[] = []
  const columns: number[] = []
  const [low, high] = [Math.min(selection.from.row, selection.to.row), Math.max(selection.from.row, selection.to.row)]
  for (let row = low; row <= high; row++) rows.push(order && row < order.length ? order[row] : row)
  const [left, right] = [Math.min(selection.from.column, selection.to.column), Math.max(selection.from.column, selection.to.column)]
  for (let column = left; column <= right; column++) columns.push(column)
  return { rows, columns }
}

interface TableProps {
  tab: Tab
  run: StatementRun
  rows: Rows
  title: string
  /** What stands on the left of the bar. */
  head: ReactNode
  onMore: (limit: number) => void
}

function Table({ tab, run, rows, title, head, onMore }: TableProps) {
  const { text: t, language } = useLanguage()
  const [view, setView] = useState<View>({ sort: null, order: null, selection: kStart })
  const [sorting, setSorting] = useState(false)
  const [opened, setOpened] = useState<Place | null>(null)
  useEffect(() => setView({ sort: null, order: null, selection: kStart }), [rows])
  const { sort, order, selection } = view
  useEffect(() => {
    const abort = new AbortController()
    if (!sort) {
      setView((before) => ({ ...before, order: null }))
      return
    }
    setSorting(true)
    void sorted(rows, sort.column, sort.descending, abort.signal).then((found) => {
      if (!found) return
      setSorting(false)
      setView((before) => ({ ...before, order: found }))
    })
    return () => {
      abort.abort()
      setSorting(false)
    }
  }, [rows, sort])

  const sortBy = (column: number) =>
    setView((before) => {
      const same = before.sort?.column === column ? before.sort : null
      return { ...before, sort: !same ? { column, descending: false } : same.descending ? null : { column, descending: true } }
    })
  const copy = async (how: 'tsv' | 'csv' | 'json') => {
    const part = partOf(selection, order)
    const cells = [...part.rows].length * part.columns.length
    const text = how === 'tsv' ? asTsv(rows, part, cells > 1) : how === 'csv' ? asCsv(rows, part, true) : asJson(rows, part)
    await navigator.clipboard.writeText(how === 'tsv' && cells === 1 ? asTsv(rows, part) : text)
    notifications.show({ message: t('sql.copied', { count: cells }), autoClose: 1500 })
  }
  const { cut } = run.progress ?? {}
  const next = kLimits.find((limit) => limit > rows.count)
  return (
    <>
      <Group gap="xs" className={classes.bar} justify="space-between" pt={6}>
        <Group gap="xs">
          {head}
          {cut && (
            <Text size="xs" data-testid="cut">
              {t(cut === 'rows' ? 'sql.cut.rows' : 'sql.cut.bytes', { count: rows.count })} {t('sql.cut.export')}
            </Text>
          )}
          {cut === 'rows' && next && (
            <Button size="compact-xs" variant="light" onClick={() => onMore(next)}>
              {t('sql.cut.more', { count: next.toLocaleString(language) })}
            </Button>
          )}
          {sorting && <Text size="xs" c="dimmed">{t('sql.sorting')}</Text>}
        </Group>
        <Group gap="xs">
          <Menu position="bottom-end">
            <Menu.Target>
              <Button size="xs" variant="default" leftSection={<IconCopy size={15} />}>{t('sql.copy')}</Button>
            </Menu.Target>
            <Menu.Dropdown>
              {(['tsv', 'csv', 'json'] as const).map((how) => (
                <Menu.Item key={how} onClick={() => void copy(how)}>{t(`sql.copy.${how}`)}</Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <ExportMenu tab={tab} run={run} title={title} order={order} />
        </Group>
      </Group>
      <Grid rows={rows} count={rows.count} order={order} sort={sort} onSort={sortBy} selection={selection}
        onSelect={(chosen) => setView((before) => ({ ...before, selection: chosen }))} onOpen={setOpened} onCopy={() => void copy('tsv')} />
      {opened && opened.row < rows.count && (
        <CellViewer rows={rows} row={order?.[opened.row] ?? opened.row} shownRow={opened.row} column={opened.column} onClose={() => setOpened(null)} />
      )}
    </>
  )
}

function planText(run: StatementRun): string {
  const rows = run.progress?.rows
  return rows && rows.count > 0 ? String(rows.at(0, 0)) : ''
}

interface Props {
  tab: Tab
  result: TabRun
  title: string
  panel: string
  onPanel: (panel: string) => void
  onMore: (run: StatementRun, limit: number) => void
}

/** What came of the statements of a tab. */
export function Results({ tab, result, title, panel, onPanel, onMore }: Props) {
  const t = useText()
  const run = result.runs[result.shown] ?? result.runs[result.runs.length - 1]
  if (!run)
    return (
      <div className={classes.results}>
        <EmptyState title={t('sql.empty')} hint={t('sql.empty.hint')} />
      </div>
    )
  const rows = run.progress?.rows ?? null
  const shown = run.plan ? 'plan' : panel === 'chart' ? 'chart' : 'results'
  const table = shown === 'results' && rows !== null && rows.columns.length > 0 && !run.progress?.updateType
  const head = (
    <>
      {!run.plan && (
        <SegmentedControl size="xs" value={shown} onChange={onPanel} aria-label={t('sql.results')}
          data={[{ value: 'results', label: t('sql.results') }, { value: 'chart', label: t('sql.chart') }]} />
      )}
      <Status run={run} running={result.running} onCancel={() => cancelRun(tab.id)} />
    </>
  )
  return (
    <section className={classes.results} aria-label={t('sql.results')}>
      {result.runs.length > 1 && (
        <Tabs value={String(result.runs.indexOf(run))} onChange={(value) => showRun(tab.id, Number(value))}>
          <Tabs.List style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
            {result.runs.map((one, index) => (
              <Tabs.Tab key={one.key} value={String(index)} title={one.text.slice(0, 300)} size="xs"
                rightSection={one.state === 'failed' ? <IconAlertTriangle size={13} /> : undefined}>
                {t('sql.statement', { number: index + 1 })}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
      )}
      {!table && <Group className={classes.bar} gap="sm" pt={6}>{head}</Group>}
      {run.state === 'failed' && run.problem && <div className={classes.problem}><ProblemView error={run.problem} /></div>}
      {run.state === 'canceled' && <Alert color="orange" variant="light" mx="sm">{run.problem?.detail}</Alert>}
      {run.plan ? (
        run.state === 'finished' && <div className={classes.body}><PlanView plan={planText(run)} /></div>
      ) : shown === 'chart' ? (
        rows && rows.count > 0 ? (
          <Suspense fallback={<Loading height={200} />}>
            <ResultChart rows={rows} count={rows.count} statement={run.text} title={title} />
          </Suspense>
        ) : (
          run.state !== 'failed' && <EmptyState title={t('sql.chart.empty')} />
        )
      ) : (
        table && (
          <Table tab={tab} run={run} rows={rows} title={title} head={head} onMore={(limit) => onMore(run, limit)} />
        )
      )}
    </section>
  )
}
