import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router'
import { areaRoutes } from '../areas'
import { Loading, ProblemView } from '../ui'
import { NotFound } from './NotFound'
import { SessionProvider } from './session'
import { Shell } from './Shell'

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound })

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: () => (
    <SessionProvider>
      <Shell />
    </SessionProvider>
  ),
})

const make = (parent: typeof root | typeof inside, bare: boolean) =>
  areaRoutes
    .filter((route) => Boolean(route.bare) === bare)
    .map((route) =>
      createRoute({
        getParentRoute: () => parent as typeof root,
        path: route.path as '/',
        component: lazyRouteComponent(route.load),
        pendingComponent: () => <Loading />,
        errorComponent: ({ error, reset }) => <ProblemView error={error} onRetry={reset} />,
      }),
    )

export const router = createRouter({
  routeTree: root.addChildren([...make(root, true), inside.addChildren(make(inside, false))]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  // What stands in the address is text, as a person reads and writes it.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(
      Object.entries(search).filter(([, value]) => value !== undefined && value !== '').map(([key, value]) => [key, String(value)]),
    ).toString()
    return text ? `?${text}` : ''
  },
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
