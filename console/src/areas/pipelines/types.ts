/** What the API tells of pipelines, ingestion, streams, feeds and quality. Times are milliseconds
 *  since 1970; what is not known is missing. */

export interface Pipeline {
  name: string
  file: string
  assets: number
  concurrency: number
  max_runs: number
  description?: string
  cron?: string
  timezone?: string
  on_upstream?: boolean
  partitions_from?: string
  parameters: Record<string, string>
}
export interface Node {
  name: string
  kind: string
  needs: string[]
  reads: string[]
  makes: string[]
  tags: string[]
  description?: string
  pool?: string
}
export interface PipelineWithGraph extends Pipeline {
  graph: Node[]
}
export interface RunRecord {
  id: string
  pipeline: string
  state: string
  trigger: string
  requested_by: string
  created_ms: number
  steps_planned: number
  partition?: string
  backfill?: string
  rerun_of?: string
  scheduled_ms?: number
  started_ms?: number
  ended_ms?: number
  error?: string
  cancel_requested?: boolean
  parameters: Record<string, string>
}
export interface Step {
  name: string
  state: string
  attempt: number
  kind?: string
  part_of?: string
  started_ms?: number
  ended_ms?: number
  message?: string
  error?: string
  rows?: number
  metadata?: Record<string, unknown>
  progress?: [number, number]
}
export interface Run extends RunRecord {
  steps: Step[]
  attempts: Step[]
}
export interface Schedule {
  pipeline: string
  schedule: string
  timezone: string
  paused: boolean
  next_ms: number[]
  last_ms?: number
}
export interface Asset {
  name: string
  kind: string
  pipeline: string
  step: string
  state: string
  inputs: string[]
  changed_inputs: string[]
  tags: string[]
  description?: string
  run_id?: string
  succeeded_ms?: number
  ended_ms?: number
  rows?: number
}
export interface Backfill {
  id: string
  pipeline: string
  from: string
  to: string
  requested_by: string
  concurrency: number
  created_ms: number
  runs: Record<string, number>
}
export interface Alert {
  id: number | string
  pipeline: string
  event: string
  channel: string
  created_ms: number
  attempts: number
  state: string
  run_id?: string
  sent_ms?: number
  error?: string
}

export interface Source {
  name: string
  kind: string
  file: string
  all_tables: boolean
  tables: { stream: string; table: string; mode: string }[]
}
export interface SourceStream {
  name: string
  origin: string
  view: boolean
  columns: { name: string; type: string; note?: string }[]
  key: string[]
  cursors: string[]
  estimated_rows: number
  notes: string[]
}
export interface Sync {
  id: string
  source: string
  stream: string
  table: string
  run_id: string
  run_date: string
  mode: string
  state: string
  started_ms: number
  ended_ms: number
  rows: number
  bytes: number
  rejected: number
  error?: string
}
export interface SyncStatus {
  source: string
  stream: string
  table: string
  mode: string
  syncs: number
  success_rate: number | null
  mean_seconds: number
  rows: number
  rejected: number
  position?: unknown
  last?: Sync
}
/** How far behind a source is whose changes are followed. */
export interface ChangeStatus {
  source: string
  phase: string
  lag_bytes: number
  lag_seconds: number
  warnings: string[]
}

export interface IngestStatus {
  streams: SyncStatus[]
  changes: ChangeStatus[]
  metrics: { syncs: number; success_rate: number | null; mean_seconds: number; rows: number; rejected: number }
}

export interface Stream {
  name: string
  description: string
  state: string
  output: string
  trigger: string
  sources: string[]
  sinks: string[]
  generation: number
  batch: number
  messages: number
  rows: number
  malformed: number
  late: number
  duplicates: number
  messages_per_second: number
  lag: number | null
  watermark: string | null
  state_rows: number
  state_bytes: number
  last_commit_ms: number
  last_batch_ms: number
  last_batch_messages: number
  partitions: { topic: string; partition: number; committed: number; end: number | null; lag: number | null }[]
  error?: string
  retry_ms?: number
  config?: {
    sql: string
    sources: { name: string; topics: string[]; event_time?: string; watermark_delay_ms?: number }[]
    sinks: { kind: string; target: string }[]
    dead_letter?: string
  }
}

export interface FeedEvent {
  id: string
  feed: string
  kind: string
  state: string
  started_ms: number
  ended_ms: number
  rows: number
  records: number
  bytes: number
  version?: number
  detail?: string
  error?: string
}
export interface Feed {
  name: string
  error?: string
  description?: string
  type?: string
  source?: string
  storage_mode?: string
  partitioning?: string
  enabled?: boolean
  retention_days?: number
  retention_versions?: number
  table?: string
  folder?: string
  records?: number
  bytes?: number
  partition_count?: number
  last_export_ms?: number
  current_version?: number
  view?: string
  last?: FeedEvent
  partitions?: { path: string; records: number; bytes: number }[]
  versions?: { version: number; written_ms: number; rows: number; removed: boolean; current: boolean }[]
  events?: FeedEvent[]
}

export interface CheckResult {
  table: string
  suite: string
  check: string
  kind: string
  severity: string
  outcome: string
  value?: number | null
  checked?: number
  failing?: number
  expected?: string
  message?: string
  run_id?: string
  at_ms: number
  sample?: { columns: string[]; rows: (string | null)[][] }
}
export interface Score {
  name?: string
  table?: string
  product?: string
  domain?: string
  score: number
  checks: number
  passed: number
  warnings: number
  failures: number
  at_ms: number
}
export interface Suite {
  suite: string
  table: string
  checks: { check: string; kind: string; severity: string; expected: string; line: number }[]
}
