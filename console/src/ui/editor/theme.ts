import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

/** Colours that keep a contrast of 4.5 on the editor's ground. */
const kColours = {
  light: { keyword: '#8a3ffc', text: '#0b7285', number: '#b34700', name: '#1c1c1e', type: '#1864ab', comment: '#5f6b76', key: '#087f5b' },
  dark: { keyword: '#c9a6ff', text: '#66d9e8', number: '#ffb27a', name: '#e9ecef', type: '#8ec7ff', comment: '#98a2ad', key: '#63e6be' },
}

function frame(scheme: 'light' | 'dark'): Extension {
  return EditorView.theme(
    {
      '&': {
        color: 'var(--mantine-color-text)',
        backgroundColor: 'transparent',
        fontSize: '13px',
        height: '100%',
      },
      '&.cm-focused': { outline: 'none' },
      '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.55' },
      '.cm-content': { caretColor: 'var(--mantine-color-text)', padding: '8px 0' },
      '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--mantine-color-text)', borderLeftWidth: '2px' },
      '.cm-gutters': {
        backgroundColor: 'var(--mantine-color-body)',
        color: scheme === 'dark' ? '#8b949e' : '#6b7480',
        border: 'none',
      },
      '.cm-activeLine': { backgroundColor: scheme === 'dark' ? '#ffffff0a' : '#0000000a' },
      '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--mantine-color-text)' },
      '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
        backgroundColor: scheme === 'dark' ? '#1f6f63 !important' : '#b9ece1 !important',
      },
      '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
        backgroundColor: scheme === 'dark' ? '#3b5b55' : '#d3f5ec',
        outline: '1px solid #12b88688',
      },
      '.cm-placeholder': { color: 'var(--mantine-color-dimmed)' },
      '.cm-tooltip': {
        backgroundColor: 'var(--mantine-color-body)',
        color: 'var(--mantine-color-text)',
        border: '1px solid var(--mantine-color-default-border)',
        borderRadius: '6px',
        boxShadow: 'var(--mantine-shadow-md)',
        overflow: 'hidden',
      },
      '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '12.5px' },
      '.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px !important' },
      '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
        backgroundColor: scheme === 'dark' ? '#17695c' : '#c3f0e4',
        color: 'var(--mantine-color-text)',
      },
      '.cm-completionDetail': { fontStyle: 'normal', opacity: '0.75', marginLeft: '1em' },
      '.cm-completionInfo': { maxWidth: '340px', padding: '6px 10px', whiteSpace: 'pre-wrap' },
      '.cm-panels': {
        backgroundColor: 'var(--mantine-color-body)',
        color: 'var(--mantine-color-text)',
        borderColor: 'var(--mantine-color-default-border)',
      },
      '.cm-textfield': { backgroundColor: 'transparent', borderRadius: '4px', color: 'inherit' },
      '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--mantine-color-default)', borderRadius: '4px', color: 'inherit' },
      '.cm-diagnostic': { padding: '4px 10px', whiteSpace: 'pre-wrap' },
    },
    { dark: scheme === 'dark' },
  )
}

function colours(scheme: 'light' | 'dark'): Extension {
  const of = kColours[scheme]
  return syntaxHighlighting(
    HighlightStyle.define([
      { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: of.keyword },
      { tag: [tags.string, tags.special(tags.string)], color: of.text },
      { tag: [tags.number, tags.bool, tags.null], color: of.number },
      { tag: [tags.typeName, tags.standard(tags.name)], color: of.type },
      { tag: [tags.comment, tags.lineComment, tags.blockComment], color: of.comment, fontStyle: 'italic' },
      { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: of.key },
      { tag: [tags.name, tags.content], color: of.name },
    ]),
  )
}

const made = { light: [frame('light'), colours('light')], dark: [frame('dark'), colours('dark')] }

export function themeOf(scheme: 'light' | 'dark'): Extension {
  return made[scheme]
}
