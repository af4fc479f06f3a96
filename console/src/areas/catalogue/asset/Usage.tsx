import { Card, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconChartBar } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useApi } from '../../../api/client'
import { useLanguage, useText } from '../../../i18n'
import { Count, EmptyState, Loading, ProblemView, When } from '../../../ui'
import { Chart } from '../../../ui/Chart'
import { AssetLink } from '../parts'
import type { UsageFacts } from '../types'

const kDays = 30
const kDay = 86_400_000

export default function Usage({ name }: { name: string }) {
  const t = useText()
  const { language } = useLanguage()
  const usage = useApi<UsageFacts>('/api/v1/catalogue/usage', { asset: name, days: kDays })
  const option = useMemo(() => {
    const counts = new Map(usage.data?.days.map((day) => [day.day_ms, day.statements]))
    const today = Math.floor(Date.now() / kDay) * kDay
    const days = Array.from({ length: kDays }, (_, at) => today - (kDays - 1 - at) * kDay)
    const words = (ms: number) => new Date(ms).toLocaleDateString(language, { day: 'numeric', month: 'short', timeZone: 'UTC' })
    return {
      grid: { left: 40, right: 12, top: 16, bottom: 28 },
      tooltip: { trigger: 'axis' },
      xAxis: { type: 'category', data: days.map(words) },
      yAxis: { type: 'value', minInterval: 1 },
      series: [{ type: 'bar', name: t('catalogue.statements_word'), data: days.map((day) => counts.get(day) ?? 0), barMaxWidth: 18 }],
    }
  }, [usage.data, language, t])
  if (usage.isPending) return <Loading />
  if (usage.isError) return <ProblemView error={usage.error} onRetry={() => void usage.refetch()} />
  const facts = usage.data
  if (facts.statements === 0)
    return <EmptyState icon={<IconChartBar size={24} />} title={t('catalogue.unused')} hint={t('catalogue.unused_hint')} />
  const list = (title: string, rows: { key: string; label: React.ReactNode; count: number }[]) => (
    <Card withBorder radius="md" padding="md">
      <Text size="sm" fw={600} mb="xs" component="h2">{title}</Text>
      <Stack gap={4}>
        {rows.length === 0 && <Text size="sm" c="dimmed">{t('catalogue.nothing_yet')}</Text>}
        {rows.map((row) => (
          <Text key={row.key} size="sm" component="div" style={{ display: 'flex', justifyContent: 'space-between', gap: 8 }}>
            <span style={{ minWidth: 0, overflowWrap: 'anywhere' }}>{row.label}</span><Count value={row.count} />
          </Text>
        ))}
      </Stack>
    </Card>
  )
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed" component="div">
        {t('catalogue.statements_30', { count: facts.statements })}{facts.last_ms && <> · {t('catalogue.last_used')} <When ms={facts.last_ms} /></>}
      </Text>
      <Card withBorder radius="md" padding="xs"><Chart option={option} height={220} description={t('catalogue.statements_30', { count: facts.statements })} /></Card>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {list(t('catalogue.users'), facts.users.map((one) => ({ key: one.user, label: one.user, count: one.statements })))}
        {list(t('catalogue.joined_with'), facts.joined_with.map((one) => ({ key: one.name, label: <AssetLink name={one.name} />, count: one.statements })))}
      </SimpleGrid>
    </Stack>
  )
}
