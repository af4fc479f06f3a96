import { Text } from '@mantine/core'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Count, type DataColumn, DataTable, EmptyState, Loading, ProblemView, When } from '../../ui'
import { NameLink, pipelinePage, State } from './parts'
import type { Asset } from './types'

/** What pipelines make, whether it is fresh, and what made it stale. */
export function AssetList({ pipeline }: { pipeline?: string }) {
  const t = useText()
  const assets = useApi<{ assets: Asset[] }>('/api/v1/assets', { pipeline }, { refetchInterval: 5000 })
  if (assets.isError) return <ProblemView error={assets.error} onRetry={() => void assets.refetch()} />
  if (assets.isPending) return <Loading />
  const columns: DataColumn<Asset>[] = [
    {
      key: 'name', title: t('pipelines.asset'), width: 'minmax(220px, 2fr)',
      render: (asset) => <Text size="sm" truncate title={asset.description ?? asset.name}>{asset.name}</Text>,
    },
    { key: 'kind', title: t('pipelines.kind'), width: '84px' },
    { key: 'state', title: t('pipelines.freshness'), width: '110px', render: (asset) => <State state={asset.state} /> },
    {
      key: 'changed_inputs', title: t('pipelines.because_of'), width: 'minmax(130px, 1.4fr)',
      value: (asset) => asset.changed_inputs.join(', '),
    },
    {
      key: 'succeeded_ms', title: t('pipelines.last_made'), width: '140px',
      render: (asset) => <When ms={asset.succeeded_ms} />,
    },
    { key: 'rows', title: t('pipelines.rows'), width: '100px', align: 'right', render: (asset) => <Count value={asset.rows} /> },
    {
      key: 'pipeline', title: t('pipelines.pipeline'), width: '110px',
      render: (asset) => <NameLink to={pipelinePage(asset.pipeline)}>{asset.pipeline}</NameLink>,
    },
    {
      key: 'tags', title: t('pipelines.tags'), width: 'minmax(130px, 1fr)', value: (asset) => asset.tags.join(', '),
    },
  ]
  return (
    <DataTable rows={assets.data.assets} columns={columns} rowKey={(asset) => `${asset.pipeline}/${asset.name}`}
      label={t('pipelines.assets')} name="a"
      empty={<EmptyState title={t('pipelines.no_assets')} hint={t('pipelines.none.hint')} />} />
  )
}
