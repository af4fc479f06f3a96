// What may stand at the cursor: names after a dot, tables after FROM, columns of the statement's
// tables, functions and keywords.
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import { kKeywords } from '../../ui/editor/trino'
import { type FunctionName, names, written } from './names'
import { nameOf, statementAt, type Token, tokensOf } from './statements'

export interface Where {
  catalog: string
  schema: string
}
interface Relation {
  /** catalog.schema.table as far as it is written; one part may be a WITH query. */
  parts: string[]
  alias: string
}

const kTablePlaces = new Set(['from', 'join', 'into', 'update', 'table', 'describe', 'desc', 'view', 'stats'])
const kNoAlias = new Set(
  ('on using where group order having limit offset fetch union except intersect join left right full inner cross ' +
    'natural as with select set values when for tablesample window').split(' '),
)

/** The relations that FROM, JOIN, INTO and UPDATE name, and the names of WITH queries. */
export function relationsOf(tokens: Token[]): { relations: Relation[]; queries: string[] } {
  const relations: Relation[] = []
  const queries: string[] = []
  const lower = (at: number) => (tokens[at]?.kind === 'word' ? tokens[at].text.toLowerCase() : '')
  const isName = (at: number) => tokens[at]?.kind === 'word' || tokens[at]?.kind === 'name'
  const read = (start: number): number => {
    let at = start
    const parts: string[] = []
    while (isName(at) && !(tokens[at].kind === 'word' && kNoAlias.has(lower(at)) && parts.length === 0)) {
      parts.push(nameOf(tokens[at]))
      at += 1
      if (tokens[at]?.text !== '.') break
      at += 1
    }
    if (parts.length === 0) return start + 1
    let alias = parts[parts.length - 1]
    if (lower(at) === 'as') at += 1
    if (isName(at) && !(tokens[at].kind === 'word' && kNoAlias.has(lower(at)))) alias = nameOf(tokens[at++])
    relations.push({ parts, alias })
    return tokens[at]?.text === ',' ? read(at + 1) : at
  }
  for (let at = 0; at < tokens.length; at++) {
    const word = lower(at)
    if (word === 'from' || word === 'join' || word === 'into' || word === 'update') at = read(at + 1) - 1
    else if (isName(at) && lower(at + 1) === 'as' && tokens[at + 2]?.text === '(') queries.push(nameOf(tokens[at]))
  }
  return { relations, queries }
}

function fullName(relation: Relation, where: Where): [string, string, string] | null {
  const [a, b, c] = relation.parts
  if (c !== undefined) return [a, b, c]
  if (b !== undefined) return where.catalog ? [where.catalog, a, b] : null
  return where.catalog && where.schema ? [where.catalog, where.schema, a] : null
}

const option = (label: string, type: string, detail = '', boost = 0, info?: string): Completion => ({
  label,
  type,
  detail: detail || undefined,
  apply: written(label),
  boost,
  info: info || undefined,
})

async function quietly<T>(ask: () => Promise<T[]>): Promise<T[]> {
  try {
    return await ask()
  } catch {
    // A source that does not answer has nothing to offer; running the statement will say why.
    return []
  }
}

async function columnsOf(relation: Relation, where: Where, boost: number): Promise<Completion[]> {
  const full = fullName(relation, where)
  if (!full) return []
  const columns = await quietly(() => names.columns(...full))
  return columns.map((column) => option(column.name, 'property', column.type, boost, column.comment))
}

async function catalogsOf(): Promise<Completion[]> {
  return (await quietly(names.catalogs)).map((name) => option(name, 'namespace'))
}
async function schemasOf(catalog: string): Promise<Completion[]> {
  return (await quietly(() => names.schemas(catalog))).map((name) => option(name, 'namespace'))
}
async function tablesOf(catalog: string, schema: string, boost = 0): Promise<Completion[]> {
  if (!catalog || !schema) return []
  const all = await quietly(() => names.tables(catalog, schema))
  return all.map((table) => option(table.name, table.view ? 'interface' : 'class', '', boost))
}

