import { ActionIcon, Badge, Button, Group, Menu, Select, Stack, Text, Tooltip } from '@mantine/core'
import { IconBell, IconDots, IconMaximize, IconMinimize, IconPencil, IconRefresh, IconShare3 } from '@tabler/icons-react'
import { Link, useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useApi, useEvents } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { EmptyState, Loading, Markdown, Page, ProblemView, useUrlState } from '../../ui'
import { textOf } from '../../ui/charts/format'
import { preloadCharts } from '../../ui/Chart'
import { Bar } from './Bar'
import { Board } from './Board'
import { useAnswers } from './data'
import classes from './dashboards.module.css'
import { ShareDialog } from './Share'
import type { Opened } from './types'
import { useView } from './view'

preloadCharts()

const kIntervals = ['', '5s', '30s', '1m', '5m', '15m']

/** "30s", "5m", "1h" in milliseconds; 0 for none. */
export function intervalOf(text: string | undefined): number {
  const m = /^(\d+)\s*(s|m|h)$/.exec(text ?? '')
  return m ? Math.max(2000, Number(m[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[m[2] as 's' | 'm' | 'h']) : 0
}

/** The charts of an opened dashboard and everything that keeps them up to date; `still`: nothing
 *  does, they stay what they are. */
export function useDashboard(base: string, opened: Opened | undefined, onEdited: () => void, still = false) {
  const { language } = useLanguage()
  const dashboard = opened?.dashboard
  const viewing = useView(dashboard, opened?.parameters)
  const { answers, reload } = useAnswers(base, dashboard, viewing.view, language)
  const [refresh, setRefresh] = useUrlState('refresh', dashboard?.refresh ?? '')
  useEvents(opened && !still ? `${base}/events` : null, (name, data) => {
    if (name === 'edited') onEdited()
    if (name === 'changed') reload((data as { charts?: string[] })?.charts)
  }, ['changed', 'edited'])
  useEffect(() => {
    const every = still ? 0 : intervalOf(refresh)
    if (!every) return
    const timer = setInterval(() => !document.hidden && reload(), every)
    return () => clearInterval(timer)
  }, [refresh, reload, still])
  return { viewing, answers, reload, refresh, setRefresh }
}

function Refresh({ value, onChange, onNow, own }: { value: string; onChange: (value: string) => void; onNow: () => void; own?: string }) {
  const t = useText()
  const intervals = [...new Set([...kIntervals, own ?? '', value])]
  return (
    <Group gap={4} wrap="nowrap">
      <Tooltip label={t('dashboards.refresh')}>
        <ActionIcon variant="default" size={30} aria-label={t('dashboards.refresh')} onClick={onNow}><IconRefresh size={16} /></ActionIcon>
      </Tooltip>
      <Select size="xs" w={92} allowDeselect={false} aria-label={t('dashboards.refresh_every')} value={value} onChange={(next) => onChange(next ?? '')}
        data={intervals.map((one) => ({ value: one, label: one || t('dashboards.by_hand') }))} />
    </Group>
  )
}

export default function DashboardPage() {
  const t = useText()
  const { language } = useLanguage()
  const { name = '' } = useParams({ strict: false }) as { name?: string }
  const base = `/api/v1/dashboards/${encodeURIComponent(name)}`
  const opened = useApi<Opened>(base)
  const { viewing, answers, reload, refresh, setRefresh } = useDashboard(base, opened.data, () => void opened.refetch())
  const [full, setFull] = useUrlState('full')
  const [sharing, setSharing] = useState(false)
  useEffect(() => {
    if (!full) return
    const leave = (event: KeyboardEvent) => event.key === 'Escape' && setFull('')
    addEventListener('keydown', leave)
    return () => removeEventListener('keydown', leave)
  }, [full, setFull])
  if (opened.isPending) return <Loading />
  if (opened.isError) {
    return (
      <Stack p="lg">
        <ProblemView error={opened.error} onRetry={() => void opened.refetch()} />
        {opened.error.status === 422 && <Group><Button component={Link} to={`/dashboards/${encodeURIComponent(name)}/edit`}>{t('dashboards.mend')}</Button></Group>}
      </Stack>
    )
  }
  const { dashboard, may_edit } = opened.data
  const title = textOf(dashboard.title, language) || name
  const description = textOf(dashboard.description, language)
  const board = (
    <Stack gap="sm">
      <Bar base={base} dashboard={dashboard} viewing={viewing} />
      {dashboard.charts.length > 0
        ? <Board dashboard={dashboard} answers={answers} viewing={viewing} linked />
        : <EmptyState title={t('dashboards.no_charts')} hint={t('dashboards.no_charts_hint')}
            action={may_edit && <Button component={Link} to={`/dashboards/${encodeURIComponent(name)}/edit`}>{t('dashboards.edit')}</Button>} />}
    </Stack>
  )
  if (full) {
    return (
      <div className={classes.full}>
        <Group justify="space-between" mb="xs">
          <Text fw={650} size="lg" component="h1">{title}</Text>
          <ActionIcon variant="default" size={30} aria-label={t('dashboards.full_leave')} onClick={() => setFull('')}><IconMinimize size={16} /></ActionIcon>
        </Group>
        {board}
      </div>
    )
  }
  return (
    <Page
      title={title}
      crumbs={[{ title: t('dashboards.title'), to: '/dashboards' }]}
      subtitle={description && <Markdown>{description}</Markdown>}
      actions={
        <Group gap="xs">
          {(dashboard.tags ?? []).map((tag) => <Badge key={tag} variant="light" size="sm">{tag}</Badge>)}
          <Refresh value={refresh} onChange={setRefresh} onNow={() => reload(undefined, false)} own={dashboard.refresh} />
          <Tooltip label={t('dashboards.full')}>
            <ActionIcon variant="default" size={30} aria-label={t('dashboards.full')} onClick={() => setFull('1')}><IconMaximize size={16} /></ActionIcon>
          </Tooltip>
          <Button size="xs" variant="default" leftSection={<IconShare3 size={15} />} onClick={() => setSharing(true)}>{t('dashboards.share')}</Button>
          {may_edit && (
            <Button size="xs" leftSection={<IconPencil size={15} />} component={Link} to={`/dashboards/${encodeURIComponent(name)}/edit`}>{t('dashboards.edit')}</Button>
          )}
          {Boolean(dashboard.alerts?.length || dashboard.reports?.length) && (
            <Menu position="bottom-end">
              <Menu.Target><ActionIcon variant="default" size={30} aria-label={t('dashboards.more')}><IconDots size={16} /></ActionIcon></Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconBell size={15} />} component={Link} to={`/alerts?q=${encodeURIComponent(name)}`}>{t('dashboards.alerts')}</Menu.Item>
                <Menu.Item component={Link} to={`/reports?q=${encodeURIComponent(name)}`}>{t('dashboards.reports')}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
      }
    >
      {board}
      <ShareDialog name={name} parameters={viewing.view.parameters} opened={sharing} onClose={() => setSharing(false)} mayEdit={may_edit} />
    </Page>
  )
}
