import { Alert, Anchor, Button, Group, Progress, Stack, Text } from '@mantine/core'
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { address, api } from '../../api/client'
import { useText } from '../../i18n'
import { mayEdit, useSession } from '../../shell/session'
import { Code, ConfirmButton, Count, Loading, Page, ProblemView, UrlTabs, useUrlState, When } from '../../ui'
import { Graph } from '../../ui/Graph'
import { useApi } from '../../api/client'
import { Gantt } from './Gantt'
import { useGrowingText, useLatestLine, useNow } from './live'
import { ended, Facts, NameLink, pipelinePage, runPage, State, Took, useAction, useStateWord } from './parts'
import classes from './pipelines.module.css'
import type { PipelineWithGraph, Run, Step } from './types'

/** The log of a step or of all, growing; the view stays at its end as long as it stands there. */
function Log({ run, step }: { run: Run; step: string }) {
  const t = useText()
  const path = `/api/v1/runs/${encodeURIComponent(run.id)}/logs`
  const { text, cut, error } = useGrowingText(address(path, { step, follow: 1 }))
  const box = useRef<HTMLPreElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" fw={600}>{step ? t('pipelines.log_of', { name: step }) : t('pipelines.log')}</Text>
        <Anchor size="xs" href={address(path, { step })} download={`${run.pipeline}-${run.id}.log`}>{t('pipelines.download_log')}</Anchor>
      </Group>
      {cut && <Text size="xs" c="dimmed">{t('pipelines.log_cut')}</Text>}
      {error && <ProblemView error={error} />}
      <pre ref={box} className={classes.log} tabIndex={0} aria-label={t('pipelines.log')} data-testid="log"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
          atEnd.current = scrollHeight - scrollTop - clientHeight < 30
        }}>
        {text || t(ended(run.state) ? 'pipelines.log_empty' : 'pipelines.log_waits')}
      </pre>
    </Stack>
  )
}

function StepDetail({ step, attempts, now }: { step: Step; attempts: Step[]; now: number }) {
  const t = useText()
  const before = attempts.filter((one) => one.name === step.name && one.attempt < step.attempt)
  return (
    <Stack gap="xs">
      <Group gap="xs"><Text fw={600} style={{ overflowWrap: 'anywhere' }}>{step.name}</Text><State state={step.state} /></Group>
      <Facts facts={[
        [t('pipelines.kind'), step.kind],
        [t('pipelines.begun'), step.started_ms ? <When ms={step.started_ms} /> : undefined],
        [t('pipelines.took'), step.started_ms ? <Took of={step} now={now} /> : undefined],
        [t('pipelines.attempt'), step.attempt],
        [t('pipelines.rows'), step.rows === undefined ? undefined : <Count value={step.rows} />],
        [t('pipelines.message'), step.message],
      ]} />
      {step.error && <Alert color="red" variant="light"><Text size="sm" className={classes.error}>{step.error}</Text></Alert>}
      {before.map((one) => (
        <Text key={one.attempt} size="xs" c="dimmed" className={classes.error}>
          {t('pipelines.attempt_failed', { attempt: one.attempt, error: one.error ?? '' })}
        </Text>
      ))}
      {step.metadata && <Code maxHeight={200}>{JSON.stringify(step.metadata, null, 2)}</Code>}
    </Stack>
  )
}

function RunGraph({ run, chosen, onChoose }: { run: Run; chosen: string; onChoose: (step: string) => void }) {
  const t = useText()
  const word = useStateWord()
  const pipeline = useApi<PipelineWithGraph>(`/api/v1/pipelines/${encodeURIComponent(run.pipeline)}`)
  if (pipeline.isError) return <ProblemView error={pipeline.error} />
  if (!pipeline.data) return <Loading />
  const steps = new Map(run.steps.filter((step) => !step.part_of).map((step) => [step.name, step]))
  const nodes = pipeline.data.graph.filter((node) => steps.has(node.name)).map((node) => ({
    id: node.name, label: node.name, kind: node.kind, state: steps.get(node.name)!.state,
    detail: word(steps.get(node.name)!.state),
  }))
  const edges = pipeline.data.graph.flatMap((node) =>
    steps.has(node.name) ? node.needs.filter((need) => steps.has(need)).map((need) => ({ from: need, to: node.name })) : [],
  )
  return (
    <Graph nodes={nodes} edges={edges} height={420} label={t('pipelines.graph_of', { name: run.pipeline })}
      onNode={(id) => onChoose(id === chosen ? '' : id)} />
  )
}

