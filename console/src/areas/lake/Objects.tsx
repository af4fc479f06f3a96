import {
  ActionIcon, Alert, Anchor, Badge, Box, Breadcrumbs, Button, Checkbox, FileButton, Group, Menu, Modal, Progress, Stack,
  Switch, Text, TextInput, Tooltip,
} from '@mantine/core'
import { notifications } from '@mantine/notifications'
import {
  IconDotsVertical, IconDownload, IconFile, IconFolder, IconFolderPlus, IconFolderUp, IconRefresh, IconTrash, IconUpload,
} from '@tabler/icons-react'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type DragEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { api, ask, lines, Problem } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, ConfirmButton, type DataColumn, DataTable, EmptyState, Loading, ProblemView, useUrlState, When } from '../../ui'
import classes from './lake.module.css'
import { bucketApi, contentAddress, lastPart, shown, stepsOf } from './names'
import type { BucketDetail, Listing, StoredObject } from './types'
import { chosenFiles, droppedFiles, onUploadsEnd, upload } from './uploads'
import { Uploads } from './Uploads'

/** A folder or an object of the list; `id` tells versions of one key apart. */
interface Item {
  id: string
  name: string
  prefix?: string
  object?: StoredObject
}

function itemsOf(pages: Listing[], prefix: string): Item[] {
  const items = pages.flatMap((page) => [
    ...page.prefixes.map((one): Item => ({ id: `p:${one}`, name: one.slice(prefix.length), prefix: one })),
    ...page.objects.map((object): Item => ({
      id: `o:${object.version}:${object.key}`, name: object.key.slice(prefix.length) || lastPart(object.key), object,
    })),
  ])
  return items.sort((a, b) => Number(Boolean(b.prefix)) - Number(Boolean(a.prefix)))
}

export function useRefresh(bucket: string) {
  const queries = useQueryClient()
  return () => {
    void queries.invalidateQueries({ queryKey: ['lake-objects', bucket] })
    void queries.invalidateQueries({ queryKey: [bucketApi(bucket)] })
    void queries.invalidateQueries({ queryKey: ['/api/v1/buckets'] })
  }
}

export interface Deletion {
  deleted: number
  failed: number
  errors: { key: string; message: string }[]
}

/** Deletes keys and folders; `tell` hears how many are gone. */
export async function deleteObjects(
  bucket: string, what: { keys?: { key: string; version?: string }[]; prefixes?: string[]; for_good?: boolean },
  tell?: (deleted: number) => void,
): Promise<Deletion> {
  let done: Deletion = { deleted: 0, failed: 0, errors: [] }
  const answer = await ask('POST', bucketApi(bucket, '/delete'), what)
  await lines<Record<string, unknown>>(answer, (line) => {
    if (typeof line.progress === 'number') tell?.(line.progress)
    else if ('deleted' in line) done = line as unknown as Deletion
    else throw new Problem(500, (line.error as Record<string, unknown>) ?? line)
  })
  return done
}

function Trail({ bucket, prefix }: { bucket: string; prefix: string }) {
  const to = (one: string) => ({ to: `/lake/buckets/${bucket}`, search: { prefix: one || undefined } as never })
  return (
    <Breadcrumbs separatorMargin={4} style={{ flexWrap: 'wrap' }}>
      <Anchor component={Link} {...to('')} size="sm" fw={600}>{bucket}</Anchor>
      {stepsOf(prefix).map((step) => (
        <Anchor key={step.prefix} component={Link} {...to(step.prefix)} size="sm" className={classes.name}>
          {shown(step.name) || '/'}
        </Anchor>
      ))}
    </Breadcrumbs>
  )
}

function NewFolder({ bucket, prefix, onClose }: { bucket: string; prefix: string; onClose: () => void }) {
  const t = useText()
  const refresh = useRefresh(bucket)
  const [name, setName] = useState('')
  const [problem, setProblem] = useState<unknown>(null)
  const make = async () => {
    try {
      await ask('PUT', `${bucketApi(bucket, '/content')}?key=${encodeURIComponent(`${prefix}${name.replace(/\/+$/, '')}/`)}`, '')
      refresh()
      onClose()
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <Modal lockScroll={false} opened onClose={onClose} title={t('lake.new_folder')}>
      <form onSubmit={(event) => { event.preventDefault(); void make() }}>
        <Stack>
          <TextInput label={t('lake.name')} value={name} data-autofocus required onChange={(event) => setName(event.currentTarget.value)} />
          {problem !== null && <ProblemView error={problem} />}
          <Group justify="flex-end"><Button type="submit" disabled={!name}>{t('lake.create')}</Button></Group>
        </Stack>
      </form>
    </Modal>
  )
}

/** Takes files and folders that are dropped on it. */
function DropZone({ children, onFiles, disabled }: { children: ReactNode; onFiles: (data: DataTransfer) => void; disabled: boolean }) {
  const [over, setOver] = useState(0)
  const files = (event: DragEvent) => !disabled && [...event.dataTransfer.types].includes('Files')
  return (
    <Box className={`${classes.drop} ${over > 0 ? classes.dropping : ''}`} data-testid="drop"
      onDragEnter={(event) => { if (files(event)) { event.preventDefault(); setOver((depth) => depth + 1) } }}
      onDragOver={(event) => { if (files(event)) { event.preventDefault(); event.dataTransfer.dropEffect = 'copy' } }}
      onDragLeave={(event) => { if (files(event)) setOver((depth) => Math.max(0, depth - 1)) }}
      onDrop={(event) => {
        if (!files(event)) return
        event.preventDefault()
        setOver(0)
        onFiles(event.dataTransfer)
      }}>
      {children}
    </Box>
  )
}

function FolderButton({ onFiles }: { onFiles: (files: FileList | null) => void }) {
  const t = useText()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.setAttribute('webkitdirectory', ''), [])
  return (
    <>
      <input ref={input} type="file" multiple hidden aria-label={t('lake.upload_folder')} data-testid="folder-input"
        onChange={(event) => { onFiles(event.currentTarget.files); event.currentTarget.value = '' }} />
      <Button size="xs" variant="default" leftSection={<IconFolderUp size={15} />} onClick={() => input.current?.click()}>
        {t('lake.upload_folder')}
      </Button>
    </>
  )
}

