import { Anchor, List, Paper, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { IconBuildingStore, IconGavel, IconTools, IconUsersGroup } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useText } from '../../i18n'
import { useSession } from '../../shell/session'
import { Page } from '../../ui'
import { Graph, type GraphEdge, type GraphNode } from '../../ui/Graph'
import { ServiceState, useServices, useServiceTitle } from './Services'
import type { Service } from './types'

const kPrinciples = [
  { key: 'domains', icon: IconUsersGroup, to: '/catalogue' },
  { key: 'products', icon: IconBuildingStore, to: '/quality?tab=contracts' },
  { key: 'platform', icon: IconTools, to: '/sql' },
  { key: 'governance', icon: IconGavel, to: '/catalogue' },
]
const kRoles = [
  { key: 'ingestion', was: 'Airbyte', to: '/ingestion' },
  { key: 'storage', was: 'Dremio, MinIO', to: '/lake' },
  { key: 'transformation', was: 'dbt', to: '/pipelines' },
  { key: 'catalogue', was: 'OpenMetadata', to: '/catalogue' },
  { key: 'visualisation', was: 'Superset, Grafana', to: '/dashboards' },
  { key: 'orchestration', was: 'Dagster', to: '/pipelines' },
  { key: 'streams', was: 'Kafka UI, Spark', to: '/streams' },
  { key: 'notebooks', was: 'JupyterHub', to: '/' },
]
const kWorks = ['sql', 'lake', 'ingestion', 'pipelines', 'streams', 'quality', 'lineage', 'access', 'one', 'languages']

/** What flows where: the parts of the architecture and, between them, the services there are. */
const kEdges: [string, string][] = [
  ['postgresql', 'ingestion'], ['files', 'ingestion'], ['kafka', 'streams'], ['ingestion', 'lake'], ['streams', 'lake'],
  ['pipelines', 'dbt'], ['dbt', 'lake'], ['postgresql', 'sql'], ['lake', 'sql'], ['objects', 'lake'], ['sql', 'dashboards'],
  ['sql', 'notebooks'], ['lake', 'feeds'], ['quality', 'lake'],
]
const kKindOf: Record<string, string> = {
  postgresql: 'database', files: 'file', kafka: 'stream', ingestion: 'ingest', streams: 'stream', lake: 'table', pipelines: 'pipeline',
  dbt: 'dbt', sql: 'sql', objects: 'bucket', dashboards: 'dashboard', notebooks: 'file', feeds: 'feed', quality: 'check',
}
const kPageOf: Record<string, string> = {
  ingestion: '/ingestion', streams: '/streams', lake: '/lake/tables', pipelines: '/pipelines', dbt: '/pipelines', sql: '/sql', objects: '/lake',
  dashboards: '/dashboards', feeds: '/feeds', quality: '/quality', kafka: '/streams', postgresql: '/catalogue',
}

/** One state for all services of a part: the worst of them. */
function worst(services: Service[]): string | undefined {
  const states = services.map((one) => one.state)
  const found = ['failed', 'degraded', 'running', 'off'].find((state) => states.includes(state as Service['state']))
  return found === 'running' ? 'ok' : found === 'degraded' ? 'warning' : found === 'off' ? 'idle' : found
}

function Architecture({ services }: { services: Service[] }) {
  const t = useText()
  const navigate = useNavigate()
  const nodes = useMemo<GraphNode[]>(() => {
    const ids = [...new Set(kEdges.flat())]
    return ids.map((id) => {
      const own = services.filter((one) => one.kind === (id === 'lake' ? 'iceberg' : id))
      const names = own.filter((one) => one.domain).map((one) => one.name)
      return { id, label: t(`home.part.${id}`), kind: kKindOf[id], state: worst(own), detail: names.length ? names.join(', ') : t(`home.part.${id}.hint`) }
    })
  }, [services, t])
  const edges = useMemo<GraphEdge[]>(() => kEdges.map(([from, to]) => ({ from, to })), [])
  return (
    <Graph nodes={nodes} edges={edges} height={420} label={t('home.architecture')}
      onNode={(id) => kPageOf[id] && void navigate({ to: kPageOf[id] })} />
  )
}

export default function About() {
  const t = useText()
  const session = useSession()
  const titleOf = useServiceTitle()
  const services = useServices().data?.services ?? []
  const reachable = services.filter((one) => one.address)
  return (
    <Page title={t('home.about.title')} subtitle={t('home.about.subtitle', { mesh: session?.mesh ?? '' })}
      crumbs={[{ title: t('nav.home'), to: '/' }]}>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
        {kPrinciples.map(({ key, icon: Sign, to }) => (
          <Paper key={key} withBorder p="md" radius="sm">
            <Sign size={26} stroke={1.5} />
            <Anchor component={Link} to={to} fw={600} size="sm" display="block" mt={6}>{t(`home.principle.${key}`)}</Anchor>
            <Text size="sm" c="dimmed">{t(`home.principle.${key}.hint`)}</Text>
          </Paper>
        ))}
      </SimpleGrid>
      <Stack gap="xs">
        <Title order={2} fz="md">{t('home.architecture')}</Title>
        <Architecture services={services} />
      </Stack>
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl">
        <Stack gap="xs">
          <Title order={2} fz="md">{t('home.roles')}</Title>
          <Table.ScrollContainer minWidth={420} type="native" tabIndex={0}>
            <Table>
              <Table.Thead>
                <Table.Tr><Table.Th>{t('home.role')}</Table.Th><Table.Th>{t('home.was')}</Table.Th><Table.Th>{t('home.is')}</Table.Th></Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {kRoles.map(({ key, was, to }) => (
                  <Table.Tr key={key}>
                    <Table.Td><Anchor component={Link} to={to} size="sm">{t(`home.role.${key}`)}</Anchor></Table.Td>
                    <Table.Td>{was}</Table.Td>
                    <Table.Td><Text size="sm">{t(`home.role.${key}.is`)}</Text></Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Stack>
        <Stack gap="xs">
          <Title order={2} fz="md">{t('home.works')}</Title>
          <List size="sm" spacing={6}>
            {kWorks.map((key) => <List.Item key={key}>{t(`home.works.${key}`)}</List.Item>)}
          </List>
        </Stack>
      </SimpleGrid>
      <Stack gap="xs">
        <Title order={2} fz="md">{t('home.access')}</Title>
        <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
          <Table>
            <Table.Thead>
              <Table.Tr><Table.Th>{t('home.service')}</Table.Th><Table.Th>{t('home.address')}</Table.Th><Table.Th>{t('home.state')}</Table.Th></Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {reachable.map((one) => (
                <Table.Tr key={`${one.kind}/${one.name}/${one.address}`}>
                  <Table.Td>{titleOf(one)}</Table.Td>
                  <Table.Td><Text size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>{one.address}</Text></Table.Td>
                  <Table.Td><ServiceState state={one.state} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Stack>
    </Page>
  )
}
