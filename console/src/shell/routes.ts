import type { ComponentType } from 'react'

/** A page of an area: its path as TanStack Router writes it, and what it is made of, loaded when
 *  it is first opened. */
export interface AreaRoute {
  path: string
  load: () => Promise<{ default: ComponentType }>
  /** Without the navigation around it: sign-in, shared dashboards, full screen. */
  bare?: boolean
}
