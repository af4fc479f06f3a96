import { Button, Progress, SegmentedControl, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconChecks } from '@tabler/icons-react'
import { useState } from 'react'
import { ask, lines, Problem, useApi } from '../../api/client'
import { useQueryClient } from '@tanstack/react-query'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Count, type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView, UrlTabs, useUrlState, When } from '../../ui'
import { Figure, tablePage } from './parts'
import { CheckResults } from './CheckResults'
import type { CheckResult, Score, Suite } from './types'

/** 0 to 100, as a bar with its number. */
export function ScoreBar({ score }: { score: number }) {
  const colour = score >= 90 ? 'teal' : score >= 70 ? 'orange' : 'red'
  return (
    <Progress.Root size={18}>
      <Progress.Section value={Math.max(score, 1)} color={colour} aria-label={score.toFixed(0)}>
        <Progress.Label>{score >= 12 ? score.toFixed(0) : ''}</Progress.Label>
      </Progress.Section>
    </Progress.Root>
  )
}

function Scores({ rows, products }: { rows: Score[]; products?: boolean }) {
  const t = useText()
  const columns: DataColumn<Score>[] = [
    { key: 'name', title: t(products ? 'pipelines.product' : 'pipelines.table'), width: 'minmax(220px, 2fr)' },
    ...(products ? [{ key: 'domain', title: t('pipelines.domain'), width: '140px' } as DataColumn<Score>] : []),
    { key: 'score', title: t('pipelines.score'), width: 'minmax(130px, 1fr)', render: (one) => <ScoreBar score={one.score} /> },
    { key: 'checks', title: t('pipelines.checks'), width: '90px', align: 'right' },
    { key: 'passed', title: t('pipelines.passed'), width: '90px', align: 'right' },
    { key: 'warnings', title: t('pipelines.warnings'), width: '120px', align: 'right' },
    { key: 'failures', title: t('pipelines.failures'), width: '90px', align: 'right' },
    { key: 'at_ms', title: t('pipelines.when'), width: '140px', render: (one) => <When ms={one.at_ms} /> },
  ]
  return (
    <DataTable rows={rows} columns={columns} rowKey={(one) => one.name ?? ''} href={products ? undefined : (one) => tablePage(one.name ?? '')}
      label={t(products ? 'pipelines.products' : 'pipelines.tables')} name={products ? 'p' : 't'}
      empty={<EmptyState title={t('pipelines.no_scores')} hint={t('pipelines.no_scores.hint')} />} />
  )
}

/** All checks of the mesh's files, run now. */
function RunAll() {
  const t = useText()
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const [done, setDone] = useState<{ passed: number; failed: number } | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const run = async () => {
    setBusy(true)
    setProblem(null)
    let passed = 0
    let failed = 0
    try {
      const answer = await ask('POST', '/api/v1/quality/run', {}, { headers: { Accept: 'application/x-ndjson' } })
      await lines<{ result?: CheckResult; unreadable?: unknown }>(answer, (line) => {
        if (line.result?.outcome === 'pass') passed += 1
        else if (line.result || line.unreadable) failed += 1
        setDone({ passed, failed })
      })
    } catch (error) {
      setProblem(error as Problem)
    } finally {
      setBusy(false)
      void queries.invalidateQueries()
    }
  }
  return (
    <>
      {problem && <Text size="sm" c="red" maw={420}>{problem.message}</Text>}
      {done && <Text size="sm" c="dimmed" role="status">{t('pipelines.checks_done', done)}</Text>}
      <Button leftSection={<IconChecks size={16} />} loading={busy} onClick={() => void run()}>{t('pipelines.run_checks')}</Button>
    </>
  )
}

interface SuiteLine {
  suite: string
  table: string
  check: string
  kind: string
  severity: string
  expected: string
}

