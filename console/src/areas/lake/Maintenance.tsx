import { Alert, Button, Card, Group, Progress, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core'
import { type ReactNode, useRef, useState } from 'react'
import { api, quoteText, runSql } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, ConfirmButton, Count, Duration, ProblemView } from '../../ui'
import { fullName } from './TablePage'
import type { TableDetail } from './types'

interface Work {
  name: string
  /** Percent; null: not known. */
  progress: number | null
  elapsed: number
}
interface Done {
  name: string
  before: TableDetail
  after: TableDetail
  elapsed: number
}

function Task({ title, hint, children }: { title: string; hint: string; children: ReactNode }) {
  return (
    <Card withBorder>
      <Stack gap="xs" h="100%" justify="space-between">
        <div>
          <Title order={2} fz={15}>{title}</Title>
          <Text size="sm" c="dimmed">{hint}</Text>
        </div>
        {children}
      </Stack>
    </Card>
  )
}

function Difference({ done }: { done: Done }) {
  const t = useText()
  return (
    <Alert variant="light" color="teal" title={t('lake.task_done', { task: done.name })} role="status">
      <Group gap="lg">
        <span><Duration ms={done.elapsed} /></span>
        <span>{`${t('lake.is', { name: t('lake.files') })} `}<Count value={done.before.files} />{' → '}<Count value={done.after.files} /></span>
        <span>{`${t('lake.is', { name: t('lake.size') })} `}<Bytes value={done.before.bytes} />{' → '}<Bytes value={done.after.bytes} /></span>
        <span>{`${t('lake.is', { name: t('lake.snapshots') })} `}<Count value={done.before.snapshots} />{' → '}<Count value={done.after.snapshots} /></span>
      </Group>
    </Alert>
  )
}

/** Optimise, expire, remove orphans: statements, told as they go. */
export function Maintenance({ table, onChange }: { table: TableDetail; onChange: () => void }) {
  const t = useText()
  const [threshold, setThreshold] = useState('100MB')
  const [kept, setKept] = useState('7d')
  const [orphans, setOrphans] = useState('7d')
  const [work, setWork] = useState<Work | null>(null)
  const [done, setDone] = useState<Done | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const stop = useRef<AbortController | null>(null)
  const place = `/api/v1/lake/tables/${[table.catalog, table.schema, table.name].map(encodeURIComponent).join('/')}`

  const run = async (name: string, procedure: string) => {
    const started = Date.now()
    setProblem(null)
    setDone(null)
    setWork({ name, progress: null, elapsed: 0 })
    stop.current = new AbortController()
    try {
      await runSql(`ALTER TABLE ${fullName(table)} EXECUTE ${procedure}`, {
        signal: stop.current.signal,
        onProgress: (stats) => setWork({ name, progress: stats.progressPercentage ?? null, elapsed: stats.elapsedTimeMillis }),
      })
      const after = await api.get<TableDetail>(place)
      setDone({ name, before: table, after, elapsed: Date.now() - started })
    } catch (error) {
      if ((error as Error).name !== 'AbortError') setProblem(error)
    }
    setWork(null)
    onChange()
  }
  return (
    <Stack gap="sm">
      {work && (
        <Card withBorder padding="sm" role="status">
          <Stack gap={6}>
            <Group justify="space-between">
              <Text size="sm" fw={600}>{t('lake.task_runs', { task: work.name })}{' · '}<Duration ms={work.elapsed} /></Text>
              <Button size="compact-xs" variant="default" onClick={() => stop.current?.abort()}>{t('lake.cancel')}</Button>
            </Group>
            <Progress value={work.progress ?? 100} animated={work.progress === null} aria-label={work.name} />
          </Stack>
        </Card>
      )}
      {done && <Difference done={done} />}
      {problem !== null && <ProblemView error={problem} />}
      <SimpleGrid cols={{ base: 1, md: 3 }}>
        <Task title={t('lake.optimize')} hint={t('lake.optimize_hint')}>
          <Group align="flex-end" gap="xs">
            <TextInput size="xs" w={130} label={t('lake.threshold')} value={threshold} onChange={(event) => setThreshold(event.currentTarget.value)} />
            <Button size="xs" disabled={work !== null}
              onClick={() => void run(t('lake.optimize'), `optimize(file_size_threshold => ${quoteText(threshold)})`)}>{t('lake.optimize')}</Button>
          </Group>
        </Task>
        <Task title={t('lake.expire')} hint={t('lake.expire_hint')}>
          <Group align="flex-end" gap="xs">
            <TextInput size="xs" w={130} label={t('lake.older_than')} value={kept} onChange={(event) => setKept(event.currentTarget.value)} />
            <ConfirmButton size="xs" color="orange" variant="light" disabled={work !== null} question={t('lake.expire_question', { age: kept })}
              onConfirm={() => void run(t('lake.expire'), `expire_snapshots(retention_threshold => ${quoteText(kept)})`)}>{t('lake.expire')}</ConfirmButton>
          </Group>
        </Task>
        <Task title={t('lake.orphans')} hint={t('lake.orphans_hint')}>
          <Group align="flex-end" gap="xs">
            <TextInput size="xs" w={130} label={t('lake.older_than')} value={orphans} onChange={(event) => setOrphans(event.currentTarget.value)} />
            <ConfirmButton size="xs" color="orange" variant="light" disabled={work !== null} question={t('lake.orphans_question', { age: orphans })}
              onConfirm={() => void run(t('lake.orphans'), `remove_orphan_files(retention_threshold => ${quoteText(orphans)})`)}>{t('lake.orphans')}</ConfirmButton>
          </Group>
        </Task>
      </SimpleGrid>
      <Text size="xs" c="dimmed">{t('lake.by_itself')}</Text>
    </Stack>
  )
}
