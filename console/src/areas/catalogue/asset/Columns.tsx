import { ActionIcon, Badge, Box, Button, Group, Stack, Table, Text, TextInput, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconGauge, IconPencil, IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { ask, lines } from '../../../api/client'
import { useText } from '../../../i18n'
import { Count, Markdown, ProblemView, useUrlState, When } from '../../../ui'
import classes from '../catalogue.module.css'
import { Tag, TermLink } from '../parts'
import type { Asset, AssetColumn, ColumnProfile } from '../types'
import { EditColumn } from './Edit'

const kMostShown = 300

/** How rows spread from the least to the greatest value. */
function Histogram({ counts, label }: { counts: number[]; label: string }) {
  const most = Math.max(...counts, 1)
  const width = 100 / counts.length
  return (
    <svg viewBox="0 0 100 24" width={96} height={24} role="img" aria-label={label} preserveAspectRatio="none">
      {counts.map((count, at) => (
        <rect key={at} x={at * width + 0.4} width={width - 0.8} y={24 - (count / most) * 24} height={(count / most) * 24}
          fill="var(--mantine-color-teal-5)" />
      ))}
    </svg>
  )
}

function Profile({ profile, rows }: { profile: ColumnProfile; rows?: number }) {
  const t = useText()
  const share = typeof profile.nulls === 'number' && rows ? (100 * profile.nulls) / rows : undefined
  const range = profile.min != null && profile.max != null ? `${profile.min} … ${profile.max}` : ''
  return (
    <Stack gap={2}>
      <Group gap={8} wrap="nowrap">
        {share !== undefined && <Text size="xs" c={share > 50 ? 'orange' : 'dimmed'}>{t('catalogue.nulls', { share: Math.round(share * 10) / 10 })}</Text>}
        {typeof profile.distinct === 'number' && <Text size="xs" c="dimmed">{t('catalogue.distinct', { count: profile.distinct })}</Text>}
      </Group>
      {range && <Tooltip label={range} multiline maw={400}><Text size="xs" c="dimmed" truncate maw={180}>{range}</Text></Tooltip>}
      {profile.histogram && profile.histogram.length > 1 && <Histogram counts={profile.histogram} label={t('catalogue.histogram')} />}
    </Stack>
  )
}

function Row({ asset, column, onEdit }: { asset: Asset; column: AssetColumn; onEdit: () => void }) {
  const t = useText()
  const from = (one: AssetColumn['inherited'][number]) => t('catalogue.inherited', { asset: one.from.asset, column: one.from.column })
  const said = column.description || column.comment
  return (
    <Table.Tr>
      <Table.Td miw={130}>
        <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>{column.name}</Text>
        <Text size="xs" c="dimmed" ff="monospace" style={{ overflowWrap: 'anywhere' }}>{column.type}</Text>
      </Table.Td>
      <Table.Td miw={180}>{said ? <Markdown>{said}</Markdown> : <Text size="sm" c="dimmed">–</Text>}</Table.Td>
      <Table.Td miw={140}>
        <Group gap={4}>
          {column.tags.map((tag) => <Tag key={tag} value={tag} />)}
          {column.terms.map((term) => <TermLink key={term} value={term} />)}
          {column.inherited.map((one) => one.kind === 'tag'
            ? <Tag key={`t${one.value}`} value={one.value} from={from(one)} />
            : <TermLink key={`g${one.value}`} value={one.value} from={from(one)} />)}
        </Group>
      </Table.Td>
      <Table.Td>
        {column.checks && (
          <Badge size="sm" variant="light" tt="none" color={column.checks.failed ? 'red' : 'teal'}>
            {t('catalogue.checks_of', { passed: column.checks.passed, all: column.checks.passed + column.checks.failed })}
          </Badge>
        )}
      </Table.Td>
      <Table.Td>{column.profile && <Profile profile={column.profile} rows={asset.profile?.rows} />}</Table.Td>
      <Table.Td w={40}>
        {asset.may_edit && (
          <ActionIcon variant="subtle" color="gray" aria-label={t('catalogue.edit_of', { name: column.name })} onClick={onEdit}>
            <IconPencil size={16} />
          </ActionIcon>
        )}
      </Table.Td>
    </Table.Tr>
  )
}

export function Columns({ asset, onChanged }: { asset: Asset; onChanged: () => void }) {
  const t = useText()
  const [query, setQuery] = useUrlState('column')
  const [editing, setEditing] = useState<AssetColumn | null>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const wanted = query.toLowerCase()
  const found = asset.columns.filter((column) =>
    [column.name, column.type, column.description, ...column.tags, ...column.terms].join(' ').toLowerCase().includes(wanted))
  const profile = async () => {
    setBusy(true)
    setProblem(null)
    try {
      const answer = await ask('POST', '/api/v1/quality/profile', { table: asset.name })
      await lines<{ error?: unknown }>(answer, (line) => {
        if (line.error) setProblem(new Error(String((line.error as { detail?: string }).detail ?? '')))
      })
      onChanged()
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
  }
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <TextInput size="xs" w={240} leftSection={<IconSearch size={15} />} placeholder={t('catalogue.find_column')} aria-label={t('catalogue.find_column')}
          value={query} onChange={(event) => setQuery(event.currentTarget.value)} />
        <Text size="xs" c="dimmed">{t('catalogue.column_count', { count: found.length })}</Text>
        <Group gap="xs" ml="auto">
          {asset.profile?.at_ms && (
            <Text size="xs" c="dimmed" component="div">
              <Group gap={4}><Count value={asset.profile.rows} /> {t('catalogue.rows')} · <When ms={asset.profile.at_ms} /></Group>
            </Text>
          )}
          <Button size="compact-sm" variant="default" loading={busy} leftSection={<IconGauge size={15} />} onClick={() => void profile()}>{t('catalogue.profile')}</Button>
        </Group>
      </Group>
      {problem !== null && <ProblemView error={problem} />}
      <Box className={classes.table} tabIndex={0}>
        <Table verticalSpacing="xs" highlightOnHover aria-label={t('catalogue.columns')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('catalogue.column')}</Table.Th>
              <Table.Th>{t('catalogue.description')}</Table.Th>
              <Table.Th>{t('catalogue.tags_and_terms')}</Table.Th>
              <Table.Th>{t('catalogue.quality')}</Table.Th>
              <Table.Th>{t('catalogue.values')}</Table.Th>
              <Table.Th><VisuallyHidden>{t('catalogue.edit')}</VisuallyHidden></Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.slice(0, kMostShown).map((column) => <Row key={column.name} asset={asset} column={column} onEdit={() => setEditing(column)} />)}
          </Table.Tbody>
        </Table>
      </Box>
      {found.length > kMostShown && <Text size="sm" c="dimmed">{t('catalogue.first_columns', { count: kMostShown })}</Text>}
      {editing && <EditColumn asset={asset} column={editing} onClose={() => setEditing(null)} onSaved={() => { setEditing(null); onChanged() }} />}
    </Stack>
  )
}
