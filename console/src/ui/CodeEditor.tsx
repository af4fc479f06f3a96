import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { CodeEditorProps } from './editor/types'

export type { CodeEditorProps, Complete, Mark } from './editor/types'

const load = () => import('./editor/Editor')
const Editor = lazy(load)

/** Starts the download before the editor is shown. */
export function preloadEditor() {
  void load()
}

/** Text with the colours of its language, numbered lines, search (Ctrl-F) and marks at mistakes.
 *  CodeMirror is large and comes when the first one is shown.
 *
 *    <CodeEditor label={t('x.query')} language="sql" value={text} onChange={setText}
 *                marks={[{ line: 2, column: 8, message: 'no such column' }]} onRun={run} /> */
export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 200} radius="sm" />}>
      <Editor {...props} />
    </Suspense>
  )
}
export default CodeEditor
