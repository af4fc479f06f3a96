import { Anchor, Badge, Card, CopyButton, Group, SimpleGrid, Stack, Text, Tooltip, UnstyledButton } from '@mantine/core'
import { IconPackage } from '@tabler/icons-react'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { EmptyState, Loading, Markdown, Page, ProblemView, useUrlState } from '../../ui'
import { AssetLink, Tag } from './parts'
import type { Product } from './types'

function One({ product, marked }: { product: Product; marked: boolean }) {
  const t = useText()
  const score = product.score
  return (
    <Card withBorder radius="md" padding="md" style={marked ? { borderColor: 'var(--mantine-color-teal-6)' } : undefined}>
      <Stack gap="xs" h="100%">
        <Group justify="space-between" wrap="nowrap">
          <Group gap={8} wrap="nowrap" miw={0}><IconPackage size={18} /><Text fw={600} truncate component="h2">{product.name}</Text></Group>
          {score ? (
            <Tooltip label={t('catalogue.checks_of', { passed: score.passed, all: score.checks })}>
              <Badge variant="light" tabIndex={0} color={score.score >= 90 ? 'teal' : score.score >= 70 ? 'yellow' : 'red'}>{Math.round(score.score)}</Badge>
            </Tooltip>
          ) : <Badge variant="light" color="gray" tt="none">{t('catalogue.no_score')}</Badge>}
        </Group>
        <Group gap={6}>
          <Badge size="xs" variant="dot" color="teal" tt="none">{product.domain}</Badge>
          <Text size="xs" c="dimmed">{product.owner}</Text>
          {product.email && <Anchor size="xs" href={`mailto:${product.email}`}>{product.email}</Anchor>}
        </Group>
        {product.description && <Markdown>{product.description}</Markdown>}
        <Group gap={4}>{product.tags.map((tag) => <Tag key={tag} value={tag} />)}</Group>
        <Stack gap={4} mt="auto">
          <Group gap={6}><Text size="xs" c="dimmed">{t('catalogue.table')}</Text>{product.exists ? <AssetLink name={product.table} /> : <Text size="sm">{product.table}</Text>}</Group>
          {product.ports.map((port) => (
            <Group key={`${port.kind} ${port.address}`} gap={6} wrap="nowrap">
              <Text size="xs" c="dimmed">{port.kind}</Text>
              <CopyButton value={port.address}>
                {({ copied, copy }) => (
                  <Tooltip label={copied ? t('catalogue.copied') : t('catalogue.copy')}>
                    <UnstyledButton onClick={copy} miw={0}><Text size="xs" ff="monospace" truncate>{port.address}</Text></UnstyledButton>
                  </Tooltip>
                )}
              </CopyButton>
            </Group>
          ))}
          <Text size="xs" c="dimmed">{product.contract ? t('catalogue.contract_in', { file: product.contract }) : t('catalogue.no_contract')}</Text>
          <Text size="xs" c="dimmed">{t('catalogue.statements_30', { count: product.usage.statements })}</Text>
        </Stack>
      </Stack>
    </Card>
  )
}

export default function Products() {
  const t = useText()
  const [marked] = useUrlState('product')
  const list = useApi<{ products: Product[] }>('/api/v1/catalogue/products')
  return (
    <Page title={t('catalogue.products')} subtitle={t('catalogue.products_subtitle')} crumbs={[{ title: t('catalogue.title'), to: '/catalogue' }]}>
      {list.isPending ? <Loading /> : list.isError ? <ProblemView error={list.error} onRetry={() => void list.refetch()} /> : list.data.products.length === 0 ? (
        <EmptyState icon={<IconPackage size={24} />} title={t('catalogue.no_products')} hint={t('catalogue.no_products_hint')} />
      ) : (
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {list.data.products.map((product) => (
            <One key={`${product.domain}/${product.name}`} product={product} marked={marked === `${product.domain}/${product.name}`} />
          ))}
        </SimpleGrid>
      )}
    </Page>
  )
}
