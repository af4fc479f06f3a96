/** A value as YAML that people go on editing: blocks for objects and lists, quotes only where they are
 *  needed. Members that are undefined, "" or empty objects are left out. */

const kPlain = /^[A-Za-z_/][A-Za-z0-9_./-]*$/
/** Words that YAML takes for something else than text. */
const kOther = /^(true|false|null|yes|no|on|off|y|n|~)$/i

export function scalar(value: unknown): string {
  if (typeof value === 'string') return kPlain.test(value) && !kOther.test(value) ? value : JSON.stringify(value)
  return JSON.stringify(value)
}

export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return false
}

function write(value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth)
  const lines: string[] = []
  for (const [key, member] of Object.entries(value as Record<string, unknown>)) {
    if (isEmpty(member)) continue
    if (Array.isArray(member)) {
      lines.push(`${indent}${scalar(key)}: [${member.map(scalar).join(', ')}]`)
    } else if (typeof member === 'object') {
      const inner = write(member, depth + 1)
      if (inner.length > 0) lines.push(`${indent}${scalar(key)}:`, ...inner)
      else lines.push(`${indent}${scalar(key)}: {}`)
    } else {
      lines.push(`${indent}${scalar(key)}: ${scalar(member)}`)
    }
  }
  return lines
}

export function toYaml(value: Record<string, unknown>): string {
  return `${write(value, 0).join('\n')}\n`
}
