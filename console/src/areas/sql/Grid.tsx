import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { type KeyboardEvent, type PointerEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useText } from '../../i18n'
import classes from './Grid.module.css'
import { columnsSeen, kHeadHeight, kRowHeight, scrollTopOf, vertical } from './gridView'
import { cellText, isNumeric, type Rows } from './rows'

export interface Place {
  row: number
  column: number
}
/** Both ends belong to it. */
export interface Selection {
  from: Place
  to: Place
}
export interface Sort {
  column: number
  descending: boolean
}

interface Props {
  rows: Rows
  /** Grows while rows arrive. */
  count: number
  order: Uint32Array | null
  sort: Sort | null
  onSort: (column: number) => void
  selection: Selection
  onSelect: (selection: Selection) => void
  onOpen: (place: Place) => void
  onCopy: () => void
}

/** Rows that a column's width is made for. */
const kSample = 60
const kLeastWidth = 60
const kMostShown = 400

/** Wide enough for the name, the type and rows from all over. */
function firstWidths(rows: Rows): number[] {
  return rows.columns.map((column, index) => {
    let characters = Math.max(column.name.length + 3, Math.min(24, column.type.length))
    const step = Math.max(1, Math.floor(rows.count / kSample))
    for (let row = 0; row < rows.count; row += step)
      characters = Math.max(characters, Math.min(44, cellText(rows.at(row, index), column.type).length))
    return Math.max(kLeastWidth, Math.round(characters * 7.6) + 24)
  })
}

