import { Button, SimpleGrid } from '@mantine/core'
import { IconFileExport } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Bytes, ConfirmButton, Count, type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView, UrlTabs, When } from '../../ui'
import { Export } from './Export'
import { FeedEvents } from './FeedEvents'
import { Facts, Figure, State, useAction } from './parts'
import type { Feed } from './types'

type Partition = NonNullable<Feed['partitions']>[number]
type Version = NonNullable<Feed['versions']>[number]

function Partitions({ feed }: { feed: Feed }) {
  const t = useText()
  const columns: DataColumn<Partition>[] = [
    { key: 'path', title: t('pipelines.folder'), width: 'minmax(220px, 3fr)' },
    { key: 'records', title: t('pipelines.rows'), align: 'right', render: (one) => <Count value={one.records} /> },
    { key: 'bytes', title: t('pipelines.bytes'), align: 'right', render: (one) => <Bytes value={one.bytes} /> },
  ]
  return (
    <DataTable rows={feed.partitions ?? []} columns={columns} rowKey={(one) => one.path} label={t('pipelines.partitions')} name="p"
      empty={<EmptyState title={t('pipelines.no_exports')} />} />
  )
}

function Versions({ feed, may }: { feed: Feed; may: boolean }) {
  const t = useText()
  const [act] = useAction()
  const columns: DataColumn<Version>[] = [
    { key: 'version', title: t('pipelines.version'), align: 'right' },
    { key: 'written_ms', title: t('pipelines.when'), render: (one) => <When ms={one.written_ms} /> },
    { key: 'rows', title: t('pipelines.rows'), align: 'right', render: (one) => <Count value={one.rows} /> },
    { key: 'state', title: t('pipelines.state'), value: (one) => (one.current ? 'current' : one.removed ? 'removed' : 'kept'),
      render: (one) => <State state={one.current ? 'current' : one.removed ? 'removed' : 'kept'} /> },
    {
      key: 'do', title: '', sort: false, value: () => '',
      render: (one) => may && !one.current && !one.removed && (
        <ConfirmButton size="compact-xs" variant="light" question={t('pipelines.roll_back.question', { version: one.version })}
          onConfirm={() => act(() => api.post(`/api/v1/data-lake/feeds/${encodeURIComponent(feed.name)}/rollback`, { version: one.version }), t('pipelines.roll_back.done'))}>
          {t('pipelines.roll_back')}
        </ConfirmButton>
      ),
    },
  ]
  return <DataTable rows={feed.versions ?? []} columns={columns} rowKey={(one) => String(one.version)} label={t('pipelines.versions')} name="v" />
}

export default function FeedPage() {
  const t = useText()
  const session = useSession()
  const { feed: name = '' } = useParams({ strict: false }) as { feed?: string }
  const [exporting, setExporting] = useState(false)
  const told = useApi<Feed>(`/api/v1/data-lake/feeds/${encodeURIComponent(name)}`, {}, { refetchInterval: 10_000 })
  const crumbs = [{ title: t('pipelines.feeds'), to: '/feeds' }]
  if (told.isError) return <Page title={name} crumbs={crumbs}><ProblemView error={told.error} onRetry={() => void told.refetch()} /></Page>
  if (!told.data) return <Loading />
  const feed = told.data
  const may = mayEdit(session)
  return (
    <Page title={name} crumbs={crumbs} subtitle={feed.description}
      actions={may && !feed.error && <Button leftSection={<IconFileExport size={16} />} onClick={() => setExporting(true)}>{t('pipelines.export')}</Button>}>
      {feed.error && <ProblemView error={new Error(feed.error)} />}
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Figure label={t('pipelines.rows')}><Count value={feed.records} /></Figure>
        <Figure label={t('pipelines.bytes')}><Bytes value={feed.bytes} /></Figure>
        <Figure label={t('pipelines.partitions')}><Count value={feed.partition_count} /></Figure>
        <Figure label={t('pipelines.last_export')}><When ms={feed.last_export_ms} /></Figure>
      </SimpleGrid>
      <Facts facts={[
        [t('pipelines.kind'), feed.type], [t('pipelines.source'), feed.source], [t('pipelines.table'), feed.table],
        [t('pipelines.folder'), feed.folder], [t('pipelines.view'), feed.view], [t('pipelines.partitioning'), feed.partitioning],
        [t('pipelines.retention'), feed.retention_days ? t('pipelines.days', { count: feed.retention_days })
          : feed.retention_versions ? t('pipelines.keeps_versions', { count: feed.retention_versions }) : undefined],
      ]} />
      <UrlTabs tabs={[
        { key: 'partitions', label: t('pipelines.partitions'), content: () => <Partitions feed={feed} /> },
        ...(feed.versions ? [{ key: 'versions', label: t('pipelines.versions'), content: () => <Versions feed={feed} may={may} /> }] : []),
        { key: 'events', label: t('pipelines.exports'), content: () => <FeedEvents feed={name} /> },
      ]} />
      {exporting && <Export feed={name} onClose={() => setExporting(false)} />}
    </Page>
  )
}
