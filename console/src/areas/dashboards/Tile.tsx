// One chart in its frame: its title, what can be done with it, and whatever state it is in. It is
// drawn when it is first seen.
import { ActionIcon, Anchor, Box, Group, Menu, Modal, Skeleton, Stack, Text, Tooltip } from '@mantine/core'
import { IconAlertTriangle, IconArrowBackUp, IconCode, IconDots, IconDownload, IconInfoCircle, IconMaximize, IconPhoto, IconTable, IconVector } from '@tabler/icons-react'
import { memo, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import type { Problem } from '../../api/client'
import { useLanguage, useText } from '../../i18n'

import { Code, Markdown, When } from '../../ui'
import type { ChartHandle } from '../../ui/Chart'
import { ChartView, useChartTheme } from '../../ui/charts/ChartView'
import { textOf } from '../../ui/charts/format'
import { kindOf } from '../../ui/charts/kinds'
import type { Pick } from '../../ui/charts/types'
import { TableView } from '../../ui/charts/Views'
import { type Answer, type Answers, asks, useAnswer } from './data'
import classes from './dashboards.module.css'
import { csvOf, save } from './export'
import type { Chart } from './types'

// What is not seen is drawn when there is nothing else to do, one after the other: scrolling and
// printing then find it there.
const waiting: (() => void)[] = []
const idle: (use: () => void) => unknown = typeof requestIdleCallback === 'function' ? (use) => requestIdleCallback(use, { timeout: 1000 }) : (use) => setTimeout(use, 60)
let busy = false

function drawNext() {
  waiting.shift()?.()
  busy = waiting.length > 0
  if (busy) idle(drawNext)
}

function whenIdle(use: () => void): () => void {
  waiting.push(use)
  if (!busy) {
    busy = true
    setTimeout(() => idle(drawNext), 400)
  }
  return () => {
    const at = waiting.indexOf(use)
    if (at >= 0) waiting.splice(at, 1)
  }
}

/** True from when an element first comes near to the window; `soon`: or when there is time. */
export function useSeen(soon = false) {
  const ref = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    if (seen || !ref.current) return
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), { rootMargin: '160px' })
    observer.observe(ref.current)
    const forget = soon ? whenIdle(() => setSeen(true)) : undefined
    return () => {
      observer.disconnect()
      forget?.()
    }
  }, [seen, soon])
  return { ref, seen }
}

/** A mistake in little room: the other charts go on. */
function Failed({ problem }: { problem: Problem }) {
  const t = useText()
  const at = problem.line ? t('ui.at_line', { line: problem.line, column: problem.column ?? 1 }) : ''
  return (
    <Stack gap={4} h="100%" style={{ overflow: 'auto' }} role="alert" tabIndex={0}>
      <Group gap={6} wrap="nowrap" c="red"><IconAlertTriangle size={16} /><Text size="sm" fw={600} truncate>{problem.code}</Text></Group>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>{problem.detail}</Text>
      {(problem.hint || at) && <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>{[problem.hint, at].filter(Boolean).join(' · ')}</Text>}
    </Stack>
  )
}

const kEmpty = { columns: [], rows: [] }

interface Content {
  chart: Chart
  answer: Answer
  table: boolean
  onPick?: (picks: Pick[], answer: Answer) => void
  handle: React.Ref<ChartHandle>
}

const Body = memo(function Body({ chart, answer, table, onPick, handle }: Content) {
  const theme = useChartTheme()
  if (answer.problem) return <Failed problem={answer.problem} />
  if (!asks(chart)) return <ChartView chart={chart} data={kEmpty} />
  if (!answer.data) return <Skeleton h="100%" radius="sm" />
  if (table) return <TableView data={answer.data} chart={{ kind: 'table' }} theme={theme} />
  return <ChartView chart={chart} data={answer.data} handle={handle} onPick={onPick && ((picks) => onPick(picks, answer))} />
}, (before, after) =>
  before.chart === after.chart && before.table === after.table && before.answer.data === after.answer.data && before.answer.problem === after.answer.problem)

function Age({ answer }: { answer: Answer }) {
  const t = useText()
  const { language } = useLanguage()
  const line = answer.line
  if (!line || line.problem) return null
  const took = (line.elapsed_ms ?? 0).toLocaleString(language)
  return (
    <Stack gap={2}>
      <Text size="xs" c="dimmed">
        {t(line.cached ? 'dashboards.cached' : 'dashboards.computed', { ms: took, rows: (line.rows?.length ?? 0).toLocaleString(language) })}
      </Text>
      <Text size="xs" c="dimmed">{t('dashboards.asked')} <When ms={answer.at} /></Text>
      {Boolean(line.version_ms) && <Text size="xs" c="dimmed">{t('dashboards.data_of')} <When ms={line.version_ms} /></Text>}
      {line.truncated && <Text size="xs" c="orange">{t('dashboards.truncated')}</Text>}
      {Boolean(line.ignored_filters?.length) && <Text size="xs" c="dimmed">{t('dashboards.ignored', { columns: line.ignored_filters!.join(', ') })}</Text>}
    </Stack>
  )
}

interface MenuProps {
  chart: Chart
  answers: Answers
  table: boolean
  onTable: (table: boolean) => void
  picture: React.RefObject<ChartHandle | null>
}

