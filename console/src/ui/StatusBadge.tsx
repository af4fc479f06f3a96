import { Badge } from '@mantine/core'

const kColours: Record<string, string> = {
  succeeded: 'teal', finished: 'teal', running: 'blue', ok: 'teal', healthy: 'teal', up: 'teal', fresh: 'teal',
  passed: 'teal', active: 'teal', resolved: 'teal',
  failed: 'red', error: 'red', down: 'red', firing: 'red', upstream_failed: 'red',
  warning: 'orange', stale: 'orange', retrying: 'orange', degraded: 'orange', canceled: 'orange', no_data: 'orange',
}

/** A state in the colour that people expect of it. `label` is what is read; the state itself if left
 *  out. */
export function StatusBadge({ state, label }: { state: string; label?: string }) {
  return (
    <Badge variant="light" color={kColours[state.toLowerCase()] ?? 'gray'} size="sm" radius="sm" tt="none">
      {label ?? state}
    </Badge>
  )
}
