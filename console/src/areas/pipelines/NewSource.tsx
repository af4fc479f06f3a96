import {
  ActionIcon, Alert, Button, Checkbox, Group, Loader, Paper, SegmentedControl, Select, SimpleGrid, Stack, Stepper, Table, Text, TextInput,
  UnstyledButton,
} from '@mantine/core'
import { IconDatabase, IconFiles, IconPlus, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Problem, useApi } from '../../api/client'
import { hasText, useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Count, EmptyState, Loading, Page, ProblemView } from '../../ui'
import { CodeEditor } from '../../ui/CodeEditor'
import { sourcePage } from './parts'
import { type Schema, SchemaForm, type Values } from './SchemaForm'
import { kTemplates } from './templates'
import type { SourceStream } from './types'
import { toYaml } from './yaml'

interface Kind {
  kind: string
  description: string
  schema: Schema
}
interface FileTable {
  name: string
  path: string
  mode: string
}
interface Taken {
  mode: string
  cursor?: string
}

const kIcons: Record<string, typeof IconFiles> = { files: IconFiles, postgresql: IconDatabase }
const kName = /^[a-z][a-z0-9_]{0,62}$/

/** Tables of a source of files: each a name and the files that make it. */
function FileTables({ tables, onChange }: { tables: FileTable[]; onChange: (tables: FileTable[]) => void }) {
  const t = useText()
  const set = (index: number, change: Partial<FileTable>) =>
    onChange(tables.map((table, at) => (at === index ? { ...table, ...change } : table)))
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>{t('pipelines.wizard.tables')}</Text>
      <Text size="xs" c="dimmed">{t('pipelines.wizard.path.hint')}</Text>
      {tables.map((table, index) => (
        <Group key={index} align="flex-end" gap="xs">
          <TextInput label={t('pipelines.table')} value={table.name} w={{ base: '100%', sm: 190 }}
            error={table.name && !kName.test(table.name) ? t('pipelines.wizard.name.rule') : undefined}
            onChange={(event) => set(index, { name: event.currentTarget.value })} />
          <TextInput label={t('pipelines.field.path')} value={table.path} flex={1} miw={180}
            onChange={(event) => set(index, { path: event.currentTarget.value })} />
          <Select label={t('pipelines.mode')} value={table.mode} w={170} allowDeselect={false}
            data={[{ value: 'full_refresh', label: t('pipelines.mode.full_refresh') },
              { value: 'incremental', label: t('pipelines.mode.incremental') }]}
            onChange={(mode) => set(index, { mode: mode ?? 'full_refresh' })} />
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('pipelines.wizard.remove_table', { name: table.name })}
            disabled={tables.length === 1} onClick={() => onChange(tables.filter((_, at) => at !== index))}>
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Group>
        <Button size="compact-sm" variant="light" leftSection={<IconPlus size={14} />}
          onClick={() => onChange([...tables, { name: '', path: '', mode: 'full_refresh' }])}>
          {t('pipelines.wizard.add_table')}
        </Button>
      </Group>
    </Stack>
  )
}

/** What a source has: chosen by box, each with how it is taken. */
function Streams({ streams, taken, onChange, fixed, changes }: {
  streams: SourceStream[]
  taken: Record<string, Taken>
  onChange: (taken: Record<string, Taken>) => void
  fixed: boolean
  changes: boolean  // its log can be followed
}) {
  const t = useText()
  const all = streams.every((stream) => taken[stream.name])
  const toggle = (stream: SourceStream) => {
    const next = { ...taken }
    if (next[stream.name]) delete next[stream.name]
    else next[stream.name] = { mode: 'full_refresh' }
    onChange(next)
  }
  return (
    <Table.ScrollContainer minWidth={640} type="native" tabIndex={0}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={40}>
              {!fixed && (
                <Checkbox checked={all} aria-label={t('pipelines.wizard.all')}
                  onChange={() => onChange(all ? {} : Object.fromEntries(streams.map((one) => [one.name, taken[one.name] ?? { mode: 'full_refresh' }])))} />
              )}
            </Table.Th>
            <Table.Th>{t('pipelines.stream')}</Table.Th>
            <Table.Th>{t('pipelines.columns')}</Table.Th>
            <Table.Th>{t('pipelines.rows')}</Table.Th>
            {!fixed && <Table.Th>{t('pipelines.mode')}</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {streams.map((stream) => (
            <Table.Tr key={stream.name} data-stream={stream.name}>
              <Table.Td>
                <Checkbox checked={Boolean(taken[stream.name])} disabled={fixed} onChange={() => toggle(stream)}
                  aria-label={t('pipelines.wizard.take', { name: stream.name })} />
              </Table.Td>
              <Table.Td>
                <Text size="sm" fw={600}>{stream.name}</Text>
                <Text size="xs" c="dimmed">{[stream.origin, ...stream.notes].join(' · ')}</Text>
              </Table.Td>
              <Table.Td maw={360}>
                <Text size="xs" lineClamp={2} title={stream.columns.map((one) => `${one.name} ${one.type}`).join('\n')}>
                  {stream.columns.map((one) => `${one.name} ${one.type}`).join(', ')}
                </Text>
              </Table.Td>
              <Table.Td>{stream.estimated_rows >= 0 ? <Count value={Math.round(stream.estimated_rows)} /> : '–'}</Table.Td>
              {!fixed && (
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    <Select size="xs" w={150} aria-label={t('pipelines.wizard.mode_of', { name: stream.name })} allowDeselect={false}
                      disabled={!taken[stream.name]} value={taken[stream.name]?.mode ?? 'full_refresh'}
                      data={[{ value: 'full_refresh', label: t('pipelines.mode.full_refresh') },
                        ...(stream.cursors.length ? [{ value: 'incremental', label: t('pipelines.mode.incremental') }] : []),
                        ...(changes && stream.key.length ? [{ value: 'cdc', label: t('pipelines.mode.cdc') }] : [])]}
                      onChange={(mode) => onChange({ ...taken, [stream.name]: mode === 'incremental' ? { mode, cursor: stream.cursors[0] } : { mode: mode ?? 'full_refresh' } })} />
                    {taken[stream.name]?.mode === 'incremental' && (
                      <Select size="xs" w={150} aria-label={t('pipelines.wizard.cursor_of', { name: stream.name })} allowDeselect={false}
                        value={taken[stream.name].cursor} data={stream.cursors}
                        onChange={(cursor) => onChange({ ...taken, [stream.name]: { mode: 'incremental', cursor: cursor ?? undefined } })} />
                    )}
                  </Group>
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** Sets a source up: kind, form, check and discover, choice of streams, the file. */
export default function NewSource() {
  const t = useText()
  const session = useSession()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const kinds = useApi<{ kinds: Kind[] }>('/api/v1/ingest/kinds')
  const services = useApi<{ services: { name: string; kind: string }[] }>('/api/v1/services')
  const [step, setStep] = useState(0)
  const [kind, setKind] = useState<Kind | null>(null)
  const [name, setName] = useState('')
  const [values, setValues] = useState<Values>({})
  const [server, setServer] = useState('catalog')
  const [files, setFiles] = useState<FileTable[]>([{ name: '', path: '', mode: 'full_refresh' }])
  const [found, setFound] = useState<{ message: string; streams: SourceStream[] } | null>(null)
  const [taken, setTaken] = useState<Record<string, Taken>>({})
  const [yaml, setYaml] = useState('')
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const crumbs = [{ title: t('pipelines.ingestion'), to: '/ingestion' }]

  if (kinds.isError) return <Page title={t('pipelines.wizard.title')} crumbs={crumbs}><ProblemView error={kinds.error} /></Page>
  if (kinds.isPending) return <Loading />
  if (!mayEdit(session))
    return <Page title={t('pipelines.wizard.title')} crumbs={crumbs}><EmptyState title={t('pipelines.wizard.viewer')} /></Page>

  const isFiles = kind?.kind === 'files'
  const isWritten = kind !== null && kind.kind in kTemplates  // as text, from the beginning
  const document = (streams: boolean): Values => {
    const given: Values = { kind: kind!.kind, ...values }
    if (isFiles) given.tables = Object.fromEntries(files.map((one) => [one.name, { path: one.path, mode: one.mode === 'incremental' ? one.mode : undefined }]))
    else {
      delete given[server === 'catalog' ? 'connection' : 'catalog']
      if (streams) given.tables = Object.fromEntries(Object.entries(taken).map(([stream, how]) => [stream, how.mode === 'full_refresh' ? {} : how]))
    }
    return given
  }
  const work = async (does: () => Promise<void>) => {
    setBusy(true)
    setProblem(null)
    try {
      await does()
    } catch (error) {
      setProblem(error as Problem)
    } finally {
      setBusy(false)
    }
  }
  const check = () =>
    work(async () => {
      setFound(null)
      const told = await api.post<{ message: string; streams: SourceStream[] }>('/api/v1/ingest/trial', { name, yaml: isWritten ? yaml : toYaml(document(false)) })
      setFound(told)
      setTaken(Object.fromEntries(told.streams.filter((stream) => isFiles || isWritten || !stream.view).map((stream) => [stream.name, { mode: 'full_refresh' }])))
      setStep(2)
    })
  const save = () =>
    work(async () => {
      await api.put(`/api/v1/ingest/sources/${encodeURIComponent(name)}`, { yaml })
      await queries.invalidateQueries({ queryKey: ['/api/v1/ingest/sources'], refetchType: 'all' })
      await navigate({ to: sourcePage(name) })
    })
  const complete = kName.test(name) && (!isFiles || files.every((one) => kName.test(one.name) && one.path))

  return (
    <Page title={t('pipelines.wizard.title')} subtitle={t('pipelines.wizard.subtitle')} crumbs={crumbs}>
      <Stepper active={step} onStepClick={(to) => to < step && setStep(to)} size="sm" allowNextStepsSelect={false}>
        <Stepper.Step label={t('pipelines.wizard.kind')}>
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} mt="md">
            {kinds.data.kinds.map((one) => {
              const Sign = kIcons[one.kind] ?? IconDatabase
              const known = `pipelines.source_kind.${one.kind}`
              return (
                <UnstyledButton key={one.kind} onClick={() => { setKind(one); setValues({}); setYaml(kTemplates[one.kind] ?? ''); setStep(1) }}>
                  <Paper withBorder p="md" radius="sm" h="100%">
                    <Group wrap="nowrap">
                      <Sign size={28} stroke={1.5} style={{ flexShrink: 0 }} />
                      <div>
                        <Text fw={600}>{one.kind}</Text>
                        <Text size="sm" c="dimmed">{hasText(known) ? t(known) : one.description}</Text>
                      </div>
                    </Group>
                  </Paper>
                </UnstyledButton>
              )
            })}
          </SimpleGrid>
        </Stepper.Step>
        <Stepper.Step label={t('pipelines.wizard.form')}>
          {kind && (
            <form onSubmit={(event) => { event.preventDefault(); void check() }}>
              <Stack mt="md" maw={820}>
                <TextInput label={t('pipelines.wizard.name')} description={t('pipelines.wizard.name.rule')} value={name} required
                  error={name && !kName.test(name) ? t('pipelines.wizard.name.rule') : undefined}
                  onChange={(event) => setName(event.currentTarget.value)} />
                {isWritten && <CodeEditor value={yaml} onChange={setYaml} language="yaml" height={320} />}
                {isFiles && <FileTables tables={files} onChange={setFiles} />}
                {!isFiles && !isWritten && (
                  <>
                    <SegmentedControl value={server} onChange={setServer} aria-label={t('pipelines.wizard.server')}
                      data={[{ value: 'catalog', label: t('pipelines.wizard.catalog') }, { value: 'connection', label: t('pipelines.wizard.connection') }]} />
                    {server === 'catalog' && (
                      <Select label={t('pipelines.field.catalog')} required value={(values.catalog as string) ?? null}
                        data={services.data?.services.filter((one) => one.kind === kind.kind).map((one) => one.name) ?? []}
                        onChange={(catalog) => setValues({ ...values, catalog: catalog ?? undefined })} />
                    )}
                  </>
                )}
                {!isWritten && (
                  <SchemaForm schema={kind.schema} values={values} onChange={setValues}
                    skip={['name', 'kind', 'tables', 'allow_outside', 'catalog', ...(isFiles || server === 'connection' ? (isFiles ? ['connection'] : []) : ['connection'])]} />
                )}
                {problem && <ProblemView error={problem} />}
                <Group>
                  <Button type="submit" loading={busy} disabled={!complete}>{t('pipelines.wizard.check')}</Button>
                  {busy && <Group gap="xs"><Loader size="xs" /><Text size="sm" c="dimmed">{t('pipelines.wizard.checking')}</Text></Group>}
                </Group>
              </Stack>
            </form>
          )}
        </Stepper.Step>
        <Stepper.Step label={t('pipelines.wizard.streams')}>
          {found && (
            <Stack mt="md">
              <Alert color="teal" variant="light" title={t('pipelines.wizard.reached')}>{found.message}</Alert>
              <Streams streams={found.streams} taken={taken} onChange={setTaken} fixed={isFiles || isWritten} changes={!isFiles && !isWritten} />
              <Group>
                <Button disabled={Object.keys(taken).length === 0} onClick={() => { if (!isWritten) setYaml(toYaml(document(true))); setProblem(null); setStep(3) }}>
                  {t('pipelines.wizard.next')}
                </Button>
              </Group>
            </Stack>
          )}
        </Stepper.Step>
        <Stepper.Step label={t('pipelines.wizard.file')}>
          <Stack mt="md">
            <Text size="sm" c="dimmed">{t('pipelines.wizard.file.hint', { file: `sources/${name}.yaml` })}</Text>
            <CodeEditor value={yaml} onChange={setYaml} language="yaml" height={320} />
            {problem && <ProblemView error={problem} />}
            <Group><Button loading={busy} onClick={() => void save()}>{t('pipelines.wizard.save')}</Button></Group>
          </Stack>
        </Stepper.Step>
      </Stepper>
    </Page>
  )
}
