import { Anchor, Box, Group, Paper, Text, Tooltip } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useCallback, useState } from 'react'
import { Problem } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { Duration, StatusBadge } from '../../ui'
import classes from './pipelines.module.css'
import type { RunRecord } from './types'

export const pipelinePage = (name: string) => `/pipelines/${encodeURIComponent(name)}`
export const runPage = (run: { pipeline: string; id: string }) =>
  `${pipelinePage(run.pipeline)}/runs/${encodeURIComponent(run.id)}`
export const sourcePage = (name: string) => `/ingestion/sources/${encodeURIComponent(name)}`
export const streamPage = (name: string) => `/streams/${encodeURIComponent(name)}`
export const feedPage = (name: string) => `/feeds/${encodeURIComponent(name)}`
export const tablePage = (table: string) => `/quality/table?table=${encodeURIComponent(table)}`

const kEnded = new Set(['succeeded', 'failed', 'canceled', 'upstream_failed', 'skipped'])
export const ended = (state: string) => kEnded.has(state)

/** Words of all rooms; what the API adds one day is shown as it is. */
export function useStateWord(): (state: string) => string {
  const t = useText()
  return useCallback(
    (state) => {
      const key = `pipelines.state.${state.toLowerCase().replaceAll(' ', '_')}`
      const word = t(key)
      return word === key ? state : word
    },
    [t],
  )
}

const kColourOf: Record<string, string> = {
  paused: 'warning', interrupted: 'warning', pass: 'ok', fail: 'failed', given_up: 'failed', sent: 'ok',
  exported: 'ok', elsewhere: 'idle', warn: 'warning',
}

export function State({ state }: { state: string }) {
  const word = useStateWord()
  const small = state.toLowerCase().replaceAll(' ', '_')
  return <StatusBadge state={kColourOf[small] ?? small} label={word(state)} />
}

/** How long a run or step took, or has taken so far. */
export function Took({ of, now }: { of: { started_ms?: number; ended_ms?: number }; now?: number }) {
  if (!of.started_ms) return <>–</>
  return <Duration ms={Math.max(0, (of.ended_ms || now || Date.now()) - of.started_ms)} />
}

/** The last runs, oldest first, each a bar in its state's colour that leads to it. */
export function RunStrip({ runs }: { runs: RunRecord[] }) {
  const word = useStateWord()
  const shown = runs.slice(0, 16).reverse()
  const longest = Math.max(1, ...shown.map((run) => (run.ended_ms ?? Date.now()) - (run.started_ms ?? run.created_ms)))
  return (
    <div className={classes.strip}>
      {shown.map((run) => {
        const took = (run.ended_ms ?? Date.now()) - (run.started_ms ?? run.created_ms)
        const name = `${word(run.state)}, ${new Date(run.created_ms).toLocaleString()}`
        return (
          <Tooltip key={run.id} label={name}>
            <Link to={runPage(run)} className={classes.tick} data-state={run.state} aria-label={name}
              onClick={(event) => event.stopPropagation()}
              style={{ height: `${30 + Math.round((70 * took) / longest)}%` }} />
          </Tooltip>
        )
      })}
    </div>
  )
}

/** A number that matters, with its name. */
export function Figure({ label, children, hint, tone }: {
  label: string
  children: ReactNode
  hint?: ReactNode
  tone?: 'bad' | 'good'
}) {
  return (
    <Paper withBorder p="sm" radius="sm">
      <Text size="xs" c="dimmed">{label}</Text>
      <Text fz={20} fw={600} c={tone === 'bad' ? 'red' : tone === 'good' ? 'teal' : undefined} component="div">
        {children}
      </Text>
      {hint && <Text size="xs" c="dimmed" component="div">{hint}</Text>}
    </Paper>
  )
}

/** Names and values, as a list of facts. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <Box component="dl" className={classes.facts}>
      {facts.filter(([, value]) => value !== undefined && value !== '' && value !== null).map(([name, value]) => (
        <div key={name} className={classes.fact}>
          <Text component="dt" size="xs" c="dimmed">{name}</Text>
          <Text component="dd" size="sm" m={0} style={{ overflowWrap: 'anywhere' }}>{value}</Text>
        </div>
      ))}
    </Box>
  )
}

/** Does something that changes the mesh, tells how it ended, and has what it changed asked anew. */
export function useAction(): [(work: () => Promise<unknown>, done?: string) => Promise<boolean>, boolean] {
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const act = useCallback(
    async (work: () => Promise<unknown>, done?: string) => {
      setBusy(true)
      try {
        await work()
        if (done) notifications.show({ message: done, color: 'teal' })
        return true
      } catch (error) {
        const problem = error as Problem
        notifications.show({
          color: 'red', title: problem.code || undefined, autoClose: 10_000,
          message: [problem.message, problem.hint].filter(Boolean).join(' – '),
        })
        return false
      } finally {
        setBusy(false)
        void queries.invalidateQueries()
      }
    },
    [queries],
  )
  return [act, busy]
}

/** A name that leads somewhere; shown as text whatever it holds. */
export function NameLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Anchor component={Link} to={to} size="sm" onClick={(event) => event.stopPropagation()}>
      {children}
    </Anchor>
  )
}

export function Chips({ of }: { of: string[] }) {
  return (
    <Group gap={4}>
      {of.map((one) => (
        <Text key={one} span size="xs" className={classes.chip}>{one}</Text>
      ))}
    </Group>
  )
}

/** So many a second. */
export function Rate({ value }: { value: number }) {
  const { language, text: t } = useLanguage()
  return <>{t('pipelines.per_second', { rate: value.toLocaleString(language, { maximumFractionDigits: value < 10 ? 1 : 0 }) })}</>
}
