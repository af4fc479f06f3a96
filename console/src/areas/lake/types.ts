import type { Versioning } from './names'

export interface Bucket {
  name: string
  owner: string
  region: string
  created_ms: number
  versioning: Versioning
  lock_enabled: boolean
  /** Bytes; 0: none. */
  quota: number
  default_encryption: boolean
  default_retention?: { mode: string; days: number; years: number }
  objects?: number
  versions?: number
  bytes?: number
}

export interface LifecycleRule {
  id: string
  enabled: boolean
  prefix: string
  tags: Record<string, string>
  days?: number
  date_ms?: number
  expired_markers: boolean
  noncurrent_days?: number
  newer_noncurrent: number
  abort_days?: number
  larger_than?: number
  smaller_than?: number
}
export interface Lifecycle {
  xml: string
  rules: LifecycleRule[]
}

export interface BucketDetail extends Bucket {
  lifecycle?: Lifecycle
  notifications_xml?: string
  policy?: string
  may_write: boolean
  may_share: boolean
}

export interface StoredObject {
  key: string
  version: string
  latest: boolean
  delete_marker: boolean
  size: number
  etag: string
  modified_ms: number
}
export interface ObjectDetail extends StoredObject {
  content_type: string
  storage_class: string
  owner: string
  encryption: 'none' | 's3' | 'customer'
  metadata: Record<string, string>
  tags: Record<string, string>
  parts: number
  legal_hold: boolean
  checksums: Record<string, string>
  retention?: { mode: string; until_ms: number }
  cache_control?: string
  content_disposition?: string
  content_encoding?: string
  content_language?: string
  expires?: string
}
export interface Listing {
  prefixes: string[]
  objects: StoredObject[]
  next?: string
}

export interface Previewed {
  format: 'csv' | 'json' | 'parquet'
  columns: { name: string; type: string }[]
  rows: (string | null)[][]
  more: boolean
  beginning_only: boolean
}

export interface LakeTable {
  catalog: string
  schema: string
  name: string
  kind: 'table' | 'view'
  format: string
  format_version?: number
  location: string
  columns?: number
  rows?: number
  bytes?: number
  files?: number
  snapshots?: number
  committed_ms?: number
  updated_ms?: number
  partitioned_by?: string[]
  comment?: string
}
export interface Snapshot {
  id: string
  parent_id?: string
  committed_ms: number
  operation?: string
  current: boolean
  rows?: number
  bytes?: number
  files?: number
  refs: string[]
  summary: Record<string, string>
}
export interface TableDetail extends LakeTable {
  column_list?: { id?: number; name: string; type: string; required: boolean; comment?: string }[]
  snapshot_list?: Snapshot[]
  history?: { made_current_ms: number; snapshot_id: string }[]
  properties?: Record<string, string>
  sorted_by?: string[]
}
