import { Alert, Group, SegmentedControl, Stack, Text } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { type Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Code, EmptyState, Loading, Markdown, ProblemView, useUrlState } from '../../ui'
import {
  avroSchema, firstBytes, formatIn, hexDump, kMostRead, kMostText, pictureType, shapeOf, textIn,
} from './content'
import classes from './lake.module.css'
import { bucketApi } from './names'
import { type Cell, type Output, parseNotebook } from './notebook'
import { Rows } from './Rows'
import type { ObjectDetail, Previewed } from './types'

interface Props {
  bucket: string
  object: ObjectDetail
  /** '' for the latest. */
  version: string
}

function useBytes({ bucket, object, version }: Props, most: number) {
  return useQuery<Uint8Array, Problem>({
    queryKey: ['lake-bytes', bucket, object.key, object.version, object.etag, most],
    queryFn: ({ signal }) => firstBytes(bucket, object.key, version || undefined, object.size, most, signal),
    staleTime: Infinity,
    gcTime: 60_000,
  })
}

function useBlobAddress(bytes: Uint8Array | undefined, type: string | null): string | null {
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (!bytes || !type) return
    const made = URL.createObjectURL(new Blob([bytes as BlobPart], { type }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [bytes, type])
  return url
}

function Note({ children }: { children: string }) {
  return (
    <Group gap={6} c="dimmed" wrap="nowrap">
      <IconInfoCircle size={15} />
      <Text size="xs">{children}</Text>
    </Group>
  )
}

function Picture({ bytes, name }: { bytes: Uint8Array; name: string }) {
  const url = useBlobAddress(bytes, pictureType(bytes))
  return url ? <img src={url} alt={name} className={classes.picture} /> : <Loading />
}

function Binary({ bytes, size }: { bytes: Uint8Array; size: number }) {
  const t = useText()
  const format = formatIn(bytes)
  const schema = format === 'Apache Avro' ? avroSchema(bytes) : null
  return (
    <Stack gap="xs">
      <Note>{t('lake.binary', { format: format ?? t('lake.unknown_format') })}</Note>
      {schema && (
        <>
          <Text size="sm" fw={600}>{t('lake.avro_schema')}</Text>
          <Code>{schema}</Code>
        </>
      )}
      <Code>{hexDump(bytes.subarray(0, 4096))}</Code>
      {size > 4096 && <Note>{t('lake.first_bytes', { bytes: 4096 })}</Note>}
    </Stack>
  )
}

function Plain({ text, cut }: { text: string; cut: boolean }) {
  const t = useText()
  return (
    <Stack gap="xs">
      <Code maxHeight={640}>{text}</Code>
      {cut && <Note>{t('lake.first_bytes', { bytes: kMostText })}</Note>}
    </Stack>
  )
}

function CellOutput({ output }: { output: Output }) {
  const t = useText()
  const bytes = output.kind === 'picture' ? output.bytes : undefined
  const url = useBlobAddress(bytes, bytes ? pictureType(bytes) : null)
  if (output.kind === 'picture') return url ? <img src={url} alt={t('lake.output')} className={classes.picture} /> : null
  if (output.kind === 'hidden') return <Note>{t('lake.output_hidden', { type: output.type })}</Note>
  return <pre className={`${classes.output} ${output.error ? classes.failed : ''}`}>{output.text}</pre>
}

function NotebookCell({ cell }: { cell: Cell }) {
  if (cell.kind === 'markdown') return <Markdown>{cell.source}</Markdown>
  return (
    <Stack gap={4}>
      {cell.source && (
        <Group gap="xs" align="flex-start" wrap="nowrap">
          <Text size="xs" c="dimmed" w={34} ff="monospace" pt={10}>{`[${cell.count ?? ' '}]`}</Text>
          <div style={{ minWidth: 0, flex: 1 }}>
            <Code>{cell.source}</Code>
          </div>
        </Group>
      )}
      {cell.outputs.map((output, index) => <CellOutput key={index} output={output} />)}
    </Stack>
  )
}

function NotebookView({ text }: { text: string }) {
  const t = useText()
  try {
    const notebook = parseNotebook(text)
    return (
      <Stack gap="md" maw={980} data-testid="notebook">
        {notebook.cells.map((cell, index) => <NotebookCell key={index} cell={cell} />)}
      </Stack>
    )
  } catch {
    return (
      <Stack>
        <Alert color="orange" variant="light">{t('lake.no_notebook')}</Alert>
        <Plain text={text} cut={false} />
      </Stack>
    )
  }
}

/** Text, pictures, notebooks: what the browser alone can show. */
function BytesView(props: Props) {
  const t = useText()
  const { object } = props
  const shape = shapeOf(object.key)
  const most = shape === 'picture' || shape === 'notebook' ? kMostRead : kMostText
  const bytes = useBytes(props, most)
  if (object.size === 0) return <EmptyState title={t('lake.empty_object')} />
  if (bytes.isPending) return <Loading />
  if (bytes.isError) return <ProblemView error={bytes.error} onRetry={() => void bytes.refetch()} />
  const whole = object.size <= most
  if (pictureType(bytes.data)) {
    if (whole) return <Picture bytes={bytes.data} name={object.key} />
    return <Binary bytes={bytes.data} size={object.size} />
  }
  const text = textIn(bytes.data, whole)
  if (text === null) return <Binary bytes={bytes.data} size={object.size} />
  if (shape === 'notebook' && whole) return <NotebookView text={text} />
  if (shape === 'markdown') return <TwoViews rendered={<Markdown>{text}</Markdown>} text={<Plain text={text} cut={!whole} />} />
  return <Plain text={text} cut={!whole} />
}

function TwoViews({ rendered, text }: { rendered: React.ReactNode; text: React.ReactNode }) {
  const t = useText()
  const [view, setView] = useUrlState('view', 'shown')
  return (
    <Stack gap="sm">
      <SegmentedControl size="xs" value={view} onChange={setView} style={{ alignSelf: 'flex-start' }}
        data={[{ value: 'shown', label: t('lake.rendered') }, { value: 'text', label: t('lake.as_text') }]} />
      {view === 'text' ? text : rendered}
    </Stack>
  )
}

function RowsView(props: Props) {
  const t = useText()
  const { bucket, object, version } = props
  const [view, setView] = useUrlState('view', 'rows')
  const found = useApi<Previewed>(bucketApi(bucket, '/preview'), { key: object.key, version }, {
    enabled: view === 'rows', staleTime: Infinity, retry: false,
  })
  const parquet = /\.parq(uet)?$/i.test(object.key)
  const none = found.isError && found.error.status === 422
  return (
    <Stack gap="sm">
      <SegmentedControl size="xs" value={view} onChange={setView} style={{ alignSelf: 'flex-start' }}
        data={[{ value: 'rows', label: t('lake.as_rows') },
          { value: 'text', label: t(parquet ? 'lake.as_bytes' : 'lake.as_text') }]} />
      {view === 'text' || none ? (
        <>
          {none && view === 'rows' && <Note>{found.error!.detail}</Note>}
          <BytesView {...props} />
        </>
      ) : found.isPending ? <Loading /> : found.isError ? <ProblemView error={found.error} onRetry={() => void found.refetch()} /> : (
        <>
          <Group gap="md">
            <Text size="sm" c="dimmed">
              {t('lake.preview_facts', { format: found.data.format, columns: found.data.columns.length, rows: found.data.rows.length })}
            </Text>
            {found.data.more && <Note>{t('lake.more_rows')}</Note>}
            {found.data.beginning_only && <Note>{t('lake.beginning_only')}</Note>}
          </Group>
          <Rows columns={found.data.columns} rows={found.data.rows} label={t('lake.preview')} />
        </>
      )}
    </Stack>
  )
}

/** What is in an object, as far as it can be shown without running anything of it. */
export function Preview(props: Props) {
  const t = useText()
  if (props.object.encryption === 'customer')
    return <EmptyState title={t('lake.customer_key')} hint={t('lake.customer_key_hint')} />
  if (props.object.size > 0 && shapeOf(props.object.key) === 'rows') return <RowsView {...props} />
  return <BytesView {...props} />
}
