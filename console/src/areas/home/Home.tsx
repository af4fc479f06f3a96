import { Alert, Anchor, Button, Group, Paper, SimpleGrid, Stack, Text, UnstyledButton } from '@mantine/core'
import { IconBook2, IconChartBar, IconDatabaseImport, IconRoute, IconTerminal2, IconUpload } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { type ReactNode } from 'react'
import { useApi } from '../../api/client'
import { useLanguage } from '../../i18n'
import { useSession } from '../../shell/session'
import { bytesText } from '../../ui/format'
import { Loading, Page, ProblemView } from '../../ui'
import { Happenings } from './Happenings'
import { Services, useServices } from './Services'
import { Tour } from './Tour'
import { kPoll, type Overview } from './types'

function Figure({ label, value, hint, bad }: { label: string; value: ReactNode; hint?: ReactNode; bad?: boolean }) {
  return (
    <Paper withBorder p="sm" radius="sm">
      <Text size="xs" c="dimmed">{label}</Text>
      <Text fz={22} fw={600} c={bad ? 'red' : undefined}>{value}</Text>
      <Text size="xs" c="dimmed" mih={17}>{hint}</Text>
    </Paper>
  )
}

function Figures({ overview }: { overview: Overview }) {
  const { language, text: t } = useLanguage()
  const services = useServices()
  const all = services.data?.services ?? []
  const well = all.filter((one) => one.state === 'running' || one.state === 'off').length
  const { memory, storage } = overview
  const bytes = (value: number) => bytesText(value, language)
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
      <Figure label={t('home.services')} value={all.length ? `${well}/${all.length}` : '–'} bad={well < all.length}
        hint={t(well < all.length ? 'home.not_well' : 'home.all_well')} />
      <Figure label={t('home.running')} value={overview.running.length} />
      <Figure label={t('home.failed')} value={overview.failed.length} bad={overview.failed.length > 0} hint={t('home.failed.hint')} />
      <Figure label={t('home.stale')} value={overview.stale.length} hint={t('home.stale.hint')} />
      <Figure label={t('home.memory')} value={bytes(memory.resident_bytes)} hint={t('home.memory.hint', { limit: bytes(memory.limit_bytes) })} />
      <Figure label={t('home.storage')} value={storage.object_bytes === undefined ? '–' : bytes(storage.object_bytes)}
        hint={storage.disk_free_bytes === undefined ? undefined : t('home.storage.hint', { free: bytes(storage.disk_free_bytes) })} />
    </SimpleGrid>
  )
}

const kActions = [
  { to: '/sql', icon: IconTerminal2, key: 'sql' },
  { to: '/dashboards', icon: IconChartBar, key: 'dashboard' },
  { to: '/lake', icon: IconUpload, key: 'upload' },
  { to: '/catalogue', icon: IconBook2, key: 'catalogue' },
  { to: '/pipelines', icon: IconRoute, key: 'pipeline' },
  { to: '/ingestion/new', icon: IconDatabaseImport, key: 'source' },
]

function Actions() {
  const { text: t } = useLanguage()
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="xs">
      {kActions.map(({ to, icon: Sign, key }) => (
        <UnstyledButton key={key} component={Link} to={to}>
          <Paper withBorder p="sm" radius="sm" h="100%">
            <Group wrap="nowrap" gap="sm">
              <Sign size={20} stroke={1.6} style={{ flexShrink: 0 }} />
              <div>
                <Text size="sm" fw={600}>{t(`home.action.${key}`)}</Text>
                <Text size="xs" c="dimmed">{t(`home.action.${key}.hint`)}</Text>
              </div>
            </Group>
          </Paper>
        </UnstyledButton>
      ))}
    </SimpleGrid>
  )
}

export default function Home() {
  const { text: t } = useLanguage()
  const session = useSession()
  const overview = useApi<Overview>('/api/v1/overview', {}, { refetchInterval: kPoll })
  return (
    <Page title={t('home.title', { mesh: session?.mesh ?? '' })} subtitle={t('home.subtitle')}
      actions={<Button component={Link} to="/home/about" variant="default" size="sm">{t('home.about')}</Button>}>
      {overview.isError && <ProblemView error={overview.error} onRetry={() => void overview.refetch()} />}
      {overview.isPending && <Loading />}
      {overview.data && (
        <>
          <Figures overview={overview.data} />
          {overview.data.unreadable && (
            <Alert color="orange" variant="light">
              {t('home.unreadable', { parts: overview.data.unreadable.map((one) => `${one.part} (${one.error})`).join(', ') })}
            </Alert>
          )}
          <SimpleGrid cols={{ base: 1, md: 3 }} spacing="sm">
            <Happenings title={t('home.running')} items={overview.data.running} empty={t('home.running.none')} />
            <Happenings title={t('home.failed')} items={overview.data.failed} empty={t('home.failed.none')} />
            <Happenings title={t('home.stale')} items={overview.data.stale} empty={t(overview.data.pending ? 'home.stale.pending' : 'home.stale.none')} />
          </SimpleGrid>
        </>
      )}
      <Stack gap="xs">
        <Group justify="space-between">
          <Text fw={600} component="h2" m={0} fz="md">{t('home.services')}</Text>
          <Anchor size="xs" href="/metrics">{t('home.metrics')}</Anchor>
        </Group>
        <Services />
      </Stack>
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
        <Stack gap="xs">
          <Text fw={600} size="sm">{t('home.actions')}</Text>
          <Actions />
        </Stack>
        <Tour />
      </SimpleGrid>
    </Page>
  )
}
