import { SimpleGrid, Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { useApi } from '../../api/client'
import { useLanguage } from '../../i18n'
import { EmptyState, Loading, Page, ProblemView, useUrlState } from '../../ui'
import { Chart } from '../../ui/Chart'
import { CheckResults } from './CheckResults'
import { Figure } from './parts'
import { ScoreBar } from './Quality'
import type { CheckResult, Score } from './types'

/** Of each run of the checks, what share passed. */
function useTrend(results: CheckResult[]) {
  const { language, text: t } = useLanguage()
  return useMemo(() => {
    const runs = new Map<number, { passed: number; all: number }>()
    for (const one of [...results].reverse()) {
      // Results of one run are a few milliseconds apart.
      const at = Math.round(one.at_ms / 10_000) * 10_000
      const run = runs.get(at) ?? { passed: 0, all: 0 }
      run.all += 1
      if (one.outcome === 'pass') run.passed += 1
      runs.set(at, run)
    }
    return {
      useUTC: false,
      grid: { left: 48, right: 16, top: 16, bottom: 28 },
      tooltip: { trigger: 'axis' },
      xAxis: { type: 'time' },
      yAxis: { type: 'value', min: 0, max: 1, axisLabel: { formatter: (value: number) => value.toLocaleString(language, { style: 'percent' }) } },
      series: [{
        name: t('pipelines.passed_share'), type: 'line', color: '#12b886', areaStyle: { opacity: 0.12 }, symbolSize: 7,
        data: [...runs].map(([at, run]) => [at, run.passed / run.all]),
      }],
    }
  }, [results, language, t])
}

export default function QualityTable() {
  const { text: t } = useLanguage()
  const [table] = useUrlState('table')
  const results = useApi<{ results: CheckResult[] }>('/api/v1/quality/results', { table, limit: 2000 })
  const scores = useApi<{ tables: Score[] }>('/api/v1/quality/scores')
  const trend = useTrend(results.data?.results ?? [])
  const crumbs = [{ title: t('pipelines.quality'), to: '/quality' }]
  const score = scores.data?.tables.find((one) => one.name === table)
  return (
    <Page title={table || t('pipelines.quality')} crumbs={crumbs}>
      {results.isError && <ProblemView error={results.error} onRetry={() => void results.refetch()} />}
      {results.isPending && <Loading />}
      {score && (
        <SimpleGrid cols={{ base: 2, sm: 4 }}>
          <Figure label={t('pipelines.score')}><ScoreBar score={score.score} /></Figure>
          <Figure label={t('pipelines.checks')}>{score.checks}</Figure>
          <Figure label={t('pipelines.warnings')}>{score.warnings}</Figure>
          <Figure label={t('pipelines.failures')} tone={score.failures ? 'bad' : undefined}>{score.failures}</Figure>
        </SimpleGrid>
      )}
      {results.data && (results.data.results.length === 0
        ? <EmptyState title={t('pipelines.no_results')} hint={t('pipelines.no_scores.hint')} />
        : (
          <Stack>
            <Text size="sm" fw={600}>{t('pipelines.passed_share')}</Text>
            <Chart option={trend} height={180} description={t('pipelines.passed_share')} />
            <CheckResults results={results.data.results} />
          </Stack>
        ))}
    </Page>
  )
}
