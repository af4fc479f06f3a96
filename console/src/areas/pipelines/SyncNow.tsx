import { Button, Checkbox, Group, Modal, Progress, Stack, Text, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ask, lines, type Problem } from '../../api/client'
import { useText } from '../../i18n'
import { Count, Duration, ProblemView } from '../../ui'
import { problemIn } from './live'
import { State } from './parts'

interface Told {
  begin?: string
  end?: string
  log?: string
  warning?: boolean
  stream?: string
  progress?: [number, number]
  table?: string
  rows?: number
  rejected?: number
  seconds?: number
  error?: unknown
}
interface Line {
  stream: string
  state: string
  share?: number
  rows?: number
  rejected?: number
  seconds?: number
  table?: string
  error?: Problem
  logs: string[]
}

function take(before: Line[], told: Told): Line[] {
  if (told.begin) return [...before, { stream: told.begin, state: 'running', logs: [] }]
  const change = (stream: string, to: (line: Line) => Line) => before.map((line) => (line.stream === stream ? to(line) : line))
  if (told.end) {
    const error = problemIn(told)
    return change(told.end, (line) => ({
      ...line, state: error ? 'failed' : 'succeeded', error, rows: told.rows, rejected: told.rejected, seconds: told.seconds, table: told.table,
    }))
  }
  if (told.progress && told.stream) {
    const [done, total] = told.progress
    return change(told.stream, (line) => ({ ...line, share: total > 0 ? done / total : undefined }))
  }
  const last = before[before.length - 1]
  if (told.log && last) return change(last.stream, (line) => ({ ...line, logs: [...line.logs, told.log!].slice(-20) }))
  return before
}

/** Takes a source's rows now and tells how it goes. Closing it ends the sync after what is
 *  committed. */
export function SyncNow({ source, table, onClose }: { source: string; table?: string; onClose: () => void }) {
  const t = useText()
  const queries = useQueryClient()
  const [full, setFull] = useState(false)
  const [date, setDate] = useState('')
  const [state, setState] = useState<'form' | 'running' | 'over'>('form')
  const [told, setTold] = useState<Line[]>([])
  const [problem, setProblem] = useState<Problem | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])

  const run = async () => {
    stop.current = new AbortController()
    setState('running')
    setProblem(null)
    setTold([])
    try {
      const body = { source, table, full_refresh: full, run_date: date || undefined }
      const answer = await ask('POST', '/api/v1/ingest/sync', body, { signal: stop.current.signal, headers: { Accept: 'application/x-ndjson' } })
      await lines<Told>(answer, (line) => setTold((before) => take(before, line)))
    } catch (error) {
      if (!stop.current.signal.aborted) setProblem(error as Problem)
    } finally {
      setState('over')
      void queries.invalidateQueries()
    }
  }
  return (
    <Modal opened lockScroll={false} closeButtonProps={{ 'aria-label': t('pipelines.close') }} onClose={onClose} size="lg" title={t('pipelines.sync.title', { name: table ? `${source}.${table}` : source })}
      closeOnClickOutside={state !== 'running'}>
      <Stack>
        {state === 'form' && (
          <>
            <TextInput label={t('pipelines.run_date')} description={t('pipelines.run_date.hint')} placeholder={t('pipelines.today')}
              value={date} onChange={(event) => setDate(event.currentTarget.value)} />
            <Checkbox label={t('pipelines.sync.full')} description={t('pipelines.sync.full.hint')} checked={full}
              onChange={(event) => setFull(event.currentTarget.checked)} />
          </>
        )}
        {told.map((line) => (
          <Stack key={line.stream} gap={4} data-sync={line.stream}>
            <Group gap="xs" justify="space-between">
              <Group gap="xs"><Text size="sm" fw={600}>{line.stream}</Text><State state={line.state} /></Group>
              <Text size="xs" c="dimmed">
                {line.rows !== undefined && <><Count value={line.rows} /> {t('pipelines.rows_word')} · <Duration ms={1000 * (line.seconds ?? 0)} /></>}
              </Text>
            </Group>
            {line.state === 'running' && (
              <Progress size="sm" animated value={line.share === undefined ? 100 : 100 * line.share} aria-label={t('pipelines.progress')} />
            )}
            {(line.rejected ?? 0) > 0 && <Text size="xs" c="orange">{t('pipelines.sync.rejected', { count: line.rejected! })}</Text>}
            {line.logs.map((one, index) => <Text key={index} size="xs" c="dimmed">{one}</Text>)}
            {line.error && <ProblemView error={line.error} />}
          </Stack>
        ))}
        {problem && <ProblemView error={problem} />}
        <Group justify="flex-end">
          {state === 'running' && <Button variant="light" color="red" onClick={() => stop.current?.abort()}>{t('pipelines.cancel')}</Button>}
          {state !== 'running' && <Button variant="default" onClick={onClose}>{t('pipelines.close')}</Button>}
          {state !== 'running' && <Button onClick={() => void run()}>{t(state === 'over' ? 'pipelines.sync.again' : 'pipelines.sync.now')}</Button>}
        </Group>
      </Stack>
    </Modal>
  )
}
