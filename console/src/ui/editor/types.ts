import type { CompletionSource } from '@codemirror/autocomplete'
import type { EditorView } from '@codemirror/view'

/** A mistake at its place; lines and columns count from 1, as the server tells them. */
export interface Mark {
  line: number
  column?: number
  message: string
  severity?: 'error' | 'warning' | 'info'
}
export type Complete = CompletionSource

export interface CodeEditorProps {
  value: string
  onChange?: (value: string) => void
  language: 'sql' | 'yaml' | 'json'
  /** What it is for, for who does not see it. */
  label?: string
  readOnly?: boolean
  /** Pixels, or CSS; 'auto' grows with the text. 200 if left out. */
  height?: number | string
  marks?: Mark[]
  placeholder?: string
  autoFocus?: boolean
  /** Ctrl-Enter or Cmd-Enter. */
  onRun?: (view: EditorView) => void
  onSave?: (view: EditorView) => void
  /** Asked for what may stand at the cursor; without it the keywords of the language are offered. */
  complete?: Complete
  /** Keeps what can be undone and where the cursor stood while another text is shown here. */
  name?: string
  /** The view while it is there; for who inserts text or reads the selection. */
  onView?: (view: EditorView | null) => void
}
