// What there is to name: catalogs, schemas, tables, columns and functions, asked once and kept for
// some minutes.
import { quoteName, quoteText, runSql } from '../../api/sql'

export interface TableName {
  name: string
  view: boolean
}
export interface ColumnName {
  name: string
  type: string
  comment: string
}
export interface FunctionName {
  name: string
  result: string
  parameters: string
  kind: string
  description: string
}

const kFresh = 5 * 60_000
const kept = new Map<string, { at: number; answer: Promise<unknown> }>()

async function rowsOf(statement: string): Promise<unknown[][]> {
  // A source that the history of statements leaves out.
  const result = await runSql(statement, { headers: { 'X-Trino-Source': 'console-meta' } })
  return result.rows
}

function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
  const known = kept.get(key)
  if (known && Date.now() - known.at < kFresh) return known.answer as Promise<T>
  const answer = ask()
  kept.set(key, { at: Date.now(), answer })
  answer.catch(() => kept.delete(key))
  return answer
}

/** After CREATE, DROP and the like everything is asked again. */
export function forgetNames() {
  kept.clear()
}

const text = (value: unknown) => (value === null || value === undefined ? '' : String(value))

export const names = {
  catalogs: () =>
    once('catalogs', async () => (await rowsOf('SHOW CATALOGS')).map((row) => text(row[0])).filter((name) => !name.startsWith('$'))),
  schemas: (catalog: string) =>
    once(`schemas ${JSON.stringify(catalog)}`, async () =>
      (await rowsOf(`SHOW SCHEMAS FROM ${quoteName(catalog)}`)).map((row) => text(row[0])),
    ),
  tables: (catalog: string, schema: string) =>
    once(`tables ${JSON.stringify([catalog, schema])}`, async () =>
      (
        await rowsOf(
          `SELECT table_name, table_type FROM ${quoteName(catalog)}.information_schema.tables ` +
            `WHERE table_schema = ${quoteText(schema)} ORDER BY table_name`,
        )
      ).map((row): TableName => ({ name: text(row[0]), view: text(row[1]) !== 'BASE TABLE' })),
    ),
  allTables: (catalog: string) =>
    once(`all tables ${JSON.stringify(catalog)}`, async () =>
      (
        await rowsOf(
          `SELECT table_schema, table_name, table_type FROM ${quoteName(catalog)}.information_schema.tables ` +
            `WHERE table_schema <> 'information_schema' ORDER BY 1, 2`,
        )
      ).map((row) => ({ schema: text(row[0]), name: text(row[1]), view: text(row[2]) !== 'BASE TABLE' })),
    ),
  columns: (catalog: string, schema: string, table: string) =>
    once(`columns ${JSON.stringify([catalog, schema, table])}`, async () =>
      (await rowsOf(`SHOW COLUMNS FROM ${[catalog, schema, table].map(quoteName).join('.')}`)).map(
        (row): ColumnName => ({ name: text(row[0]), type: text(row[1]), comment: text(row[3]) }),
      ),
    ),
  functions: () =>
    once('functions', async () =>
      (await rowsOf('SHOW FUNCTIONS')).map(
        (row): FunctionName => ({
          name: text(row[0]),
          result: text(row[1]),
          parameters: text(row[2]),
          kind: text(row[3]),
          description: text(row[5]),
        }),
      ),
    ),
}

const kReserved = new Set(
  ('alter and as between by case cast constraint create cross cube current_catalog current_date current_path ' +
    'current_role current_schema current_time current_timestamp current_user deallocate delete describe distinct ' +
    'drop else end escape except execute exists extract false for from full group grouping having in inner insert ' +
    'intersect into is join json_array json_exists json_object json_query json_table json_value left like listagg ' +
    'localtime localtimestamp natural normalize not null on or order outer prepare recursive right rollup select ' +
    'skip table then trim true uescape union unnest using values when where with').split(' '),
)

/** The name as SQL wants it: quotes only where they are needed. */
export function written(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !kReserved.has(name) ? name : quoteName(name)
}
