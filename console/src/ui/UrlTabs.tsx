import { Tabs } from '@mantine/core'
import type { ReactNode } from 'react'
import { useUrlState } from './urlState'

export interface UrlTab {
  key: string
  label: string
  icon?: ReactNode
  content: () => ReactNode
}

/** Tabs whose choice stands in the address; only the chosen one is made. */
export function UrlTabs({ tabs, name = 'tab' }: { tabs: UrlTab[]; name?: string }) {
  const [chosen, choose] = useUrlState(name, tabs[0]?.key)
  const active = tabs.find((tab) => tab.key === chosen) ?? tabs[0]
  return (
    <Tabs value={active.key} onChange={(key) => key && choose(key)} keepMounted={false}>
      <Tabs.List style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
        {tabs.map((tab) => (
          <Tabs.Tab key={tab.key} value={tab.key} leftSection={tab.icon}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={active.key} pt="md">
        {active.content()}
      </Tabs.Panel>
    </Tabs>
  )
}
