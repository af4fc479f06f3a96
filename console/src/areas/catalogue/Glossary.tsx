import {
  Anchor, Badge, Box, Button, Card, Group, Modal, Select, Stack, TagsInput, Text, Textarea, TextInput, UnstyledButton,
} from '@mantine/core'
import { IconBook2, IconPlus, IconSearch, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { ConfirmButton, EmptyState, Loading, Markdown, Page, ProblemView, useUrlState } from '../../ui'
import classes from './catalogue.module.css'
import { assetPath } from './parts'
import type { Term } from './types'

const kEmpty: Term = {
  name: '', definition: '', synonyms: [], related: [], parent: '', owner: '', status: 'draft', etag: 'none', may_edit: true,
}

const kColours = { draft: 'gray', approved: 'teal', deprecated: 'orange' } as const

function Tree({ terms, parent, chosen, onChoose, seen = [] }: {
  terms: Term[]
  parent: string
  chosen: string
  onChoose: (name: string) => void
  seen?: string[]
}) {
  const known = new Set(terms.map((term) => term.name))
  const children = terms.filter((term) => (parent === '' ? !term.parent || !known.has(term.parent) : term.parent === parent))
  if (children.length === 0) return null
  return (
    <ul className={`${classes.tree} ${parent === '' ? classes.root : ''}`}>
      {children.filter((term) => !seen.includes(term.name)).map((term) => (
        <li key={term.name}>
          <UnstyledButton className={classes.facet} aria-pressed={term.name === chosen} onClick={() => onChoose(term.name)} w="100%">
            <Text size="sm" truncate td={term.status === 'deprecated' ? 'line-through' : undefined}>{term.name}</Text>
          </UnstyledButton>
          <Tree terms={terms} parent={term.name} chosen={chosen} onChoose={onChoose} seen={[...seen, term.name]} />
        </li>
      ))}
    </ul>
  )
}

function Edit({ term, all, onClose, onSaved }: { term: Term; all: Term[]; onClose: () => void; onSaved: (name: string) => void }) {
  const t = useText()
  const [draft, setDraft] = useState(term)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const fresh = term.name === ''
  const set = (part: Partial<Term>) => setDraft({ ...draft, ...part })
  const others = all.map((one) => one.name).filter((name) => name !== draft.name)
  const save = async () => {
    setBusy(true)
    try {
      const { definition, synonyms, related, parent, owner, status } = draft
      await api.put(`/api/v1/glossary/${encodeURIComponent(draft.name.trim())}`, { definition, synonyms, related, parent, owner, status },
        { headers: { 'If-Match': `"${term.etag}"` } })
      onSaved(draft.name.trim())
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} size="lg" title={fresh ? t('catalogue.new_term') : t('catalogue.edit_of', { name: term.name })}>
      <form onSubmit={(event) => { event.preventDefault(); void save() }}>
        <Stack gap="sm">
          {problem !== null && <ProblemView error={problem} />}
          {fresh && <TextInput label={t('catalogue.name')} required data-autofocus value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} />}
          <Textarea label={t('catalogue.definition')} description={t('catalogue.markdown')} autosize minRows={3} maxRows={14}
            value={draft.definition} onChange={(event) => set({ definition: event.currentTarget.value })} />
          <TagsInput label={t('catalogue.synonyms')} value={draft.synonyms} onChange={(synonyms) => set({ synonyms })} acceptValueOnBlur />
          <Group grow align="flex-start">
            <Select label={t('catalogue.parent')} data={others} value={draft.parent || null} onChange={(parent) => set({ parent: parent ?? '' })} clearable searchable />
            <Select label={t('catalogue.status')} allowDeselect={false} value={draft.status} onChange={(status) => set({ status: (status ?? 'draft') as Term['status'] })}
              data={(['draft', 'approved', 'deprecated'] as const).map((value) => ({ value, label: t(`catalogue.status.${value}`) }))} />
          </Group>
          <TagsInput label={t('catalogue.related')} data={others} value={draft.related} onChange={(related) => set({ related })} />
          <TextInput label={t('catalogue.owner')} value={draft.owner} onChange={(event) => set({ owner: event.currentTarget.value })} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>{t('catalogue.cancel')}</Button>
            <Button type="submit" loading={busy}>{t('catalogue.save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

function Shown({ name, onChoose, onEdit, onGone }: { name: string; onChoose: (name: string) => void; onEdit: (term: Term) => void; onGone: () => void }) {
  const t = useText()
  const [problem, setProblem] = useState<unknown>(null)
  const found = useApi<Term>(`/api/v1/glossary/${encodeURIComponent(name)}`, {}, { retry: false })
  if (found.isPending) return <Loading />
  if (found.isError) return <ProblemView error={found.error} />
  const term = found.data
  const links = (names: string[]) => names.map((one) => (
    <Anchor key={one} component="button" type="button" size="sm" onClick={() => onChoose(one)}>{one}</Anchor>
  ))
  const remove = async () => {
    try {
      await api.delete(`/api/v1/glossary/${encodeURIComponent(name)}`, undefined, { headers: { 'If-Match': `"${term.etag}"` } })
      onGone()
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <Card withBorder radius="md" padding="lg">
      <Stack gap="sm">
        <Group justify="space-between">
          <Group gap="xs">
            <Text fw={600} fz="lg" component="h2">{term.name}</Text>
            <Badge variant="light" tt="none" color={kColours[term.status]}>{t(`catalogue.status.${term.status}`)}</Badge>
          </Group>
          {term.may_edit && (
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => onEdit(term)}>{t('catalogue.edit')}</Button>
              <ConfirmButton size="xs" variant="subtle" color="red" leftSection={<IconTrash size={14} />} question={t('catalogue.remove_term', { name })}
                confirm={t('catalogue.remove')} onConfirm={remove}>{t('catalogue.remove')}</ConfirmButton>
            </Group>
          )}
        </Group>
        {problem !== null && <ProblemView error={problem} />}
        {term.definition ? <Markdown>{term.definition}</Markdown> : <Text size="sm" c="dimmed">{t('catalogue.no_definition')}</Text>}
        {term.synonyms.length > 0 && <Text size="sm"><Text span c="dimmed" size="sm">{t('catalogue.synonyms')}</Text> {term.synonyms.join(', ')}</Text>}
        {term.owner && <Text size="sm"><Text span c="dimmed" size="sm">{t('catalogue.owner')}</Text> {term.owner}</Text>}
        {term.parent && <Group gap={6}><Text size="sm" c="dimmed">{t('catalogue.parent')}</Text>{links([term.parent])}</Group>}
        {term.related.length > 0 && <Group gap={6}><Text size="sm" c="dimmed">{t('catalogue.related')}</Text>{links(term.related)}</Group>}
        <Text size="sm" fw={600} component="h3" mt="xs">{t('catalogue.used_by', { count: term.used_by?.length ?? 0 })}</Text>
        <Stack gap={4}>
          {(term.used_by ?? []).map((use) => (
            <Group key={`${use.asset}\n${use.column ?? ''}`} gap={6}>
              <Anchor component={Link} to={assetPath(use.asset)} size="sm">{use.asset}{use.column && ` · ${use.column}`}</Anchor>
              {use.inherited && <Badge size="xs" variant="outline" tt="none" color="gray">{t('catalogue.by_lineage')}</Badge>}
            </Group>
          ))}
        </Stack>
      </Stack>
    </Card>
  )
}

export default function Glossary() {
  const t = useText()
  const client = useQueryClient()
  const [chosen, choose] = useUrlState('term')
  const [query, setQuery] = useUrlState('q')
  const [editing, setEditing] = useState<Term | null>(null)
  const list = useApi<{ terms: Term[]; may_edit: boolean }>('/api/v1/glossary')
  const changed = async () => {
    setEditing(null)
    await client.invalidateQueries({ predicate: (one) => String(one.queryKey[0]).startsWith('/api/v1/glossary') })
  }
  const terms = list.data?.terms ?? []
  const words = query.toLowerCase()
  const found = words
    ? terms.filter((term) => [term.name, term.definition, ...term.synonyms].join(' ').toLowerCase().includes(words)).map((term) => ({ ...term, parent: '' }))
    : terms
  const shown = chosen || found[0]?.name
  return (
    <Page title={t('catalogue.glossary')} subtitle={t('catalogue.glossary_subtitle')} crumbs={[{ title: t('catalogue.title'), to: '/catalogue' }]}
      actions={list.data?.may_edit && <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => setEditing(kEmpty)}>{t('catalogue.new_term')}</Button>}>
      {list.isPending ? <Loading /> : list.isError ? <ProblemView error={list.error} onRetry={() => void list.refetch()} /> : terms.length === 0 ? (
        <EmptyState icon={<IconBook2 size={24} />} title={t('catalogue.no_terms')} hint={t('catalogue.no_terms_hint')}
          action={list.data.may_edit && <Button size="xs" onClick={() => setEditing(kEmpty)}>{t('catalogue.new_term')}</Button>} />
      ) : (
        <Box className={classes.halves}>
          <Stack gap="xs" component="nav" aria-label={t('catalogue.terms')}>
            <TextInput size="xs" leftSection={<IconSearch size={15} />} value={query} onChange={(event) => setQuery(event.currentTarget.value)}
              placeholder={t('catalogue.find_term')} aria-label={t('catalogue.find_term')} />
            <Tree terms={found} parent="" chosen={shown ?? ''} onChoose={choose} />
          </Stack>
          <Box miw={0}>{shown && <Shown key={shown} name={shown} onChoose={choose} onEdit={setEditing} onGone={() => { choose(''); void changed() }} />}</Box>
        </Box>
      )}
      {editing && <Edit term={editing} all={terms} onClose={() => setEditing(null)} onSaved={(name) => { choose(name); void changed() }} />}
    </Page>
  )
}
