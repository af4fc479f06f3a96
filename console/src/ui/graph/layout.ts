// Where the nodes of a graph stand: dagre's layers, and sizes guessed from the text before it is
// drawn, so that nothing jumps.
import dagre from '@dagrejs/dagre';
import type { GraphEdge, GraphNode } from '../Graph';

export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
}

const kCharacter = 7.4; // pixels, on average, at the size labels are written in

export function sizeOf(node: GraphNode): { width: number; height: number } {
  const longest = Math.max(node.label.length, (node.detail?.length ?? 0) * 0.85);
  return {
    width: Math.round(Math.min(300, Math.max(130, longest * kCharacter + 56))),
    height: node.detail ? 54 : 40,
  };
}

/** Edges to nodes that are not there are left out. */
export function place(
  nodes: GraphNode[],
  edges: GraphEdge[],
  direction: 'LR' | 'TB',
): Map<string, Placed> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: direction, nodesep: 18, ranksep: 70, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, sizeOf(node));
  for (const { from, to } of edges) {
    if (graph.hasNode(from) && graph.hasNode(to) && from !== to) graph.setEdge(from, to);
  }
  dagre.layout(graph);
  const placed = new Map<string, Placed>();
  for (const node of nodes) {
    const at = graph.node(node.id) as { x: number; y: number; width: number; height: number };
    placed.set(node.id, {
      x: at.x - at.width / 2,
      y: at.y - at.height / 2,
      width: at.width,
      height: at.height,
    });
  }
  return placed;
}
