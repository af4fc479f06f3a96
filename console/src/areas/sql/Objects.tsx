import { ActionIcon, Group, Loader, Text, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import {
  IconChevronDown, IconChevronRight, IconColumns3, IconDatabase, IconEye, IconFolder, IconPlus, IconRefresh, IconSearch,
  IconTable, IconTablePlus,
} from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useText } from '../../i18n'
import { Loading, ProblemView } from '../../ui'
import classes from './Lab.module.css'
import { forgetNames, names, written } from './names'

interface Node {
  key: string
  kind: 'catalog' | 'schema' | 'table' | 'view' | 'column' | 'loading' | 'failed'
  path: string[]
  label: string
  detail?: string
}
type Children = Record<string, Node[] | 'loading' | 'failed'>

const kRow = 28
const keyOf = (path: string[]) => JSON.stringify(path)
const icons = {
  catalog: IconDatabase, schema: IconFolder, table: IconTable, view: IconEye, column: IconColumns3, loading: IconTable, failed: IconTable,
}

const node = (kind: Node['kind'], path: string[], detail?: string): Node => ({
  key: keyOf(path), kind, path, label: path[path.length - 1], detail,
})

async function childrenOf(path: string[]): Promise<Node[]> {
  const [catalog, schema, table] = path
  if (table !== undefined)
    return (await names.columns(catalog, schema, table)).map((column) => node('column', [...path, column.name], column.type))
  if (schema !== undefined)
    return (await names.tables(catalog, schema)).map((one) => node(one.view ? 'view' : 'table', [...path, one.name]))
  if (catalog !== undefined) return (await names.schemas(catalog)).map((name) => node('schema', [...path, name]))
  return (await names.catalogs()).map((name) => node('catalog', [name]))
}

/** Tables of all catalogs whose names hold the words, with the schemas they are in. */
async function found(query: string): Promise<Node[]> {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const lists = await Promise.all(
    (await names.catalogs()).map(async (catalog) => {
      const tables = await names.allTables(catalog).catch(() => [])
      return tables
        .map((one) => node(one.view ? 'view' : 'table', [catalog, one.schema, one.name], `${catalog}.${one.schema}`))
        .filter((one) => words.every((word) => one.path.join('.').toLowerCase().includes(word)))
    }),
  )
  return lists.flat()
}

interface Props {
  onInsert: (text: string) => void
  onPreview: (path: string[]) => void
}

