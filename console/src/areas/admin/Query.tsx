import { Group, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconPlayerStop } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { api, Problem, useApi } from '../../api/client'
import { useText } from '../../i18n'
import { Bytes, Code, ConfirmButton, Count, Duration, Loading, Page, ProblemView, When } from '../../ui'
import { useChange } from './parts'
import { isEnded, StatementState } from './Queries'
import type { Statement } from './types'

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack gap={0}>
      <Text size="xs" c="dimmed">{name}</Text>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }} component="div">{children}</Text>
    </Stack>
  )
}

export default function Query() {
  const t = useText()
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const path = `/api/v1/queries/${encodeURIComponent(id)}`
  const query = useApi<Statement>(path, {}, {
    refetchInterval: (asked) => (asked.state.data && isEnded(asked.state.data.state) ? false : 1000),
  })
  const cancel = useChange(() => api.post(`${path}/cancel`))
  if (query.isPending) return <Loading />
  const told = query.data
  return (
    <Page title={t('admin.query.title')} crumbs={[{ title: t('admin.part.queries'), to: '/admin/queries' }]} subtitle={id}
      actions={told && !isEnded(told.state) && (
        <ConfirmButton size="xs" variant="light" color="red" leftSection={<IconPlayerStop size={15} />} loading={cancel.isPending}
          question={t('admin.query.cancel.question')} onConfirm={() => cancel.mutate(undefined)}>
          {t('admin.query.cancel')}
        </ConfirmButton>
      )}>
      {cancel.error && <ProblemView error={cancel.error} />}
      {!told ? <ProblemView error={query.error} /> : (
        <Stack>
          <Group><StatementState state={told.state} />{told.progress !== undefined && !isEnded(told.state) && <Text size="sm">{Math.round(told.progress)} %</Text>}</Group>
          {told.error && <ProblemView error={new Problem(0, told.error as unknown as Record<string, unknown>)} />}
          <Code>{told.statement}</Code>
          <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
            <Fact name={t('admin.user')}>{told.user}</Fact>
            <Fact name={t('admin.source')}>{told.source || '–'}</Fact>
            <Fact name={t('admin.catalog')}>{[told.catalog, told.schema].filter(Boolean).join('.') || '–'}</Fact>
            <Fact name={t('admin.time')}><When ms={told.created_ms} /></Fact>
            <Fact name={t('admin.elapsed')}><Duration ms={told.elapsed_ms} /></Fact>
            <Fact name={t('admin.queued')}><Duration ms={told.queued_ms} /></Fact>
            <Fact name={t('admin.cpu')}><Duration ms={told.cpu_ms} /></Fact>
            <Fact name={t('admin.rows')}><Count value={told.rows} /></Fact>
            <Fact name={t('admin.rows_read')}><Count value={told.rows_read} /></Fact>
            <Fact name={t('admin.bytes_read')}><Bytes value={told.bytes_read} /></Fact>
            <Fact name={t('admin.memory')}><Bytes value={told.peak_memory_bytes} /></Fact>
            <Fact name={t('admin.spilled')}><Bytes value={told.spilled_bytes} /></Fact>
          </SimpleGrid>
        </Stack>
      )}
    </Page>
  )
}
