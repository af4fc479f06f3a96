import { Button, Group, RingProgress, Stack, Text } from '@mantine/core'
import { IconPlayerPlay, IconShieldCheck } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, lines, useApi } from '../../../api/client'
import { useText } from '../../../i18n'
import { type DataColumn, DataTable, EmptyState, Loading, ProblemView, StatusBadge, When } from '../../../ui'
import type { Asset } from '../types'

interface CheckResult {
  table: string
  suite: string
  check: string
  kind: string
  severity: string
  outcome: string
  value: number | null
  expected: string
  message?: string
  at_ms: number
}

export default function Quality({ asset, onChanged }: { asset: Asset; onChanged: () => void }) {
  const t = useText()
  const client = useQueryClient()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const results = useApi<{ results: CheckResult[] }>('/api/v1/quality/results', { table: asset.name, limit: 1000 })
  if (results.isPending) return <Loading />
  if (results.isError) return <ProblemView error={results.error} onRetry={() => void results.refetch()} />
  const run = async () => {
    setBusy(true)
    setProblem(null)
    try {
      await lines(await ask('POST', '/api/v1/quality/run', { what: asset.name }), () => {})
      await client.invalidateQueries({ queryKey: ['/api/v1/quality/results'] })
      onChanged()
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
  }
  const columns: DataColumn<CheckResult>[] = [
    { key: 'outcome', title: t('catalogue.outcome'), width: '110px', render: (one) => <StatusBadge state={one.outcome} /> },
    { key: 'check', title: t('catalogue.check'), width: 'minmax(200px, 2fr)' },
    { key: 'expected', title: t('catalogue.expected'), width: 'minmax(120px, 1fr)' },
    { key: 'value', title: t('catalogue.value'), width: '110px', align: 'right' },
    { key: 'message', title: t('catalogue.message'), width: 'minmax(160px, 2fr)', value: (one) => one.message ?? '' },
    { key: 'suite', title: t('catalogue.written_in'), width: 'minmax(140px, 1fr)' },
    { key: 'at_ms', title: t('catalogue.when'), width: '140px', render: (one) => <When ms={one.at_ms} /> },
  ]
  const score = asset.quality
  return (
    <Stack gap="md">
      <Group gap="md">
        {score && (
          <Group gap="xs">
            <RingProgress size={64} thickness={7} roundCaps aria-label={t('catalogue.score')}
              sections={[{ value: score.score, color: score.score >= 90 ? 'teal' : score.score >= 70 ? 'yellow' : 'red' }]}
              label={<Text ta="center" size="sm" fw={600}>{Math.round(score.score)}</Text>} />
            <Stack gap={0}>
              <Text size="sm">{t('catalogue.checks_of', { passed: score.passed, all: score.checks })}</Text>
              <Text size="xs" c="dimmed">{(asset.contracts ?? []).join(', ')}</Text>
            </Stack>
          </Group>
        )}
        {asset.may_edit && results.data.results.length > 0 && (
          <Button size="xs" ml="auto" variant="default" loading={busy} leftSection={<IconPlayerPlay size={15} />} onClick={() => void run()}>{t('catalogue.run_checks')}</Button>
        )}
      </Group>
      {problem !== null && <ProblemView error={problem} />}
      <DataTable rows={results.data.results} columns={columns} rowKey={(one) => `${one.suite}:${one.check}:${one.at_ms}`} label={t('catalogue.quality')} name="check_"
        empty={<EmptyState icon={<IconShieldCheck size={24} />} title={t('catalogue.no_checks')} hint={t('catalogue.no_checks_hint')} />} />
    </Stack>
  )
}
