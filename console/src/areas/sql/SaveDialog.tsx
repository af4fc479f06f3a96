import { Button, Checkbox, Group, Modal, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useText } from '../../i18n'
import { ConfirmButton, ProblemView } from '../../ui'
import type { Tab } from './lab'
import { deleteSaved, kSaved, saveAgain, type SavedQuery, saveNew } from './saved'

interface Props {
  tab: Tab
  title: string
  /** The saved query that the tab shows; null: it is none yet. */
  before: SavedQuery | null
  onSaved: (query: SavedQuery) => void
  onDeleted: () => void
  onClose: () => void
}

export function SaveDialog({ tab, title, before, onSaved, onDeleted, onClose }: Props) {
  const t = useText()
  const client = useQueryClient()
  const own = before?.may_edit ?? false
  const [name, setName] = useState(before?.name ?? title)
  const [description, setDescription] = useState(before?.description ?? '')
  const [everyone, setEveryone] = useState(own ? before!.everyone : false)
  const [asNew, setAsNew] = useState(!own)
  const save = useMutation({
    mutationFn: () => {
      const query = { name: name.trim(), description, everyone, statement: tab.text, catalog: tab.catalog || undefined, schema: tab.schema || undefined }
      return asNew ? saveNew(query) : saveAgain(before!.id, query)
    },
    onSuccess: (query) => {
      void client.invalidateQueries({ queryKey: [kSaved] })
      notifications.show({ color: 'teal', message: t('sql.saved.done', { name: query.name }) })
      onSaved(query)
      onClose()
    },
  })
  const remove = useMutation({
    mutationFn: () => deleteSaved(before!.id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [kSaved] })
      notifications.show({ message: t('sql.saved.deleted', { name: before!.name }) })
      onDeleted()
      onClose()
    },
  })
  return (
    <Modal opened lockScroll={false} onClose={onClose} title={t('sql.save.title')}>
      <form onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}>
        <Stack>
          {before && !own && <Text size="sm" c="dimmed">{t('sql.saved.foreign', { owner: before.owner })}</Text>}
          <TextInput label={t('sql.save.name')} data-autofocus required maxLength={200} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Textarea label={t('sql.save.description')} autosize minRows={2} maxRows={6} maxLength={10_000} value={description}
            onChange={(event) => setDescription(event.currentTarget.value)} />
          <Switch label={t('sql.save.everyone')} checked={everyone} onChange={(event) => setEveryone(event.currentTarget.checked)} />
          {own && <Checkbox label={t('sql.save.as_new')} checked={asNew} onChange={(event) => setAsNew(event.currentTarget.checked)} />}
          {(save.error ?? remove.error) && <ProblemView error={save.error ?? remove.error} />}
          <Group justify="space-between">
            {own ? (
              <ConfirmButton variant="subtle" color="red" size="sm" question={t('sql.saved.delete.question', { name: before!.name })} onConfirm={() => remove.mutate()}>
                {t('sql.saved.delete')}
              </ConfirmButton>
            ) : <span />}
            <Button type="submit" loading={save.isPending} disabled={!name.trim() || !tab.text.trim()}>{t('sql.save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
