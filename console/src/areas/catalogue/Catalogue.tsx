import {
  ActionIcon, Alert, Anchor, Badge, Box, Button, Card, Group, SimpleGrid, Stack, Text, TextInput, UnstyledButton,
} from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconAlertTriangle, IconBook2, IconFileCheck, IconPackage, IconSearch, IconX } from '@tabler/icons-react'
import { keepPreviousData } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect, useState } from 'react'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Count, EmptyState, Loading, Page, ProblemView, useUrlState, When } from '../../ui'
import classes from './catalogue.module.css'
import { AssetLink, KindIcon, Tag, useKind } from './parts'
import type { Entry, FacetValue, Found, Hit, HomeFacts } from './types'

const kPage = 50

/** Most things have a page of their own; what is read on another site of ours is an ordinary link. */
export function EntryLink({ entry }: { entry: Entry }) {
  if (entry.url.startsWith('/dbt/'))
    return <Anchor href={entry.url} fw={500} size="sm">{entry.title}</Anchor>
  return (
    <Anchor component={Link} to={entry.url.split('?')[0]} fw={500} size="sm" style={{ overflowWrap: 'anywhere' }}
      {...({ search: Object.fromEntries(new URLSearchParams(entry.url.split('?')[1] ?? '')) } as object)}>
      {entry.title}
    </Anchor>
  )
}

function Result({ hit, onTag }: { hit: Hit; onTag: (tag: string) => void }) {
  const kind = useKind()
  const words = hit.snippet || hit.description
  return (
    <Box className={classes.result} component="li">
      <Box c="dimmed" pt={3}><KindIcon kind={hit.kind} size={18} /></Box>
      <Stack gap={3} miw={0} flex={1}>
        <Group gap={8} wrap="wrap">
          <EntryLink entry={hit} />
          {hit.title !== hit.name && <Text size="xs" c="dimmed">{hit.name}</Text>}
          <Badge size="xs" variant="light" color="gray" tt="none">{kind(hit.kind)}</Badge>
        </Group>
        {words && <Text size="sm" c="dimmed" lineClamp={2}>{words}</Text>}
        <Group gap={6}>
          {hit.domain && <Badge size="xs" variant="dot" color="teal" tt="none">{hit.domain}</Badge>}
          {hit.owner && hit.owner !== hit.domain && <Text size="xs" c="dimmed">{hit.owner}</Text>}
          {hit.tags.slice(0, 8).map((tag) => (
            <UnstyledButton key={tag} onClick={() => onTag(tag)}><Tag value={tag} /></UnstyledButton>
          ))}
        </Group>
      </Stack>
    </Box>
  )
}

function FacetList({ title, values, chosen, onChoose, label }: {
  title: string
  values: FacetValue[]
  chosen: string
  onChoose: (value: string) => void
  label?: (value: string) => string
}) {
  if (values.length === 0 && !chosen) return null
  const shown = chosen && !values.some((one) => one.value === chosen) ? [{ value: chosen, count: 0 }, ...values] : values
  return (
    <Stack gap={2}>
      <Text size="xs" fw={600} c="dimmed">{title}</Text>
      {shown.slice(0, 12).map((one) => (
        <UnstyledButton key={one.value} className={classes.facet} aria-pressed={chosen === one.value}
          onClick={() => onChoose(chosen === one.value ? '' : one.value)}>
          <Text size="sm" truncate>{label ? label(one.value) : one.value}</Text>
          <Text size="xs" c="dimmed"><Count value={one.count} /></Text>
        </UnstyledButton>
      ))}
    </Stack>
  )
}

function Panel({ title, more, children }: { title: string; more?: ReactNode; children: ReactNode }) {
  return (
    <Card withBorder padding="md" radius="md">
      <Group justify="space-between" mb="xs">
        <Text fw={600} size="sm" component="h2">{title}</Text>
        {more}
      </Group>
      {children}
    </Card>
  )
}

function Rows({ rows }: { rows: { name: string; kind: string; side: ReactNode }[] }) {
  const t = useText()
  if (rows.length === 0) return <Text size="sm" c="dimmed">{t('catalogue.nothing_yet')}</Text>
  return (
    <Stack gap={6}>
      {rows.map((row) => (
        <Group key={row.name} gap={8} wrap="nowrap" justify="space-between">
          <Group gap={6} wrap="nowrap" miw={0}>
            <Box c="dimmed" style={{ flex: 'none' }}><KindIcon kind={row.kind} /></Box>
            <AssetLink name={row.name} />
          </Group>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }} component="div">{row.side}</Text>
        </Group>
      ))}
    </Stack>
  )
}

function Start({ onMissing }: { onMissing: (what: string) => void }) {
  const t = useText()
  const home = useApi<HomeFacts>('/api/v1/catalogue/home', {}, { refetchInterval: (query) => (query.state.data?.ready ? false : 1000) })
  if (home.isPending) return <Loading />
  if (home.isError) return <ProblemView error={home.error} onRetry={() => void home.refetch()} />
  const facts = home.data
  const gap = (what: 'owner' | 'description', part: { total: number; items: Entry[] }) => (
    <Panel title={t(`catalogue.without_${what}`)} more={
      part.total > 0 && (
        <Button size="compact-xs" variant="subtle" onClick={() => onMissing(what)}>{t('catalogue.show_all', { count: part.total })}</Button>
      )
    }>
      {part.total === 0 ? <Text size="sm" c="dimmed">{t('catalogue.no_gaps')}</Text> : (
        <Rows rows={part.items.slice(0, 6).map((one) => ({ name: one.name, kind: one.kind, side: one.domain }))} />
      )}
    </Panel>
  )
  return (
    <Stack gap="md">
      {facts.problems.map(({ error }) => (
        <Alert key={`${error.file}:${error.line}`} color="yellow" icon={<IconAlertTriangle size={18} />} title={t('catalogue.file_problem')}>
          {error.file && `${error.file}:${error.line}:${error.column} `}{error.detail}
        </Alert>
      ))}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Panel title={t('catalogue.recent')}>
          <Rows rows={facts.recent.slice(0, 8).map((one) => ({ ...one, side: <When ms={one.written_ms} /> }))} />
        </Panel>
        <Panel title={t('catalogue.most_used')}>
          <Rows rows={facts.most_used.slice(0, 8).map((one) => ({ ...one, side: t('catalogue.statements', { count: one.statements }) }))} />
        </Panel>
        {gap('owner', facts.without_owner)}
        {gap('description', facts.without_description)}
      </SimpleGrid>
    </Stack>
  )
}

