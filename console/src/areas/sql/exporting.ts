// The whole result of a statement as a file, made by the server.
import { ask } from '../../api/client'

export type ExportFormat = 'csv' | 'json' | 'parquet' | 'xlsx'

export interface ExportOptions {
  statement: string
  catalog?: string
  schema?: string
  format: ExportFormat
  name: string
  guard_formulas: boolean
  time_zone?: string
}

/** The file; `onBytes` is told how much has come. Throws Problem. */
export async function exportRows(options: ExportOptions, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Blob> {
  const answer = await ask('POST', '/api/v1/sql/export', options, { signal })
  const parts: BlobPart[] = []
  const reader = answer.body!.getReader()
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return new Blob(parts, { type: answer.headers.get('Content-Type') ?? 'application/octet-stream' })
    parts.push(value)
    bytes += value.length
    onBytes(bytes)
  }
}
