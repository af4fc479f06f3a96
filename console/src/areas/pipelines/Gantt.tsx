import { ActionIcon, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useState } from 'react'
import { useText } from '../../i18n'
import { durationText } from '../../ui/format'
import { useLanguage } from '../../i18n'
import { useStateWord } from './parts'
import classes from './pipelines.module.css'
import type { Run, Step } from './types'

interface Range {
  from: number
  length: number
}

const share = (ms: number, { from, length }: Range) => Math.min(100, Math.max(0, (100 * (ms - from)) / length))

function Bar({ step, range, now, since }: { step: Step; range: Range; now: number; since: number }) {
  if (!step.started_ms) return null
  const left = share(step.started_ms, range)
  const width = share(step.ended_ms ?? now, range) - left
  const waited = share(since, range)
  const done = step.progress && step.progress[1] > 0 && !step.ended_ms ? step.progress[0] / step.progress[1] : 0
  return (
    <>
      {left > waited && <div className={classes.waiting} style={{ left: `${waited}%`, width: `${left - waited}%` }} />}
      <div className={classes.bar} data-state={step.state} style={{ left: `${left}%`, width: `${width}%` }}>
        {done > 0 && <div className={classes.done} style={{ width: `${100 * done}%` }} />}
      </div>
    </>
  )
}

/** Steps over time: what ran when, how long, and what waited. */
export function Gantt({ run, now, chosen, onChoose }: {
  run: Run
  now: number
  chosen: string
  onChoose: (step: string) => void
}) {
  const t = useText()
  const { language } = useLanguage()
  const word = useStateWord()
  const [open, setOpen] = useState<Set<string>>(new Set())
  const from = run.started_ms ?? run.created_ms
  const end = run.ended_ms ?? Math.max(now, ...run.steps.map((step) => step.ended_ms ?? 0))
  const range = { from, length: Math.max(1, end - from) }
  const parts = (step: Step) => run.steps.filter((one) => one.part_of === step.name)
  const toggle = (name: string) =>
    setOpen((before) => {
      const next = new Set(before)
      if (!next.delete(name)) next.add(name)
      return next
    })
  const took = (step: Step) =>
    step.started_ms ? durationText(Math.max(0, (step.ended_ms ?? now) - step.started_ms), language) : word(step.state)

  const line = (step: Step, part: boolean) => {
    const has = part ? [] : parts(step)
    const short = part && step.name.startsWith(`${step.part_of}/`) ? step.name.slice(step.part_of!.length + 1) : step.name
    return (
      <div key={step.name} className={classes.line} data-chosen={chosen === step.name || undefined} data-step={step.name}>
        <div className={`${classes.name} ${part ? classes.part : ''}`}>
          {has.length > 0 && (
            <ActionIcon size="xs" variant="subtle" color="gray" onClick={() => toggle(step.name)}
              aria-expanded={open.has(step.name)} aria-label={t('pipelines.parts_of', { name: step.name })}>
              {open.has(step.name) ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
            </ActionIcon>
          )}
          <UnstyledButton fz="sm" className={classes.name} onClick={() => onChoose(chosen === step.name ? '' : step.name)}
            title={step.name} aria-pressed={chosen === step.name}
            aria-label={t('pipelines.step_is', { name: step.name, state: word(step.state) })}>
            <span>{short}{has.length > 0 ? ` (${has.length})` : ''}</span>
          </UnstyledButton>
        </div>
        <div className={classes.track} aria-hidden><Bar step={step} range={range} now={now} since={from} /></div>
        <div className={classes.time}>{took(step)}</div>
      </div>
    )
  }

  return (
    <div className={classes.gantt} role="group" aria-label={t('pipelines.gantt')} tabIndex={0}>
      {run.steps.filter((step) => !step.part_of).flatMap((step) => [
        line(step, false), ...(open.has(step.name) ? parts(step).map((part) => line(part, true)) : []),
      ])}
    </div>
  )
}
