import { Badge, Box, Group, SegmentedControl, Switch, Text, TextInput } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { address, useEvents } from '../../api/client'
import { useLanguage } from '../../i18n'
import { EmptyState, useUrlState } from '../../ui'
import { AdminPage } from './AdminPage'
import classes from './admin.module.css'
import type { LogLine } from './types'

const kMost = 5000
const kColours: Record<string, string> = { error: 'red', warn: 'orange', info: 'gray', debug: 'blue', trace: 'blue' }

function fieldsText(line: LogLine): string {
  return Object.entries(line.fields ?? {}).map(([name, value]) => `${name}=${String(value)}`).join('  ')
}

/** The lines as they come; another filter begins anew. */
function Lines({ level, search, follow }: { level: string; search: string; follow: boolean }) {
  const { text: t, language } = useLanguage()
  const [lines, setLines] = useState<LogLine[]>([])
  const scroller = useRef<HTMLDivElement>(null)
  useEffect(() => setLines([]), [level, search])
  useEvents(follow ? address('/api/v1/admin/log/live', { level, search, limit: 1000 }) : null, (name, data) => {
    if (name !== 'line') return
    const line = data as LogLine
    setLines((before) => (before.length > 0 && before[before.length - 1].id >= line.id ? before : [...before, line].slice(-kMost)))
  }, ['line'])
  const virtual = useVirtualizer({
    count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => 26, overscan: 20,
  })
  useEffect(() => {
    if (follow && lines.length > 0) virtual.scrollToIndex(lines.length - 1)
    // Only new lines move the view.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [lines.length, follow])
  return (
    <div ref={scroller} className={classes.log} role="log" aria-label={t('admin.part.log')} tabIndex={0}>
      {lines.length === 0 && <EmptyState title={t('admin.log.none')} hint={t('admin.log.none.hint')} />}
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index]
          return (
            <div key={line.id} ref={virtual.measureElement} data-index={item.index} className={classes.line}
              style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${item.start}px)` }}>
              <Text span size="xs" c="dimmed" className={classes.time}>
                {line.time ? new Date(line.time).toLocaleTimeString(language, { hour12: false }) : ''}
              </Text>
              <Badge size="xs" radius="sm" variant="light" color={kColours[line.level ?? 'info']} className={classes.level}>{line.level}</Badge>
              <Text span size="xs" className={classes.text}>
                {line.message} <Text span size="xs" c="dimmed">{fieldsText(line)}</Text>
              </Text>
            </div>
          )
        })}
      </div>
    </div>
  )
}

export default function Log() {
  const { text: t } = useLanguage()
  const [level, setLevel] = useUrlState('level', 'info')
  const [search, setSearch] = useUrlState('q')
  const [typed, setTyped] = useState(search)
  const [follow, setFollow] = useState(true)
  return (
    <AdminPage title={t('admin.part.log')} subtitle={t('admin.log.subtitle')}>
      <Box>
        <Group mb="sm" gap="sm">
          <SegmentedControl size="xs" aria-label={t('admin.log.level')} value={level} onChange={setLevel}
            data={['debug', 'info', 'warn', 'error'].map((value) => ({ value, label: t(`admin.log.${value}`) }))} />
          <TextInput size="xs" w={240} aria-label={t('ui.search')} placeholder={t('ui.search')} leftSection={<IconSearch size={15} />}
            value={typed} onChange={(event) => setTyped(event.currentTarget.value)} onBlur={() => setSearch(typed)}
            onKeyDown={(event) => event.key === 'Enter' && setSearch(typed)} />
          <Switch size="sm" label={t('admin.log.follow')} checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
        </Group>
        <Lines level={level} search={search} follow={follow} />
      </Box>
    </AdminPage>
  )
}
