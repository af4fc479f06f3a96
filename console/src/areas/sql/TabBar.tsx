import { ActionIcon, Menu, TextInput, Tooltip, UnstyledButton } from '@mantine/core'
import { IconArrowLeft, IconArrowRight, IconCopy, IconDotsVertical, IconPencil, IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useText } from '../../i18n'
import classes from './Lab.module.css'
import { changeTab, chooseTab, closeTab, moveTab, openTab, type Tab } from './lab'

/** What a tab is called: its own name, or by its place. */
export function titleOf(tab: Tab, tabs: Tab[], t: (key: string, values?: Record<string, number>) => string): string {
  return tab.title || t('sql.untitled', { number: tabs.findIndex((one) => one.id === tab.id) + 1 })
}

function Name({ tab, title, onDone }: { tab: Tab; title: string; onDone: () => void }) {
  const t = useText()
  const [name, setName] = useState(title)
  const done = (keep: boolean) => {
    if (keep && name.trim()) changeTab(tab.id, { title: name.trim().slice(0, 80) })
    onDone()
  }
  return (
    <TextInput size="xs" w={160} autoFocus aria-label={t('sql.tab.name')} value={name} onChange={(event) => setName(event.currentTarget.value)}
      onFocus={(event) => event.currentTarget.select()} onBlur={() => done(true)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done(true)
        if (event.key === 'Escape') done(false)
      }} />
  )
}

/** The open queries: chosen, renamed (double click), moved (drag), closed (middle click). */
export function TabBar({ tabs, active }: { tabs: Tab[]; active: string }) {
  const t = useText()
  const [naming, setNaming] = useState<string | null>(null)
  const [dragged, setDragged] = useState<string | null>(null)
  return (
    <nav className={classes.tabs} aria-label={t('sql.tabs')}>
      {tabs.map((tab, index) => {
        const title = titleOf(tab, tabs, t)
        const changed = tab.saved !== undefined && tab.savedText !== tab.text
        return (
          <div key={tab.id} className={classes.tab} data-active={tab.id === active || undefined} draggable={naming !== tab.id}
            onDragStart={() => setDragged(tab.id)} onDragEnd={() => setDragged(null)}
            onDragOver={(event) => {
              if (!dragged || dragged === tab.id) return
              event.preventDefault()
              moveTab(dragged, index)
            }}
            onAuxClick={(event) => event.button === 1 && closeTab(tab.id)}>
            {naming === tab.id ? (
              <Name tab={tab} title={title} onDone={() => setNaming(null)} />
            ) : (
              <UnstyledButton className={classes.tabName} aria-current={tab.id === active ? 'page' : undefined} title={changed ? `${title}: ${t('sql.unsaved')}` : title}
                onClick={() => chooseTab(tab.id)} onDoubleClick={() => setNaming(tab.id)}>
                {title}
                {changed && ' •'}
              </UnstyledButton>
            )}
            <Menu position="bottom-start">
              <Menu.Target>
                <ActionIcon size="sm" variant="subtle" color="gray" aria-label={t('sql.tab.menu', { title })}>
                  <IconDotsVertical size={13} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconPencil size={14} />} onClick={() => setNaming(tab.id)}>{t('sql.tab.rename')}</Menu.Item>
                <Menu.Item leftSection={<IconCopy size={14} />} onClick={() => openTab({ text: tab.text, catalog: tab.catalog, schema: tab.schema })}>{t('sql.tab.duplicate')}</Menu.Item>
                <Menu.Item leftSection={<IconArrowLeft size={14} />} disabled={index === 0} onClick={() => moveTab(tab.id, index - 1)}>{t('sql.tab.left')}</Menu.Item>
                <Menu.Item leftSection={<IconArrowRight size={14} />} disabled={index === tabs.length - 1} onClick={() => moveTab(tab.id, index + 1)}>{t('sql.tab.right')}</Menu.Item>
                <Menu.Item leftSection={<IconX size={14} />} onClick={() => closeTab(tab.id)}>{t('sql.tab.close_item')}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
            <ActionIcon size="sm" variant="subtle" color="gray" aria-label={t('sql.tab.close', { title })} onClick={() => closeTab(tab.id)}>
              <IconX size={13} />
            </ActionIcon>
          </div>
        )
      })}
      <Tooltip label={t('sql.tab.new')}>
        <ActionIcon variant="subtle" color="gray" my="auto" aria-label={t('sql.tab.new')} onClick={() => openTab()}>
          <IconPlus size={16} />
        </ActionIcon>
      </Tooltip>
    </nav>
  )
}
