import { Badge, Button, Card, Group, Stack, Text } from '@mantine/core'
import { IconExternalLink, IconPencil, IconTerminal2 } from '@tabler/icons-react'
import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useApi } from '../../api/client'
import { quoteName } from '../../api/sql'
import { useText } from '../../i18n'
import { Loading, Markdown, Page, ProblemView, StatusBadge, UrlTabs, When } from '../../ui'
import { Columns } from './asset/Columns'
import { EditAsset } from './asset/Edit'
import { Fact, KindIcon, Marks, useKind } from './parts'
import type { Asset as AssetFacts } from './types'

const Catalogue = lazy(() => import('./Catalogue'))
const Sample = lazy(() => import('./asset/Sample'))
const Lineage = lazy(() => import('./asset/Lineage'))
const Quality = lazy(() => import('./asset/Quality'))
const Usage = lazy(() => import('./asset/Usage'))
const Versions = lazy(() => import('./asset/Versions'))
const Code = lazy(() => import('./asset/Code'))

/** "catalog"."schema"."table" of a name whose last part may have dots. */
export function tableSql(name: string): string {
  const first = name.indexOf('.')
  const second = name.indexOf('.', first + 1)
  return [name.slice(0, first), name.slice(first + 1, second), name.slice(second + 1)].map(quoteName).join('.')
}

function Head({ asset, onEdit }: { asset: AssetFacts; onEdit: () => void }) {
  const t = useText()
  const said = asset.description || asset.comment
  return (
    <Card withBorder radius="md" padding="md">
      <Stack gap="sm">
        <Group gap="lg" wrap="wrap">
          {asset.domain && <Fact name={t('catalogue.domain')}>{asset.domain}</Fact>}
          <Fact name={t('catalogue.owner')}>
            {asset.owner || <Text span c="dimmed" size="sm">{t('catalogue.nobody')}</Text>}
            {asset.owner && asset.owner_of_domain && <Text span c="dimmed" size="xs"> {t('catalogue.of_domain')}</Text>}
          </Fact>
          {asset.tier && <Fact name={t('catalogue.tier')}><Badge size="sm" variant="light" tt="none">{asset.tier}</Badge></Fact>}
          {asset.made_by && (
            <Fact name={t('catalogue.freshness')}>
              <Group gap={6}>
                {asset.made_by.freshness && <StatusBadge state={asset.made_by.freshness} />}
                {asset.made_by.succeeded_ms && <When ms={asset.made_by.succeeded_ms} />}
              </Group>
            </Fact>
          )}
          {asset.quality && <Fact name={t('catalogue.score')}>{Math.round(asset.quality.score)}</Fact>}
          <Fact name={t('catalogue.used')}>{t('catalogue.statements_30', { count: asset.usage.statements })}</Fact>
        </Group>
        <Marks tags={asset.tags} terms={asset.terms} />
        {said ? <Markdown>{said}</Markdown> : (
          <Group gap="xs">
            <Text size="sm" c="dimmed">{t('catalogue.no_description')}</Text>
            {asset.may_edit && <Button size="compact-xs" variant="light" onClick={onEdit}>{t('catalogue.describe')}</Button>}
          </Group>
        )}
      </Stack>
    </Card>
  )
}

/** The rest of the address is the name; without one it is the catalogue itself. */
export default function AssetPage() {
  const name = (useParams({ strict: false }) as { _splat?: string })._splat ?? ''
  return name ? <Shown key={name} name={name} /> : <Suspense fallback={<Loading />}><Catalogue /></Suspense>
}

function Shown({ name }: { name: string }) {
  const t = useText()
  const kind = useKind()
  const [editing, setEditing] = useState(false)
  const asset = useApi<AssetFacts>(`/api/v1/catalogue/assets/${encodeURIComponent(name)}`, {}, { retry: false })
  const crumbs = [{ title: t('catalogue.title'), to: '/catalogue' }]
  if (asset.isPending) return <Page title={name} crumbs={crumbs}><Loading /></Page>
  if (asset.isError) return <Page title={name} crumbs={crumbs}><ProblemView error={asset.error} onRetry={() => void asset.refetch()} /></Page>
  const facts = asset.data
  const table = facts.columns.length > 0 || facts.kind === 'table' || facts.kind === 'view'
  const reload = () => void asset.refetch()
  const tabs = [
    ...(table ? [
      { key: 'columns', label: t('catalogue.columns'), content: () => <Columns asset={facts} onChanged={reload} /> },
      { key: 'sample', label: t('catalogue.sample'), content: () => <Sample name={facts.name} /> },
      { key: 'lineage', label: t('catalogue.lineage'), content: () => <Lineage asset={facts} /> },
      { key: 'quality', label: t('catalogue.quality'), content: () => <Quality asset={facts} onChanged={reload} /> },
      { key: 'usage', label: t('catalogue.usage'), content: () => <Usage name={facts.name} /> },
    ] : []),
    { key: 'versions', label: t('catalogue.versions'), content: () => <Versions asset={facts} /> },
    ...(table ? [{ key: 'code', label: t('catalogue.code'), content: () => <Code asset={facts} /> }] : []),
  ]
  const title = facts.title
  return (
    <Page title={title} crumbs={crumbs}
      subtitle={<Group gap={6}><KindIcon kind={facts.kind} />{kind(facts.kind)}{title !== facts.name && <Text span size="sm">{facts.name}</Text>}</Group>}
      actions={
        <>
          {facts.url && !facts.url.startsWith('/dbt/') && (
            <Button component={Link} to={facts.url.split('?')[0]} size="xs" variant="default" leftSection={<IconExternalLink size={15} />}>{t('catalogue.open')}</Button>
          )}
          {table && (
            <Button component={Link} size="xs" variant="default" leftSection={<IconTerminal2 size={15} />}
              {...({ to: '/sql', search: { sql: `SELECT * FROM ${tableSql(facts.name)} LIMIT 100` } } as object)}>{t('catalogue.query')}</Button>
          )}
          {facts.may_edit && <Button size="xs" leftSection={<IconPencil size={15} />} onClick={() => setEditing(true)}>{t('catalogue.edit')}</Button>}
        </>
      }>
      <Head asset={facts} onEdit={() => setEditing(true)} />
      <Suspense fallback={<Loading />}><UrlTabs tabs={tabs} /></Suspense>
      {editing && <EditAsset asset={facts} onClose={() => setEditing(false)} onSaved={() => { setEditing(false); reload() }} />}
    </Page>
  )
}