function Actions({ run }: { run: Run }) {
  const t = useText()
  const session = useSession()
  const navigate = useNavigate()
  const [act, busy] = useAction()
  const path = `/api/v1/runs/${encodeURIComponent(run.id)}`
  const again = (all: boolean) =>
    act(async () => {
      const { id } = await api.post<{ id: string }>(`${path}/rerun`, { all, user: session?.user })
      await navigate({ to: runPage({ pipeline: run.pipeline, id }) })
    })
  if (!ended(run.state))
    return (
      <ConfirmButton color="red" variant="light" leftSection={<IconPlayerStop size={16} />} loading={busy}
        disabled={run.cancel_requested} question={t('pipelines.cancel.question')} confirm={t('pipelines.cancel.confirm')}
        onConfirm={() => act(() => api.post(`${path}/cancel`), t('pipelines.canceling'))}>
        {t(run.cancel_requested ? 'pipelines.canceling' : 'pipelines.cancel')}
      </ConfirmButton>
    )
  return (
    <>
      {run.state !== 'succeeded' && (
        <Button leftSection={<IconRefresh size={16} />} loading={busy} onClick={() => void again(false)}>
          {t('pipelines.rerun_failed')}
        </Button>
      )}
      <Button variant="default" leftSection={<IconRefresh size={16} />} loading={busy} onClick={() => void again(true)}>
        {t('pipelines.rerun_all')}
      </Button>
    </>
  )
}

export default function RunPage() {
  const t = useText()
  const session = useSession()
  const { run: id = '', pipeline = '' } = useParams({ strict: false }) as { run?: string; pipeline?: string }
  const [chosen, choose] = useUrlState('step')
  const path = `/api/v1/runs/${encodeURIComponent(id)}/changes`
  const { value: run, error } = useLatestLine<Run>(path, (line) => ended(line.state))
  const now = useNow(Boolean(run && !ended(run.state)), 250)
  const crumbs = [{ title: t('pipelines.title'), to: '/pipelines' }, { title: pipeline, to: `${pipelinePage(pipeline)}?tab=runs` }]
  const title = t('pipelines.run_title', { id })
  if (!run) return <Page title={title} crumbs={crumbs}>{error ? <ProblemView error={error} /> : <Loading />}</Page>
  const steps = run.steps.filter((step) => !step.part_of)
  const over = steps.filter((step) => ended(step.state)).length
  const step = run.steps.find((one) => one.name === chosen)
  const planned = steps.length || run.steps_planned
  return (
    <Page title={title} crumbs={crumbs} actions={mayEdit(session) && <Actions run={run} />}
      subtitle={
        <Group gap="sm">
          <State state={run.state} />
          <Took of={run} now={now} />
          <span>{t('pipelines.steps_over', { done: over, all: planned })}</span>
        </Group>
      }>
      {!ended(run.state) && (
        <Progress value={(100 * over) / Math.max(1, planned)} animated aria-label={t('pipelines.progress')} />
      )}
      {run.error && <Alert color="red" variant="light" title={t('pipelines.run_failed')}><Text size="sm" className={classes.error}>{run.error}</Text></Alert>}
      <Facts facts={[
        [t('pipelines.begun'), <When key="begun" ms={run.started_ms ?? run.created_ms} />],
        [t('pipelines.trigger'), t(`pipelines.trigger.${run.trigger}`)],
        [t('pipelines.requested_by'), run.requested_by],
        [t('pipelines.partition'), run.partition],
        [t('pipelines.rerun_of'), run.rerun_of
          ? <NameLink key="of" to={runPage({ pipeline: run.pipeline, id: run.rerun_of })}>{run.rerun_of}</NameLink> : undefined],
        [t('pipelines.parameters'), Object.entries(run.parameters).map(([name, value]) => `${name}=${value}`).join(', ')],
      ]} />
      <UrlTabs name="view" tabs={[
        { key: 'gantt', label: t('pipelines.timeline'), content: () => <Gantt run={run} now={now} chosen={chosen} onChoose={choose} /> },
        { key: 'graph', label: t('pipelines.graph'), content: () => <RunGraph run={run} chosen={chosen} onChoose={choose} /> },
      ]} />
      {step && <StepDetail step={step} attempts={run.attempts} now={now} />}
      <Log run={run} step={step?.part_of ?? step?.name ?? ''} />
    </Page>
  )
}
