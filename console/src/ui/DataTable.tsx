import { Box, Group, Text, TextInput, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconSearch } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useMemo, useRef } from 'react'
import { useText } from '../i18n'
import classes from './ui.module.css'
import { useUrlState } from './urlState'

export interface DataColumn<Row> {
  key: string
  title: string
  render?: (row: Row) => ReactNode
  /** What the column sorts and searches by; the row's member of that key if left out. */
  value?: (row: Row) => string | number | boolean | null | undefined
  sort?: boolean
  /** As CSS grid writes it: "120px", "2fr"; "minmax(120px, 1fr)" if left out. */
  width?: string
  align?: 'left' | 'right'
  /** Left out where the screen is narrow. */
  wide?: boolean
}

interface Props<Row> {
  rows: Row[]
  columns: DataColumn<Row>[]
  /** What tells a row from the others. */
  rowKey: (row: Row) => string
  /** Where a click on a row leads. */
  href?: (row: Row) => string
  onRow?: (row: Row) => void
  empty?: ReactNode
  search?: boolean
  /** First letter of the keys in the address, for pages with several tables. */
  name?: string
  height?: number | string
  toolbar?: ReactNode
  label?: string
}

const kRowHeight = 37

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null || a === undefined) return 1
  if (b === null || b === undefined) return -1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: 'base' })
}

/** A list of any length: searched, sorted (both stand in the address), only what is seen is made. */
export function DataTable<Row>({
  rows, columns, rowKey, href, onRow, empty, search = true, name = '', height = 'min(68vh, 900px)', toolbar, label,
}: Props<Row>) {
  const t = useText()
  const navigate = useNavigate()
  const [query, setQuery] = useUrlState(`${name}q`)
  const [order, setOrder] = useUrlState(`${name}sort`)
  const scroller = useRef<HTMLDivElement>(null)
  const valueOf = (row: Row, column: DataColumn<Row>) =>
    column.value ? column.value(row) : (row as Record<string, unknown>)[column.key]

  const shown = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const found = words.length
      ? rows.filter((row) => {
          const text = columns.map((column) => String(valueOf(row, column) ?? '')).join(' ').toLowerCase()
          return words.every((word) => text.includes(word))
        })
      : [...rows]
    const descending = order.startsWith('-')
    const by = columns.find((column) => column.key === order.replace(/^-/, ''))
    if (by) found.sort((a, b) => compare(valueOf(a, by), valueOf(b, by)) * (descending ? -1 : 1))
    return found
    // `columns` is made anew for every drawing; its keys say when it changes.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [rows, query, order, columns.map((column) => column.key).join()])

  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => kRowHeight,
    overscan: 12,
  })
  const template = columns.map((column) => column.width ?? 'minmax(110px, 1fr)').join(' ')
  const open = (row: Row) => {
    if (onRow) onRow(row)
    else if (href) void navigate({ to: href(row) })
  }
  const clickable = Boolean(onRow || href)

  return (
    <Box>
      {(search || toolbar) && (
        <Group mb="xs" gap="xs">
          {search && (
            <TextInput
              value={query}
              onChange={(event) => setQuery(event.currentTarget.value)}
              placeholder={t('ui.search')}
              aria-label={label ? `${t('ui.search')}: ${label}` : t('ui.search')}
              leftSection={<IconSearch size={15} />}
              size="xs"
              w={240}
            />
          )}
          {toolbar}
          <Text size="xs" c="dimmed" ml="auto">
            {t('ui.rows', { count: shown.length })}
          </Text>
        </Group>
      )}
      <div ref={scroller} className={classes.list} style={{ maxHeight: height }} role="table" aria-label={label}
        aria-rowcount={shown.length} tabIndex={0}>
        <div style={{ minWidth: 'min-content' }}>
          <div className={`${classes.row} ${classes.header}`} style={{ gridTemplateColumns: template }} role="row">
            {columns.map((column) => {
              const active = order.replace(/^-/, '') === column.key
              const next = active && !order.startsWith('-') ? `-${column.key}` : column.key
              return (
                <div key={column.key} className={`${classes.cell} ${classes.title}`} role="columnheader"
                  style={{ textAlign: column.align }}
                  aria-sort={active ? (order.startsWith('-') ? 'descending' : 'ascending') : undefined}>
                  {column.sort === false ? column.title : (
                    <UnstyledButton fz="inherit" fw="inherit" c="inherit" onClick={() => setOrder(next)}
                      aria-label={t('ui.sort', { column: column.title })}>
                      {column.title}{' '}
                      {active && (order.startsWith('-') ? <IconArrowDown size={12} /> : <IconArrowUp size={12} />)}
                    </UnstyledButton>
                  )}
                </div>
              )
            })}
          </div>
          <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="rowgroup">
            {virtual.getVirtualItems().map((item) => {
              const row = shown[item.index]
              return (
                <div key={rowKey(row)} role="row" aria-rowindex={item.index + 1}
                  className={`${classes.row} ${clickable ? classes.open : ''}`}
                  style={{
                    gridTemplateColumns: template, position: 'absolute', top: 0, height: item.size,
                    transform: `translateY(${item.start}px)`,
                  }}
                  tabIndex={clickable ? 0 : undefined}
                  onClick={clickable ? () => open(row) : undefined}
                  onKeyDown={clickable ? (event) => event.key === 'Enter' && event.target === event.currentTarget && open(row) : undefined}>
                  {columns.map((column) => {
                    const value = valueOf(row, column)
                    return (
                      <div key={column.key} className={classes.cell} role="cell" style={{ textAlign: column.align }}>
                        {column.render ? column.render(row) : value === null || value === undefined ? '–' : String(value)}
                      </div>
                    )
                  })}
                </div>
              )
            })}
          </div>
        </div>
        {shown.length === 0 && (
          <Box p="lg">
            {query ? (
              <Text c="dimmed" ta="center" size="sm">{t('ui.no_match', { query })}</Text>
            ) : (
              empty ?? <Text c="dimmed" ta="center" size="sm">{t('ui.no_rows')}</Text>
            )}
          </Box>
        )}
      </div>
    </Box>
  )
}