/** What can be done with a chart; made when it is first asked for, for there are many charts. */
function OpenedMenu({ chart, answers, table, onTable, picture }: MenuProps) {
  const t = useText()
  const { language } = useLanguage()
  const answer = useAnswer(answers, chart.id)
  const [large, setLarge] = useState(false)
  const [sql, setSql] = useState(false)
  const title = textOf(chart.title, language)
  const drawn = !kindOf(chart.kind)?.view
  const saveAs = (type: 'png' | 'svg') => {
    const content = picture.current?.picture(type)
    if (content) save(`${chart.id}.${type}`, content)
  }
  return (
    <>
      <Menu position="bottom-end" withinPortal width={230} defaultOpened>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t('dashboards.chart_menu', { title: title || chart.id })}><IconDots size={16} /></ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconTable size={15} />} onClick={() => onTable(!table)}>{t(table ? 'dashboards.as_chart' : 'dashboards.as_table')}</Menu.Item>
          <Menu.Item leftSection={<IconMaximize size={15} />} onClick={() => setLarge(true)}>{t('dashboards.large')}</Menu.Item>
          {answer.line?.statement && <Menu.Item leftSection={<IconCode size={15} />} onClick={() => setSql(true)}>{t('dashboards.inspect')}</Menu.Item>}
          <Menu.Divider />
          <Menu.Item leftSection={<IconDownload size={15} />} disabled={!answer.data} onClick={() => save(`${chart.id}.csv`, csvOf(answer.data!))}>CSV</Menu.Item>
          {drawn && !table && <Menu.Item leftSection={<IconPhoto size={15} />} disabled={!answer.data} onClick={() => saveAs('png')}>PNG</Menu.Item>}
          {drawn && !table && <Menu.Item leftSection={<IconVector size={15} />} disabled={!answer.data} onClick={() => saveAs('svg')}>SVG</Menu.Item>}
          <Menu.Divider />
          <Box px="sm" py={4}><Age answer={answer} /></Box>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={large} onClose={() => setLarge(false)} size="90%" title={title}>
        <Box h="min(72vh, 800px)">{large && <Body chart={chart} answer={answer} table={table} handle={null} />}</Box>
      </Modal>
      <Modal opened={sql} onClose={() => setSql(false)} size="xl" title={t('dashboards.sql_of', { title: title || chart.id })}>
        <Stack gap="sm">
          {chart.description && <Markdown>{textOf(chart.description, language)}</Markdown>}
          <Code>{answer.line?.statement ?? ''}</Code>
          <Group justify="space-between">
            <Age answer={answer} />
            <Anchor href={`/sql?sql=${encodeURIComponent(answer.line?.statement ?? '')}`} size="sm">{t('dashboards.to_sql')}</Anchor>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}

const ChartMenu = memo(function ChartMenu(props: MenuProps) {
  const t = useText()
  const { language } = useLanguage()
  const [used, setUsed] = useState(false)
  if (used) return <OpenedMenu {...props} />
  const title = textOf(props.chart.title, language) || props.chart.id
  return (
    <ActionIcon variant="subtle" color="gray" size="sm" aria-haspopup="menu" aria-label={t('dashboards.chart_menu', { title })} onClick={() => setUsed(true)}>
      <IconDots size={16} />
    </ActionIcon>
  )
})

interface Props {
  chart: Chart
  answers: Answers
  onPick?: (chart: Chart, picks: Pick[], answer: Answer) => void
  /** The values chosen on the levels above, if the chart has levels. */
  level?: unknown[]
  onLevel?: (id: string, values: unknown[]) => void
  /** Shown in place of the menu, while editing. */
  tools?: ReactNode
  handleClass?: string
}

const Head = memo(function Head({ chart, level, onLevel, handleClass, children }: {
  chart: Chart
  level?: unknown[]
  onLevel?: Props['onLevel']
  handleClass?: string
  children: ReactNode
}) {
  const t = useText()
  const { language } = useLanguage()
  const title = textOf(chart.title, language)
  const description = textOf(chart.description, language)
  return (
    <div className={`${classes.head} ${handleClass ?? ''}`}>
      <h2 className={classes.title} title={title}>{title}</h2>
      {description && (
        <Tooltip label={description} multiline maw={320}>
          <Box c="dimmed" component="span" role="note" tabIndex={0} aria-label={description} style={{ display: 'inline-flex' }}><IconInfoCircle size={15} /></Box>
        </Tooltip>
      )}
      {level && level.length > 0 && onLevel && (
        <Tooltip label={t('dashboards.up')}>
          <ActionIcon variant="subtle" size="sm" aria-label={t('dashboards.up')} onClick={() => onLevel(chart.id, level.slice(0, -1))}><IconArrowBackUp size={15} /></ActionIcon>
        </Tooltip>
      )}
      {children}
    </div>
  )
})

export const Tile = memo(function Tile({ chart, answers, onPick, level, onLevel, tools, handleClass }: Props) {
  const { language } = useLanguage()
  const answer = useAnswer(answers, chart.id)
  const { ref, seen } = useSeen(true)
  const [table, setTable] = useState(false)
  const picture = useRef<ChartHandle>(null)
  const asked = asks(chart)
  const state = !asked ? 'done' : answer.problem ? 'failed' : !answer.data ? 'loading' : 'done'
  const menu = useMemo(
    () => tools ?? (asked && <ChartMenu chart={chart} answers={answers} table={table} onTable={setTable} picture={picture} />),
    [tools, asked, chart, answers, table],
  )
  return (
    <div className={classes.tile} ref={ref} data-chart={chart.id} data-state={state} role="group" aria-label={textOf(chart.title, language) || chart.id} aria-busy={answer.loading && asked}>
      <Head chart={chart} level={level} onLevel={onLevel} handleClass={handleClass}>{menu}</Head>
      {level && level.length > 0 && <Text size="xs" c="dimmed" px={12} truncate>{level.map(String).join(' › ')}</Text>}
      <div className={classes.body} data-loading={answer.loading && answer.data ? true : undefined}>
        {seen ? <Body chart={chart} answer={answer} table={table} handle={picture} onPick={onPick && ((picks: Pick[], from: Answer) => onPick(chart, picks, from))} /> : null}
      </div>
    </div>
  )
})
