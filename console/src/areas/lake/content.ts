// What an object's bytes are, told by the bytes and not by what somebody says of them.
import { ask } from '../../api/client'
import { contentAddress } from './names'

/** What is read to show a file as text or picture, in bytes. */
export const kMostText = 128 << 10
export const kMostRead = 8 << 20

/** The first bytes of an object. The answer is only ever read here: it is never a page, script or
 *  style of the console. */
export async function firstBytes(
  bucket: string, key: string, version: string | undefined, size: number, most: number, signal?: AbortSignal,
): Promise<Uint8Array> {
  if (size === 0) return new Uint8Array()
  const headers: Record<string, string> = size > most ? { Range: `bytes=0-${most - 1}` } : {}
  const answer = await ask('GET', contentAddress(bucket, key, version), undefined, { headers, signal })
  return new Uint8Array(await answer.arrayBuffer())
}

const kPictures: [string, (bytes: Uint8Array) => boolean][] = [
  ['image/png', (b) => begins(b, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ['image/jpeg', (b) => begins(b, [0xff, 0xd8, 0xff])],
  ['image/gif', (b) => latin(b, 0, 6) === 'GIF87a' || latin(b, 0, 6) === 'GIF89a'],
  ['image/webp', (b) => latin(b, 0, 4) === 'RIFF' && latin(b, 8, 12) === 'WEBP'],
  ['image/avif', (b) => latin(b, 4, 12) === 'ftypavif'],
  ['image/bmp', (b) => latin(b, 0, 2) === 'BM' && b.length > 26],
]

function begins(bytes: Uint8Array, start: number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte)
}
function latin(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to))
}

/** The type of a picture without scripts in it; null for everything else, SVG too. */
export function pictureType(bytes: Uint8Array): string | null {
  return kPictures.find(([, fits]) => fits(bytes))?.[0] ?? null
}

/** Text, if it is UTF-8 without control characters; the last character may be cut through. */
export function textIn(bytes: Uint8Array, whole: boolean): string | null {
  for (const byte of bytes.subarray(0, 65_536)) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) return null
  for (let cut = 0; cut < (whole ? 1 : 4); cut += 1) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytes.length - cut))
    } catch {
      // perhaps in the middle of a character
    }
  }
  return null
}

export type Shape = 'rows' | 'picture' | 'markdown' | 'notebook' | 'other'

/** How a file of this name is best looked at. */
export function shapeOf(key: string): Shape {
  const name = key.toLowerCase()
  if (/\.(csv|tsv|jsonl|ndjson|json)(\.gz|\.zst)?$|\.parq(uet)?$/.test(name)) return 'rows'
  if (/\.(png|jpe?g|gif|webp|avif|bmp)$/.test(name)) return 'picture'
  if (/\.(md|markdown)$/.test(name)) return 'markdown'
  if (name.endsWith('.ipynb')) return 'notebook'
  return 'other'
}

/** "00000000  50 41 52 31 …  PAR1" of sixteen bytes a line. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)]
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  return lines.join('\n')
}

const kMagic: [string, (bytes: Uint8Array) => boolean][] = [
  ['Apache Parquet', (b) => latin(b, 0, 4) === 'PAR1'],
  ['Apache Avro', (b) => latin(b, 0, 3) === 'Obj' && b[3] === 1],
  ['Apache ORC', (b) => latin(b, 0, 3) === 'ORC'],
  ['Iceberg Puffin', (b) => latin(b, 0, 4) === 'PFA1'],
  ['PDF', (b) => latin(b, 0, 5) === '%PDF-'],
  ['ZIP', (b) => begins(b, [0x50, 0x4b, 3, 4])],
  ['gzip', (b) => begins(b, [0x1f, 0x8b])],
  ['Zstandard', (b) => begins(b, [0x28, 0xb5, 0x2f, 0xfd])],
  ['SQLite', (b) => latin(b, 0, 15) === 'SQLite format 3'],
  ['DuckDB', (b) => latin(b, 8, 12) === 'DUCK'],
]

/** The format that the first bytes tell; null for none that is known. */
export function formatIn(bytes: Uint8Array): string | null {
  return kMagic.find(([, fits]) => fits(bytes))?.[0] ?? pictureType(bytes)
}

/** The schema that an Avro file begins with, as it stands there; null if it is not found. */
export function avroSchema(bytes: Uint8Array): string | null {
  const text = latin(bytes, 0, Math.min(bytes.length, 65_536))
  const begin = text.indexOf('{', text.indexOf('avro.schema'))
  if (text.indexOf('avro.schema') < 0 || begin < 0) return null
  for (let at = begin, depth = 0, quoted = false; at < text.length; at += 1) {
    const character = text[at]
    if (quoted && character === '\\') at += 1
    else if (character === '"') quoted = !quoted
    else if (!quoted && character === '{') depth += 1
    else if (!quoted && character === '}' && (depth -= 1) === 0) {
      try {
        return JSON.stringify(JSON.parse(text.slice(begin, at + 1)), null, 2)
      } catch {
        return null
      }
    }
  }
  return null
}
