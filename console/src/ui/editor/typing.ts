import { type Extension, Prec } from '@codemirror/state'
import { EditorView } from '@codemirror/view'

/** Typing over a selection is done by the editor, not by the browser: Chromium keeps the style of
 *  what was selected in a style attribute, which the content policy forbids and reports. */
export const typeOver: Extension = Prec.lowest(
  EditorView.domEventHandlers({
    beforeinput(event, view) {
      const { state } = view
      const { from, to } = state.selection.main
      const text = event.data
      const simple = event.inputType === 'insertText' && text && !event.isComposing && !view.composing
      if (!simple || from === to || state.readOnly || state.selection.ranges.length > 1) return false
      event.preventDefault()
      const insert = () => state.update(state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true })
      const handled = state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))
      if (!handled) view.dispatch(insert())
      return true
    },
  }),
)
