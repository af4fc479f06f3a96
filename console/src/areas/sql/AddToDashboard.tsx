import { Anchor, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, useApi } from '../../api/client'
import { useLanguage } from '../../i18n'
import { Loading, ProblemView } from '../../ui'
import type { ChartConfig } from '../../ui/charts/types'

type Titled = string | { en?: string; fr?: string }
interface Listed {
  name: string
  title?: Titled
  may_edit: boolean
}
interface Dashboard {
  charts?: { id: string }[]
  layout?: { id: string; x: number; y: number; w: number; h: number }[]
  [key: string]: unknown
}

/** An id that the dashboard has not yet, made of the title. */
function idOf(title: string, taken: Set<string>): string {
  const plain = title.normalize('NFD').toLowerCase().replaceAll(/[\u0300-\u036f]/g, '').replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '').slice(0, 40) || 'chart'
  let id = plain
  for (let n = 2; taken.has(id); n++) id = `${plain}_${n}`
  return id
}

export function AddToDashboard({ chart, statement, title, onClose }: { chart: ChartConfig; statement: string; title: string; onClose: () => void }) {
  const { text: t, language } = useLanguage()
  const [name, setName] = useState<string | null>(null)
  const [label, setLabel] = useState(title)
  const list = useApi<{ dashboards: Listed[] }>('/api/v1/dashboards')
  const shown = (one: Listed) => (typeof one.title === 'string' ? one.title : one.title?.[language] ?? one.title?.en) || one.name
  const choices = (list.data?.dashboards ?? []).filter((one) => one.may_edit)
  const add = useMutation({
    mutationFn: async () => {
      const path = `/api/v1/dashboards/${encodeURIComponent(name!)}`
      const { dashboard, etag } = await api.get<{ dashboard: Dashboard; etag?: string }>(path)
      const charts = dashboard.charts ?? []
      const id = idOf(label, new Set(charts.map((one) => one.id)))
      const layout = dashboard.layout ?? []
      const below = layout.reduce((bottom, place) => Math.max(bottom, place.y + place.h), 0)
      const changed: Dashboard = {
        ...dashboard,
        charts: [...charts, { id, title: label, kind: chart.kind, sql: statement, encode: chart.encode } as { id: string }],
      }
      if (layout.length > 0 || charts.length === 0) changed.layout = [...layout, { id, x: 0, y: below, w: 6, h: 5 }]
      await api.put(path, { dashboard: changed }, etag ? { headers: { 'If-Match': etag } } : undefined)
    },
    onSuccess: () => {
      const done = choices.find((one) => one.name === name)
      notifications.show({
        color: 'teal',
        message: (
          <Stack gap={2}>
            <Text size="sm">{t('sql.dashboard.done', { name: done ? shown(done) : name! })}</Text>
            <Anchor component={Link} size="sm" to={`/dashboards/${encodeURIComponent(name!)}`}>{t('sql.dashboard.open')}</Anchor>
          </Stack>
        ),
      })
      onClose()
    },
  })
  return (
    <Modal opened lockScroll={false} onClose={onClose} title={t('sql.dashboard')}>
      {list.isPending ? <Loading height={80} /> : list.error ? <ProblemView error={list.error} /> : choices.length === 0 ? (
        <Text size="sm">{t('sql.dashboard.none')}</Text>
      ) : (
        <form onSubmit={(event) => {
          event.preventDefault()
          if (name) add.mutate()
        }}>
          <Stack>
            <Select label={t('sql.dashboard.which')} data-autofocus searchable required value={name} onChange={setName}
              data={choices.map((one) => ({ value: one.name, label: shown(one) }))} />
            <TextInput label={t('sql.dashboard.chart_title')} required value={label} onChange={(event) => setLabel(event.currentTarget.value)} />
            {add.error && <ProblemView error={add.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={add.isPending} disabled={!name || !label.trim()}>{t('sql.dashboard.add')}</Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
