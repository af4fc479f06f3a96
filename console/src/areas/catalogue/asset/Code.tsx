import { Anchor, Group, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'
import { runSql } from '../../../api/sql'
import { useText } from '../../../i18n'
import { Code as Listing, Loading, ProblemView } from '../../../ui'
import { tableSql } from '../Asset'
import type { Asset } from '../types'

export default function Code({ asset }: { asset: Asset }) {
  const t = useText()
  const listing = useQuery({
    queryKey: ['show create', asset.name],
    queryFn: async ({ signal }) => {
      const { rows } = await runSql(`SHOW CREATE ${asset.kind === 'view' ? 'VIEW' : 'TABLE'} ${tableSql(asset.name)}`, { signal })
      return String(rows[0]?.[0] ?? '')
    },
    retry: false,
  })
  return (
    <Stack gap="sm">
      <Group gap="lg">
        {asset.made_by && (
          <Text size="sm" component="div">
            {t('catalogue.made_by')}{' '}
            <Anchor component={Link} size="sm" {...({ to: '/pipelines/$pipeline', params: { pipeline: asset.made_by.pipeline } } as object)}>
              {asset.made_by.pipeline} / {asset.made_by.asset}
            </Anchor>{' '}
            <Text span c="dimmed" size="sm">({asset.made_by.kind})</Text>
          </Text>
        )}
        {asset.dbt && <Anchor href={asset.dbt.url} size="sm">{t('catalogue.dbt_docs')}</Anchor>}
      </Group>
      {listing.isPending ? <Loading /> : listing.isError ? <ProblemView error={listing.error} onRetry={() => void listing.refetch()} /> : <Listing>{listing.data}</Listing>}
    </Stack>
  )
}