function Suites({ contracts }: { contracts: boolean }) {
  const t = useText()
  const suites = useApi<{ suites: Suite[] }>('/api/v1/quality/checks')
  if (suites.isError) return <ProblemView error={suites.error} onRetry={() => void suites.refetch()} />
  if (suites.isPending) return <Loading />
  const rows = suites.data.suites
    .filter((suite) => suite.suite.startsWith('contracts/') === contracts)
    .flatMap((suite) => suite.checks.map((check): SuiteLine => ({ ...check, suite: suite.suite, table: suite.table })))
  const columns: DataColumn<SuiteLine>[] = [
    { key: 'suite', title: t(contracts ? 'pipelines.contract' : 'pipelines.suite'), width: 'minmax(160px, 1fr)' },
    { key: 'table', title: t('pipelines.table'), width: 'minmax(180px, 1.2fr)' },
    { key: 'check', title: t('pipelines.check'), width: 'minmax(160px, 1.2fr)' },
    { key: 'kind', title: t('pipelines.kind'), width: '120px' },
    { key: 'severity', title: t('pipelines.severity'), width: '100px' },
    { key: 'expected', title: t('pipelines.expected'), width: 'minmax(120px, 1fr)' },
  ]
  return (
    <DataTable rows={rows} columns={columns} rowKey={(one) => `${one.suite}|${one.check}|${rows.indexOf(one)}`} href={(one) => tablePage(one.table)}
      label={t(contracts ? 'pipelines.contracts' : 'pipelines.suites')} name={contracts ? 'c' : 's'}
      empty={<EmptyState title={t(contracts ? 'pipelines.no_contracts' : 'pipelines.no_suites')}
        hint={t(contracts ? 'pipelines.no_contracts.hint' : 'pipelines.no_suites.hint')} />} />
  )
}

function Results() {
  const t = useText()
  const [outcome, setOutcome] = useUrlState('outcome')
  const [table] = useUrlState('table')
  const results = useApi<{ results: CheckResult[] }>('/api/v1/quality/results', { table, limit: 2000 }, { refetchInterval: 10_000 })
  if (results.isError) return <ProblemView error={results.error} onRetry={() => void results.refetch()} />
  if (results.isPending) return <Loading />
  return (
    <CheckResults results={results.data.results.filter((one) => !outcome || one.outcome === outcome)} withTable
      toolbar={<SegmentedControl size="xs" value={outcome} onChange={setOutcome} aria-label={t('pipelines.outcome')}
        data={['', 'pass', 'fail', 'error'].map((one) => ({ value: one, label: t(one ? `pipelines.state.${one}` : 'pipelines.all') }))} />} />
  )
}

export default function Quality() {
  const t = useText()
  const session = useSession()
  const scores = useApi<{ products: Score[]; tables: Score[] }>('/api/v1/quality/scores', {}, { refetchInterval: 10_000 })
  const tables = scores.data?.tables ?? []
  const sum = (key: 'checks' | 'passed' | 'warnings' | 'failures') => tables.reduce((all, one) => all + one[key], 0)
  const mean = tables.length ? tables.reduce((all, one) => all + one.score, 0) / tables.length : undefined
  return (
    <Page title={t('pipelines.quality')} subtitle={t('pipelines.quality.subtitle')} actions={mayEdit(session) && <RunAll />}>
      {scores.isError && <ProblemView error={scores.error} onRetry={() => void scores.refetch()} />}
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Figure label={t('pipelines.score')} tone={mean === undefined ? undefined : mean >= 90 ? 'good' : 'bad'}>{mean === undefined ? '–' : mean.toFixed(0)}</Figure>
        <Figure label={t('pipelines.checks')}><Count value={sum('checks')} /></Figure>
        <Figure label={t('pipelines.warnings')}><Count value={sum('warnings')} /></Figure>
        <Figure label={t('pipelines.failures')} tone={sum('failures') > 0 ? 'bad' : undefined}><Count value={sum('failures')} /></Figure>
      </SimpleGrid>
      <UrlTabs tabs={[
        {
          key: 'scores', label: t('pipelines.scores'),
          content: () => (scores.data ? (
            <Stack>
              <Scores rows={tables} />
              {scores.data.products.length > 0 && <><Text fw={600}>{t('pipelines.products')}</Text><Scores rows={scores.data.products} products /></>}
            </Stack>
          ) : <Loading />),
        },
        { key: 'results', label: t('pipelines.results'), content: () => <Results /> },
        { key: 'suites', label: t('pipelines.suites'), content: () => <Suites contracts={false} /> },
        { key: 'contracts', label: t('pipelines.contracts'), content: () => <Suites contracts /> },
      ]} />
    </Page>
  )
}

