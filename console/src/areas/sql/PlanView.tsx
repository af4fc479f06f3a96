import { Box, SegmentedControl } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useText } from '../../i18n'
import { Graph } from '../../ui/Graph'
import classes from './Lab.module.css'
import { essence, readPlan } from './plan'

/** What the server told, as a graph whose rows flow from left to right, and as it stands. */
export function PlanView({ plan }: { plan: string }) {
  const t = useText()
  const graph = useMemo(() => {
    const read = readPlan(plan)
    return read && essence(read)
  }, [plan])
  const [shown, setShown] = useState('graph')
  const asText = shown === 'text' || !graph
  return (
    <>
      {graph && (
        <Box px="sm" py={6}>
          <SegmentedControl size="xs" value={shown} onChange={setShown} aria-label={t('sql.plan')}
            data={[{ value: 'graph', label: t('sql.plan.graph') }, { value: 'text', label: t('sql.plan.text') }]} />
        </Box>
      )}
      {asText ? (
        <pre className={classes.planText} tabIndex={0}>{plan}</pre>
      ) : (
        <Graph label={t('sql.plan')} direction="LR" height={420}
          nodes={graph.nodes.map((node) => ({
            id: node.id, label: node.name, kind: node.name.includes('SCAN') ? 'table' : 'model',
            detail: [node.rows, node.detail.join(' ')].filter(Boolean).join(' · ').slice(0, 120) || undefined,
          }))}
          edges={graph.edges} />
      )}
    </>
  )
}
