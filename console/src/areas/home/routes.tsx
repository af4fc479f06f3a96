import type { AreaRoute } from '../../shell/routes'

export const routes: AreaRoute[] = [
  { path: '/', load: () => import('./Home') },
  { path: '/home/about', load: () => import('./About') },
]
