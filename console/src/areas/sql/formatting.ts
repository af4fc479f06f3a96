// A statement laid out: keywords in capitals, one clause a line. Loaded when it is first wanted.
import { formatDialect, trino } from 'sql-formatter'
import { tokensOf } from './statements'

/** What a text says, whatever its spaces and the case of its words. */
function meaning(text: string): string {
  const words = tokensOf(text).map((token) => (token.kind === 'word' ? token.text.toLowerCase() : token.text))
  return [...words, text.replace(/\s+/g, '').toLowerCase()].join('\n')
}

/** The text laid out; undefined where that cannot be done without changing what it says. */
export function formatted(text: string): string | undefined {
  try {
    const made = formatDialect(text, { dialect: trino, keywordCase: 'upper', tabWidth: 2, linesBetweenQueries: 1, logicalOperatorNewline: 'before', expressionWidth: 80 })
    return meaning(made) === meaning(text) ? made : undefined
  } catch {
    return undefined
  }
}
