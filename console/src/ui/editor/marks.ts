import { type Diagnostic, setDiagnostics } from '@codemirror/lint'
import type { EditorState, Text } from '@codemirror/state'
import type { Mark } from './types'

/** From the place to the end of the word that stands there, or one character. A place outside of
 *  the text is at its nearest. */
function place(doc: Text, mark: Mark): { from: number; to: number } {
  const line = doc.line(Math.min(Math.max(1, Math.trunc(mark.line)), doc.lines))
  if (!mark.column) return { from: line.from, to: line.to }
  // The server counts characters, JavaScript counts some of them twice.
  let at = 0
  let index = 0
  for (const character of line.text) {
    if (++index >= mark.column) break
    at += character.length
  }
  const word = /^[\p{L}\p{N}_$"]+/u.exec(line.text.slice(at))
  const from = line.from + Math.min(at, line.text.length)
  const to = Math.min(line.to, from + (word ? word[0].length : 1))
  return { from: to === from && from > line.from ? from - 1 : from, to }
}

export function markEffect(state: EditorState, marks: Mark[]) {
  const diagnostics: Diagnostic[] = marks.map((mark) => ({
    ...place(state.doc, mark),
    severity: mark.severity ?? 'error',
    message: mark.message,
  }))
  return setDiagnostics(
    state,
    diagnostics.sort((a, b) => a.from - b.from),
  )
}
