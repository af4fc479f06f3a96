// The lists beside the editor: what is saved, and what ran.
import { Badge, Group, SegmentedControl, Stack, Text, TextInput, Tooltip, UnstyledButton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconLock, IconSearch, IconUsers } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Button } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { api, type Problem } from '../../api/client'
import { useText } from '../../i18n'
import { isAdministrator, useSession } from '../../shell/session'
import { Count, Duration, EmptyState, Loading, ProblemView, StatusBadge, When } from '../../ui'
import classes from './Lab.module.css'
import { kHistory, kSaved, type PastStatement, type SavedQuery } from './saved'

interface Pages<Entry> {
  entries: Entry[]
  waiting: boolean
  problem: Problem | null
  more: (() => void) | null
}

/** A list of the server, page by page. */
function usePages<Entry>(path: string, key: string, query: Record<string, string | boolean | undefined>, everyMs?: number): Pages<Entry> {
  const list = useInfiniteQuery<Record<string, unknown>, Problem, { pages: Record<string, unknown>[] }, unknown[], string | undefined>({
    queryKey: [path, query],
    queryFn: ({ pageParam, signal }) => api.get(path, { ...query, limit: 50, cursor: pageParam }, { signal }),
    initialPageParam: undefined,
    getNextPageParam: (page) => page.next as string | undefined,
    refetchInterval: everyMs,
  })
  return {
    entries: (list.data?.pages ?? []).flatMap((page) => page[key] as Entry[]),
    waiting: list.isPending,
    problem: list.error,
    more: list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : null,
  }
}

function Shown<Entry>({ pages, empty, children }: { pages: Pages<Entry>; empty: ReactNode; children: (entry: Entry) => ReactNode }) {
  const t = useText()
  if (pages.problem) return <ProblemView error={pages.problem} />
  if (pages.waiting) return <Loading height={80} />
  if (pages.entries.length === 0) return <>{empty}</>
  return (
    <div className={classes.list}>
      {pages.entries.map(children)}
      {pages.more && (
        <Button variant="subtle" size="xs" fullWidth onClick={pages.more}>
          {t('sql.history.more')}
        </Button>
      )}
    </div>
  )
}

function Search({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const t = useText()
  return (
    <TextInput size="xs" flex={1} leftSection={<IconSearch size={14} />} placeholder={t('sql.search')} aria-label={t('sql.search')}
      value={value} onChange={(event) => onChange(event.currentTarget.value)} />
  )
}

export function SavedList({ onOpen }: { onOpen: (query: SavedQuery) => void }) {
  const t = useText()
  const session = useSession()
  const [typed, setTyped] = useState('')
  const [q] = useDebouncedValue(typed, 200)
  const pages = usePages<SavedQuery>(kSaved, 'queries', { q })
  return (
    <div className={classes.side}>
      <Group p="xs"><Search value={typed} onChange={setTyped} /></Group>
      <Shown pages={pages} empty={<EmptyState title={t('sql.saved.empty')} hint={t('sql.saved.empty.hint')} />}>
        {(query) => {
          const Icon = query.everyone ? IconUsers : IconLock
          return (
            <UnstyledButton key={query.id} className={classes.entry} onClick={() => onOpen(query)}>
              <Group gap={6} wrap="nowrap">
                <Text size="sm" fw={600} truncate flex={1}>{query.name}</Text>
                <Tooltip label={t(query.everyone ? 'sql.saved.everyone' : 'sql.saved.private')}>
                  <Icon size={14} aria-label={t(query.everyone ? 'sql.saved.everyone' : 'sql.saved.private')} />
                </Tooltip>
              </Group>
              {query.description && <Text size="xs" c="dimmed" lineClamp={2}>{query.description}</Text>}
              <Text size="xs" c="dimmed">
                {query.owner !== session?.user && `${t('sql.saved.of', { owner: query.owner })} · `}
                <When ms={query.updated_ms} />
              </Text>
            </UnstyledButton>
          )
        }}
      </Shown>
    </div>
  )
}

export function HistoryList({ onOpen }: { onOpen: (past: PastStatement) => void }) {
  const t = useText()
  const session = useSession()
  const [typed, setTyped] = useState('')
  const [q] = useDebouncedValue(typed, 200)
  const [whose, setWhose] = useState('mine')
  const everyone = whose === 'everyone' || undefined
  const pages = usePages<PastStatement>(kHistory, 'statements', { q, everyone }, 5000)
  return (
    <div className={classes.side}>
      <Stack p="xs" gap={6}>
        <Search value={typed} onChange={setTyped} />
        {isAdministrator(session) && (
          <SegmentedControl size="xs" value={whose} onChange={setWhose} aria-label={t('sql.history.whose')}
            data={[{ value: 'mine', label: t('sql.history.mine') }, { value: 'everyone', label: t('sql.history.everyone') }]} />
        )}
      </Stack>
      <Shown pages={pages} empty={<EmptyState title={t('sql.history.empty')} hint={t('sql.history.empty.hint')} />}>
        {(past) => (
          <UnstyledButton key={past.id} className={classes.entry} title={past.error ?? t('sql.history.open')} onClick={() => onOpen(past)}>
            <span className={classes.snippet}>{past.statement.slice(0, 400)}</span>
            <Group gap={6} mt={4}>
              <StatusBadge state={past.state} label={t(`sql.state.${past.state.toLowerCase()}`)} />
              {past.source && past.source !== 'sql-lab' && <Badge size="sm" variant="default" tt="none">{past.source}</Badge>}
              <Text size="xs" c="dimmed">
                {everyone && `${past.user} · `}
                <When ms={past.started_ms} /> · <Duration ms={past.elapsed_ms} /> · <Count value={past.rows} />
              </Text>
            </Group>
            {past.error && <Text size="xs" c="red" lineClamp={2}>{past.error}</Text>}
          </UnstyledButton>
        )}
      </Shown>
    </div>
  )
}
