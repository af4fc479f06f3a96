import { Badge, Group, Modal, ScrollArea, Stack, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { keepPreviousData } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'
import { useApi } from '../api/client'
import { useText } from '../i18n'
import { navigation } from './navigation'
import { isAdministrator, useSession } from './session'
import classes from './search.module.css'

interface Hit {
  kind: string
  name: string
  title?: string
  description?: string
  url: string
  domain?: string
}

interface SavedQuery {
  id: string
  name: string
  description: string
  everyone: boolean
}

/** Ctrl-K: everything in the mesh by name, and the areas. */
export default function Search({ onClose }: { onClose: () => void }) {
  const t = useText()
  const navigate = useNavigate()
  const session = useSession()
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const [asked] = useDebouncedValue(query.trim(), 80)
  const found = useApi<{ hits: Hit[] }>('/api/v1/search', { q: asked, limit: 12 }, {
    enabled: asked.length > 0, placeholderData: keepPreviousData, retry: false,
  })
  const areas = navigation
    .filter((item) => !item.administrator || isAdministrator(session))
    .filter((item) => t(item.text).toLowerCase().includes(query.trim().toLowerCase()))
    .map((item) => ({ kind: '', name: t(item.text), url: item.to }) as Hit)
  // Those of everyone are in the catalogue.
  const own = useApi<{ queries: SavedQuery[] }>('/api/v1/sql/saved', { q: asked, limit: 20 }, {
    enabled: asked.length > 1, placeholderData: keepPreviousData, retry: false,
  })
  const queries = (asked.length > 1 ? own.data?.queries ?? [] : []).filter((query) => !query.everyone).slice(0, 4)
    .map((query) => ({ kind: 'query', name: query.name, description: query.description, url: `/sql/${encodeURIComponent(query.id)}` }) as Hit)
  const hits = [...areas, ...(asked ? found.data?.hits ?? [] : []), ...queries]
  const kindOf = (kind: string) => {
    const text = t(`catalogue.kind.${kind}`)
    return text.startsWith('⟦') ? kind : text
  }
  const open = (hit: Hit | undefined) => {
    if (!hit) return
    onClose()
    void navigate({ to: hit.url })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(at + 1, hits.length - 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
    else if (event.key === 'Enter') open(hits[at])
    else return
    event.preventDefault()
  }
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding={0} size="lg" yOffset="10vh"
      aria-label={t('shell.search')}>
      <TextInput value={query} data-autofocus size="md" variant="unstyled" px="sm" aria-label={t('shell.search')}
        placeholder={t('shell.search.hint')} leftSection={<IconSearch size={18} />} onKeyDown={onKey}
        onChange={(event) => {
          setQuery(event.currentTarget.value)
          setAt(0)
        }} role="combobox" aria-expanded aria-controls="search-hits" aria-activedescendant={hits[at] ? `hit-${at}` : undefined} />
      <ScrollArea.Autosize mah="60vh" className={classes.hits}>
        <Stack gap={0} p={6} id="search-hits" role="listbox" aria-label={t('shell.search')}>
          {hits.map((hit, index) => (
            <UnstyledButton key={`${hit.kind}:${hit.url}:${hit.name}`} id={`hit-${index}`} role="option" tabIndex={-1}
              aria-selected={index === at} className={classes.hit} data-active={index === at || undefined}
              onMouseMove={() => setAt(index)} onClick={() => open(hit)}>
              <Group gap="xs" wrap="nowrap">
                <Text size="sm" truncate fw={500}>{hit.title || hit.name}</Text>
                {hit.title && hit.title !== hit.name && <Text size="xs" c="dimmed" truncate>{hit.name}</Text>}
                {hit.kind && <Badge size="xs" variant="light" color="gray" ml="auto">{kindOf(hit.kind)}</Badge>}
              </Group>
              {hit.description && <Text size="xs" c="dimmed" truncate>{hit.description}</Text>}
            </UnstyledButton>
          ))}
          {hits.length === 0 && (
            <Text size="sm" c="dimmed" p="md" ta="center">
              {asked ? t('shell.search.none', { query: asked }) : t('shell.search.type')}
            </Text>
          )}
        </Stack>
      </ScrollArea.Autosize>
    </Modal>
  )
}
