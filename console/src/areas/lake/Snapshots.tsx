import { Badge, Card, Group, Stack, Table, Text } from '@mantine/core'
import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Fragment, useMemo, useState } from 'react'
import { type Problem, runSql } from '../../api/client'
import { useLanguage } from '../../i18n'
import { Bytes, ConfirmButton, Count, EmptyState, ProblemView, When } from '../../ui'
import { Chart } from '../../ui/Chart'
import { fullName } from './TablePage'
import type { Snapshot, TableDetail } from './types'

const kShown = 200

/** Rows and bytes by snapshot, in the order of their commits: bursts of commits stay readable. */
function useTimeline(snapshots: Snapshot[]) {
  const { text: t, language } = useLanguage()
  return useMemo(() => ({
    grid: { left: 56, right: 64, top: 32, bottom: 28 },
    legend: { top: 0, data: [t('lake.rows'), t('lake.bytes')] },
    tooltip: { trigger: 'axis' },
    xAxis: { type: 'category', data: snapshots.map((one) => new Date(one.committed_ms).toLocaleString(language, { dateStyle: 'short', timeStyle: 'medium' })) },
    yAxis: [{ type: 'value', name: '', min: 0 }, { type: 'value', name: '', min: 0, splitLine: { show: false } }],
    series: [
      { name: t('lake.rows'), type: 'line', step: 'middle', areaStyle: { opacity: 0.15 }, symbolSize: 7,
        data: snapshots.map((one) => one.rows ?? null) },
      { name: t('lake.bytes'), type: 'line', step: 'middle', yAxisIndex: 1, symbolSize: 5, lineStyle: { type: 'dashed' },
        data: snapshots.map((one) => one.bytes ?? null) },
    ],
  }), [snapshots, t, language])
}

function Summary({ snapshot }: { snapshot: Snapshot }) {
  return (
    <Table fz="xs" withRowBorders={false} verticalSpacing={2}>
      <Table.Tbody>
        {Object.entries(snapshot.summary).map(([key, value]) => (
          <Table.Tr key={key}><Table.Td ff="monospace" w={260}>{key}</Table.Td><Table.Td ff="monospace" style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td></Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

export function Snapshots({ table, editable, onChange }: { table: TableDetail; editable: boolean; onChange: () => void }) {
  const { text: t } = useLanguage()
  const navigate = useNavigate()
  const [open, setOpen] = useState<string | null>(null)
  const ordered = useMemo(() => [...(table.snapshot_list ?? [])].sort((a, b) => a.committed_ms - b.committed_ms), [table.snapshot_list])
  const option = useTimeline(ordered)
  const rollback = useMutation<unknown, Problem, string>({
    mutationFn: (id) => runSql(`ALTER TABLE ${fullName(table)} EXECUTE rollback_to_snapshot(${BigInt(id)})`),
    onSuccess: () => {
      notifications.show({ message: t('lake.rolled_back') })
      onChange()
    },
  })
  if (ordered.length === 0) return <EmptyState title={t('lake.no_snapshots')} />
  const see = (id: string) => void navigate({ to: '.', search: ((before: object) => ({ ...before, tab: 'sample', snapshot: id })) as never })
  return (
    <Stack gap="sm">
      <Card withBorder padding="sm"><Chart option={option} height={220} /></Card>
      {rollback.isError && <ProblemView error={rollback.error} />}
      <Table.ScrollContainer minWidth={820} type="native" tabIndex={0}>
        <Table fz="sm" highlightOnHover aria-label={t('lake.snapshots')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('lake.committed')}</Table.Th><Table.Th>{t('lake.snapshot')}</Table.Th><Table.Th>{t('lake.operation')}</Table.Th>
              <Table.Th ta="right">{t('lake.rows')}</Table.Th><Table.Th ta="right">{t('lake.files')}</Table.Th><Table.Th ta="right">{t('lake.size')}</Table.Th><Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[...ordered].reverse().slice(0, kShown).map((one) => (
              <Fragment key={one.id}>
                <Table.Tr data-snapshot={one.id}>
                  <Table.Td><When ms={one.committed_ms} /></Table.Td>
                  <Table.Td>
                    <Group gap={6} wrap="nowrap">
                      <Text span ff="monospace" fz="xs">{one.id}</Text>
                      {one.current && <Badge size="xs" variant="light" tt="none">{t('lake.current')}</Badge>}
                      {one.refs.filter((name) => name !== 'main').map((name) => <Badge key={name} size="xs" color="grape" variant="light" tt="none">{name}</Badge>)}
                    </Group>
                  </Table.Td>
                  <Table.Td>{one.operation ?? '–'}</Table.Td>
                  <Table.Td ta="right"><Count value={one.rows} /></Table.Td>
                  <Table.Td ta="right"><Count value={one.files} /></Table.Td>
                  <Table.Td ta="right"><Bytes value={one.bytes} /></Table.Td>
                  <Table.Td>
                    <Group gap={6} justify="flex-end" wrap="nowrap">
                      <Button size="compact-xs" variant="default" onClick={() => see(one.id)}>{t('lake.see_rows')}</Button>
                      <Button size="compact-xs" variant="subtle" aria-expanded={open === one.id} onClick={() => setOpen(open === one.id ? null : one.id)}>{t('lake.summary')}</Button>
                      {editable && !one.current && (
                        <ConfirmButton size="compact-xs" variant="light" color="orange" confirm={t('lake.rollback')}
                          question={t('lake.rollback_question', { id: one.id })} onConfirm={() => rollback.mutate(one.id)}>{t('lake.rollback')}</ConfirmButton>
                      )}
                    </Group>
                  </Table.Td>
                </Table.Tr>
                {open === one.id && <Table.Tr><Table.Td colSpan={7}><Summary snapshot={one} /></Table.Td></Table.Tr>}
              </Fragment>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {ordered.length > kShown && <Text size="xs" c="dimmed">{t('lake.newest_snapshots', { count: kShown })}</Text>}
    </Stack>
  )
}
