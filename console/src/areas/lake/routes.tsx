import type { AreaRoute } from '../../shell/routes'

export const routes: AreaRoute[] = [
  { path: '/lake', load: () => import('./Lake') },
  { path: '/lake/buckets/$bucket', load: () => import('./Bucket') },
  { path: '/lake/objects/$bucket', load: () => import('./ObjectPage') },
  { path: '/lake/tables', load: () => import('./Tables') },
  { path: '/lake/tables/$catalog/$schema/$table', load: () => import('./TablePage') },
]
