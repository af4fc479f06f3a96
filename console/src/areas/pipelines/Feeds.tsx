import { Anchor, Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Bytes, Count, type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView, UrlTabs, When } from '../../ui'
import { Export } from './Export'
import { FeedEvents } from './FeedEvents'
import { feedPage, State } from './parts'
import type { Feed } from './types'

function List({ onExport }: { onExport?: (name: string) => void }) {
  const t = useText()
  const feeds = useApi<{ feeds: Feed[]; folder: string }>('/api/v1/data-lake/feeds', {}, { refetchInterval: 5000 })
  if (feeds.isError) return <ProblemView error={feeds.error} onRetry={() => void feeds.refetch()} />
  if (feeds.isPending) return <Loading />
  const columns: DataColumn<Feed>[] = [
    { key: 'name', title: t('pipelines.feed'), width: 'minmax(170px, 1.3fr)' },
    { key: 'type', title: t('pipelines.kind'), width: '90px' },
    {
      key: 'state', title: t('pipelines.state'), width: '110px', value: (one) => one.last?.state,
      render: (one) => <State state={one.error ? 'failed' : !one.enabled ? 'off' : (one.last?.state ?? 'never')} />,
    },
    { key: 'source', title: t('pipelines.source'), width: 'minmax(170px, 1.3fr)' },
    { key: 'records', title: t('pipelines.rows'), width: '100px', align: 'right', render: (one) => <Count value={one.records} /> },
    { key: 'bytes', title: t('pipelines.bytes'), width: '90px', align: 'right', render: (one) => <Bytes value={one.bytes} /> },
    { key: 'partition_count', title: t('pipelines.partitions'), width: '100px', align: 'right' },
    { key: 'last_export_ms', title: t('pipelines.last_export'), width: '140px', render: (one) => <When ms={one.last_export_ms} /> },
    {
      key: 'do', title: '', width: '110px', sort: false, value: () => '',
      render: (one) => onExport && !one.error && (
        <Button size="compact-xs" variant="light" aria-label={t('pipelines.export_of', { name: one.name })}
          onClick={(event) => { event.stopPropagation(); onExport(one.name) }}>
          {t('pipelines.export')}
        </Button>
      ),
    },
  ]
  return (
    <DataTable rows={feeds.data.feeds} columns={columns} rowKey={(one) => one.name} href={(one) => feedPage(one.name)} label={t('pipelines.feeds')}
      empty={<EmptyState title={t('pipelines.no_feeds')} hint={t('pipelines.no_feeds.hint')} />} />
  )
}

export default function Feeds() {
  const t = useText()
  const session = useSession()
  const [exporting, setExporting] = useState('')
  return (
    <Page title={t('pipelines.feeds')} subtitle={t('pipelines.feeds.subtitle')}
      actions={<Anchor component={Link} to="/streams" size="sm">{t('pipelines.streams')}</Anchor>}>
      <UrlTabs tabs={[
        { key: 'feeds', label: t('pipelines.feeds'), content: () => <List onExport={mayEdit(session) ? setExporting : undefined} /> },
        { key: 'events', label: t('pipelines.exports'), content: () => <FeedEvents /> },
      ]} />
      {exporting && <Export feed={exporting} onClose={() => setExporting('')} />}
    </Page>
  )
}
