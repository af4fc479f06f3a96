import type { AreaRoute } from '../../shell/routes'

export const routes: AreaRoute[] = [
  { path: '/pipelines', load: () => import('./Pipelines') },
  { path: '/pipelines/$pipeline', load: () => import('./Pipeline') },
  { path: '/pipelines/$pipeline/runs/$run', load: () => import('./Run') },
  { path: '/ingestion', load: () => import('./Ingestion') },
  { path: '/ingestion/new', load: () => import('./NewSource') },
  { path: '/ingestion/sources/$source', load: () => import('./Source') },
  { path: '/streams', load: () => import('./Streams') },
  { path: '/streams/$stream', load: () => import('./Stream') },
  { path: '/feeds', load: () => import('./Feeds') },
  { path: '/feeds/$feed', load: () => import('./Feed') },
  { path: '/quality', load: () => import('./Quality') },
  { path: '/quality/table', load: () => import('./QualityTable') },
]
