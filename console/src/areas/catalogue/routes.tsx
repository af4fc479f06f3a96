import type { AreaRoute } from '../../shell/routes'

export const routes: AreaRoute[] = [
  { path: '/catalogue', load: () => import('./Catalogue') },
  { path: '/catalogue/glossary', load: () => import('./Glossary') },
  { path: '/catalogue/products', load: () => import('./Products') },
  { path: '/catalogue/contracts', load: () => import('./Contracts') },
  { path: '/catalogue/$', load: () => import('./Asset') },
]
