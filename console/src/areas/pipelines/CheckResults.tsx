import { Code as Inline, Modal, Stack, Table, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useText } from '../../i18n'
import { Count, type DataColumn, DataTable, EmptyState, When } from '../../ui'
import { Facts, NameLink, State, tablePage } from './parts'
import type { CheckResult } from './types'

/** A warning is what did not pass and blocks nothing. */
const stateOf = (result: CheckResult) => (result.outcome === 'fail' && result.severity === 'warn' ? 'warn' : result.outcome)

function Detail({ result, onClose }: { result: CheckResult; onClose: () => void }) {
  const t = useText()
  return (
    <Modal opened lockScroll={false} closeButtonProps={{ 'aria-label': t('pipelines.close') }} onClose={onClose} size="xl" title={`${result.table} · ${result.check}`}>
      <Stack>
        <Facts facts={[
          [t('pipelines.state'), <State key="s" state={stateOf(result)} />], [t('pipelines.kind'), result.kind],
          [t('pipelines.severity'), result.severity], [t('pipelines.expected'), result.expected],
          [t('pipelines.measured'), result.value === null || result.value === undefined ? undefined : String(result.value)],
          [t('pipelines.rows_failing'), result.checked === undefined ? undefined : <span key="r"><Count value={result.failing} /> / <Count value={result.checked} /></span>],
          [t('pipelines.when'), <When key="w" ms={result.at_ms} />], [t('pipelines.suite'), result.suite],
        ]} />
        {result.message && <Text size="sm">{result.message}</Text>}
        {result.sample && (
          <Table.ScrollContainer minWidth={500} type="native" tabIndex={0}>
            <Table>
              <Table.Caption>{t('pipelines.sample')}</Table.Caption>
              <Table.Thead><Table.Tr>{result.sample.columns.map((one) => <Table.Th key={one}>{one}</Table.Th>)}</Table.Tr></Table.Thead>
              <Table.Tbody>
                {result.sample.rows.map((row, index) => (
                  <Table.Tr key={index}>{row.map((cell, at) => <Table.Td key={at}>{cell === null ? <Inline>{'NULL'}</Inline> : cell}</Table.Td>)}</Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Stack>
    </Modal>
  )
}

/** Results of checks, newest first; one opens with what it measured and a few rows that failed. */
export function CheckResults({ results, withTable, toolbar }: { results: CheckResult[]; withTable?: boolean; toolbar?: ReactNode }) {
  const t = useText()
  const [open, setOpen] = useState<CheckResult | null>(null)
  const columns: DataColumn<CheckResult>[] = [
    { key: 'outcome', title: t('pipelines.state'), width: '110px', value: stateOf, render: (one) => <State state={stateOf(one)} /> },
    ...(withTable ? [{
      key: 'table', title: t('pipelines.table'), width: 'minmax(180px, 1.4fr)',
      render: (one: CheckResult) => <NameLink to={tablePage(one.table)}>{one.table}</NameLink>,
    }] : []),
    { key: 'check', title: t('pipelines.check'), width: 'minmax(190px, 1.8fr)' },
    { key: 'suite', title: t('pipelines.suite'), width: 'minmax(120px, 1fr)' },
    { key: 'value', title: t('pipelines.measured'), width: '92px', align: 'right',
      render: (one) => (one.value === null || one.value === undefined ? '–' : one.value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 4 })) },
    { key: 'expected', title: t('pipelines.expected'), width: '100px' },
    { key: 'failing', title: t('pipelines.rows_failing'), width: '104px', align: 'right', render: (one) => <Count value={one.failing} /> },
    { key: 'at_ms', title: t('pipelines.when'), width: '128px', render: (one) => <When ms={one.at_ms} /> },
    { key: 'message', title: t('pipelines.message'), width: 'minmax(90px, 1.4fr)' },
  ]
  return (
    <>
      <DataTable rows={results} columns={columns} rowKey={(one) => `${one.suite}|${one.table}|${one.check}|${one.at_ms}`} onRow={setOpen}
        label={t('pipelines.results')} name="r" toolbar={toolbar}
        empty={<EmptyState title={t('pipelines.no_results')} hint={t('pipelines.no_scores.hint')} />} />
      {open && <Detail result={open} onClose={() => setOpen(null)} />}
    </>
  )
}
