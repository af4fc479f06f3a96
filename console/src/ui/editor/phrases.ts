// What CodeMirror itself says, in French: its texts are their own keys.
import { EditorState, type Extension } from '@codemirror/state'

const french = {
  Find: 'Chercher',
  Replace: 'Remplacer',
  next: 'suivant',
  previous: 'précédent',
  all: 'tout',
  'match case': 'respecter la casse',
  'by word': 'mots entiers',
  regexp: 'expression régulière',
  replace: 'remplacer',
  'replace all': 'tout remplacer',
  close: 'fermer',
  'current match': 'résultat courant',
  'on line': 'à la ligne',
  'replaced $ matches': '$ remplacements',
  'replaced match on line $': 'remplacé à la ligne $',
  'Go to line': 'Aller à la ligne',
  go: 'aller',
  Diagnostics: 'Erreurs',
  'No diagnostics': 'Aucune erreur',
  Completions: 'Propositions',
  'folded code': 'texte replié',
  'Fold line': 'Replier',
  'Unfold line': 'Déplier',
  unfold: 'déplier',
  'Control character': 'Caractère de contrôle',
}

export function phrasesOf(language: string): Extension {
  return language === 'fr' ? EditorState.phrases.of(french) : []
}
