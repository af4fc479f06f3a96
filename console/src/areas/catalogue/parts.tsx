import { Anchor, Badge, Group, Text, Tooltip } from '@mantine/core'
import {
  IconActivity, IconBook2, IconBucket, IconChartBar, IconCode, IconEye, IconHexagon, IconPackage, IconPlugConnected,
  IconRoute, IconTable, IconTransform,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import { useText } from '../../i18n'

const kIcons: Record<string, ComponentType<{ size?: number; stroke?: number }>> = {
  table: IconTable, view: IconEye, materialized_view: IconEye, bucket: IconBucket, dashboard: IconChartBar,
  pipeline: IconRoute, asset: IconTransform, stream: IconActivity, feed: IconPackage, source: IconPlugConnected,
  term: IconBook2, product: IconPackage, dbt_model: IconTransform, query: IconCode,
}

export function KindIcon({ kind, size = 16 }: { kind: string; size?: number }) {
  const Sign = kIcons[kind] ?? IconHexagon
  return <Sign size={size} stroke={1.6} />
}

export function useKind(): (kind: string) => string {
  const t = useText()
  return (kind) => {
    const key = `catalogue.kind.${kind}`
    const text = t(key)
    return text === key ? kind : text
  }
}

/** Where an asset's page in the catalogue is; names may hold anything. */
export function assetPath(name: string): string {
  return `/catalogue/${encodeURIComponent(name)}`
}

export function AssetLink({ name, children }: { name: string; children?: string }) {
  return (
    <Anchor component={Link} to={assetPath(name)} size="sm" style={{ overflowWrap: 'anywhere' }}>
      {children ?? name}
    </Anchor>
  )
}

/** A classification (PII.Email) is louder than a plain tag. */
export function Tag({ value, from }: { value: string; from?: string }) {
  const badge = (
    <Badge size="sm" tt="none" fw={500} radius="sm" variant={from ? 'outline' : 'light'}
      color={/^PII\b/i.test(value) ? 'red' : value.includes('.') ? 'orange' : 'gray'}>
      {value}
    </Badge>
  )
  return from ? <Tooltip label={from} withArrow><span tabIndex={0}>{badge}</span></Tooltip> : badge
}

export function TermLink({ value, from }: { value: string; from?: string }) {
  const badge = (
    <Badge size="sm" tt="none" fw={500} radius="sm" color="teal" variant={from ? 'outline' : 'light'}
      leftSection={<IconBook2 size={11} />} component={Link} style={{ cursor: 'pointer' }}
      {...({ to: '/catalogue/glossary', search: { term: value } } as object)}>
      {value}
    </Badge>
  )
  return from ? <Tooltip label={from} withArrow>{badge}</Tooltip> : badge
}

export function Marks({ tags, terms }: { tags: string[]; terms: string[] }) {
  if (tags.length + terms.length === 0) return null
  return (
    <Group gap={4}>
      {tags.map((tag) => <Tag key={tag} value={tag} />)}
      {terms.map((term) => <TermLink key={term} value={term} />)}
    </Group>
  )
}

/** A word and its value, for the head of a page. */
export function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="xs" c="dimmed">{name}</Text>
      <Text size="sm" component="div">{children}</Text>
    </Group>
  )
}
