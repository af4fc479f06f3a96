import { ActionIcon, Anchor, CopyButton, Group, Text, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useLanguage } from '../../i18n'
import { type DataColumn, DataTable, Loading, ProblemView, StatusBadge } from '../../ui'
import { useApi } from '../../api/client'
import { kPoll, type Service, type ServiceList } from './types'

export function useServices() {
  return useApi<ServiceList>('/api/v1/services', {}, { refetchInterval: kPoll })
}

/** What kind of service it is, in words. */
export function useServiceTitle() {
  const { text: t } = useLanguage()
  return (service: Service) => t(`home.service.${service.kind}`, { name: service.name })
}

const kColourOf: Record<string, string> = { running: 'ok', degraded: 'warning', failed: 'failed', off: 'idle', unknown: 'idle' }

/** A service's state, in words and colour. */
export function ServiceState({ state }: { state: string }) {
  const { text: t } = useLanguage()
  return <StatusBadge state={kColourOf[state] ?? state} label={t(`home.state.${state}`)} />
}

function Address({ address }: { address: string }) {
  const { text: t } = useLanguage()
  // Only where a browser can go; anything else is for other clients.
  const web = /^https?:\/\//.test(address)
  return (
    <Group gap={4} wrap="nowrap">
      {web ? <Anchor size="sm" href={address} target="_blank" rel="noopener" truncate>{address}</Anchor>
        : <Text size="sm" truncate title={address}>{address}</Text>}
      <CopyButton value={address}>
        {({ copied, copy }) => (
          <Tooltip label={t(copied ? 'ui.copied' : 'ui.copy')}>
            <ActionIcon size="sm" variant="subtle" color="gray" onClick={copy} aria-label={t('home.copy_address', { address })}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  )
}

/** Every service: what it is, whose, where, how it is, and what it takes the place of. */
export function Services() {
  const { language, text: t } = useLanguage()
  const titleOf = useServiceTitle()
  const told = useServices()
  if (told.isError) return <ProblemView error={told.error} onRetry={() => void told.refetch()} />
  if (told.isPending) return <Loading />
  const detailOf = ({ detail, message }: Service) =>
    message ? t(`home.detail.${message.key}`, { count: message.count, of: message.of }) : detail
  const columns: DataColumn<Service>[] = [
    {
      key: 'name', title: t('home.service'), width: 'minmax(168px, 1.2fr)', value: (one) => `${titleOf(one)} ${one.name}`,
      render: (one) => one.page
        ? <Anchor component={Link} to={one.page} size="sm" fw={600} truncate>{titleOf(one)}</Anchor>
        : <Text size="sm" fw={600} truncate>{titleOf(one)}</Text>,
    },
    { key: 'domain', title: t('home.domain'), width: '90px', value: (one) => one.domain ?? '' },
    { key: 'kind', title: t('home.kind'), width: '96px' },
    { key: 'state', title: t('home.state'), width: '92px', render: (one) => <ServiceState state={one.state} /> },
    { key: 'detail', title: t('home.detail'), width: 'minmax(138px, 1.2fr)', value: detailOf,
      render: (one) => <Text size="sm" truncate title={detailOf(one)}>{detailOf(one)}</Text> },
    { key: 'port', title: t('home.port'), width: '70px', align: 'right', value: (one) => one.port ?? '' },
    {
      key: 'address', title: t('home.address'), width: 'minmax(190px, 1.6fr)',
      render: (one) => (one.address ? <Address address={one.address} /> : t('home.inside')),
    },
    {
      key: 'latency_ms', title: t('home.latency'), width: '76px', align: 'right',
      render: (one) => (one.latency_ms === undefined ? '–' : one.latency_ms < 1 ? '< 1 ms'
        : `${Math.round(one.latency_ms).toLocaleString(language)} ms`),
    },
    { key: 'replaces', title: t('home.replaces'), width: 'minmax(96px, 0.8fr)', render: (one) => <Text size="sm" truncate title={one.replaces}>{one.replaces}</Text> },
  ]
  return (
    <DataTable rows={told.data.services} columns={columns} rowKey={(one) => `${one.kind}/${one.name}/${one.address ?? ''}`}
      label={t('home.services')} height={700} name="s" />
  )
}