export function Objects({ bucket }: { bucket: BucketDetail }) {
  const t = useText()
  const navigate = useNavigate()
  const [prefix] = useUrlState('prefix')
  const [versions, setVersions] = useUrlState('versions')
  const [chosen, setChosen] = useState<Set<string>>(new Set())
  const [folder, setFolder] = useState(false)
  const [forGood, setForGood] = useState(false)
  const [deleting, setDeleting] = useState<number | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const refresh = useRefresh(bucket.name)
  const versioned = bucket.versioning !== 'never'
  const listing = useInfiniteQuery<Listing, Problem>({
    queryKey: ['lake-objects', bucket.name, prefix, versions],
    queryFn: ({ pageParam, signal }) => api.get<Listing>(bucketApi(bucket.name, '/objects'), {
      prefix, versions: versions || undefined, limit: 1000, cursor: pageParam as string,
    }, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  })
  useEffect(() => setChosen(new Set()), [prefix, versions, bucket.name])
  useEffect(() => onUploadsEnd((name) => { if (name === bucket.name) refresh() }))
  const items = useMemo(() => itemsOf(listing.data?.pages ?? [], prefix), [listing.data, prefix])

  const send = (files: { file: File; path: string }[]) => upload(bucket.name, prefix, files)
  const open = (item: Item) => {
    if (item.prefix !== undefined) return void navigate({ to: `/lake/buckets/${bucket.name}`, search: { prefix: item.prefix, versions: versions || undefined } as never })
    const { key, version, latest } = item.object!
    void navigate({ to: `/lake/objects/${bucket.name}`, search: { key, version: latest ? undefined : version } as never })
  }
  const remove = async (gone: Item[]) => {
    setProblem(null)
    setDeleting(0)
    try {
      const done = await deleteObjects(bucket.name, {
        keys: gone.flatMap(({ object }) => object ? [{ key: object.key, ...(versions ? { version: object.version } : {}) }] : []),
        prefixes: gone.flatMap((item) => item.prefix ?? []),
        for_good: forGood && !versions,
      }, setDeleting)
      if (done.failed) setProblem(new Problem(403, { code: 'PERMISSION_DENIED', detail: t('lake.not_deleted', { count: done.failed }), errors: done.errors, hint: done.errors[0]?.message }))
      notifications.show({ message: t('lake.deleted', { count: done.deleted }) })
      setChosen(new Set())
    } catch (error) {
      setProblem(error)
    }
    setDeleting(null)
    refresh()
  }
  const choose = (id: string, on: boolean) => setChosen((before) => {
    const next = new Set(before)
    if (on) next.add(id)
    else next.delete(id)
    return next
  })
  const selected = items.filter((item) => chosen.has(item.id))

  const columns: DataColumn<Item>[] = [
    ...(bucket.may_write ? [{
      key: 'chosen', title: '', sort: false, width: '40px', value: () => '',
      render: (item: Item) => (
        <Checkbox size="xs" aria-label={t('lake.choose', { name: shown(item.name) })} checked={chosen.has(item.id)}
          onClick={(event) => event.stopPropagation()} onChange={(event) => choose(item.id, event.currentTarget.checked)} />
      ),
    }] : []),
    { key: 'name', title: t('lake.name'), width: 'minmax(180px, 3fr)', value: (item) => item.name,
      render: (item) => (
        <Group gap={8} wrap="nowrap">
          {item.prefix !== undefined ? <IconFolder size={16} style={{ flexShrink: 0 }} /> : <IconFile size={16} style={{ flexShrink: 0 }} />}
          <Anchor component="button" type="button" fz="sm" ta="left" className={classes.name}
            td={item.object?.delete_marker ? 'line-through' : undefined}
            onClick={(event) => { event.stopPropagation(); open(item) }}>{shown(item.name)}</Anchor>
          {item.object?.delete_marker && <Badge size="xs" color="red" variant="light" tt="none">{t('lake.deleted_mark')}</Badge>}
          {versions && item.object?.latest && !item.object.delete_marker && <Badge size="xs" variant="light" tt="none">{t('lake.latest')}</Badge>}
        </Group>
      ) },
    { key: 'size', title: t('lake.size'), align: 'right', width: '100px', value: (item) => item.object?.size ?? -1,
      render: (item) => item.object && !item.object.delete_marker ? <Bytes value={item.object.size} /> : '' },
    { key: 'modified', title: t('lake.modified'), width: '150px', value: (item) => item.object?.modified_ms ?? 0,
      render: (item) => item.object ? <When ms={item.object.modified_ms} /> : '' },
    ...(versions ? [{ key: 'version', title: t('lake.version'), width: '180px', value: (item: Item) => item.object?.version ?? '' }] : []),
    { key: 'do', title: '', sort: false, width: '48px', value: () => '',
      render: (item) => item.object && !item.object.delete_marker ? (
        <Box onClick={(event) => event.stopPropagation()}>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t('lake.actions_of', { name: shown(item.name) })}>
                <IconDotsVertical size={15} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component="a" download leftSection={<IconDownload size={15} />}
                href={contentAddress(bucket.name, item.object.key, item.object.latest ? undefined : item.object.version)}>
                {t('lake.download')}
              </Menu.Item>
              <Menu.Item leftSection={<IconFile size={15} />} onClick={() => open(item)}>{t('lake.open')}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Box>
      ) : null },
  ]

  return (
    <DropZone disabled={!bucket.may_write} onFiles={(data) => void droppedFiles(data).then(send)}>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Trail bucket={bucket.name} prefix={prefix} />
          <Group gap="xs">
            {versioned && (
              <Switch size="xs" label={t('lake.show_versions')} checked={versions === '1'} onChange={(event) => setVersions(event.currentTarget.checked ? '1' : '')} />
            )}
            {bucket.may_write && (
              <>
                <Button size="xs" variant="default" leftSection={<IconFolderPlus size={15} />} onClick={() => setFolder(true)}>{t('lake.new_folder')}</Button>
                <FolderButton onFiles={(files) => send(chosenFiles(files))} />
                <FileButton multiple onChange={(files) => send(files.map((file) => ({ file, path: file.name })))} inputProps={{ 'aria-label': t('lake.upload') }}>
                  {(props) => <Button {...props} size="xs" leftSection={<IconUpload size={15} />}>{t('lake.upload')}</Button>}
                </FileButton>
              </>
            )}
            <Tooltip label={t('lake.refresh')}>
              <ActionIcon variant="default" size={30} aria-label={t('lake.refresh')} onClick={refresh}><IconRefresh size={16} /></ActionIcon>
            </Tooltip>
          </Group>
        </Group>
        <Uploads bucket={bucket.name} />
        {problem !== null && <ProblemView error={problem} />}
        {deleting !== null && (
          <Alert variant="light"><Stack gap={6}><Text size="sm">{t('lake.deleting', { count: deleting })}</Text><Progress value={100} animated /></Stack></Alert>
        )}
        {selected.length > 0 && (
          <Group gap="sm">
            <Text size="sm">{t('lake.chosen', { count: selected.length })}</Text>
            {versioned && !versions && (
              <Checkbox size="xs" label={t('lake.for_good')} checked={forGood} onChange={(event) => setForGood(event.currentTarget.checked)} />
            )}
            <ConfirmButton size="xs" color="red" variant="light" leftSection={<IconTrash size={15} />} confirm={t('lake.delete')}
              question={t(versions || forGood || !versioned ? 'lake.delete_for_good_question' : 'lake.delete_question', { count: selected.length })}
              onConfirm={() => void remove(selected)}>{t('lake.delete')}</ConfirmButton>
            <Button size="xs" variant="subtle" onClick={() => setChosen(new Set())}>{t('lake.choose_none')}</Button>
          </Group>
        )}
        {listing.isPending ? <Loading /> : listing.isError ? <ProblemView error={listing.error} onRetry={() => void listing.refetch()} /> : (
          <DataTable rows={items} columns={columns} rowKey={(item) => item.id} onRow={open} label={t('lake.objects')}
            toolbar={bucket.may_write && items.length > 0 && (
              <Checkbox size="xs" label={t('lake.choose_all')} checked={selected.length === items.length}
                indeterminate={selected.length > 0 && selected.length < items.length}
                onChange={(event) => setChosen(event.currentTarget.checked ? new Set(items.map((item) => item.id)) : new Set())} />
            )}
            empty={<EmptyState icon={<IconUpload size={24} />} title={t(prefix ? 'lake.empty_folder' : 'lake.empty_bucket')}
              hint={bucket.may_write ? t('lake.drop_hint') : undefined} />} />
        )}
        {listing.hasNextPage && (
          <Group justify="center">
            <Button size="xs" variant="default" loading={listing.isFetchingNextPage} onClick={() => void listing.fetchNextPage()}>
              {t('lake.more', { count: items.length })}
            </Button>
          </Group>
        )}
      </Stack>
      {folder && <NewFolder bucket={bucket.name} prefix={prefix} onClose={() => setFolder(false)} />}
    </DropZone>
  )
}
