import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyField, historyKeymap, indentWithTab } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { sql } from '@codemirror/lang-sql'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from '@codemirror/language'
import { lintGutter, lintKeymap } from '@codemirror/lint'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { Annotation, Compartment, EditorState, type Extension, Prec } from '@codemirror/state'
import {
  drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap,
  lineNumbers, placeholder as placeholderOf, rectangularSelection,
} from '@codemirror/view'
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { useLanguage } from '../../i18n'
import classes from './Editor.module.css'
import { markEffect } from './marks'
import { phrasesOf } from './phrases'
import { themeOf } from './theme'
import { trinoDialect } from './trino'
import { typeOver } from './typing'
import type { CodeEditorProps } from './types'

/** A change that came from outside is not told to who made it. */
const fromOutside = Annotation.define<boolean>()

/** What can be undone in texts that are not shown, the newest last. */
const left = new Map<string, unknown>()
const kMostLeft = 50
const kFields = { history: historyField }

function languageOf(name: CodeEditorProps['language'], ownCompletion: boolean): Extension {
  if (name === 'yaml') return yaml()
  if (name === 'json') return json()
  const support = sql({ dialect: trinoDialect, upperCaseKeywords: true })
  // Keywords come with the area's own names when it completes itself.
  return ownCompletion ? support.language : support
}

function nonce(): Extension {
  const element = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')
  return EditorView.cspNonce.of(element?.content || element?.nonce || '')
}

function keep(name: string | undefined, view: EditorView) {
  if (!name) return
  left.delete(name)
  left.set(name, view.state.toJSON(kFields))
  if (left.size > kMostLeft) left.delete(left.keys().next().value!)
}

/** The text as it was left, if it is still the same. */
function startState(props: CodeEditorProps, extensions: Extension): EditorState {
  const kept = props.name ? left.get(props.name) : undefined
  if (kept && (kept as { doc?: string }).doc === props.value) {
    try {
      return EditorState.fromJSON(kept, { extensions }, kFields)
    } catch {
      // Kept by another version of the editor: the text alone is enough.
    }
  }
  return EditorState.create({ doc: props.value, extensions })
}

export default function Editor(props: CodeEditorProps) {
  const { language: spoken } = useLanguage()
  const scheme = useComputedColorScheme('light')
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const now = useRef(props)
  now.current = props
  const parts = useRef({ theme: new Compartment(), readOnly: new Compartment(), label: new Compartment() })
  const label = props.label ?? props.language.toUpperCase()

  // A new view for another text or language; all else changes in the view that is there.
  useEffect(() => {
    const part = parts.current
    const run = (key: 'onRun' | 'onSave') => (shown: EditorView) => {
      const action = now.current[key]
      action?.(shown)
      return action !== undefined
    }
    const made = new EditorView({
      parent: place.current!,
      state: startState(now.current, [
        nonce(), typeOver,
        lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(), foldGutter(),
        drawSelection(), rectangularSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        highlightActiveLine(), highlightSelectionMatches(), search({ top: true }), lintGutter(),
        EditorState.tabSize.of(2),
        autocompletion(now.current.complete ? { override: [(context) => now.current.complete!(context)] } : {}),
        Prec.highest(keymap.of([
          { key: 'Mod-Enter', run: run('onRun'), preventDefault: true },
          { key: 'Mod-s', run: run('onSave'), preventDefault: now.current.onSave !== undefined },
        ])),
        keymap.of([
          ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap,
          ...completionKeymap, ...lintKeymap, indentWithTab,
        ]),
        languageOf(now.current.language, now.current.complete !== undefined),
        phrasesOf(spoken),
        now.current.placeholder ? placeholderOf(now.current.placeholder) : [],
        part.theme.of(themeOf(scheme)),
        part.readOnly.of(EditorState.readOnly.of(now.current.readOnly ?? false)),
        part.label.of(EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' })),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((one) => one.annotation(fromOutside)))
            now.current.onChange?.(update.state.doc.toString())
        }),
      ]),
    })
    view.current = made
    if (now.current.marks?.length) made.dispatch(markEffect(made.state, now.current.marks))
    if (now.current.autoFocus) made.focus()
    now.current.onView?.(made)
    const name = now.current.name
    return () => {
      keep(name, made)
      now.current.onView?.(null)
      view.current = null
      made.destroy()
    }
  }, [props.name, props.language, spoken])

  useEffect(() => {
    const shown = view.current
    if (!shown || shown.state.doc.toString() === props.value) return
    shown.dispatch({
      changes: { from: 0, to: shown.state.doc.length, insert: props.value },
      annotations: fromOutside.of(true),
    })
  }, [props.value])
  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.theme.reconfigure(themeOf(scheme)) })
  }, [scheme])
  useEffect(() => {
    const state = EditorState.readOnly.of(props.readOnly ?? false)
    view.current?.dispatch({ effects: parts.current.readOnly.reconfigure(state) })
  }, [props.readOnly])
  useEffect(() => {
    const attribute = EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' })
    view.current?.dispatch({ effects: parts.current.label.reconfigure(attribute) })
  }, [label])
  useEffect(() => {
    const shown = view.current
    if (shown) shown.dispatch(markEffect(shown.state, props.marks ?? []))
  }, [props.marks])

  const height = props.height ?? 200
  return <div ref={place} className={classes.frame} style={{ height: height === 'auto' ? undefined : height }} />
}
