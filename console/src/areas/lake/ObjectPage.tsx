import { ActionIcon, Alert, Anchor, Badge, Box, Button, Card, Checkbox, CopyButton, Group, Modal, Select, SimpleGrid, Stack, Table, Text, TextInput, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconCopy, IconDownload, IconPencil, IconPlus, IconShare, IconTrash, IconX } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api, type Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, Code, ConfirmButton, EmptyState, Loading, Page, ProblemView, UrlTabs, useUrlState, When } from '../../ui'
import classes from './lake.module.css'
import { bucketApi, contentAddress, folderOf, lastPart, shown, stepsOf } from './names'
import { deleteObjects, useRefresh } from './Objects'
import { Preview } from './Preview'
import type { BucketDetail, ObjectDetail, StoredObject } from './types'

function useObjectRefresh(bucket: string) {
  const queries = useQueryClient()
  const others = useRefresh(bucket)
  return () => {
    for (const part of ['/object', '/versions', '/preview'])
      void queries.invalidateQueries({ queryKey: [bucketApi(bucket, part)] })
    others()
  }
}

const kLinkTimes = [3600, 24 * 3600, 7 * 24 * 3600]

function Share({ bucket, object, version, onClose }: { bucket: string; object: ObjectDetail; version: string; onClose: () => void }) {
  const t = useText()
  const [seconds, setSeconds] = useState(String(kLinkTimes[1]))
  const share = useMutation<{ url: string; expires_ms: number }, Problem>({
    mutationFn: () => api.post(bucketApi(bucket, '/share'), { key: object.key, ...(version ? { version } : {}), seconds: Number(seconds) }),
  })
  return (
    <Modal lockScroll={false} opened onClose={onClose} title={t('lake.share')} size="lg">
      <Stack>
        <Text size="sm" c="dimmed">{t('lake.share_hint')}</Text>
        <Group align="flex-end">
          <Select label={t('lake.link_time')} value={seconds} onChange={(value) => setSeconds(value ?? seconds)} allowDeselect={false}
            data={kLinkTimes.map((time) => ({ value: String(time), label: t(`lake.link_${time}`) }))} />
          <Button onClick={() => share.mutate()} loading={share.isPending}>{t('lake.make_link')}</Button>
        </Group>
        {share.isError && <ProblemView error={share.error} />}
        {share.data && (
          <>
            <Code>{share.data.url}</Code>
            <Text size="xs" c="dimmed">{t('lake.link_until')}{' '}<When ms={share.data.expires_ms} /></Text>
          </>
        )}
      </Stack>
    </Modal>
  )
}

