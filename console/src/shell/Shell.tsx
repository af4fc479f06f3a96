import {
  ActionIcon, AppShell, Badge, Box, Burger, Button, Group, Kbd, Menu, NavLink, ScrollArea, Text, Tooltip,
  UnstyledButton, useMantineColorScheme, VisuallyHidden,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import {
  IconDeviceDesktop, IconLanguage, IconLogout, IconMoon, IconSearch, IconSun, IconUserCircle,
} from '@tabler/icons-react'
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { api } from '../api/client'
import { useLanguage } from '../i18n'
import { navigation } from './navigation'
import { isAdministrator, useSession } from './session'
import classes from './shell.module.css'

const Search = lazy(() => import('./Search'))

function SearchButton() {
  const { text } = useLanguage()
  const [opened, setOpened] = useState(false)
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        setOpened((before) => !before)
      }
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [])
  return (
    <>
      <Button variant="default" size="xs" fw={400} c="dimmed" leftSection={<IconSearch size={15} />}
        rightSection={<Kbd size="xs" visibleFrom="md" aria-hidden>Ctrl K</Kbd>} onClick={() => setOpened(true)}>
        <Box visibleFrom="sm" component="span">{text('shell.search')}</Box>
        <VisuallyHidden hiddenFrom="sm">{text('shell.search')}</VisuallyHidden>
      </Button>
      {opened && (
        <Suspense fallback={null}>
          <Search onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  )
}

function ThemeMenu() {
  const { text } = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const icons = { light: IconSun, dark: IconMoon, auto: IconDeviceDesktop }
  const Now = icons[colorScheme]
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={text('shell.theme')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={text('shell.theme')}>
            <Now size={18} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {(['light', 'dark', 'auto'] as const).map((scheme) => {
          const Icon = icons[scheme]
          return (
            <Menu.Item key={scheme} leftSection={<Icon size={16} />} onClick={() => setColorScheme(scheme)}>
              {text(`shell.theme.${scheme}`)}
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  )
}

const kLanguages = { en: 'English', fr: 'Français' } as const

function LanguageMenu() {
  const { language, setLanguage, text } = useLanguage()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={text('shell.language')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={text('shell.language')}>
            <IconLanguage size={18} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {(['en', 'fr'] as const).map((one) => (
          <Menu.Item key={one} fw={one === language ? 650 : 400} lang={one} onClick={() => setLanguage(one)}>
            {kLanguages[one]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function AccountMenu() {
  const { text } = useLanguage()
  const session = useSession()
  if (!session) return null
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={text('shell.account', { user: session.user })}>
          <IconUserCircle size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.user} · {session.role}
        </Menu.Label>
        <Menu.Item component={Link} to="/admin/account" leftSection={<IconUserCircle size={16} />}>
          {text('shell.my_account')}
        </Menu.Item>
        {session.mode === 'open' && <Text size="xs" c="dimmed" px="sm" pb="xs">{text('shell.open_mesh')}</Text>}
        {session.mode === 'closed' && (
          <Menu.Item leftSection={<IconLogout size={16} />}
            onClick={() => void api.delete('/api/v1/session').finally(() => location.assign('/sign-in'))}>
            {text('shell.sign_out')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

function Navigation({ onChoose }: { onChoose: () => void }) {
  const { text } = useLanguage()
  const session = useSession()
  const { pathname } = useLocation()
  const items = navigation.filter((item) => !item.administrator || isAdministrator(session))
  return (
    <AppShell.Section grow component={ScrollArea}>
      {items.map((item) => {
        const active = item.to === '/' ? pathname === '/' || pathname.startsWith('/home') : pathname.startsWith(item.to)
        return (
          <NavLink key={item.to} component={Link} to={item.to} label={text(item.text)} active={active}
            aria-current={active ? 'page' : undefined} onClick={onChoose} className={classes.link}
            leftSection={<item.icon size={18} stroke={1.7} />} />
        )
      })}
    </AppShell.Section>
  )
}

/** What stands around every page: navigation, search, language, theme, account. */
export function Shell() {
  const { text } = useLanguage()
  const session = useSession()
  const [opened, { toggle, close }] = useDisclosure()
  return (
    <AppShell header={{ height: 50 }} navbar={{ width: 208, breakpoint: 'md', collapsed: { mobile: !opened } }}>
      <a href="#content" className={classes.skip}>
        {text('nav.skip')}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label={text('nav.open')} />
          <UnstyledButton component={Link} to="/" className={classes.brand}>
            <img src="/icon.svg" alt="" width={24} height={24} />
            <Text fw={700}>DataMeesh</Text>
          </UnstyledButton>
          {session?.mesh && <Badge variant="outline" color="gray" visibleFrom="sm">{session.mesh}</Badge>}
          <Group gap={4} ml="auto" wrap="nowrap">
            <SearchButton />
            <LanguageMenu />
            <ThemeMenu />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={text('nav.label')}>
        <Navigation onChoose={close} />
        {session && (
          <Text size="xs" c="dimmed" px="xs" py={4}>
            meesh {session.version}
          </Text>
        )}
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}
