import { Tabs } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useLocation, useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useText } from '../../i18n'
import { isAdministrator, useSession } from '../../shell/session'
import { EmptyState, Page } from '../../ui'

const kParts = ['users', 'policies', 'audit', 'queries', 'log', 'settings', 'account'] as const
const pageOf = (part: string) => (part === 'users' ? '/admin' : `/admin/${part}`)

/** The parts of administration beside each other, and the page of one of them. */
export function AdminPage({ title, subtitle, actions, children, everybody }: {
  title: string
  subtitle?: ReactNode
  actions?: ReactNode
  children: ReactNode
  /** Not only for administrators. */
  everybody?: boolean
}) {
  const t = useText()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const session = useSession()
  const administrator = isAdministrator(session)
  const parts = kParts.filter((part) => administrator || part === 'queries' || part === 'account')
  const active = parts.find((part) => part !== 'users' && pathname.startsWith(pageOf(part))) ?? parts[0]
  return (
    <Page title={title} subtitle={subtitle} actions={actions}>
      <Tabs value={active} onChange={(part) => void navigate({ to: pageOf(part ?? 'users') as '/' })}>
        <Tabs.List style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {parts.map((part) => (
            <Tabs.Tab key={part} value={part}>
              {t(`admin.part.${part}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={active} pt="md">
          {administrator || everybody ? children : (
            <EmptyState icon={<IconLock size={24} />} title={t('admin.not_allowed')} hint={t('admin.not_allowed.hint')} />
          )}
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}
