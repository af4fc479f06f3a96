// Kinds that are made of elements rather than drawn: see ../views.
import type { Kind } from '../types'
import { formatSettings, limitSetting } from './parts'

export const lists: Kind[] = [
  {
    name: 'number', family: 'single', view: 'number',
    slots: [{ key: 'value', accept: 'number' }, { key: 'previous', accept: 'number', optional: true }],
    settings: [...formatSettings, { key: 'text_after', type: 'text' }, { key: 'good', type: 'choice', choices: ['up', 'down', 'none'], default: 'up' }],
  },
  {
    name: 'number_trend', family: 'single', view: 'number',
    slots: [{ key: 'x', accept: 'dimension' }, { key: 'value', accept: 'number' }],
    settings: [...formatSettings, { key: 'text_after', type: 'text' }, { key: 'total', type: 'choice', choices: ['last', 'sum', 'average', 'max'], default: 'last' }, { key: 'good', type: 'choice', choices: ['up', 'down', 'none'], default: 'up' }],
  },
  {
    name: 'progress', family: 'single', view: 'progress',
    slots: [{ key: 'label', accept: 'category', optional: true }, { key: 'value', accept: 'number' }, { key: 'target', accept: 'number', optional: true }],
    settings: [...formatSettings, { key: 'target', type: 'number' }],
  },
  { name: 'table', family: 'list', view: 'table', slots: [{ key: 'columns', accept: 'any', many: true, optional: true }], settings: [...formatSettings, { key: 'bars', type: 'boolean', default: false }] },
  {
    name: 'pivot', family: 'list', view: 'pivot',
    slots: [{ key: 'rows', accept: 'any' }, { key: 'columns', accept: 'any' }, { key: 'value', accept: 'number' }],
    settings: [...formatSettings, { key: 'totals', type: 'boolean', default: true }, { key: 'colors', type: 'boolean', default: true }],
  },
  { name: 'sparklines', family: 'list', view: 'sparklines', slots: [{ key: 'label', accept: 'category' }, { key: 'x', accept: 'dimension' }, { key: 'y', accept: 'number' }], settings: [...formatSettings, limitSetting(50)] },
  { name: 'text', family: 'list', view: 'text', slots: [], settings: [{ key: 'text', type: 'markdown' }] },
]
