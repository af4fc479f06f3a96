// A graph of anything, laid out from left to right (or top to bottom) by itself. React Flow and
// dagre weigh 80 kB, so they are loaded when the first graph is shown.
//
//   <Graph nodes={[{ id: 'a', label: 'orders', kind: 'table' }, …]} edges={[{ from: 'a', to: 'b' }]}
//          onNode={(id) => …} highlight={['a']} />
import { lazy, Suspense } from 'react';
import { Center, Loader } from '@mantine/core';

export interface GraphNode {
  id: string;
  label: string;
  /** What it is: chooses the icon. table, view, column, stream, dashboard, pipeline … */
  kind: string;
  /** How it is: colours the edge of the box. ok, running, warning, failed, stale, idle … */
  state?: string;
  /** A second, smaller line. */
  detail?: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  label?: string;
  /** Drawn in dashes: what decides over rows, not what gives values. */
  dashed?: boolean;
}

export interface GraphProps {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** A node was chosen by click, Enter or space. */
  onNode?: (id: string) => void;
  direction?: 'LR' | 'TB';
  /** These nodes and the edges between them stand out, all others step back. */
  highlight?: string[];
  /** The node all this is about: it has a frame of its own. */
  chosen?: string;
  /** Of the drawing, in pixels; the width is what there is. */
  height?: number;
  /** What is drawn, for who does not see it. */
  label?: string;
}

const Flow = lazy(() => import('./graph/Flow'));

export function Graph(props: GraphProps) {
  const height = props.height ?? 420;
  return (
    <Suspense
      fallback={
        <Center h={height}>
          <Loader size="sm" />
        </Center>
      }
    >
      <Flow {...props} height={height} />
    </Suspense>
  );
}
