// Packs dist/ into dist/console.pack, which the build links into the program: a line of JSON
// {"pages": […], "files": [{"path", "type", "offset", "size", "coding"}]}, then the files' bytes,
// gzipped where that helps. Offsets count from the byte after the line.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'

const root = new URL('./dist/', import.meta.url).pathname
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

const files = []
const parts = []
let offset = 0
function add(path, bytes) {
  const type = types[extname(path)]
  if (!type) throw new Error(`embed.mjs knows no content type of ${path}`)
  // The page itself is filled in for every request, so it stays as it is.
  const packed = path === '/index.html' ? bytes : gzipSync(bytes, { level: 9 })
  const smaller = packed.length < bytes.length
  const body = smaller ? packed : bytes
  files.push({
    path,
    type,
    offset,
    size: body.length,
    coding: smaller ? 'gzip' : '',
    etag: createHash('sha256').update(bytes).digest('hex').slice(0, 24),
  })
  parts.push(body)
  offset += body.length
}

for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name === 'console.pack') continue
  const file = join(entry.parentPath, entry.name)
  add('/' + relative(root, file), readFileSync(file))
}
const pages = JSON.parse(readFileSync(new URL('./src/shell/pages.json', import.meta.url), 'utf8'))
writeFileSync(join(root, 'console.pack'), Buffer.concat([Buffer.from(JSON.stringify({ pages, files }) + '\n'), ...parts]))
const page = readFileSync(join(root, 'index.html'), 'utf8')
const kilobytes = (list) => Math.round(list.reduce((sum, file) => sum + file.size, 0) / 1024)
const first = kilobytes(files.filter((file) => file.path === '/index.html' || page.includes(`"${file.path}"`)))
console.log(`console: ${files.length} files, ${kilobytes(files)} kB; first load ${first} kB`)
if (first > 400) throw new Error('the first load is over 400 kB: load what is not on every page when it is needed')
