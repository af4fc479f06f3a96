// The rows of a result, column by column: a million of them are numbers in arrays of numbers and
// references to texts, not a million objects.

export interface ColumnType {
  name: string
  type: string
}

const kNumeric = /^(tinyint|smallint|integer|bigint|real|double)/

export function isNumeric(type: string): boolean {
  return kNumeric.test(type) || type.startsWith('decimal')
}
/** Types whose cells have parts. */
export function isNested(type: string): boolean {
  return /^(array|map|row|json)\b/.test(type)
}

/** One column; grows at its end. Numbers stand in a Float64Array until one comes that does not fit
 *  (a bigint as text): then all go on as what they are. */
class Cells {
  private numbers: Float64Array | null
  private nulls: Uint8Array | null = null
  private others: unknown[] = []
  private size = 0

  constructor(type: string) {
    this.numbers = kNumeric.test(type) ? new Float64Array(1024) : null
  }

  push(value: unknown) {
    if (this.numbers) {
      if (typeof value === 'number') {
        if (this.size === this.numbers.length) this.grow()
        this.numbers[this.size++] = value
        return
      }
      if (value === null) {
        if (this.size === this.numbers.length) this.grow()
        this.nulls ??= new Uint8Array(this.numbers.length)
        this.nulls[this.size++] = 1
        return
      }
      this.others = Array.from({ length: this.size }, (_, row) => this.at(row))
      this.numbers = this.nulls = null
    }
    this.others.push(value)
    this.size += 1
  }
  private grow() {
    const numbers = new Float64Array(this.numbers!.length * 2)
    numbers.set(this.numbers!)
    this.numbers = numbers
    if (!this.nulls) return
    const nulls = new Uint8Array(numbers.length)
    nulls.set(this.nulls)
    this.nulls = nulls
  }
  at(row: number): unknown {
    if (this.numbers) return this.nulls?.[row] ? null : this.numbers[row]
    return this.others[row]
  }
}

export class Rows {
  readonly columns: ColumnType[]
  private cells: Cells[]
  count = 0

  constructor(columns: ColumnType[]) {
    this.columns = columns
    this.cells = columns.map((column) => new Cells(column.type))
  }

  /** At most `most` rows in all; whether all found room. */
  add(rows: unknown[][], most: number): boolean {
    const taken = Math.min(rows.length, most - this.count)
    for (let row = 0; row < taken; row++)
      for (let column = 0; column < this.cells.length; column++) this.cells[column].push(rows[row][column])
    this.count += taken
    return taken === rows.length
  }
  at(row: number, column: number): unknown {
    return this.cells[column].at(row)
  }
  row(row: number): unknown[] {
    return this.cells.map((cells) => cells.at(row))
  }
}

/** A cell as people read it; NULL is "NULL". */
export function cellText(value: unknown, type: string): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'string') return value
  if (typeof value === 'object') return JSON.stringify(value)
  if ((type === 'double' || type === 'real') && Number.isInteger(value) && Math.abs(value as number) < 1e21)
    return `${value}.0`
  return String(value)
}

function compareCells(a: unknown, b: unknown, numeric: boolean): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (numeric) {
    const difference = Number(a) - Number(b)
    if (difference !== 0 && Number.isFinite(difference)) return difference
    if (/^-?\d+$/.test(String(a)) && /^-?\d+$/.test(String(b))) {
      const exact = BigInt(a as string) - BigInt(b as string)
      return exact < 0n ? -1 : exact > 0n ? 1 : 0
    }
  }
  const x = typeof a === 'object' ? JSON.stringify(a) : String(a)
  const y = typeof b === 'object' ? JSON.stringify(b) : String(b)
  return x < y ? -1 : x > y ? 1 : 0
}

const kRun = 20_000
const pause = () => new Promise<void>((done) => setTimeout(done))

/** The order of the rows by a column, NULL last; merged in pieces so that the page stays awake.
 *  Null when `signal` asked to stop. */
export async function sorted(rows: Rows, column: number, descending: boolean, signal: AbortSignal): Promise<Uint32Array | null> {
  const count = rows.count
  const numeric = isNumeric(rows.columns[column].type)
  const compare = (a: number, b: number) => {
    const x = rows.at(a, column)
    const y = rows.at(b, column)
    const by = compareCells(x, y, numeric)
    return (descending && x !== null && y !== null ? -by : by) || a - b
  }
  let from = Uint32Array.from({ length: count }, (_, row) => row)
  for (let at = 0; at < count; at += kRun) {
    from.subarray(at, Math.min(count, at + kRun)).sort(compare)
    await pause()
    if (signal.aborted) return null
  }
  let to = new Uint32Array(count)
  for (let size = kRun; size < count; size *= 2) {
    let since = 0
    for (let left = 0; left < count; left += 2 * size) {
      const middle = Math.min(count, left + size)
      const right = Math.min(count, left + 2 * size)
      let a = left
      let b = middle
      for (let at = left; at < right; at++) {
        to[at] = a < middle && (b >= right || compare(from[a], from[b]) <= 0) ? from[a++] : from[b++]
        if (++since < 40_000) continue
        since = 0
        await pause()
        if (signal.aborted) return null
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}
