import { Alert, Badge, Button, FileButton, Group, Modal, Stack, Table, Text, Title } from '@mantine/core'
import { IconFileCheck, IconUpload } from '@tabler/icons-react'
import { useState } from 'react'
import { api, Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { type DataColumn, DataTable, EmptyState, Loading, Page, ProblemView } from '../../ui'
import { CodeEditor } from '../../ui/CodeEditor'
import classes from './catalogue.module.css'
import type { ContractCheck, ContractFacts } from './types'

const kColours: Record<string, string> = { added: 'teal', removed: 'red', changed: 'yellow', missing: 'red', type: 'orange' }

function Differences({ check }: { check: ContractCheck }) {
  const t = useText()
  if (check.differences.length === 0) return <Text size="sm" c="dimmed">{check.exists ? t('catalogue.same_contract') : t('catalogue.new_contract')}</Text>
  return (
    <div className={classes.table} tabIndex={0}>
      <Table fz="sm" verticalSpacing={4} aria-label={t('catalogue.differences')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('catalogue.change')}</Table.Th><Table.Th>{t('catalogue.where')}</Table.Th>
            <Table.Th>{t('catalogue.before')}</Table.Th><Table.Th>{t('catalogue.after')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {check.differences.slice(0, 500).map((one, at) => (
            <Table.Tr key={at}>
              <Table.Td><Badge size="sm" variant="light" tt="none" color={kColours[one.change] ?? 'gray'}>{t(`catalogue.change.${one.change}`)}</Badge></Table.Td>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{one.where}</Table.Td>
              <Table.Td>{one.before}</Table.Td>
              <Table.Td>{one.after}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Import({ onClose, onStored }: { onClose: () => void; onStored: () => void }) {
  const t = useText()
  const [yaml, setYaml] = useState('')
  const [check, setCheck] = useState<ContractCheck | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true)
    setProblem(null)
    try {
      await work()
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
  }
  const look = (text: string) => attempt(async () => {
    setCheck(null)
    setCheck(await api.post<ContractCheck>('/api/v1/catalogue/contracts/check', { yaml: text }))
  })
  const store = () => attempt(async () => {
    await api.put(`/api/v1/catalogue/contracts/${check!.name}`, { yaml }, { headers: { 'If-Match': `"${check!.etag}"` } })
    onStored()
  })
  const mistakes = problem instanceof Problem
    ? (problem.errors.length ? problem.errors : [problem]).filter((one) => one.line).map((one) => ({
        line: one.line!, column: one.column ?? 1, message: 'message' in one && one.message ? one.message : String((one as { detail?: string }).detail),
      }))
    : []
  return (
    <Modal opened onClose={onClose} size="xl" title={t('catalogue.import')}>
      <Stack gap="sm">
        <Group gap="xs">
          <FileButton accept=".yaml,.yml,.json" onChange={(file) => file && void file.text().then((text) => { setYaml(text); void look(text) })}>
            {(props) => <Button {...props} size="xs" variant="default" leftSection={<IconUpload size={15} />}>{t('catalogue.choose_file')}</Button>}
          </FileButton>
          <Text size="xs" c="dimmed">{t('catalogue.or_paste')}</Text>
        </Group>
        <CodeEditor value={yaml} onChange={(text: string) => { setYaml(text); setCheck(null) }} language="yaml" height="34vh" marks={mistakes} label={t('catalogue.contract')} />
        {problem !== null && <ProblemView error={problem} />}
        {check && (
          <Stack gap="xs">
            <Title order={2} fz="sm">{check.contract.name || check.contract.id} {check.contract.version}</Title>
            <Text size="sm" c="dimmed">{t('catalogue.contract_checks', { count: check.contract.checks ?? 0, file: check.contract.file })}</Text>
            <Differences check={check} />
            <Alert color="gray" p="xs">{t('catalogue.next_start')}</Alert>
          </Stack>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>{t('catalogue.cancel')}</Button>
          {check ? <Button loading={busy} onClick={() => void store()}>{check.exists ? t('catalogue.replace') : t('catalogue.store')}</Button>
            : <Button loading={busy} disabled={!yaml.trim()} onClick={() => void look(yaml)}>{t('catalogue.compare')}</Button>}
        </Group>
      </Stack>
    </Modal>
  )
}

export default function Contracts() {
  const t = useText()
  const [importing, setImporting] = useState(false)
  const list = useApi<{ contracts: ContractFacts[] }>('/api/v1/catalogue/contracts')
  const columns: DataColumn<ContractFacts>[] = [
    { key: 'name', title: t('catalogue.contract'), width: 'minmax(180px, 2fr)', value: (one) => one.name || one.id || one.file },
    { key: 'version', title: t('catalogue.version'), width: '100px', value: (one) => one.version ?? '' },
    { key: 'status', title: t('catalogue.status'), width: '120px', value: (one) => one.problem ?? one.status ?? '' },
    { key: 'domain', title: t('catalogue.domain'), width: '130px', value: (one) => one.domain ?? '' },
    { key: 'tables', title: t('catalogue.tables'), width: 'minmax(200px, 2fr)', value: (one) => (one.tables ?? []).join(', ') },
    { key: 'checks', title: t('catalogue.checks'), width: '90px', align: 'right' },
    { key: 'file', title: t('catalogue.written_in'), width: 'minmax(160px, 1fr)' },
  ]
  return (
    <Page title={t('catalogue.contracts')} subtitle={t('catalogue.contracts_subtitle')} crumbs={[{ title: t('catalogue.title'), to: '/catalogue' }]}
      actions={<Button size="xs" leftSection={<IconUpload size={15} />} onClick={() => setImporting(true)}>{t('catalogue.import')}</Button>}>
      {list.isPending ? <Loading /> : list.isError ? <ProblemView error={list.error} onRetry={() => void list.refetch()} /> : (
        <DataTable rows={list.data.contracts} columns={columns} rowKey={(one) => one.file} label={t('catalogue.contracts')}
          empty={<EmptyState icon={<IconFileCheck size={24} />} title={t('catalogue.no_contracts')} hint={t('catalogue.no_contracts_hint')} />} />
      )}
      {importing && <Import onClose={() => setImporting(false)} onStored={() => { setImporting(false); void list.refetch() }} />}
    </Page>
  )
}
