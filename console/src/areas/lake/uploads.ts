// Files on their way up: a queue that goes on while the person looks at other folders. Sent with
// XMLHttpRequest, which alone tells how far a body is.
import { useSyncExternalStore } from 'react'
import { api, csrfHeaders, Problem } from '../../api/client'
import { address } from '../../api/client'
import { bucketApi } from './names'

export type UploadState = 'waiting' | 'sending' | 'done' | 'exists' | 'failed' | 'canceled'
export interface Upload {
  id: number
  bucket: string
  key: string
  file: Blob
  size: number
  sent: number
  state: UploadState
  message?: string
  overwrite: boolean
}

const kAtOnce = 3
/** Larger ones are asked for first: a server that refuses a body cannot be heard while it is sent. */
const kAskFirst = 1 << 20

let all: Upload[] = []
let made = 0
const running = new Map<number, XMLHttpRequest>()
const listeners = new Set<() => void>()
const endings = new Set<(bucket: string) => void>()

function change(id: number, values: Partial<Upload>) {
  all = all.map((one) => (one.id === id ? { ...one, ...values } : one))
  for (const tell of listeners) tell()
}

function send(upload: Upload): Promise<void> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    running.set(upload.id, request)
    const end = (values: Partial<Upload>) => {
      running.delete(upload.id)
      change(upload.id, values)
      resolve()
    }
    request.open('PUT', address(bucketApi(upload.bucket, '/content'), { key: upload.key, overwrite: upload.overwrite }))
    for (const [name, value] of Object.entries(csrfHeaders())) request.setRequestHeader(name, value)
    request.setRequestHeader('Accept', 'application/json')
    request.setRequestHeader('Content-Type', upload.file.type || 'application/octet-stream')
    request.upload.onprogress = (event) => change(upload.id, { sent: event.loaded })
    request.onerror = () => end({ state: 'failed', message: undefined })
    request.onabort = () => end({ state: 'canceled' })
    request.onload = () => {
      if (request.status === 201) return end({ state: 'done', sent: upload.size })
      if (request.status === 412) return end({ state: 'exists', sent: 0 })
      let detail: string | undefined
      try {
        const told = JSON.parse(request.responseText)
        detail = told.detail ?? told.error?.message
      } catch {
        detail = `HTTP ${request.status}`
      }
      end({ state: 'failed', message: detail })
    }
    request.send(upload.file)
  })
}

async function isThere(upload: Upload): Promise<boolean> {
  try {
    await api.get(bucketApi(upload.bucket, '/object'), { key: upload.key })
    return true
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return false
    return false // the upload itself will tell what is wrong
  }
}

async function run(upload: Upload) {
  change(upload.id, { state: 'sending' })
  if (!upload.overwrite && upload.size > kAskFirst && (await isThere(upload))) change(upload.id, { state: 'exists' })
  else if (all.find((one) => one.id === upload.id)?.state === 'sending') await send(upload)
  next()
  if (!all.some((one) => one.bucket === upload.bucket && (one.state === 'sending' || one.state === 'waiting')))
    for (const tell of endings) tell(upload.bucket)
}

function next() {
  const busy = all.filter((one) => one.state === 'sending').length
  for (const upload of all.filter((one) => one.state === 'waiting').slice(0, Math.max(0, kAtOnce - busy)))
    void run(upload)
}

export interface Chosen {
  file: File
  /** Where it lies in the folder that was chosen: "2025/a.csv". */
  path: string
}

/** Puts files behind those that wait. `prefix` ends with a slash or is empty. */
export function upload(bucket: string, prefix: string, files: Chosen[]) {
  const added = files.map(({ file, path }): Upload => ({
    id: ++made, bucket, key: prefix + path, file, size: file.size, sent: 0, state: 'waiting', overwrite: false,
  }))
  all = [...all, ...added]
  for (const tell of listeners) tell()
  next()
}

/** Once more; `overwrite`: in the place of what is there. */
export function again(id: number, overwrite: boolean) {
  change(id, { state: 'waiting', sent: 0, message: undefined, overwrite })
  next()
}
export function cancel(id: number) {
  const request = running.get(id)
  if (request) request.abort()
  else change(id, { state: 'canceled' })
}
export function cancelAll() {
  for (const one of all) if (one.state === 'waiting' || one.state === 'sending') cancel(one.id)
}
/** Forgets those that have ended. */
export function clear() {
  all = all.filter((one) => one.state === 'waiting' || one.state === 'sending')
  for (const tell of listeners) tell()
}

export function useUploads(): Upload[] {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    () => all,
  )
}
/** `tell` is called when the last upload to a bucket has ended; gives what stops that. */
export function onUploadsEnd(tell: (bucket: string) => void): () => void {
  endings.add(tell)
  return () => endings.delete(tell)
}

/** Files chosen in a dialog; those of a folder with their paths. */
export function chosenFiles(list: FileList | null): Chosen[] {
  return [...(list ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }))
}

async function entriesIn(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const found: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return found
    found.push(...some)
  }
}

async function filesIn(entry: FileSystemEntry, found: Chosen[]) {
  if (entry.isDirectory) {
    for (const one of await entriesIn(entry as FileSystemDirectoryEntry)) await filesIn(one, found)
    return
  }
  const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
  found.push({ file, path: entry.fullPath.replace(/^\//, '') })
}

/** Files and folders that were dropped, with everything in them. */
export async function droppedFiles(data: DataTransfer): Promise<Chosen[]> {
  // Both must be asked for before the first wait: afterwards the browser has forgotten them.
  const items = [...data.items].filter((item) => item.kind === 'file')
  const taken = items.map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }))
  const found: Chosen[] = []
  for (const { entry, file } of taken) {
    if (entry?.isDirectory) await filesIn(entry, found)
    else if (file) found.push({ file, path: file.name })
  }
  return found
}
