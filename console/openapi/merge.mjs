// base.yaml and paths/*.yaml → openapi.json beside them. Throws when two files define the same
// operation or component, or when something is referred to that no file defines.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const folder = dirname(fileURLToPath(import.meta.url));
const read = (file) => parse(readFileSync(join(folder, file), 'utf8'));
const problem = { $ref: '#/components/responses/Problem' };
const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

/** Moves the members of `from` into `into`; none may be there already. */
function joinInto(into, from, file, where) {
  for (const [name, value] of Object.entries(from ?? {})) {
    if (name in into) throw new Error(`${file}: ${where} '${name}' is defined by another file too`);
    into[name] = value;
  }
}

function merge(document, fragment, file) {
  for (const [path, item] of Object.entries(fragment.paths ?? {})) {
    joinInto((document.paths[path] ??= {}), item, file, path);
  }
  for (const [kind, all] of Object.entries(fragment.components ?? {})) {
    joinInto((document.components[kind] ??= {}), all, file, `components.${kind}`);
  }
  joinTags(document, fragment);
}

function joinTags(document, fragment) {
  document.tags ??= [];
  for (const tag of fragment.tags ?? []) {
    if (!document.tags.some((known) => known.name === tag.name)) document.tags.push(tag);
  }
}

/** Problems that any operation may answer with. */
function addProblems(document) {
  for (const item of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!methods.has(method)) continue;
      const codes = ['400', '401', '403', '503', ...(operation.requestBody ? ['413', '415', '422'] : [])];
      operation.responses ??= {};
      for (const code of codes) operation.responses[code] ??= problem;
    }
  }
}

/** Every "$ref" must lead somewhere. */
function checkReferences(document, value, where) {
  if (value === null || typeof value !== 'object') return;
  const reference = value.$ref;
  if (typeof reference === 'string') {
    const parts = reference.replace(/^#\//, '').split('/');
    const found = parts.reduce((at, part) => at?.[part.replaceAll('~1', '/')], document);
    if (found === undefined) throw new Error(`${where}: '${reference}' is defined nowhere`);
  }
  for (const [name, inner] of Object.entries(value)) {
    checkReferences(document, inner, `${where}/${name}`);
  }
}

const document = read('base.yaml');
for (const file of readdirSync(join(folder, 'paths')).sort()) {
  if (file.endsWith('.yaml')) merge(document, read(join('paths', file)) ?? {}, file);
}
addProblems(document);
checkReferences(document, document, '#');
document.tags?.sort((one, other) => one.name.localeCompare(other.name));
const text = JSON.stringify(document);
writeFileSync(join(folder, 'openapi.json'), text);
// Vite copies what stands in public/ as it is: the server answers /openapi.json with it.
mkdirSync(join(folder, '..', 'public'), { recursive: true });
writeFileSync(join(folder, '..', 'public', 'openapi.json'), text);
console.log(`openapi.json: ${Object.keys(document.paths).length} paths, ${text.length} bytes`);
