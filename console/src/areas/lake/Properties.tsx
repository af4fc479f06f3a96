import { ActionIcon, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { IconPencil, IconPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { type Problem, quoteText, runSql } from '../../api/client'
import { useText } from '../../i18n'
import { type DataColumn, DataTable, ProblemView } from '../../ui'
import { fullName } from './TablePage'
import type { TableDetail } from './types'

/** The properties of Iceberg, which any engine reads; those that are set are the extra_properties of
 *  SQL. */
export function Properties({ table, editable, onChange }: { table: TableDetail; editable: boolean; onChange: () => void }) {
  const t = useText()
  const [editing, setEditing] = useState<{ key: string; value: string; added: boolean } | null>(null)
  const set = useMutation<unknown, Problem, { key: string; value: string }>({
    mutationFn: ({ key, value }) => runSql(
      `ALTER TABLE ${fullName(table)} SET PROPERTIES extra_properties = MAP(ARRAY[${quoteText(key)}], ARRAY[${quoteText(value)}])`),
    onSuccess: () => {
      setEditing(null)
      onChange()
    },
  })
  const rows = Object.entries(table.properties ?? {}).map(([key, value]) => ({ key, value }))
  const columns: DataColumn<{ key: string; value: string }>[] = [
    { key: 'key', title: t('lake.property'), width: 'minmax(220px, 1fr)' },
    { key: 'value', title: t('lake.value'), width: 'minmax(200px, 2fr)' },
    ...(editable ? [{ key: 'edit', title: '', sort: false, width: '52px', value: () => '', render: (row: { key: string; value: string }) => (
      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={t('lake.edit_property', { key: row.key })} onClick={() => setEditing({ ...row, added: false })}>
        <IconPencil size={14} />
      </ActionIcon>
    ) }] : []),
  ]
  return (
    <Stack gap="sm">
      {editing && (
        <form onSubmit={(event) => { event.preventDefault(); set.mutate(editing) }}>
          <Group align="flex-end" gap="xs">
            <TextInput size="xs" w={300} label={t('lake.property')} value={editing.key} readOnly={!editing.added} required
              onChange={(event) => setEditing({ ...editing, key: event.currentTarget.value })} />
            <TextInput size="xs" w={300} label={t('lake.value')} value={editing.value} data-autofocus
              onChange={(event) => setEditing({ ...editing, value: event.currentTarget.value })} />
            <Button size="xs" type="submit" loading={set.isPending}>{t('lake.save')}</Button>
            <Button size="xs" variant="default" onClick={() => setEditing(null)}>{t('lake.cancel')}</Button>
          </Group>
        </form>
      )}
      {set.isError && <ProblemView error={set.error} />}
      <DataTable rows={rows} columns={columns} rowKey={(row) => row.key} label={t('lake.properties')}
        empty={<Text size="sm" c="dimmed" ta="center">{t('lake.no_properties')}</Text>}
        toolbar={editable && (
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => setEditing({ key: '', value: '', added: true })}>
            {t('lake.set_property')}
          </Button>
        )} />
    </Stack>
  )
}
