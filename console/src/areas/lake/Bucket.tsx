import { Badge, Group } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, Count, Loading, Page, ProblemView, UrlTabs } from '../../ui'
import { BucketSettings } from './BucketSettings'
import { bucketApi } from './names'
import { Objects } from './Objects'
import type { BucketDetail } from './types'

function Facts({ bucket }: { bucket: BucketDetail }) {
  const t = useText()
  return (
    <Group gap="md">
      {bucket.objects !== undefined && (
        <span><Count value={bucket.objects} />{` ${t('lake.objects_word')} · `}<Bytes value={bucket.bytes} /></span>
      )}
      {bucket.versioning !== 'never' && (
        <Badge variant="light" size="sm" tt="none">{t('lake.versions_are', { state: t(`lake.versioning_${bucket.versioning}`) })}</Badge>
      )}
      {bucket.default_encryption && <Badge variant="light" size="sm" tt="none" color="grape">{t('lake.encrypted')}</Badge>}
      {bucket.lock_enabled && <Badge variant="light" size="sm" tt="none" color="orange">{t('lake.locked')}</Badge>}
    </Group>
  )
}

export default function BucketPage() {
  const t = useText()
  const { bucket: name } = useParams({ strict: false }) as { bucket: string }
  const bucket = useApi<BucketDetail>(bucketApi(name))
  return (
    <Page title={name} crumbs={[{ title: t('lake.title'), to: '/lake' }]}
      subtitle={bucket.data && <Facts bucket={bucket.data} />}>
      {bucket.isPending ? <Loading /> : bucket.isError ? <ProblemView error={bucket.error} onRetry={() => void bucket.refetch()} /> : (
        <UrlTabs tabs={[
          { key: 'objects', label: t('lake.objects'), content: () => <Objects bucket={bucket.data} /> },
          { key: 'settings', label: t('lake.settings'), content: () => <BucketSettings bucket={bucket.data} /> },
        ]} />
      )}
    </Page>
  )
}