/** `prefix`: the names before the dot at the cursor. */
async function afterDot(prefix: string[], relations: Relation[], where: Where): Promise<Completion[]> {
  const same = relations.filter((one) => one.alias === prefix[0] || one.parts[one.parts.length - 1] === prefix[0])
  if (prefix.length === 1 && same.length > 0) return (await Promise.all(same.map((one) => columnsOf(one, where, 2)))).flat()
  const catalogs = await quietly(names.catalogs)
  if (prefix.length === 1) {
    if (catalogs.includes(prefix[0])) return schemasOf(prefix[0])
    return tablesOf(where.catalog, prefix[0])
  }
  if (prefix.length === 2) {
    if (catalogs.includes(prefix[0])) return tablesOf(prefix[0], prefix[1])
    return columnsOf({ parts: prefix, alias: '' }, where, 0)
  }
  return columnsOf({ parts: prefix.slice(0, 3), alias: '' }, where, 0)
}

function functionOptions(all: FunctionName[]): Completion[] {
  const byName = new Map<string, FunctionName[]>()
  for (const one of all) byName.set(one.name, [...(byName.get(one.name) ?? []), one])
  return [...byName].map(([name, ways]) => ({
    label: name,
    type: 'function',
    detail: `(${ways[0].parameters}) → ${ways[0].result}`,
    info: [...new Set(ways.map((way) => `${name}(${way.parameters}) → ${way.result}`))].slice(0, 6).join('\n') +
      (ways[0].description ? `\n\n${ways[0].description}` : ''),
    apply: `${name}(`,
    boost: -1,
  }))
}

const keywordOptions: Completion[] = kKeywords
  .split(' ')
  .map((word) => ({ label: word.toUpperCase(), type: 'keyword', boost: -2 }))

async function anywhere(tokens: Token[], before: Token[], where: Where): Promise<Completion[]> {
  const last = before[before.length - 1]
  const lastWord = last?.kind === 'word' ? last.text.toLowerCase() : ''
  const { relations, queries } = relationsOf(tokens)
  const queryOptions = queries.map((name) => option(name, 'variable', '', 2))
  if (kTablePlaces.has(lastWord)) {
    const all = await Promise.all([tablesOf(where.catalog, where.schema, 2), where.catalog ? schemasOf(where.catalog) : [], catalogsOf()])
    return [...queryOptions, ...all.flat()]
  }
  const [columns, functions] = await Promise.all([
    Promise.all(relations.map((one) => columnsOf(one, where, 3))),
    quietly(names.functions),
  ])
  const aliases = relations.map((one) => option(one.alias, 'variable', one.parts.join('.'), 1))
  const seen = new Set<string>()
  const unique = [...columns.flat(), ...aliases, ...queryOptions].filter((one) => !seen.has(one.label) && seen.add(one.label))
  return [...unique, ...functionOptions(functions), ...keywordOptions]
}

/** For the editor; `where` is asked at each use. */
export function completeSql(where: () => Where) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString()
    const piece = statementAt(text, context.pos) ?? { text: '', from: context.pos, to: context.pos }
    const tokens = tokensOf(piece.text)
    const at = context.pos - piece.from
    const inside = tokens.find((token) => token.from < at && at <= token.to)
    if (inside?.kind === 'text' && at < inside.to) return null
    const typing = inside && (inside.kind === 'word' || inside.kind === 'name') ? inside : null
    const before = tokens.filter((token) => token.to <= (typing ? typing.from : at))
    const prefix: string[] = []
    for (let i = before.length - 1; i > 0 && before[i].text === '.'; i -= 2) prefix.unshift(nameOf(before[i - 1]))
    if (!typing && prefix.length === 0 && !context.explicit) {
      // After "FROM " names are offered without being asked for.
      const last = before[before.length - 1]
      if (!last || last.to === at || !kTablePlaces.has(last.text.toLowerCase())) return null
    }
    const options =
      prefix.length > 0
        ? await afterDot(prefix, relationsOf(tokens).relations, where())
        : await anywhere(typing ? tokens.filter((token) => token !== typing) : tokens, before, where())
    if (options.length === 0 || context.aborted) return null
    return { from: typing ? piece.from + typing.from : context.pos, options, validFor: /^"?[\p{L}\p{N}_$]*$/u }
  }
}
