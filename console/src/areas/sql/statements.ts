// A text taken apart: into statements, and a statement into words. Quotes and comments are Trino's.

export interface Piece {
  text: string
  /** Offsets in the whole text. */
  from: number
  to: number
}

export interface Token {
  /** word: a name or keyword; name: "quoted"; text: 'quoted'; mark: any other character. */
  kind: 'word' | 'name' | 'text' | 'number' | 'mark'
  text: string
  from: number
  to: number
}

/** Behind what begins at `at`: a string, a quoted name or a comment; `at` if none begins there. */
function skip(text: string, at: number): number {
  const two = text.slice(at, at + 2)
  if (two === '--') {
    const end = text.indexOf('\n', at)
    return end < 0 ? text.length : end + 1
  }
  if (two === '/*') {
    const end = text.indexOf('*/', at + 2)
    return end < 0 ? text.length : end + 2
  }
  const quote = text[at]
  if (quote !== "'" && quote !== '"') return at
  let end = at + 1
  while (end < text.length) {
    if (text[end] !== quote) end += 1
    else if (text[end + 1] === quote) end += 2
    else return end + 1
  }
  return text.length
}

const kComment = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/

/** The statements between semicolons, without the spaces around them; those of nothing but
 *  comments are left out. */
export function statementsOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  const add = (end: number) => {
    const part = text.slice(from, end)
    const start = from + (part.length - part.trimStart().length)
    const stop = from + part.trimEnd().length
    if (stop > start && kComment.exec(text.slice(start, stop))![0].length < stop - start)
      pieces.push({ text: text.slice(start, stop), from: start, to: stop })
    from = end + 1
  }
  for (let at = 0; at < text.length; ) {
    const behind = skip(text, at)
    if (behind > at) at = behind
    else {
      if (text[at] === ';') add(at)
      at += 1
    }
  }
  add(text.length)
  return pieces
}

/** The statement where the cursor stands; behind the last one, that. */
export function statementAt(text: string, cursor: number): Piece | null {
  const all = statementsOf(text)
  let found: Piece | null = null
  for (const piece of all) {
    if (piece.from > cursor && found) break
    found = piece
    if (cursor <= piece.to) break
  }
  return found
}

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  const word = /[\p{L}_$][\p{L}\p{N}_$@:]*/uy
  const number = /\d[\w.]*/y
  for (let at = 0; at < text.length; ) {
    const behind = skip(text, at)
    if (behind > at) {
      if (text[at] === '"') tokens.push({ kind: 'name', text: text.slice(at, behind), from: at, to: behind })
      if (text[at] === "'") tokens.push({ kind: 'text', text: text.slice(at, behind), from: at, to: behind })
      at = behind
      continue
    }
    word.lastIndex = number.lastIndex = at
    const found = word.exec(text)
    const digits = found ? null : number.exec(text)
    if (found) tokens.push({ kind: 'word', text: found[0], from: at, to: at + found[0].length })
    else if (digits) tokens.push({ kind: 'number', text: digits[0], from: at, to: at + digits[0].length })
    else if (!/\s/.test(text[at])) tokens.push({ kind: 'mark', text: text[at], from: at, to: at + 1 })
    at += found?.[0].length ?? digits?.[0].length ?? 1
  }
  return tokens
}

/** What a name in SQL stands for: "Quoted ""x""" → Quoted "x", Plain → plain. */
export function nameOf(token: Token): string {
  if (token.kind === 'name') return token.text.slice(1, token.text.endsWith('"') && token.text.length > 1 ? -1 : undefined).replaceAll('""', '"')
  return token.text.toLowerCase()
}

/** Line and column, from 1 in characters, of an offset. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { line, column: [...before.slice(before.lastIndexOf('\n') + 1)].length + 1 }
}