export function Objects({ onInsert, onPreview }: Props) {
  const t = useText()
  const [children, setChildren] = useState<Children>({})
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const [problem, setProblem] = useState<unknown>(null)
  const [typed, setTyped] = useState('')
  const [query] = useDebouncedValue(typed.trim(), 150)
  const [hits, setHits] = useState<Node[] | null>(null)
  const [active, setActive] = useState(0)
  const scroller = useRef<HTMLDivElement>(null)

  const load = useCallback(async (path: string[]) => {
    const key = keyOf(path)
    setChildren((before) => ({ ...before, [key]: 'loading' }))
    try {
      const nodes = await childrenOf(path)
      setChildren((before) => ({ ...before, [key]: nodes }))
      setProblem(null)
    } catch (error) {
      setChildren((before) => ({ ...before, [key]: 'failed' }))
      if (path.length === 0) setProblem(error)
    }
  }, [])
  useEffect(() => void load([]), [load])
  useEffect(() => {
    let wanted = true
    setHits(null)
    if (query) void found(query).then((nodes) => wanted && setHits(nodes)).catch(() => wanted && setHits([]))
    return () => {
      wanted = false
    }
  }, [query])

  const rows = useMemo(() => {
    const list: Node[] = []
    const add = (nodes: Node[]) => {
      for (const one of nodes) {
        list.push(one)
        if (!open.has(one.key)) continue
        const inside = children[one.key]
        if (inside === 'failed') list.push({ ...node('failed', [...one.path, '']), label: t('sql.objects.failed') })
        else if (!inside || inside === 'loading') list.push({ ...node('loading', [...one.path, '']), label: t('ui.loading') })
        else add(inside)
      }
    }
    const roots = query ? (hits ?? []) : children[keyOf([])]
    if (Array.isArray(roots)) add(roots)
    return list
  }, [children, open, query, hits, t])

  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => kRow, overscan: 10 })
  const depthOf = (one: Node) => (query ? Math.max(0, one.path.length - 3) : one.path.length - 1)
  const isLeaf = (one: Node) => one.kind === 'column' || one.kind === 'loading' || one.kind === 'failed'
  const toggle = (one: Node) => {
    if (isLeaf(one)) return
    const next = new Set(open)
    if (!next.delete(one.key)) {
      next.add(one.key)
      if (!Array.isArray(children[one.key])) void load(one.path)
    }
    setOpen(next)
  }
  const textOf = (one: Node) => (one.kind === 'column' ? written(one.label) : one.path.map(written).join('.'))
  const keys = (event: KeyboardEvent) => {
    const one = rows[active]
    const go = (at: number) => {
      const to = Math.max(0, Math.min(rows.length - 1, at))
      setActive(to)
      virtual.scrollToIndex(to)
    }
    if (event.key === 'ArrowDown') go(active + 1)
    else if (event.key === 'ArrowUp') go(active - 1)
    else if (event.key === 'Home') go(0)
    else if (event.key === 'End') go(rows.length - 1)
    else if (!one) return
    else if (event.key === 'ArrowRight' && !open.has(one.key)) toggle(one)
    else if (event.key === 'ArrowLeft' && open.has(one.key)) toggle(one)
    else if (event.key === 'ArrowLeft') go(rows.findIndex((other) => other.key === keyOf(one.path.slice(0, -1))))
    else if (event.key === 'Enter') onInsert(textOf(one))
    else if (event.key === ' ' && (one.kind === 'table' || one.kind === 'view')) onPreview(one.path)
    else return
    event.preventDefault()
  }
  const refresh = () => {
    forgetNames()
    setChildren({})
    setOpen(new Set())
    void load([])
  }

  const waiting = query ? hits === null : children[keyOf([])] === 'loading'
  return (
    <div className={classes.side}>
      <Group gap={6} wrap="nowrap" p="xs">
        <TextInput size="xs" flex={1} leftSection={<IconSearch size={14} />} placeholder={t('sql.objects.search')}
          aria-label={t('sql.objects.search')} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        <Tooltip label={t('sql.objects.refresh')}>
          <ActionIcon variant="subtle" color="gray" aria-label={t('sql.objects.refresh')} onClick={refresh}>
            <IconRefresh size={16} />
          </ActionIcon>
        </Tooltip>
      </Group>
      {problem !== null && <ProblemView error={problem} onRetry={() => void load([])} />}
      {waiting && <Loading height={60} />}
      {query && hits?.length === 0 && <Text size="sm" c="dimmed" px="sm">{t('sql.objects.none')}</Text>}
      <div ref={scroller} className={classes.tree} role="tree" tabIndex={0} aria-label={t('sql.objects.tree')} onKeyDown={keys}
        aria-activedescendant={rows[active] ? `object-${active}` : undefined}>
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="presentation">
          {virtual.getVirtualItems().map((item) => {
            const one = rows[item.index]
            const Icon = icons[one.kind]
            const table = one.kind === 'table' || one.kind === 'view'
            const opened = open.has(one.key)
            return (
              <div key={one.key} id={`object-${item.index}`} role="treeitem" aria-level={depthOf(one) + 1} aria-expanded={isLeaf(one) ? undefined : opened}
                aria-selected={item.index === active} className={classes.object} data-active={item.index === active || undefined}
                style={{ top: item.start, height: kRow, paddingLeft: 6 + depthOf(one) * 16 }}
                onClick={() => {
                  setActive(item.index)
                  if (one.kind === 'column') onInsert(textOf(one))
                  else toggle(one)
                }}>
                <span className={classes.chevron}>
                  {one.kind === 'loading' ? <Loader size={12} /> : isLeaf(one) ? null : opened ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
                </span>
                <Icon size={15} className={classes.icon} />
                <span className={classes.label} title={one.path.join('.')}>{one.label}</span>
                {one.detail && <span className={classes.detail}>{one.detail}</span>}
                {(table || one.kind === 'column') && (
                  <span className={classes.actions}>
                    {table && (
                      <ActionIcon size="sm" variant="subtle" color="gray" tabIndex={-1} aria-label={t('sql.objects.preview', { name: one.label })}
                        title={t('sql.objects.preview', { name: one.label })}
                        onClick={(event) => {
                          event.stopPropagation()
                          onPreview(one.path)
                        }}>
                        <IconTablePlus size={14} />
                      </ActionIcon>
                    )}
                    <ActionIcon size="sm" variant="subtle" color="gray" tabIndex={-1} aria-label={t('sql.objects.insert', { name: one.label })}
                      title={t('sql.objects.insert', { name: one.label })}
                      onClick={(event) => {
                        event.stopPropagation()
                        onInsert(textOf(one))
                      }}>
                      <IconPlus size={14} />
                    </ActionIcon>
                  </span>
                )}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}
