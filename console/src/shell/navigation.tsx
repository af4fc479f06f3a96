import {
  IconBook2, IconBucket, IconChartBar, IconDatabaseImport, IconHome2, IconRoute, IconSettings, IconShieldCheck,
  IconTerminal2, IconWaveSine,
} from '@tabler/icons-react'
import type { ComponentType } from 'react'

export interface NavigationItem {
  to: string
  text: string
  icon: ComponentType<{ size?: number; stroke?: number }>
  administrator?: boolean
}

/** The areas in the order of the navigation; `text` is the key of its name. */
export const navigation: NavigationItem[] = [
  { to: '/', text: 'nav.home', icon: IconHome2 },
  { to: '/sql', text: 'nav.sql', icon: IconTerminal2 },
  { to: '/lake', text: 'nav.lake', icon: IconBucket },
  { to: '/catalogue', text: 'nav.catalogue', icon: IconBook2 },
  { to: '/pipelines', text: 'nav.pipelines', icon: IconRoute },
  { to: '/ingestion', text: 'nav.ingestion', icon: IconDatabaseImport },
  { to: '/streams', text: 'nav.streams', icon: IconWaveSine },
  { to: '/quality', text: 'nav.quality', icon: IconShieldCheck },
  { to: '/dashboards', text: 'nav.dashboards', icon: IconChartBar },
  { to: '/admin', text: 'nav.admin', icon: IconSettings, administrator: true },
]