export default function Catalogue() {
  const t = useText()
  const kindText = useKind()
  const [query, setQuery] = useUrlState('q')
  const [kind, setKind] = useUrlState('kind')
  const [domain, setDomain] = useUrlState('domain')
  const [owner, setOwner] = useUrlState('owner')
  const [tag, setTag] = useUrlState('tag')
  const [missing, setMissing] = useUrlState('missing')
  const [typed, setTyped] = useState(query)
  const [asked] = useDebouncedValue(typed, 60)
  const [limit, setLimit] = useState(kPage)
  useEffect(() => setTyped(query), [query])
  useEffect(() => {
    if (asked !== query) setQuery(asked)
    setLimit(kPage)
    // Only what is typed leads here; an address that was followed sets what is typed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [asked])
  const [filters, showFilters] = useState(false)
  const searching = Boolean(asked.trim() || kind || domain || owner || tag || missing)
  const found = useApi<Found>('/api/v1/search', { q: asked.trim(), kind, domain, owner, tag, missing, limit, facets: true }, {
    placeholderData: keepPreviousData,
  })
  const facets = found.data?.facets
  return (
    <Page title={t('catalogue.title')} subtitle={t('catalogue.subtitle')} actions={
      <>
        <Button component={Link} to="/catalogue/products" variant="default" size="xs" leftSection={<IconPackage size={15} />}>{t('catalogue.products')}</Button>
        <Button component={Link} to="/catalogue/glossary" variant="default" size="xs" leftSection={<IconBook2 size={15} />}>{t('catalogue.glossary')}</Button>
        <Button component={Link} to="/catalogue/contracts" variant="default" size="xs" leftSection={<IconFileCheck size={15} />}>{t('catalogue.contracts')}</Button>
      </>
    }>
      <TextInput size="md" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} leftSection={<IconSearch size={18} />}
        placeholder={t('catalogue.search_hint')} aria-label={t('catalogue.search')} type="search" autoFocus
        rightSection={typed && (
          <ActionIcon variant="subtle" color="gray" aria-label={t('catalogue.clear')} onClick={() => setTyped('')}><IconX size={16} /></ActionIcon>
        )} />
      <Button size="xs" variant="default" hiddenFrom="sm" aria-expanded={filters} onClick={() => showFilters(!filters)}>{t('catalogue.filters')}</Button>
      <div className={classes.columns}>
        <Stack gap="md" className={classes.facets} data-open={filters || undefined} component="aside" aria-label={t('catalogue.filters')}>
          <FacetList title={t('catalogue.kinds')} values={facets?.kinds ?? []} chosen={kind} onChoose={setKind} label={kindText} />
          <FacetList title={t('catalogue.domains')} values={facets?.domains ?? []} chosen={domain} onChoose={setDomain} />
          <FacetList title={t('catalogue.owners')} values={facets?.owners ?? []} chosen={owner} onChoose={setOwner} />
          <FacetList title={t('catalogue.tags')} values={facets?.tags ?? []} chosen={tag} onChoose={setTag} />
        </Stack>
        <Box miw={0}>
          {!searching ? <Start onMissing={(what) => { setMissing(what); setKind('table') }} /> : found.isPending ? <Loading /> : found.isError ? (
            <ProblemView error={found.error} onRetry={() => void found.refetch()} />
          ) : (
            <Stack gap="xs">
              <Group gap="xs">
                <Text size="sm" c="dimmed" aria-live="polite">{t('catalogue.found', { count: found.data.total, ms: Math.max(1, Math.round(found.data.elapsed_us / 1000)) })}</Text>
                {missing && (
                  <Badge tt="none" variant="light" rightSection={
                    <ActionIcon size={14} variant="transparent" aria-label={t('catalogue.clear')} onClick={() => setMissing('')}><IconX size={12} /></ActionIcon>
                  }>{t(`catalogue.without_${missing}`)}</Badge>
                )}
              </Group>
              {found.data.hits.length === 0 ? (
                <EmptyState icon={<IconSearch size={24} />} title={t('catalogue.none')} hint={t('catalogue.none_hint')} />
              ) : (
                <Box component="ul" className={classes.results} aria-label={t('catalogue.results')}>
                  {found.data.hits.map((hit) => <Result key={`${hit.kind}:${hit.name}`} hit={hit} onTag={setTag} />)}
                </Box>
              )}
              {found.data.total > found.data.hits.length && limit < 1000 && (
                <Button variant="default" size="xs" onClick={() => setLimit(Math.min(1000, limit + 200))} mx="auto">{t('catalogue.more')}</Button>
              )}
            </Stack>
          )}
        </Box>
      </div>
    </Page>
  )
}
