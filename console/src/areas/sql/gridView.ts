// Which part of a grid is seen: arithmetic without a browser.

export const kRowHeight = 28
export const kHeadHeight = 42
/** Browsers draw no element higher than some 17 million pixels; longer lists scroll in larger steps. */
const kMostHeight = 12_000_000

export interface Vertical {
  /** Of what is scrolled. */
  height: number
  /** The first row that is seen, and how much of it is above the edge. */
  first: number
  offset: number
}

export function vertical(rows: number, scrollTop: number, viewport: number): Vertical {
  const all = rows * kRowHeight
  const height = Math.min(all, kMostHeight)
  const steps = Math.max(1, height - viewport)
  const ratio = all <= kMostHeight ? 1 : (all - viewport) / steps
  const top = Math.max(0, Math.min(all - viewport, scrollTop * ratio))
  const first = Math.floor(top / kRowHeight)
  return { height, first, offset: top - first * kRowHeight }
}

/** The scroll position at which a row is at the top. */
export function scrollTopOf(row: number, rows: number, viewport: number): number {
  const all = rows * kRowHeight
  const height = Math.min(all, kMostHeight)
  const ratio = all <= kMostHeight ? 1 : (all - viewport) / Math.max(1, height - viewport)
  return (row * kRowHeight) / ratio
}

/** Columns that are seen between two places. */
export function columnsSeen(lefts: number[], widths: number[], from: number, to: number): [number, number] {
  let first = 0
  while (first < widths.length - 1 && lefts[first] + widths[first] < from) first += 1
  let last = first
  while (last < widths.length - 1 && lefts[last + 1] < to) last += 1
  return [first, last]
}
