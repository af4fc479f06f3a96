// Addresses of buckets, objects and tables, and their names as people can read them.
import { address } from '../../api/client'

export type Versioning = 'never' | 'enabled' | 'suspended'

/** An endpoint of a bucket; its key goes into the query, never into the path. */
export function bucketApi(bucket: string, rest = ''): string {
  return `/api/v1/buckets/${encodeURIComponent(bucket)}${rest}`
}

export function contentAddress(bucket: string, key: string, version?: string): string {
  return address(bucketApi(bucket, '/content'), { key, version })
}

/** Characters that do not show, or turn the reading direction, as escapes: a name looks like what
 *  it is. */
export function shown(name: string): string {
  return name.replace(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The last part of a key or prefix. */
export function lastPart(key: string): string {
  const body = key.endsWith('/') ? key.slice(0, -1) : key
  const name = body.slice(body.lastIndexOf('/') + 1)
  return name === '' ? key : name
}

/** The folder that a key lies in, with its slash; '' at the top. */
export function folderOf(key: string): string {
  const body = key.endsWith('/') ? key.slice(0, -1) : key
  return body.slice(0, body.lastIndexOf('/') + 1)
}

export interface Step {
  name: string
  prefix: string
}
/** The folders above and at a prefix. */
export function stepsOf(prefix: string): Step[] {
  const steps: Step[] = []
  for (let from = 0, end = prefix.indexOf('/'); end >= 0; from = end + 1, end = prefix.indexOf('/', from))
    steps.push({ name: prefix.slice(from, end), prefix: prefix.slice(0, end + 1) })
  return steps
}

/** "10GB", "1.5 TB", "500" (bytes) as bytes; null for what is none. '' is 0: no limit. */
export function bytesOf(text: string): number | null {
  const found = /^\s*(\d+(?:[.,]\d+)?)\s*([kmgtp]?)[bo]?\s*$/i.exec(text)
  if (!found) return text.trim() === '' ? 0 : null
  const power = ' kmgtp'.indexOf((found[2] || ' ').toLowerCase())
  return Math.round(Number(found[1].replace(',', '.')) * 1000 ** power)
}
