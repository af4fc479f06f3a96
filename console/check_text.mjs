// Finds what a person would read in one language only: keys that English or French lacks, other
// placeholders in one than in the other, keys that are used and nowhere defined (and the other way
// round), text written into components instead of text.ts. Prints one mistake a line; exits with 1.
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

const root = new URL('./src/', import.meta.url).pathname
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.(test|d)\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
const mistakes = []

async function textsOf(file) {
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  })
  return import('data:text/javascript;base64,' + Buffer.from(outputText).toString('base64'))
}

const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort().join()
const defined = new Map()
for (const file of files.filter((name) => /(areas\/\w+\/text|i18n\/shell)\.ts$/.test(name))) {
  const where = relative(root, file)
  const [{ en, fr }] = Object.values(await textsOf(file))
  for (const key of new Set([...Object.keys(en), ...Object.keys(fr)])) {
    if (defined.has(key)) mistakes.push(`${where}: '${key}' is defined in ${defined.get(key)} too`)
    defined.set(key, where)
    if (!en[key]) mistakes.push(`${where}: '${key}' has no English text`)
    else if (!fr[key]) mistakes.push(`${where}: '${key}' has no French text`)
    else if (placeholders(en[key]) !== placeholders(fr[key]))
      mistakes.push(`${where}: '${key}' has other {placeholders} in French than in English`)
    // A word and : ; ! ? are parted by a space that does not break.
    if (/[\p{L}\d)»] [:;!?»]|« /u.test(fr[key] ?? '') || /\p{L}[;!?](\s|$)/u.test(fr[key] ?? ''))
      mistakes.push(`${where}: the French of '${key}' wants a no-break space: ${fr[key]}`)
  }
}

// Attributes that people read; and words in which no language is spoken.
const kRead = new Set(['label', 'placeholder', 'title', 'aria-label', 'description', 'hint', 'subtitle', 'alt', 'confirm', 'question'])
const spoken = (text) => /\p{L}{2,}/u.test(text) && !/^(DataMeesh|meesh|SQL|YAML|JSON|CSV|Parquet|Excel|S3|PNG|SVG|PDF|HTML|kB|MB|50 GB|ms|Ctrl K|s3:Put)$/i.test(text.trim())

const used = new Set()
const patterns = []
for (const file of files) {
  const where = relative(root, file)
  if (/text\.ts$|i18n\/shell\.ts$/.test(where)) continue
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true,
    file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS)
  const line = (node) => source.getLineAndCharacterOfPosition(node.getStart()).line + 1
  const visit = (node) => {
    if (ts.isJsxText(node) && spoken(node.text))
      mistakes.push(`${where}:${line(node)}: text in a component: ${node.text.trim()}`)
    if (ts.isJsxAttribute(node) && kRead.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer) &&
        spoken(node.initializer.text))
      mistakes.push(`${where}:${line(node)}: text in a component: ${node.name.getText()}="${node.initializer.text}"`)
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) used.add(node.text)
    if (ts.isTemplateExpression(node)) {
      const parts = [node.head.text, ...node.templateSpans.map((span) => span.literal.text)]
      if (/^[a-z]+\.[\w.]*$/.test(parts[0]))
        patterns.push(new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`))
    }
    const called = ts.isCallExpression(node) && node.arguments.length > 0 && /^(t|text|tr)$/.test(node.expression.getText())
    if (called && ts.isStringLiteral(node.arguments[0]) && !defined.has(node.arguments[0].text))
      mistakes.push(`${where}:${line(node)}: no text is defined for '${node.arguments[0].text}'`)
    ts.forEachChild(node, visit)
  }
  visit(source)
}
for (const [key, where] of defined)
  if (!used.has(key) && !patterns.some((pattern) => pattern.test(key))) mistakes.push(`${where}: '${key}' is used nowhere`)

for (const mistake of mistakes) console.log(mistake)
console.log(`${defined.size} texts, ${mistakes.length} mistakes`)
process.exit(mistakes.length ? 1 : 0)
