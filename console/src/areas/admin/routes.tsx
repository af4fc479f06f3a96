import type { AreaRoute } from '../../shell/routes'

export const routes: AreaRoute[] = [
  { path: '/admin', load: () => import('./Users') },
  { path: '/admin/users/$name', load: () => import('./User') },
  { path: '/admin/policies', load: () => import('./Policies') },
  { path: '/admin/policies/$name', load: () => import('./Policy') },
  { path: '/admin/audit', load: () => import('./Audit') },
  { path: '/admin/queries', load: () => import('./Queries') },
  { path: '/admin/queries/$id', load: () => import('./Query') },
  { path: '/admin/log', load: () => import('./Log') },
  { path: '/admin/settings', load: () => import('./Settings') },
  { path: '/admin/account', load: () => import('./Account') },
  { path: '/sign-in', load: () => import('./SignIn'), bare: true },
]
