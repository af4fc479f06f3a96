// The server's plan of a statement, drawn in boxes of text, as a graph.

export interface PlanNode {
  id: string
  name: string
  detail: string[]
  rows?: string
}
export interface Plan {
  nodes: PlanNode[]
  edges: { from: string; to: string }[]
}

/** A box's lines, found by its corners in the text. */
function boxAt(lines: string[][], top: number, left: number): { right: number; bottom: number; content: string[] } | null {
  let right = left + 1
  while (right < lines[top].length && lines[top][right] !== '┐') {
    if (!'─┴'.includes(lines[top][right])) return null
    right += 1
  }
  let bottom = top + 1
  const content: string[] = []
  while (bottom < lines.length && lines[bottom][left] !== '└') {
    if (!'│├'.includes(lines[bottom][left] ?? '')) return null
    content.push(lines[bottom].slice(left + 1, right).join('').trim())
    bottom += 1
  }
  return bottom < lines.length ? { right, bottom, content } : null
}

/** Text that was broken at the box's edge: a line as wide as the box goes on in the next. */
function facts(content: string[]): string[] {
  return content.filter((line) => line && !/^[─-]+$/.test(line))
}

/** Null for what is no such drawing. Children stand below their parent, the first straight below,
 *  the others to the right of it. Rows flow from the leaves up. */
export function readPlan(text: string): Plan | null {
  const lines = text.split('\n').map((line) => [...line])
  const found: { top: number; left: number; bottom: number; node: PlanNode }[] = []
  for (let top = 0; top < lines.length; top++)
    for (let left = 0; left < lines[top].length; left++) {
      if (lines[top][left] !== '┌') continue
      const box = boxAt(lines, top, left)
      if (!box) continue
      const [name = '', ...rest] = facts(box.content)
      const rows = rest.findLast((line) => /^~?[\d,]+ rows?$/.test(line))
      found.push({
        top,
        left,
        bottom: box.bottom,
        node: { id: String(found.length), name, detail: rest.filter((line) => line !== rows), rows },
      })
    }
  if (found.length === 0) return null
  const edges: Plan['edges'] = []
  const tops = [...new Set(found.map((box) => box.top))].sort((a, b) => a - b)
  for (const box of found) {
    const level = tops.indexOf(box.top)
    const above = found.filter((one) => one.top === tops[level - 1] && one.left <= box.left)
    const parent = above.reduce<(typeof found)[number] | null>((best, one) => (!best || one.left > best.left ? one : best), null)
    if (parent) edges.push({ from: box.node.id, to: parent.node.id })
  }
  return { nodes: found.map((box) => box.node), edges }
}

/** Without the steps that only pass columns on: what is joined, grouped and read remains. */
export function essence(plan: Plan): Plan {
  let { nodes, edges } = plan
  for (const node of plan.nodes) {
    const below = edges.filter((edge) => edge.to === node.id)
    const above = edges.filter((edge) => edge.from === node.id)
    if (node.name !== 'PROJECTION' || below.length !== 1 || above.length > 1) continue
    nodes = nodes.filter((one) => one !== node)
    edges = edges.filter((edge) => edge.to !== node.id && edge.from !== node.id)
    if (above.length === 1) edges = [...edges, { from: below[0].from, to: above[0].to }]
  }
  return { nodes, edges }
}
