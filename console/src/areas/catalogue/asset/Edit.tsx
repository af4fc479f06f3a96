import { Button, Group, Modal, MultiSelect, Stack, Switch, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { api, useApi } from '../../../api/client'
import { useText } from '../../../i18n'
import { ProblemView } from '../../../ui'
import type { Asset, AssetColumn, Found, Term } from '../types'

interface ColumnNote {
  description: string
  tags: string[]
  terms: string[]
  propagate: boolean
  inherit: boolean
}

/** What is said of an asset, all of it: the file keeps one text of an asset. */
function noteOf(asset: Asset) {
  const columns: Record<string, ColumnNote> = {}
  for (const { name, description, tags, terms, propagate, inherit } of asset.columns)
    if (description || tags.length || terms.length || !propagate || !inherit)
      columns[name] = { description, tags, terms, propagate, inherit }
  return {
    description: asset.description, owner: asset.owner_of_domain ? '' : asset.owner, tier: asset.tier, tags: asset.tags,
    terms: asset.terms, columns,
  }
}

type Note = ReturnType<typeof noteOf>

function save(asset: Asset, note: Note) {
  return api.put<Asset>(`/api/v1/catalogue/assets/${encodeURIComponent(asset.name)}`, note, { headers: { 'If-Match': `"${asset.etag}"` } })
}

function useWords() {
  const terms = useApi<{ terms: Term[] }>('/api/v1/glossary')
  const tags = useApi<Found>('/api/v1/search', { facets: true, limit: 1 })
  const names = (terms.data?.terms ?? []).map((term) => term.name)
  return { terms: names, tags: (tags.data?.facets?.tags ?? []).map((one) => one.value).filter((one) => !names.includes(one)) }
}

function useSaving(onSaved: () => void) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true)
    setProblem(null)
    try {
      await work()
      onSaved()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return { busy, problem, run }
}

function Buttons({ busy, onClose }: { busy: boolean; onClose: () => void }) {
  const t = useText()
  return (
    <Group justify="flex-end" gap="xs">
      <Button variant="default" onClick={onClose}>{t('catalogue.cancel')}</Button>
      <Button type="submit" loading={busy}>{t('catalogue.save')}</Button>
    </Group>
  )
}

function Words({ tags, terms, onTags, onTerms }: { tags: string[]; terms: string[]; onTags: (all: string[]) => void; onTerms: (all: string[]) => void }) {
  const t = useText()
  const words = useWords()
  return (
    <>
      <TagsInput label={t('catalogue.tags')} description={t('catalogue.tags_hint')} value={tags} onChange={onTags} data={words.tags}
        clearable splitChars={[',']} acceptValueOnBlur />
      <MultiSelect label={t('catalogue.terms')} value={terms} onChange={onTerms} searchable clearable
        data={[...new Set([...words.terms, ...terms])]} nothingFoundMessage={t('catalogue.no_term')} />
    </>
  )
}

export function EditAsset({ asset, onClose, onSaved }: { asset: Asset; onClose: () => void; onSaved: () => void }) {
  const t = useText()
  const [note, setNote] = useState(() => noteOf(asset))
  const { busy, problem, run } = useSaving(onSaved)
  const set = (part: Partial<Note>) => setNote({ ...note, ...part })
  return (
    <Modal opened onClose={onClose} title={t('catalogue.edit_of', { name: asset.name })} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); void run(() => save(asset, note)) }}>
        <Stack gap="sm">
          {problem !== null && <ProblemView error={problem} />}
          <Textarea label={t('catalogue.description')} description={t('catalogue.markdown')} autosize minRows={4} maxRows={16} data-autofocus
            value={note.description} onChange={(event) => set({ description: event.currentTarget.value })} />
          <Group grow align="flex-start">
            <TextInput label={t('catalogue.owner')} value={note.owner} onChange={(event) => set({ owner: event.currentTarget.value })} />
            <TextInput label={t('catalogue.tier')} value={note.tier} onChange={(event) => set({ tier: event.currentTarget.value })} />
          </Group>
          <Words tags={note.tags} terms={note.terms} onTags={(tags) => set({ tags })} onTerms={(terms) => set({ terms })} />
          <Buttons busy={busy} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  )
}

export function EditColumn({ asset, column, onClose, onSaved }: { asset: Asset; column: AssetColumn; onClose: () => void; onSaved: () => void }) {
  const t = useText()
  const [note, setNote] = useState<ColumnNote>(() => ({
    description: column.description, tags: column.tags, terms: column.terms, propagate: column.propagate, inherit: column.inherit,
  }))
  const { busy, problem, run } = useSaving(onSaved)
  const set = (part: Partial<ColumnNote>) => setNote({ ...note, ...part })
  const submit = () => {
    const all = noteOf(asset)
    return save(asset, { ...all, columns: { ...all.columns, [column.name]: note } })
  }
  return (
    <Modal opened onClose={onClose} title={t('catalogue.edit_of', { name: column.name })} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); void run(submit) }}>
        <Stack gap="sm">
          {problem !== null && <ProblemView error={problem} />}
          <Textarea label={t('catalogue.description')} description={t('catalogue.markdown')} autosize minRows={3} maxRows={12} data-autofocus
            value={note.description} onChange={(event) => set({ description: event.currentTarget.value })} />
          <Words tags={note.tags} terms={note.terms} onTags={(tags) => set({ tags })} onTerms={(terms) => set({ terms })} />
          <Switch label={t('catalogue.propagate')} description={t('catalogue.propagate_hint')} checked={note.propagate}
            onChange={(event) => set({ propagate: event.currentTarget.checked })} />
          <Switch label={t('catalogue.inherit')} description={t('catalogue.inherit_hint')} checked={note.inherit}
            onChange={(event) => set({ inherit: event.currentTarget.checked })} />
          <Buttons busy={busy} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  )
}
