import { Alert, Button, Checkbox, Group, Modal, SegmentedControl, SimpleGrid, Stack, Table, Text, TextInput } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay, IconRestore } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { address, api, Problem, quoteName, runSql, useApi, useEvents } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Bytes, Count, type DataColumn, DataTable, Duration, EmptyState, Loading, Page, ProblemView, UrlTabs, When } from '../../ui'
import { Chart } from '../../ui/Chart'
import { CodeEditor } from '../../ui/CodeEditor'
import { problemIn } from './live'
import { Chips, Facts, Figure, Rate, State, useAction } from './parts'
import { delayOf } from './Streams'
import type { Stream } from './types'

interface Moment {
  at: number
  rate: number
  lag: number | null
  delay: number | null
}
const kMoments = 300
/** How much of the past is drawn, in ms. */
const kShown = 300_000

/** Rate, lag and delay of the watermark since the page was opened. */
function useMoments(stream: Stream | undefined, toldAt: number): Moment[] {
  const [moments, setMoments] = useState<Moment[]>([])
  const last = useRef(0)
  useEffect(() => {
    // An answer that is the same as the one before is a moment too.
    if (!stream || toldAt === last.current) return
    last.current = toldAt
    const now = toldAt
    setMoments((before) => [
      ...before.slice(1 - kMoments),
      { at: now, rate: stream.messages_per_second, lag: stream.lag, delay: stream.state === 'RUNNING' ? (delayOf(stream) ?? null) : null },
    ])
  }, [stream, toldAt])
  return moments
}

