import { Anchor, Code as Inline, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Code, Count, type DataColumn, DataTable, Duration, EmptyState, Loading, Page, ProblemView, When } from '../../ui'
import { Rate, State, streamPage } from './parts'
import type { Stream } from './types'

/** How far the watermark is behind the clock; nothing where there is none. */
export function delayOf(stream: Stream): number | undefined {
  return stream.watermark ? Math.max(0, Date.now() - Date.parse(stream.watermark)) : undefined
}

const kProduce = 'meesh demo produce --kind sales --topic ventes-temps-reel\nmeesh streams resume ventes_live'

export default function Streams() {
  const t = useText()
  const streams = useApi<{ streams: Stream[] }>('/api/v1/streams', {}, { refetchInterval: 2000 })
  const columns: DataColumn<Stream>[] = [
    { key: 'name', title: t('pipelines.stream'), width: 'minmax(210px, 1.6fr)',
      render: (one) => <Text size="sm" fw={600} truncate title={one.description}>{one.name}</Text> },
    { key: 'state', title: t('pipelines.state'), width: '92px', render: (one) => <State state={one.state} /> },
    { key: 'sources', title: t('pipelines.reads'), width: 'minmax(120px, 1fr)', value: (one) => one.sources.join(', ') },
    { key: 'sinks', title: t('pipelines.writes'), width: 'minmax(130px, 1.2fr)', value: (one) => one.sinks.join(', ') },
    { key: 'messages_per_second', title: t('pipelines.rate_short'), width: '80px', align: 'right', render: (one) => <Rate value={one.messages_per_second} /> },
    { key: 'lag', title: t('pipelines.lag'), width: '76px', align: 'right', render: (one) => <Count value={one.lag} /> },
    { key: 'watermark', title: t('pipelines.behind'), width: '84px', align: 'right', value: delayOf, render: (one) => <Duration ms={delayOf(one)} /> },
    { key: 'messages', title: t('pipelines.messages'), width: '96px', align: 'right', render: (one) => <Count value={one.messages} /> },
    { key: 'last_commit_ms', title: t('pipelines.last_commit'), width: '118px', render: (one) => <When ms={one.last_commit_ms} /> },
    { key: 'error', title: t('pipelines.error'), width: 'minmax(140px, 1.4fr)' },
  ]
  const all = streams.data?.streams ?? []
  const resting = all.length > 0 && all.every((one) => one.state !== 'RUNNING')
  return (
    <Page title={t('pipelines.streams')} subtitle={t('pipelines.streams.subtitle')}
      actions={<Anchor component={Link} to="/feeds" size="sm">{t('pipelines.feeds')}</Anchor>}>
      {streams.isError && <ProblemView error={streams.error} onRetry={() => void streams.refetch()} />}
      {streams.isPending && <Loading />}
      {streams.data && (
        <DataTable rows={all} columns={columns} rowKey={(one) => one.name} href={(one) => streamPage(one.name)} label={t('pipelines.streams')}
          empty={<EmptyState title={t('pipelines.no_streams')} hint={<>{t('pipelines.no_streams.hint')} <Inline>{'streams/*.yaml'}</Inline></>} />} />
      )}
      {resting && (
        <Stack gap="xs" maw={760}>
          <Text size="sm" fw={600}>{t('pipelines.start_stream')}</Text>
          <Text size="sm" c="dimmed">{t('pipelines.start_stream.hint')}</Text>
          <Code>{kProduce}</Code>
        </Stack>
      )}
    </Page>
  )
}
