import { useEffect, useMemo } from 'react';
import {
  Background,
  Controls,
  Handle,
  MarkerType,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
  type Node,
  type NodeProps,
} from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useComputedColorScheme } from '@mantine/core';
import {
  IconActivity,
  IconBook2,
  IconBucket,
  IconChartBar,
  IconColumns3,
  IconDatabase,
  IconEye,
  IconFile,
  IconHexagon,
  IconPackage,
  IconPlugConnected,
  IconShieldCheck,
  IconSitemap,
  IconTable,
  IconTransform,
  type Icon,
} from '@tabler/icons-react';
import type { GraphNode, GraphProps } from '../Graph';
import { place } from './layout';
import classes from './Flow.module.css';

const kIcons: Record<string, Icon> = {
  table: IconTable,
  view: IconEye,
  materialized_view: IconEye,
  column: IconColumns3,
  database: IconDatabase,
  catalog: IconDatabase,
  bucket: IconBucket,
  file: IconFile,
  dataset: IconFile,
  dashboard: IconChartBar,
  stream: IconActivity,
  feed: IconPackage,
  source: IconPlugConnected,
  ingest: IconPlugConnected,
  pipeline: IconSitemap,
  sql: IconTransform,
  dbt: IconTransform,
  dbt_model: IconTransform,
  check: IconShieldCheck,
  term: IconBook2,
  product: IconPackage,
};

/** Words of all rooms for how something is, as four colours. */
function tone(state: string | undefined): string {
  const word = (state ?? '').toLowerCase();
  if (['failed', 'error', 'fail', 'down', 'firing', 'canceled', 'upstream_failed'].includes(word))
    return 'bad';
  if (['running', 'started', 'planning', 'live', 'queued', 'retrying'].includes(word))
    return 'busy';
  if (['stale', 'warning', 'warn', 'late', 'paused', 'skipped', 'gone'].includes(word))
    return 'warn';
  if (['ok', 'success', 'succeeded', 'fresh', 'pass', 'finished', 'up'].includes(word))
    return 'good';
  return 'idle';
}

interface BoxData extends Record<string, unknown> {
  node: GraphNode;
  vertical: boolean;
  faded: boolean;
  chosen: boolean;
  width: number;
  height: number;
  onNode?: (id: string) => void;
}

function Box({ data }: NodeProps<Node<BoxData>>) {
  const { node, vertical, onNode } = data;
  const Sign = kIcons[node.kind] ?? IconHexagon;
  const inside = (
    <>
      <Sign size={16} stroke={1.6} className={classes.icon} aria-hidden />
      <span className={classes.words}>
        <span className={classes.label}>{node.label}</span>
        {node.detail && <span className={classes.detail}>{node.detail}</span>}
      </span>
    </>
  );
  const box = {
    className: `${classes.box} nopan`,
    'data-tone': tone(node.state),
    'data-faded': data.faded || undefined,
    'data-chosen': data.chosen || undefined,
    title: [node.label, node.detail, node.state].filter(Boolean).join('\n'),
    style: { width: data.width, height: data.height },
  };
  return (
    <>
      <Handle
        type="target"
        position={vertical ? Position.Top : Position.Left}
        className={classes.handle}
        isConnectable={false}
      />
      {onNode ? (
        <button type="button" {...box} onClick={() => onNode(node.id)}>
          {inside}
        </button>
      ) : (
        <div {...box}>{inside}</div>
      )}
      <Handle
        type="source"
        position={vertical ? Position.Bottom : Position.Right}
        className={classes.handle}
        isConnectable={false}
      />
    </>
  );
}

const nodeTypes = { box: Box };

function edgesOf({ edges, highlight }: GraphProps, known: Set<string>): Edge[] {
  const bright = highlight?.length ? new Set(highlight) : null;
  return edges
    .filter(({ from, to }) => known.has(from) && known.has(to))
    .map((edge, at) => {
      const lit = !bright || (bright.has(edge.from) && bright.has(edge.to));
      return {
        id: `${at}`,
        source: edge.from,
        target: edge.to,
        label: edge.label,
        focusable: false,
        className: [classes.edge, lit ? '' : classes.dim, edge.dashed ? classes.dashed : '']
          .filter(Boolean)
          .join(' '),
        markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 },
      };
    });
}

function Drawing(props: GraphProps) {
  const { nodes, edges, onNode, highlight, chosen, direction = 'LR' } = props;
  const scheme = useComputedColorScheme('light');
  const flow = useReactFlow();
  const placed = useMemo(() => place(nodes, edges, direction), [nodes, edges, direction]);
  const boxes = useMemo<Node<BoxData>[]>(() => {
    const bright = highlight?.length ? new Set(highlight) : null;
    return nodes.map((node) => {
      const at = placed.get(node.id)!;
      return {
        id: node.id,
        type: 'box',
        position: { x: at.x, y: at.y },
        width: at.width,
        height: at.height,
        data: {
          node,
          vertical: direction === 'TB',
          faded: bright ? !bright.has(node.id) : false,
          chosen: node.id === chosen || (bright ? bright.has(node.id) : false),
          width: at.width,
          height: at.height,
          onNode,
        },
      };
    });
  }, [nodes, placed, highlight, chosen, direction, onNode]);
  const lines = useMemo(
    () => edgesOf(props, new Set(nodes.map((node) => node.id))),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [nodes, edges, highlight],
  );
  const shape = nodes.map((node) => node.id).join('\n');
  useEffect(() => {
    const timer = setTimeout(() => void flow.fitView({ padding: 0.1, maxZoom: 1 }), 0);
    return () => clearTimeout(timer);
  }, [flow, shape]);

  return (
    <ReactFlow
      nodes={boxes}
      edges={lines}
      nodeTypes={nodeTypes}
      colorMode={scheme}
      fitView
      fitViewOptions={{ padding: 0.1, maxZoom: 1 }}
      minZoom={0.1}
      maxZoom={2}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      onlyRenderVisibleElements={nodes.length > 300}
      preventScrolling={false}
      zoomOnScroll={false}
      zoomActivationKeyCode={['Meta', 'Control']}
      proOptions={{ hideAttribution: true }}
    >
      <Background gap={18} size={1} />
      <Controls showInteractive={false} position="bottom-right" />
    </ReactFlow>
  );
}

export default function Flow(props: GraphProps) {
  return (
    <div
      className={classes.frame}
      style={{ height: props.height }}
      role="group"
      aria-label={props.label}
    >
      <ReactFlowProvider>
        <Drawing {...props} />
      </ReactFlowProvider>
    </div>
  );
}
