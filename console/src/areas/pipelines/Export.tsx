import { Button, Group, Modal, Progress, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ask, lines, type Problem } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, Count, Duration, ProblemView } from '../../ui'
import { problemIn } from './live'
import { Facts } from './parts'

interface Told {
  end?: string
  progress?: [number, number]
  log?: string
  rows?: number
  records?: number
  bytes?: number
  seconds?: number
  folder?: string
  version?: number
  notes?: string[]
  error?: unknown
}

/** Exports a feed now and tells how it goes. */
export function Export({ feed, onClose }: { feed: string; onClose: () => void }) {
  const t = useText()
  const queries = useQueryClient()
  const [share, setShare] = useState<number | undefined>()
  const [logs, setLogs] = useState<string[]>([])
  const [end, setEnd] = useState<Told | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => {
    const mine = new AbortController()
    stop.current = mine
    const take = (told: Told) => {
      if (told.progress) setShare(told.progress[1] > 0 ? told.progress[0] / told.progress[1] : undefined)
      if (told.log) setLogs((before) => [...before, told.log!].slice(-30))
      if (told.end) setEnd(told)
    }
    ask('POST', '/api/v1/data-lake/export', { feeds: [feed] }, { signal: mine.signal, headers: { Accept: 'application/x-ndjson' } })
      .then((answer) => lines<Told>(answer, take))
      .catch((error: unknown) => !mine.signal.aborted && setProblem(error as Problem))
      .finally(() => void queries.invalidateQueries())
    return () => mine.abort()
  }, [feed, queries])
  const error = end ? problemIn(end) : undefined
  return (
    <Modal opened lockScroll={false} closeButtonProps={{ 'aria-label': t('pipelines.close') }} onClose={onClose} title={t('pipelines.export_of', { name: feed })}>
      <Stack>
        {!end && !problem && <Progress animated value={share === undefined ? 100 : 100 * share} aria-label={t('pipelines.progress')} />}
        {logs.map((line, index) => <Text key={index} size="xs" c="dimmed">{line}</Text>)}
        {problem && <ProblemView error={problem} />}
        {error && <ProblemView error={error} />}
        {end && !error && (
          <Facts facts={[
            [t('pipelines.rows'), <Count key="r" value={end.rows} />], [t('pipelines.records'), <Count key="a" value={end.records} />],
            [t('pipelines.bytes'), <Bytes key="b" value={end.bytes} />], [t('pipelines.took'), <Duration key="d" ms={1000 * (end.seconds ?? 0)} />],
            [t('pipelines.folder'), end.folder], [t('pipelines.version'), end.version],
          ]} />
        )}
        <Group justify="flex-end"><Button variant="default" onClick={onClose}>{t('pipelines.close')}</Button></Group>
      </Stack>
    </Modal>
  )
}
