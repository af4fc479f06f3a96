import { Button, Group, Modal, NumberInput, SegmentedControl, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Problem } from '../../api/client'
import { useText } from '../../i18n'
import { useSession } from '../../shell/session'
import { ProblemView } from '../../ui'
import { pipelinePage, runPage } from './parts'
import type { PipelineWithGraph } from './types'

interface Props {
  pipeline: PipelineWithGraph
  /** Selectors that stand in the form already. */
  select: string[]
  onClose: () => void
}

/** Starts one run, or one for each partition of a range. */
export function Launch({ pipeline, select: first, onClose }: Props) {
  const t = useText()
  const navigate = useNavigate()
  const session = useSession()
  const [kind, setKind] = useState('one')
  const [partition, setPartition] = useState('')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [atOnce, setAtOnce] = useState<number | string>(1)
  const [select, setSelect] = useState(first)
  const [exclude, setExclude] = useState<string[]>([])
  const [parameters, setParameters] = useState(pipeline.parameters)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const partitioned = Boolean(pipeline.partitions_from)
  const names = pipeline.graph.flatMap((node) => [node.name, `${node.name}+`, `+${node.name}`])
  const tags = [...new Set(pipeline.graph.flatMap((node) => node.tags))].map((tag) => `tag:${tag}`)
  const kinds = [...new Set(pipeline.graph.map((node) => node.kind))].map((one) => `kind:${one}`)
  const given = Object.fromEntries(
    Object.entries(parameters).filter(([name, value]) => value !== pipeline.parameters[name]),
  )

  const launch = async () => {
    setBusy(true)
    setProblem(null)
    const path = `/api/v1/pipelines/${encodeURIComponent(pipeline.name)}`
    const common = { select, exclude, parameters: given, user: session?.user }
    try {
      if (kind === 'range') {
        await api.post(`${path}/backfills`, { ...common, from, to, concurrency: Number(atOnce) })
        onClose()
        await navigate({ to: pipelinePage(pipeline.name), search: { tab: 'backfills' } as never })
      } else {
        const { id } = await api.post<{ id: string }>(`${path}/runs`, { ...common, partition })
        await navigate({ to: runPage({ pipeline: pipeline.name, id }) })
      }
    } catch (error) {
      setProblem(error as Problem)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Modal opened lockScroll={false} closeButtonProps={{ 'aria-label': t('pipelines.close') }} onClose={onClose} title={t('pipelines.launch.title', { name: pipeline.name })} size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void launch()
        }}
      >
        <Stack gap="sm">
          {partitioned && (
            <SegmentedControl value={kind} onChange={setKind} aria-label={t('pipelines.launch.kind')}
              data={[{ value: 'one', label: t('pipelines.launch.one') }, { value: 'range', label: t('pipelines.launch.range') }]} />
          )}
          {kind === 'one' && (
            <TextInput label={t(partitioned ? 'pipelines.partition' : 'pipelines.run_date')} value={partition}
              onChange={(event) => setPartition(event.currentTarget.value)}
              placeholder={partitioned ? pipeline.partitions_from : t('pipelines.today')}
              description={t(partitioned ? 'pipelines.partition.hint' : 'pipelines.run_date.hint')} />
          )}
          {kind === 'range' && (
            <Group grow align="flex-start">
              <TextInput label={t('pipelines.from')} value={from} placeholder={pipeline.partitions_from}
                onChange={(event) => setFrom(event.currentTarget.value)} />
              <TextInput label={t('pipelines.to')} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
              <NumberInput label={t('pipelines.at_once')} value={atOnce} onChange={setAtOnce} min={1} max={100} />
            </Group>
          )}
          <TagsInput label={t('pipelines.select')} description={t('pipelines.select.hint')} value={select}
            onChange={setSelect} data={[...names, ...tags, ...kinds]} />
          <TagsInput label={t('pipelines.exclude')} value={exclude} onChange={setExclude} data={[...names, ...tags, ...kinds]} />
          {Object.keys(pipeline.parameters).length > 0 && <Text size="sm" fw={600}>{t('pipelines.parameters')}</Text>}
          {Object.entries(parameters).map(([name, value]) => (
            <TextInput key={name} label={name} value={value}
              onChange={(event) => setParameters({ ...parameters, [name]: event.currentTarget.value })} />
          ))}
          {problem && <ProblemView error={problem} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{t('pipelines.close')}</Button>
            <Button type="submit" loading={busy}>{t('pipelines.launch')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
