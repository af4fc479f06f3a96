import { api } from '../../api/client'

export interface SavedQuery {
  id: string
  owner: string
  name: string
  description: string
  statement: string
  catalog?: string
  schema?: string
  everyone: boolean
  may_edit: boolean
  created_ms: number
  updated_ms: number
}
export interface PastStatement {
  id: string
  user: string
  source?: string
  catalog?: string
  schema?: string
  statement: string
  state: 'FINISHED' | 'FAILED' | 'CANCELED'
  started_ms: number
  elapsed_ms: number
  rows: number
  error?: string
  error_code?: string
}
export type SavedText = Pick<SavedQuery, 'name' | 'description' | 'statement' | 'everyone' | 'catalog' | 'schema'>

export const kSaved = '/api/v1/sql/saved'
export const kHistory = '/api/v1/sql/history'
const one = (id: string) => `${kSaved}/${encodeURIComponent(id)}`

export const readSaved = (id: string) => api.get<SavedQuery>(one(id))
export const saveNew = (query: SavedText) => api.post<SavedQuery>(kSaved, query)
export const saveAgain = (id: string, query: SavedText) => api.put<SavedQuery>(one(id), query)
export const deleteSaved = (id: string) => api.delete<void>(one(id))
