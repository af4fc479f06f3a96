// What the catalogue's API answers; see openapi/paths/catalogue.yaml.
export interface Entry {
  kind: string
  name: string
  title: string
  description: string
  url: string
  domain: string
  owner: string
  tags: string[]
  changed_ms?: number
}
export interface Hit extends Entry {
  snippet: string
}
export interface FacetValue {
  value: string
  count: number
}
export interface Found {
  hits: Hit[]
  total: number
  elapsed_us: number
  next?: string
  facets?: { kinds: FacetValue[]; domains: FacetValue[]; owners: FacetValue[]; tags: FacetValue[] }
}
export interface HomeFacts {
  total: number
  ready: boolean
  kinds: FacetValue[]
  recent: { name: string; kind: string; written_ms: number }[]
  most_used: { name: string; kind: string; statements: number; last_ms: number }[]
  without_owner: { total: number; items: Entry[] }
  without_description: { total: number; items: Entry[] }
  problems: { error: { detail: string; file?: string; line?: number; column?: number } }[]
}

export interface Inherited {
  kind: 'tag' | 'term'
  value: string
  from: { asset: string; column: string }
}
export interface ColumnProfile {
  nulls?: number | null
  distinct?: number | null
  min?: string | null
  max?: string | null
  mean?: number | null
  histogram?: number[]
  top?: unknown
}
export interface AssetColumn {
  name: string
  type: string
  comment: string
  description: string
  tags: string[]
  terms: string[]
  propagate: boolean
  inherit: boolean
  inherited: Inherited[]
  profile?: ColumnProfile
  checks?: { passed: number; failed: number }
}
export interface Score {
  score: number
  checks: number
  passed: number
  warnings: number
  failures: number
  at_ms: number
}
export interface Asset {
  name: string
  kind: string
  title: string
  description: string
  comment: string
  domain: string
  owner: string
  owner_of_domain: boolean
  tier: string
  tags: string[]
  terms: string[]
  etag: string
  may_edit: boolean
  url?: string
  file?: string
  lake?: boolean
  columns: AssetColumn[]
  profile?: { rows?: number; at_ms?: number; sample?: number }
  quality?: Score
  contracts?: string[]
  products?: string[]
  made_by?: {
    pipeline: string
    asset: string
    kind: string
    freshness?: string
    changed_inputs?: string[]
    succeeded_ms?: number
  }
  dbt?: { id: string; url: string }
  usage: { statements: number; last_ms: number }
}
export interface UsageFacts {
  asset: string
  statements: number
  last_ms?: number
  days: { day_ms: number; statements: number }[]
  users: { user: string; statements: number }[]
  joined_with: { name: string; statements: number }[]
}
export interface ImpactItem {
  kind: string
  name: string
  title?: string
  column?: string
  distance: number
  url?: string
  via?: string
}
export interface Impact {
  asset: string
  column?: string
  items: ImpactItem[]
  total: number
  truncated: boolean
}
export interface CommitList {
  files: string[]
  repository: boolean
  commits: { id: string; author: string; time_ms: number; subject: string }[]
}
export interface Term {
  name: string
  definition: string
  synonyms: string[]
  related: string[]
  parent: string
  owner: string
  status: 'draft' | 'approved' | 'deprecated'
  etag: string
  may_edit: boolean
  used_by?: { asset: string; column?: string; inherited: boolean }[]
}
export interface Product {
  name: string
  domain: string
  description: string
  owner: string
  email: string
  tags: string[]
  table: string
  exists: boolean
  contract?: string
  ports: { kind: string; address: string }[]
  score?: Score
  usage: { statements: number; last_ms: number }
}
export interface ContractFacts {
  file: string
  id?: string
  name?: string
  version?: string
  status?: string
  product?: string
  domain?: string
  tables?: string[]
  checks?: number
  unchecked?: string[]
  problem?: string
}
export interface ContractCheck {
  name: string
  exists: boolean
  etag: string
  contract: ContractFacts
  differences: { of: 'contract' | 'table'; change: string; where: string; before: string; after: string }[]
}