export function Grid({ rows, count, order, sort, onSort, selection, onSelect, onOpen, onCopy }: Props) {
  const t = useText()
  const scroller = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, left: 0, width: 0, height: 0 })
  const [widths, setWidths] = useState<number[]>(() => firstWidths(rows))
  // Fitted again while rows arrive, until somebody has chosen a width.
  const [fitted, setFitted] = useState({ rows, count, byHand: false })
  if (fitted.rows !== rows || (!fitted.byHand && count > fitted.count * 4)) {
    setFitted({ rows, count, byHand: false })
    setWidths(firstWidths(rows))
  }
  const numberWidth = 32 + 8 * String(count).length
  const lefts = useMemo(() => {
    let left = 0
    return widths.map((width) => (left += width) - width)
  }, [widths])
  const total = widths.reduce((sum, width) => sum + width, 0)

  useLayoutEffect(() => {
    const element = scroller.current!
    const measure = () =>
      setView((before) => ({ ...before, width: element.clientWidth, height: element.clientHeight, top: element.scrollTop, left: element.scrollLeft }))
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  useEffect(() => {
    const element = scroller.current!
    element.scrollTop = 0
    element.scrollLeft = 0
  }, [rows])

  const body = Math.max(0, view.height - kHeadHeight)
  const seen = vertical(count, view.top, body)
  const last = Math.min(count, seen.first + Math.ceil((body + seen.offset) / kRowHeight))
  const [firstColumn, lastColumn] = columnsSeen(lefts, widths, view.left, view.left + view.width - numberWidth)
  const active = selection.to
  const low = { row: Math.min(selection.from.row, selection.to.row), column: Math.min(selection.from.column, selection.to.column) }
  const high = { row: Math.max(selection.from.row, selection.to.row), column: Math.max(selection.from.column, selection.to.column) }

  const reveal = (place: Place) => {
    const element = scroller.current!
    const now = vertical(count, element.scrollTop, body)
    const whole = Math.max(1, Math.floor(body / kRowHeight))
    if (place.row < now.first || (place.row === now.first && now.offset > 0))
      element.scrollTop = scrollTopOf(place.row, count, body)
    else if (place.row > now.first + whole - 1)
      element.scrollTop = Math.ceil(scrollTopOf(place.row + 1 - body / kRowHeight, count, body))
    const left = lefts[place.column]
    const right = left + widths[place.column]
    if (left < element.scrollLeft) element.scrollLeft = left
    else if (right > element.scrollLeft + view.width - numberWidth) element.scrollLeft = right - view.width + numberWidth
  }
  const select = (place: Place, extend: boolean, scroll = true) => {
    const bounded = {
      row: Math.max(0, Math.min(count - 1, place.row)),
      column: Math.max(0, Math.min(widths.length - 1, place.column)),
    }
    onSelect({ from: extend ? selection.from : bounded, to: bounded })
    if (scroll) reveal(bounded)
  }

  const keys = (event: KeyboardEvent) => {
    const { row, column } = active
    const whole = Math.max(1, Math.floor(body / kRowHeight) - 1)
    const control = event.ctrlKey || event.metaKey
    const moves: Record<string, Place> = {
      ArrowDown: { row: control ? count - 1 : row + 1, column },
      ArrowUp: { row: control ? 0 : row - 1, column },
      ArrowRight: { row, column: control ? widths.length - 1 : column + 1 },
      ArrowLeft: { row, column: control ? 0 : column - 1 },
      PageDown: { row: row + whole, column },
      PageUp: { row: row - whole, column },
      Home: { row: control ? 0 : row, column: 0 },
      End: { row: control ? count - 1 : row, column: widths.length - 1 },
    }
    if (moves[event.key]) select(moves[event.key], event.shiftKey)
    else if (control && event.key === 'a') onSelect({ from: { row: 0, column: 0 }, to: { row: count - 1, column: widths.length - 1 } })
    else if (control && event.key === 'c') onCopy()
    else if (event.key === 'Enter') onOpen(active)
    else if (event.key === 's' && !control) onSort(column)
    else return
    event.preventDefault()
  }

  const resize = (event: PointerEvent<HTMLElement>, column: number) => {
    event.preventDefault()
    event.stopPropagation()
    const handle = event.currentTarget
    const start = event.clientX
    setFitted({ rows, count, byHand: true })
    const width = widths[column]
    handle.setPointerCapture(event.pointerId)
    const move = (moved: globalThis.PointerEvent) =>
      setWidths((all) => all.map((one, i) => (i === column ? Math.max(kLeastWidth, width + moved.clientX - start) : one)))
    const end = () => handle.removeEventListener('pointermove', move)
    handle.addEventListener('pointermove', move)
    handle.addEventListener('pointerup', end, { once: true })
    handle.addEventListener('pointercancel', end, { once: true })
  }
  const drag = (event: PointerEvent, place: Place) => {
    if (event.button !== 0) return
    select(place, event.shiftKey, false) // a second click must find the cell where it was
    scroller.current!.focus({ preventScroll: true })
  }

  const columnNumbers: number[] = []
  for (let column = firstColumn; column <= lastColumn && column < widths.length; column++) columnNumbers.push(column)
  const rowNumbers: number[] = []
  for (let row = seen.first; row < last; row++) rowNumbers.push(row)
  const x = (column: number) => numberWidth + lefts[column] - view.left
  const y = (row: number) => kHeadHeight + (row - seen.first) * kRowHeight - seen.offset

  return (
    <div ref={scroller} className={classes.scroller} role="grid" tabIndex={0} aria-label={t('sql.result')} aria-rowcount={count + 1}
      aria-colcount={widths.length} aria-multiselectable onKeyDown={keys} aria-activedescendant={`cell-${active.row}-${active.column}`}
      data-testid="grid"
      onScroll={(event) => {
        const { scrollTop, scrollLeft } = event.currentTarget
        setView((before) => ({ ...before, top: scrollTop, left: scrollLeft }))
      }}>
      <div style={{ height: seen.height + kHeadHeight, width: total + numberWidth }} role="presentation">
        <div className={classes.window} style={{ width: view.width, height: view.height }} role="presentation">
          <div role="row" aria-rowindex={1}>
            <div className={classes.corner} style={{ left: 0, top: 0, width: numberWidth, height: kHeadHeight }} role="presentation" />
            {columnNumbers.map((column) => {
              const { name, type } = rows.columns[column]
              const sorted = sort?.column === column ? sort : null
              return (
                <div key={column} role="columnheader" aria-colindex={column + 1} className={classes.head} title={`${name} ${type}`}
                  aria-sort={sorted ? (sorted.descending ? 'descending' : 'ascending') : 'none'}
                  style={{ left: x(column), top: 0, width: widths[column], height: kHeadHeight }} onClick={() => onSort(column)}>
                  <div className={classes.title}>
                    <span>{name}</span>
                    {sorted && (sorted.descending ? <IconArrowDown size={13} /> : <IconArrowUp size={13} />)}
                  </div>
                  <span className={classes.type}>{type}</span>
                  <div className={classes.handle} aria-hidden onPointerDown={(event) => resize(event, column)} onClick={(event) => event.stopPropagation()}
                    onDoubleClick={() => setWidths((all) => all.map((one, i) => (i === column ? firstWidths(rows)[column] : one)))} />
                </div>
              )
            })}
          </div>
          {rowNumbers.map((row) => {
            const at = order && row < order.length ? order[row] : row
            return (
              <div key={row} role="row" aria-rowindex={row + 2}>
                <div className={classes.number} role="rowheader" style={{ left: 0, top: y(row), width: numberWidth, height: kRowHeight }}
                  onPointerDown={() => onSelect({ from: { row, column: 0 }, to: { row, column: widths.length - 1 } })}>
                  {row + 1}
                </div>
                {columnNumbers.map((column) => {
                  const { type } = rows.columns[column]
                  const value = rows.at(at, column)
                  const text = cellText(value, type)
                  const chosen = row >= low.row && row <= high.row && column >= low.column && column <= high.column
                  const isActive = row === active.row && column === active.column
                  const names = [classes.cell]
                  if (isNumeric(type)) names.push(classes.right)
                  if (value === null) names.push(classes.null)
                  if (chosen) names.push(classes.chosen)
                  if (isActive) names.push(classes.active)
                  return (
                    <div key={column} id={isActive ? `cell-${row}-${column}` : undefined} role="gridcell" aria-colindex={column + 1}
                      aria-selected={chosen} className={names.join(' ')}
                      style={{ left: x(column), top: y(row), width: widths[column], height: kRowHeight }}
                      onPointerDown={(event) => drag(event, { row, column })} onDoubleClick={() => onOpen({ row, column })}>
                      {text.length > kMostShown ? `${text.slice(0, kMostShown)}…` : text.replaceAll('\n', '⏎')}
                    </div>
                  )
                })}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}
