import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { api, Problem, type Query } from '../../api/client'
import { useText } from '../../i18n'
import { Code, ProblemView } from '../../ui'

/** A change: when it is done, everything that is shown is asked for again. */
export function useChange<Given, Told = unknown>(work: (given: Given) => Promise<Told>, done?: (told: Told) => void) {
  const client = useQueryClient()
  return useMutation<Told, Problem, Given>({
    mutationFn: work,
    onSuccess: async (told) => {
      await client.invalidateQueries()
      done?.(told)
    },
  })
}

/** A list that comes in pages, as far as it was asked for. */
export function usePages<Item>(path: string, query: Query, items: (page: never) => Item[], refresh?: number) {
  const pages = useInfiniteQuery<{ next?: string }, Problem>({
    queryKey: [path, 'pages', query],
    queryFn: ({ pageParam, signal }) =>
      api.get<{ next?: string }>(path, { ...query, cursor: pageParam as string }, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    refetchInterval: refresh,
  })
  const all = (pages.data?.pages ?? []).flatMap((page) => items(page as never))
  return { ...pages, all }
}

export function MoreButton({ pages }: { pages: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  const t = useText()
  if (!pages.hasNextPage) return null
  return (
    <Group justify="center" mt="sm">
      <Button variant="default" size="xs" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
        {t('admin.more')}
      </Button>
    </Group>
  )
}

/** A form in a window: Enter sends it, what the server says is wrong stands in it. */
export function FormModal({ title, opened, onClose, onSubmit, submit, busy, error, disabled, children }: {
  title: string
  opened: boolean
  onClose: () => void
  onSubmit: () => void
  submit: string
  busy: boolean
  error: Problem | null
  disabled?: boolean
  children: ReactNode
}) {
  const t = useText()
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered lockScroll={false} closeButtonProps={{ 'aria-label': t('ui.cancel') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onSubmit()
        }}
      >
        <Stack gap="sm">
          {children}
          {error && <ProblemView error={error} />}
          <Group justify="flex-end" gap="xs" mt="xs">
            <Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button>
            <Button type="submit" loading={busy} disabled={disabled}>{submit}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

/** A secret that is shown this once. */
export function SecretModal({ title, secret, onClose }: { title: string; secret: string | null; onClose: () => void }) {
  const t = useText()
  return (
    <Modal opened={secret !== null} onClose={onClose} title={title} size="lg" centered lockScroll={false} closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('admin.noted') }}>
      <Stack gap="sm">
        <Alert color="orange" icon={<IconAlertTriangle size={18} />}>{t('admin.secret_once')}</Alert>
        <Code>{secret ?? ''}</Code>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t('admin.noted')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

/** A name to type before something is gone for good. */
export function DeleteButton({ name, question, children, onDelete, busy }: {
  name: string
  question: string
  children: ReactNode
  onDelete: () => void
  busy?: boolean
}) {
  const t = useText()
  const [opened, setOpened] = useState(false)
  const [typed, setTyped] = useState('')
  return (
    <>
      <Button color="red" variant="light" size="xs" onClick={() => setOpened(true)}>{children}</Button>
      <FormModal title={question} opened={opened} onClose={() => setOpened(false)} submit={t('admin.delete')} busy={Boolean(busy)}
        error={null} disabled={typed !== name}
        onSubmit={() => {
          setOpened(false)
          onDelete()
        }}>
        <Text size="sm">{t('admin.type_name', { name })}</Text>
        <TextInput aria-label={t('admin.name')} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} data-autofocus />
      </FormModal>
    </>
  )
}
