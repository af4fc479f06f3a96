import { Card, SimpleGrid, Table, Text, Title } from '@mantine/core'
import { IconFileSettings } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, Loading, ProblemView } from '../../ui'
import { AdminPage } from './AdminPage'
import type { Settings as SettingsType } from './types'

function Section({ title, rows }: { title: string; rows: [string, ReactNode][] }) {
  return (
    <Card withBorder>
      <Title order={2} fz="md" mb="xs">{title}</Title>
      <Table>
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w="45%" fw={400} c="dimmed">{name}</Table.Th>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  )
}

function Shown({ settings: s }: { settings: SettingsType }) {
  const t = useText()
  const yes = (value: boolean) => t(value ? 'admin.yes' : 'admin.no')
  const own = (value: number, shown: ReactNode = value) => (value > 0 ? shown : t('admin.settings.automatic'))
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Section title={t('admin.settings.mesh')} rows={[
        [t('admin.name'), s.name],
        [t('admin.settings.version'), s.version],
        [t('admin.settings.folder'), s.folder],
        [t('admin.settings.data'), s.data],
        [t('admin.settings.mode'), t(`admin.settings.mode.${s.mode}`)],
        [t('admin.settings.language'), s.language],
      ]} />
      <Section title={t('admin.settings.listen')} rows={[
        ['HTTP', `${s.listen.address}:${s.listen.port}`],
        ['TLS', yes(s.listen.tls)],
        ['S3', s.storage.port !== undefined ? String(s.storage.port) : t('admin.no')],
        [t('admin.settings.lineage'), yes(s.lineage_export)],
        [t('admin.settings.smtp'), s.smtp ? `${s.smtp.host}:${s.smtp.port}` : '–'],
      ]} />
      <Section title={t('admin.settings.substrates')} rows={[
        [t('admin.settings.metadata'), s.metadata.kind],
        [t('admin.settings.objects'), s.storage.endpoint ?? s.storage.kind],
        [t('admin.settings.buckets'), s.storage.buckets.map((bucket) => bucket.name).join(', ') || '–'],
        [t('admin.settings.lake'), `${s.lake.catalog} · ${s.lake.location}`],
        [t('admin.settings.upkeep'), t('admin.settings.seconds', { count: s.upkeep.every_seconds })],
        [t('admin.settings.catalogs'), s.catalogs.join(', ')],
      ]} />
      <Section title={t('admin.settings.compute')} rows={[
        [t('admin.memory'), s.compute.memory_bytes > 0 ? <Bytes value={s.compute.memory_bytes} /> : own(s.compute.memory_percent, `${s.compute.memory_percent} %`)],
        [t('admin.settings.threads'), own(s.compute.threads)],
        [t('admin.settings.spill'), own(s.compute.spill_limit_bytes, <Bytes value={s.compute.spill_limit_bytes} />)],
        [t('admin.settings.max_running'), own(s.compute.max_running)],
        [t('admin.settings.max_running_per_user'), own(s.compute.max_running_per_user)],
        [t('admin.part.log'), `${s.log.level} · ${s.log.format}`],
      ]} />
      {s.domains.map((domain) => (
        <Section key={domain.name} title={`${t('admin.domain')} ${domain.name}`} rows={[
          [t('admin.settings.description'), domain.description || '–'],
          [t('admin.settings.team'), domain.team || '–'],
          [t('admin.catalog'), domain.catalog],
          [t('admin.settings.database'), [domain.database.kind, domain.database.host, domain.database.name].filter(Boolean).join(' · ')],
          [t('admin.settings.buckets'), domain.buckets.map((bucket) => bucket.name).join(', ') || '–'],
          [t('admin.settings.products'), domain.products],
        ]} />
      ))}
    </SimpleGrid>
  )
}

export default function Settings() {
  const t = useText()
  const settings = useApi<SettingsType>('/api/v1/admin/settings')
  return (
    <AdminPage title={t('admin.part.settings')} subtitle={t('admin.settings.subtitle')}>
      <Text size="sm" c="dimmed" mb="md"><IconFileSettings size={15} /> {t('admin.settings.hint')}</Text>
      {settings.isPending ? <Loading /> : settings.isError ? <ProblemView error={settings.error} onRetry={() => void settings.refetch()} /> : <Shown settings={settings.data} />}
    </AdminPage>
  )
}
