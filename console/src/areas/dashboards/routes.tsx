import type { AreaRoute } from '../../shell/routes'

export const routes: AreaRoute[] = [
  { path: '/dashboards', load: () => import('./Dashboards') },
  { path: '/dashboards/$name', load: () => import('./Dashboard') },
  { path: '/dashboards/$name/edit', load: () => import('./Edit') },
  { path: '/alerts', load: () => import('./Alerts') },
  { path: '/reports', load: () => import('./Reports') },
  { path: '/shared/$token', load: () => import('./Shared'), bare: true },
]
