import { Anchor, Badge, Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { IconChartBar, IconPlus } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Problem, useApi } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { DataTable, EmptyState, Loading, Page, ProblemView, When, useUrlState } from '../../ui'
import { textOf } from '../../ui/charts/format'
import type { Text } from '../../ui/charts/types'

interface Listed {
  name: string
  title: Text
  description?: Text
  owner?: string
  tags?: string[]
  charts: number
  kinds?: string[]
  updated_ms?: number
}

/** A file's name from a title: "Ventes d'été 2026" is ventes-d-ete-2026. */
export function nameOf(title: string): string {
  return title.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 80)
}

function NewDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useText()
  const navigate = useNavigate()
  const [title, setTitle] = useState('')
  const [name, setName] = useState<string | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const chosen = name ?? nameOf(title)
  const make = async (event: React.FormEvent) => {
    event.preventDefault()
    try {
      await api.post('/api/v1/dashboards', { name: chosen, dashboard: { title, charts: [] } })
      await navigate({ to: `/dashboards/${encodeURIComponent(chosen)}/edit` })
    } catch (error) {
      setProblem(error as Problem)
    }
  }
  return (
    <Modal opened={opened} onClose={onClose} title={t('dashboards.new')}>
      <form onSubmit={(event) => void make(event)}>
        <Stack>
          <TextInput data-autofocus label={t('dashboards.field.title')} value={title} onChange={(event) => setTitle(event.currentTarget.value)} required maxLength={200} />
          <TextInput label={t('dashboards.field.name')} description={t('dashboards.field.name_hint')} value={chosen} pattern="[a-z0-9_\-]+" required maxLength={100}
            onChange={(event) => setName(event.currentTarget.value)} />
          {problem && <ProblemView error={problem} />}
          <Group justify="flex-end"><Button type="submit" disabled={!title.trim() || !/^[a-z0-9_-]+$/.test(chosen)}>{t('dashboards.create')}</Button></Group>
        </Stack>
      </form>
    </Modal>
  )
}

export default function Dashboards() {
  const t = useText()
  const { language } = useLanguage()
  const session = useSession()
  const listed = useApi<{ dashboards: Listed[] }>('/api/v1/dashboards')
  const [tag, setTag] = useUrlState('tag')
  const [making, setMaking] = useState(false)
  if (listed.isPending) return <Loading />
  if (listed.isError) return <Page title={t('dashboards.title')}><ProblemView error={listed.error} onRetry={() => void listed.refetch()} /></Page>
  const all = listed.data.dashboards
  const tags = [...new Set(all.flatMap((one) => one.tags ?? []))].sort()
  const rows = tag ? all.filter((one) => one.tags?.includes(tag)) : all
  const create = mayEdit(session) && <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>{t('dashboards.new')}</Button>
  return (
    <Page
      title={t('dashboards.title')}
      subtitle={t('dashboards.subtitle')}
      actions={
        <Group gap="xs">
          <Button size="xs" variant="default" component={Link} to="/alerts">{t('dashboards.alerts')}</Button>
          <Button size="xs" variant="default" component={Link} to="/reports">{t('dashboards.reports')}</Button>
          {create}
        </Group>
      }
    >
      <DataTable
        rows={rows}
        rowKey={(row) => row.name}
        href={(row) => `/dashboards/${encodeURIComponent(row.name)}`}
        label={t('dashboards.title')}
        toolbar={
          <Group gap={4}>
            {tags.map((one) => (
              <Badge key={one} component="button" type="button" variant={one === tag ? 'filled' : 'light'} style={{ cursor: 'pointer' }} aria-pressed={one === tag}
                onClick={() => setTag(one === tag ? '' : one)}>{one}</Badge>
            ))}
          </Group>
        }
        columns={[
          {
            key: 'title', title: t('dashboards.field.title'), width: 'minmax(210px, 2fr)', value: (row) => `${textOf(row.title, language)} ${row.name}`,
            render: (row) => <Anchor component={Link} to={`/dashboards/${encodeURIComponent(row.name)}`} size="sm" fw={600} onClick={(event) => event.stopPropagation()}>{textOf(row.title, language) || row.name}</Anchor>,
          },
          { key: 'description', title: t('dashboards.field.description'), width: 'minmax(180px, 3fr)', value: (row) => textOf(row.description, language).replace(/[#*_`]/g, '').slice(0, 200) },
          { key: 'owner', title: t('dashboards.field.owner'), width: '120px' },
          { key: 'tags', title: t('dashboards.field.tags'), width: '170px', value: (row) => (row.tags ?? []).join(' '), render: (row) => <Group gap={4} wrap="nowrap">{(row.tags ?? []).map((one) => <Badge key={one} size="xs" variant="light">{one}</Badge>)}</Group> },
          { key: 'charts', title: t('dashboards.field.charts'), width: '100px', align: 'right' },
          { key: 'updated_ms', title: t('dashboards.field.updated'), width: '150px', render: (row) => <When ms={row.updated_ms} /> },
        ]}
        empty={<EmptyState icon={<IconChartBar size={24} />} title={t('dashboards.none')} hint={t('dashboards.none_hint')} action={create} />}
      />
      <NewDialog opened={making} onClose={() => setMaking(false)} />
    </Page>
  )
}