function CopyTo({ bucket, object, version, move, onClose }: {
  bucket: string; object: ObjectDetail; version: string; move: boolean; onClose: () => void
}) {
  const t = useText()
  const navigate = useNavigate()
  const refresh = useObjectRefresh(bucket)
  const buckets = useApi<{ buckets: { name: string }[] }>('/api/v1/buckets', { limit: 10_000 })
  const [toBucket, setBucket] = useState(bucket)
  const [key, setKey] = useState(object.key)
  const [overwrite, setOverwrite] = useState(false)
  const copy = useMutation<StoredObject, Problem>({
    mutationFn: () => api.post(bucketApi(bucket, '/copy'), {
      key: object.key, ...(version ? { version } : {}), to_bucket: toBucket, to_key: key, overwrite, move,
    }),
    onSuccess: () => {
      refresh()
      notifications.show({ message: t(move ? 'lake.moved' : 'lake.copied_to', { key: shown(key) }) })
      onClose()
      void navigate({ to: `/lake/objects/${toBucket}`, search: { key } as never })
    },
  })
  return (
    <Modal lockScroll={false} opened onClose={onClose} title={t(move ? 'lake.rename' : 'lake.copy')} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); copy.mutate() }}>
        <Stack>
          <Select label={t('lake.bucket')} searchable allowDeselect={false} value={toBucket} onChange={(value) => setBucket(value ?? bucket)}
            data={buckets.data?.buckets.map((one) => one.name) ?? [bucket]} />
          <TextInput label={t('lake.key')} value={key} data-autofocus onChange={(event) => setKey(event.currentTarget.value)} />
          <Checkbox label={t('lake.overwrite')} checked={overwrite} onChange={(event) => setOverwrite(event.currentTarget.checked)} />
          {copy.isError && <ProblemView error={copy.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={copy.isPending} disabled={!key || (key === object.key && toBucket === bucket)}>
              {t(move ? 'lake.rename' : 'lake.copy')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

function Tags({ bucket, object, version, editable }: { bucket: string; object: ObjectDetail; version: string; editable: boolean }) {
  const t = useText()
  const refresh = useObjectRefresh(bucket)
  const [rows, setRows] = useState<{ name: string; value: string }[] | null>(null)
  const put = useMutation<ObjectDetail, Problem>({
    mutationFn: () => api.put(bucketApi(bucket, '/tags'), {
      key: object.key, ...(version ? { version } : {}),
      tags: Object.fromEntries(rows!.filter((row) => row.name).map((row) => [row.name, row.value])),
    }),
    onSuccess: () => {
      setRows(null)
      refresh()
    },
  })
  const entries = Object.entries(object.tags)
  const set = (index: number, values: Partial<{ name: string; value: string }>) =>
    setRows((before) => before!.map((row, at) => (at === index ? { ...row, ...values } : row)))
  return (
    <Card withBorder>
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} fz={15}>{t('lake.tags')}</Title>
          {editable && rows === null && (
            <Button size="xs" variant="default" leftSection={<IconPencil size={14} />}
              onClick={() => setRows(entries.length ? entries.map(([name, value]) => ({ name, value })) : [{ name: '', value: '' }])}>
              {t('lake.edit_tags')}
            </Button>
          )}
        </Group>
        {rows === null ? (
          entries.length === 0 ? <Text size="sm" c="dimmed">{t('lake.no_tags')}</Text>
            : <Group gap={6}>{entries.map(([name, value]) => <Badge key={name} variant="light" tt="none">{`${shown(name)}: ${shown(value)}`}</Badge>)}</Group>
        ) : (
          <>
            {rows.map((row, index) => (
              <Group key={index} gap="xs" wrap="nowrap">
                <TextInput size="xs" style={{ flex: 1 }} aria-label={t('lake.tag_name')} placeholder={t('lake.tag_name')} value={row.name}
                  maxLength={128} onChange={(event) => set(index, { name: event.currentTarget.value })} />
                <TextInput size="xs" style={{ flex: 1 }} aria-label={t('lake.tag_value')} placeholder={t('lake.tag_value')} value={row.value}
                  maxLength={256} onChange={(event) => set(index, { value: event.currentTarget.value })} />
                <ActionIcon variant="subtle" color="gray" aria-label={t('lake.remove_tag', { name: row.name })}
                  onClick={() => setRows(rows.filter((_, at) => at !== index))}><IconX size={14} /></ActionIcon>
              </Group>
            ))}
            {put.isError && <ProblemView error={put.error} />}
            <Group gap="xs">
              <Button size="xs" variant="light" leftSection={<IconPlus size={14} />} disabled={rows.length >= 10}
                onClick={() => setRows([...rows, { name: '', value: '' }])}>{t('lake.add_tag')}</Button>
              <Button size="xs" loading={put.isPending} onClick={() => put.mutate()}>{t('lake.save')}</Button>
              <Button size="xs" variant="default" onClick={() => setRows(null)}>{t('lake.cancel')}</Button>
            </Group>
          </>
        )}
      </Stack>
    </Card>
  )
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return <><dt>{title}</dt><dd>{children}</dd></>
}

function Details({ bucket, object, version, editable }: { bucket: string; object: ObjectDetail; version: string; editable: boolean }) {
  const t = useText()
  const headers = (['cache_control', 'content_disposition', 'content_encoding', 'content_language', 'expires'] as const)
    .filter((name) => object[name])
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card withBorder>
          <dl className={classes.facts} style={{ margin: 0 }}>
            <Fact title={t('lake.size')}><Bytes value={object.size} />{` (${t('lake.exact_bytes', { bytes: object.size })})`}</Fact>
            <Fact title={t('lake.type')}>{shown(object.content_type) || '–'}</Fact>
            <Fact title={t('lake.modified')}>{new Date(object.modified_ms).toISOString()}</Fact>
            <Fact title={t('lake.etag')}><Text span ff="monospace" fz="sm">{object.etag}</Text></Fact>
            <Fact title={t('lake.version')}><Text span ff="monospace" fz="sm">{object.version}</Text></Fact>
            <Fact title={t('lake.owner')}>{object.owner || '–'}</Fact>
          </dl>
        </Card>
        <Card withBorder>
          <dl className={classes.facts} style={{ margin: 0 }}>
            <Fact title={t('lake.storage_class')}>{object.storage_class}</Fact>
            <Fact title={t('lake.encryption')}>{t(`lake.encryption_${object.encryption}`)}</Fact>
            {object.parts > 0 && <Fact title={t('lake.parts')}>{object.parts}</Fact>}
            {Object.entries(object.checksums).map(([kind, value]) => (
              <Fact key={kind} title={kind}><Text span ff="monospace" fz="sm">{value}</Text></Fact>
            ))}
            {object.retention && (
              <Fact title={t('lake.retention')}>{`${object.retention.mode} · ${new Date(object.retention.until_ms).toISOString()}`}</Fact>
            )}
            {object.legal_hold && <Fact title={t('lake.legal_hold')}>{t('lake.on')}</Fact>}
            {headers.map((name) => <Fact key={name} title={name.replace('_', '-')}>{shown(object[name]!)}</Fact>)}
          </dl>
        </Card>
      </SimpleGrid>
      <Tags bucket={bucket} object={object} version={version} editable={editable} />
      <Card withBorder>
        <Stack gap="xs">
          <Title order={2} fz={15}>{t('lake.metadata')}</Title>
          {Object.keys(object.metadata).length === 0 ? <Text size="sm" c="dimmed">{t('lake.no_metadata')}</Text> : (
            <Table fz="sm">
              <Table.Tbody>
                {Object.entries(object.metadata).map(([name, value]) => (
                  <Table.Tr key={name}><Table.Td ff="monospace">{shown(name)}</Table.Td><Table.Td>{shown(value)}</Table.Td></Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
        </Stack>
      </Card>
    </Stack>
  )
}

function Versions({ bucket, objectKey, current, editable }: { bucket: string; objectKey: string; current: string; editable: boolean }) {
  const t = useText()
  const navigate = useNavigate()
  const refresh = useObjectRefresh(bucket)
  const [problem, setProblem] = useState<unknown>(null)
  const versions = useApi<{ versions: StoredObject[]; next?: string }>(bucketApi(bucket, '/versions'), { key: objectKey, limit: 1000 })
  const act = async (work: () => Promise<unknown>, done: string) => {
    setProblem(null)
    try {
      await work()
      notifications.show({ message: done })
      void navigate({ to: '.', search: ((before: object) => ({ ...before, version: undefined })) as never })
    } catch (error) {
      setProblem(error)
    }
    refresh()
  }
  if (versions.isPending) return <Loading />
  if (versions.isError) return <ProblemView error={versions.error} onRetry={() => void versions.refetch()} />
  return (
    <Stack gap="sm">
      {problem !== null && <ProblemView error={problem} />}
      <Table.ScrollContainer minWidth={620} type="native" tabIndex={0}>
        <Table fz="sm" aria-label={t('lake.versions')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('lake.version')}</Table.Th><Table.Th>{t('lake.modified')}</Table.Th><Table.Th ta="right">{t('lake.size')}</Table.Th><Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {versions.data.versions.map((one) => (
              <Table.Tr key={one.version} bg={one.version === current ? 'var(--mantine-color-default-hover)' : undefined} data-version={one.version}>
                <Table.Td>
                  <Group gap={6} wrap="nowrap">
                    {one.delete_marker ? <Text span ff="monospace" fz="xs">{one.version}</Text> : (
                      <Anchor component={Link} to={`/lake/objects/${bucket}`} ff="monospace" fz="xs"
                        search={{ key: objectKey, version: one.latest ? undefined : one.version } as never}>{one.version}</Anchor>
                    )}
                    {one.latest && <Badge size="xs" variant="light" tt="none">{t('lake.latest')}</Badge>}
                    {one.delete_marker && <Badge size="xs" color="red" variant="light" tt="none">{t('lake.deleted_mark')}</Badge>}
                  </Group>
                </Table.Td>
                <Table.Td><When ms={one.modified_ms} /></Table.Td>
                <Table.Td ta="right">{one.delete_marker ? '' : <Bytes value={one.size} />}</Table.Td>
                <Table.Td>
                  <Group gap={6} justify="flex-end" wrap="nowrap">
                    {!one.delete_marker && (
                      <Button size="compact-xs" variant="default" component="a" download href={contentAddress(bucket, objectKey, one.version)}>{t('lake.download')}</Button>
                    )}
                    {editable && !one.delete_marker && !one.latest && (
                      <Button size="compact-xs" variant="light"
                        onClick={() => void act(() => api.post(bucketApi(bucket, '/restore'), { key: objectKey, version: one.version }), t('lake.restored'))}>
                        {t('lake.restore')}
                      </Button>
                    )}
                    {editable && (
                      <ConfirmButton size="compact-xs" variant="subtle" color="red" confirm={t('lake.delete')} question={t('lake.delete_version_question')}
                        onConfirm={() => void act(() => deleteObjects(bucket, { keys: [{ key: objectKey, version: one.version }] })
                          .then((done) => { if (done.failed) throw new Error(done.errors[0]?.message) }), t('lake.version_deleted'))}>
                        {t('lake.delete')}
                      </ConfirmButton>
                    )}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {versions.data.next && <Text size="xs" c="dimmed">{t('lake.first_versions', { count: versions.data.versions.length })}</Text>}
    </Stack>
  )
}

function Actions({ bucket, object, version, detail }: { bucket: string; object: ObjectDetail; version: string; detail?: BucketDetail }) {
  const t = useText()
  const navigate = useNavigate()
  const refresh = useObjectRefresh(bucket)
  const [open, setOpen] = useState<'share' | 'copy' | 'move' | null>(null)
  const versioned = detail?.versioning === 'enabled'
  const remove = useMutation<unknown, Problem>({
    mutationFn: () => deleteObjects(bucket, { keys: [{ key: object.key, ...(version ? { version } : {}) }] })
      .then((done) => { if (done.failed) throw new Error(done.errors[0]?.message) }),
    onSuccess: () => {
      refresh()
      void navigate({ to: `/lake/buckets/${bucket}`, search: { prefix: folderOf(object.key) || undefined } as never })
    },
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
  })
  const close = () => setOpen(null)
  return (
    <>
      <Button size="xs" component="a" download href={contentAddress(bucket, object.key, version || undefined)} leftSection={<IconDownload size={15} />}>{t('lake.download')}</Button>
      <Button size="xs" variant="default" leftSection={<IconShare size={15} />} onClick={() => setOpen('share')}>{t('lake.share')}</Button>
      {detail?.may_write && (
        <>
          <Button size="xs" variant="default" leftSection={<IconCopy size={15} />} onClick={() => setOpen('copy')}>{t('lake.copy')}</Button>
          {!version && <Button size="xs" variant="default" leftSection={<IconPencil size={15} />} onClick={() => setOpen('move')}>{t('lake.rename')}</Button>}
          <ConfirmButton size="xs" variant="light" color="red" leftSection={<IconTrash size={15} />} confirm={t('lake.delete')}
            question={t(version ? 'lake.delete_version_question' : versioned ? 'lake.delete_object_question' : 'lake.delete_for_good_question', { count: 1 })}
            onConfirm={() => remove.mutate()}>{t('lake.delete')}</ConfirmButton>
        </>
      )}
      {open === 'share' && <Share bucket={bucket} object={object} version={version} onClose={close} />}
      {(open === 'copy' || open === 'move') && <CopyTo bucket={bucket} object={object} version={version} move={open === 'move'} onClose={close} />}
    </>
  )
}

export default function ObjectPage() {
  const t = useText()
  const { bucket } = useParams({ strict: false }) as { bucket: string }
  const [key] = useUrlState('key')
  const [version, setVersion] = useUrlState('version')
  const detail = useApi<BucketDetail>(bucketApi(bucket))
  const object = useApi<ObjectDetail>(bucketApi(bucket, '/object'), { key, version }, { enabled: key !== '' })
  const editable = detail.data?.may_write ?? false
  const versions = { key: 'versions', label: t('lake.versions'), content: () => (
    <Versions bucket={bucket} objectKey={key} current={version || (object.data?.version ?? '')} editable={editable} />
  ) }
  const gone = object.isError && object.error.status === 404
  return (
    <Page title={shown(lastPart(key)) || bucket}
      crumbs={[{ title: t('lake.title'), to: '/lake' }, { title: bucket, to: `/lake/buckets/${bucket}` }]}
      subtitle={object.data && (
        <Group gap={6}>
          {folderOf(key) && (
            <Text span fz="inherit" className={classes.name}>
              {stepsOf(folderOf(key)).map((step) => (
                <Anchor key={step.prefix} component={Link} to={`/lake/buckets/${bucket}`} search={{ prefix: step.prefix } as never} fz="inherit">
                  {`${shown(step.name)}/`}
                </Anchor>
              ))}
            </Text>
          )}
          <span><Bytes value={object.data.size} />{' · '}<When ms={object.data.modified_ms} /></span>
          <CopyButton value={`s3://${bucket}/${key}`}>
            {({ copied, copy }) => <Button size="compact-xs" variant="subtle" onClick={copy}>{t(copied ? 'lake.copied' : 'lake.copy_address')}</Button>}
          </CopyButton>
        </Group>
      )}
      actions={object.data && <Actions bucket={bucket} object={object.data} version={version} detail={detail.data} />}>
      {version && (
        <Alert variant="light" color="orange">
          <Group justify="space-between">
            <Text size="sm">{t('lake.old_version', { version })}</Text>
            <Button size="compact-xs" variant="default" onClick={() => setVersion('')}>{t('lake.to_latest')}</Button>
          </Group>
        </Alert>
      )}
      {key === '' ? <EmptyState title={t('lake.no_key')} /> : object.isPending ? <Loading />
        : gone ? (
            <Stack>
              <EmptyState title={t('lake.gone')} hint={t('lake.gone_hint')} />
              {detail.data && detail.data.versioning !== 'never' && <Box>{versions.content()}</Box>}
            </Stack>
          )
          : object.isError ? <ProblemView error={object.error} onRetry={() => void object.refetch()} /> : (
              <UrlTabs tabs={[
                { key: 'preview', label: t('lake.preview'), content: () => <Preview bucket={bucket} object={object.data} version={version} /> },
                { key: 'details', label: t('lake.details'), content: () => <Details key={object.data.version} bucket={bucket} object={object.data} version={version} editable={editable} /> },
                ...(detail.data?.versioning !== 'never' ? [versions] : []),
              ]} />
            )}
    </Page>
  )
}