function Live({ moments }: { moments: Moment[] }) {
  const { language, text: t } = useLanguage()
  const small = (value: number) => value.toLocaleString(language, { notation: 'compact' })
  const option = useMemo(() => {
    const line = (name: string, axis: number, color: string, value: (moment: Moment) => number | null) => ({
      name, type: 'line', xAxisIndex: axis, yAxisIndex: axis, color, showSymbol: false, areaStyle: { opacity: 0.12 },
      data: moments.map((moment) => [moment.at, value(moment)]),
    })
    const to = moments[moments.length - 1]?.at ?? Date.now()
    const names = [t('pipelines.rate'), t('pipelines.lag'), t('pipelines.watermark_delay_s')]
    return {
      useUTC: false,
      tooltip: { trigger: 'axis' },
      title: names.map((text, index) => ({ text, left: 8, top: 4 + index * 120, textStyle: { fontSize: 12, fontWeight: 600 } })),
      grid: names.map((_, index) => ({ left: 52, right: 16, top: 28 + index * 120, height: 72 })),
      xAxis: names.map((_, index) => ({ type: 'time', gridIndex: index, min: to - kShown, max: to, axisLabel: { show: index === names.length - 1 } })),
      yAxis: names.map((_, index) => ({ type: 'value', gridIndex: index, min: 0, splitNumber: 2, axisLabel: { formatter: small } })),
      series: [
        line(names[0], 0, '#12b886', (moment) => moment.rate),
        line(names[1], 1, '#f08c00', (moment) => moment.lag),
        line(names[2], 2, '#4263eb', (moment) => (moment.delay === null ? null : moment.delay / 1000)),
      ],
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [moments, t, language])
  return <Chart option={option} height={380} description={t('pipelines.live_chart')} />
}

interface Commit {
  table: string
  batch: number
  columns: { name: string; type: string }[]
  rows: unknown[][]
  more: boolean
}
const shown = (value: unknown) => (value === null || value === undefined ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value))

/** The newest rows of what the stream writes, after each commit. */
function LiveTable({ stream }: { stream: Stream }) {
  const t = useText()
  const tables = (stream.config?.sinks ?? []).filter((sink) => sink.kind === 'live' || sink.kind === 'lake').map((sink) => sink.target)
  const [table, setTable] = useState(tables[0] ?? '')
  const [commit, setCommit] = useState<Commit | null>(null)
  const [failure, setFailure] = useState<Problem | null>(null)
  const path = `/api/v1/streams/${encodeURIComponent(stream.name)}/live`
  useEvents(tables.length ? address(path, { table, limit: 200 }) : null, (name, data) => {
    if (name === 'failure') {
      setFailure(problemIn(data as { error?: unknown }) ?? null)
    } else {
      setFailure(null)
      setCommit(data as Commit)
    }
  }, ['commit', 'failure'])
  if (tables.length === 0) return <EmptyState title={t('pipelines.no_live')} />
  const rows = commit ? [...commit.rows].reverse() : []
  const columns: DataColumn<unknown[]>[] = (commit?.columns ?? []).map((column, index) => ({
    key: column.name, title: column.name, value: (row) => row[index] as string, render: (row) => shown(row[index]),
  }))
  return (
    <Stack gap="xs">
      {tables.length > 1 && (
        <Group><SegmentedControl size="xs" data={tables} value={table} onChange={(next) => { setCommit(null); setTable(next) }} aria-label={t('pipelines.table')} /></Group>
      )}
      {failure && <ProblemView error={failure} />}
      {commit ? (
        <DataTable rows={rows} columns={columns} rowKey={(row) => String(rows.indexOf(row))} label={commit.table} name="v"
          toolbar={<Text size="xs" c="dimmed">{t('pipelines.batch_of', { table: commit.table, batch: commit.batch })}</Text>} />
      ) : !failure && <EmptyState title={t('pipelines.no_commit')} hint={t('pipelines.no_commit.hint')} />}
    </Stack>
  )
}

function Partitions({ stream }: { stream: Stream }) {
  const t = useText()
  const columns: DataColumn<Stream['partitions'][number]>[] = [
    { key: 'topic', title: t('pipelines.topic') },
    { key: 'partition', title: t('pipelines.partition'), align: 'right' },
    { key: 'committed', title: t('pipelines.committed'), align: 'right', render: (one) => <Count value={one.committed} /> },
    { key: 'end', title: t('pipelines.end'), align: 'right', render: (one) => <Count value={one.end} /> },
    { key: 'lag', title: t('pipelines.lag'), align: 'right', render: (one) => <Count value={one.lag} /> },
  ]
  return (
    <DataTable rows={stream.partitions} columns={columns} rowKey={(one) => `${one.topic}/${one.partition}`} label={t('pipelines.partitions')} name="p"
      empty={<EmptyState title={t('pipelines.no_partitions')} hint={t('pipelines.no_partitions.hint')} />} />
  )
}

/** Some of the messages that could not be read. */
function DeadLetters({ table }: { table: string }) {
  const t = useText()
  const [told, setTold] = useState<{ columns: string[]; rows: unknown[][] } | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  useEffect(() => {
    const stop = new AbortController()
    const name = table.split('.').map(quoteName).join('.')
    runSql(`SELECT * FROM ${name} LIMIT 50`, { limit: 50, signal: stop.signal })
      .then((result) => setTold({ columns: result.columns.map((one) => one.name), rows: result.rows }))
      .catch((error: unknown) => error instanceof Problem && setProblem(error))
    return () => stop.abort()
  }, [table])
  if (problem) return problem.code === 'TABLE_NOT_FOUND' ? <EmptyState title={t('pipelines.no_dead')} /> : <ProblemView error={problem} />
  if (!told) return <Loading />
  if (told.rows.length === 0) return <EmptyState title={t('pipelines.no_dead')} />
  return (
    <Table.ScrollContainer minWidth={600} type="native" tabIndex={0}>
      <Table>
        <Table.Thead><Table.Tr>{told.columns.map((one) => <Table.Th key={one}>{one}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>
          {told.rows.map((row, index) => (
            <Table.Tr key={index}>{row.map((cell, at) => <Table.Td key={at}><Text size="xs" lineClamp={3}>{shown(cell)}</Text></Table.Td>)}</Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Reset({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useText()
  const [act, busy] = useAction()
  const [where, setWhere] = useState('earliest')
  const [moment, setMoment] = useState('')
  const [truncate, setTruncate] = useState(false)
  const reset = async () => {
    const body = { to: where === 'moment' ? moment : where, truncate }
    if (await act(() => api.post(`/api/v1/streams/${encodeURIComponent(name)}/reset`, body), t('pipelines.reset.done'))) onClose()
  }
  return (
    <Modal opened lockScroll={false} closeButtonProps={{ 'aria-label': t('pipelines.close') }} onClose={onClose} title={t('pipelines.reset.title', { name })}>
      <Stack>
        <Text size="sm">{t('pipelines.reset.hint')}</Text>
        <SegmentedControl value={where} onChange={setWhere} aria-label={t('pipelines.reset.where')}
          data={[{ value: 'earliest', label: t('pipelines.reset.earliest') }, { value: 'latest', label: t('pipelines.reset.latest') },
            { value: 'moment', label: t('pipelines.reset.moment') }]} />
        {where === 'moment' && (
          <TextInput label={t('pipelines.reset.moment')} description={t('pipelines.reset.moment.hint')} value={moment}
            placeholder="2025-01-15T06:00:00Z" onChange={(event) => setMoment(event.currentTarget.value)} />
        )}
        <Checkbox label={t('pipelines.reset.truncate')} checked={truncate} onChange={(event) => setTruncate(event.currentTarget.checked)} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{t('pipelines.close')}</Button>
          <Button color="red" loading={busy} disabled={where === 'moment' && !moment} onClick={() => void reset()}>{t('pipelines.reset')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function Facets({ stream }: { stream: Stream }) {
  const t = useText()
  return (
    <Stack>
      <Facts facts={[
        [t('pipelines.reads'), <Chips key="r" of={stream.config?.sources.map((one) => `${one.name}: ${one.topics.join(', ')}`) ?? stream.sources} />],
        [t('pipelines.writes'), <Chips key="w" of={stream.sinks} />],
        [t('pipelines.output'), stream.output],
        [t('pipelines.trigger'), stream.trigger],
        [t('pipelines.event_time'), stream.config?.sources.map((one) => one.event_time).filter(Boolean).join(', ')],
        [t('pipelines.generation'), stream.generation],
        [t('pipelines.batch'), <Count key="b" value={stream.batch} />],
        [t('pipelines.last_batch'), <Duration key="d" ms={stream.last_batch_ms} />],
        [t('pipelines.state_rows'), <Count key="s" value={stream.state_rows} />],
        [t('pipelines.state_bytes'), <Bytes key="y" value={stream.state_bytes} />],
        [t('pipelines.late'), <Count key="l" value={stream.late} />],
        [t('pipelines.duplicates'), <Count key="u" value={stream.duplicates} />],
        [t('pipelines.dead_letter'), stream.config?.dead_letter],
      ]} />
      <CodeEditor value={stream.config?.sql ?? ''} onChange={() => undefined} language="sql" readOnly height={220} />
    </Stack>
  )
}

export default function StreamPage() {
  const t = useText()
  const session = useSession()
  const { stream: name = '' } = useParams({ strict: false }) as { stream?: string }
  const [resetting, setResetting] = useState(false)
  const [act, busy] = useAction()
  const path = `/api/v1/streams/${encodeURIComponent(name)}`
  const told = useApi<Stream>(path, {}, { refetchInterval: 1000 })
  const stream = told.data
  const moments = useMoments(stream, told.dataUpdatedAt)
  const crumbs = [{ title: t('pipelines.streams'), to: '/streams' }]
  if (told.isError) return <Page title={name} crumbs={crumbs}><ProblemView error={told.error} onRetry={() => void told.refetch()} /></Page>
  if (!stream) return <Loading />
  const paused = stream.state === 'PAUSED'
  const dead = stream.config?.dead_letter
  return (
    <Page title={name} subtitle={<Group gap="sm"><State state={stream.state} /><span>{stream.description}</span></Group>} crumbs={crumbs}
      actions={mayEdit(session) && (
        <>
          <Button variant="default" leftSection={<IconRestore size={16} />} onClick={() => setResetting(true)}>{t('pipelines.reset')}</Button>
          <Button loading={busy} leftSection={paused ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
            onClick={() => void act(() => api.post(`${path}/${paused ? 'resume' : 'pause'}`))}>
            {t(paused ? 'pipelines.resume' : 'pipelines.pause')}
          </Button>
        </>
      )}>
      {stream.error && (
        <Alert color="red" variant="light" title={t('pipelines.stream_failed')}>
          <Text size="sm">{stream.error}</Text>
          {stream.retry_ms ? <Text size="xs" c="dimmed">{t('pipelines.tries_again')} <When ms={stream.retry_ms} /></Text> : null}
        </Alert>
      )}
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
        <Figure label={t('pipelines.rate')}><Rate value={stream.messages_per_second} /></Figure>
        <Figure label={t('pipelines.lag')} tone={(stream.lag ?? 0) > 100_000 ? 'bad' : undefined}><Count value={stream.lag} /></Figure>
        <Figure label={t('pipelines.watermark_delay')}><Duration ms={delayOf(stream)} /></Figure>
        <Figure label={t('pipelines.messages')}><Count value={stream.messages} /></Figure>
        <Figure label={t('pipelines.rows_written')}><Count value={stream.rows} /></Figure>
        <Figure label={t('pipelines.malformed')} tone={stream.malformed > 0 ? 'bad' : undefined}><Count value={stream.malformed} /></Figure>
      </SimpleGrid>
      <UrlTabs tabs={[
        { key: 'live', label: t('pipelines.live'), content: () => <Live moments={moments} /> },
        { key: 'table', label: t('pipelines.rows'), content: () => <LiveTable stream={stream} /> },
        { key: 'partitions', label: t('pipelines.partitions'), content: () => <Partitions stream={stream} /> },
        { key: 'query', label: t('pipelines.query'), content: () => <Facets stream={stream} /> },
        ...(dead ? [{ key: 'dead', label: t('pipelines.dead_letter'), content: () => <DeadLetters table={dead} /> }] : []),
      ]} />
      {resetting && <Reset name={name} onClose={() => setResetting(false)} />}
    </Page>
  )
}
