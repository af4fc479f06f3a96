import type { AreaRoute } from '../../shell/routes'

const load = () => import('./Lab')

export const routes: AreaRoute[] = [
  { path: '/sql', load },
  { path: '/sql/$saved', load },
]
