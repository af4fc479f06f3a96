// A dashboard by its link: for people without an account, one dashboard and nothing around it.
import { ActionIcon, Box, Group, Stack, Text, Title, useMantineColorScheme, useComputedColorScheme } from '@mantine/core'
import { IconMoon, IconRefresh, IconSun } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useApi } from '../../api/client'
import { useLanguage, useText } from '../../i18n'
import { Loading, Markdown, ProblemView, useUrlState } from '../../ui'
import { textOf } from '../../ui/charts/format'
import { Bar, Chosen } from './Bar'
import { Board } from './Board'
import classes from './dashboards.module.css'
import { useDashboard } from './Dashboard'
import type { Opened } from './types'

export default function Shared() {
  const t = useText()
  const { language, setLanguage } = useLanguage()
  const { token = '' } = useParams({ strict: false }) as { token?: string }
  const base = `/api/v1/shares/${encodeURIComponent(token)}`
  const opened = useApi<Opened>(base)
  // For reports, which a browser without a person prints: no buttons, and no connection that stays.
  const [print] = useUrlState('print')
  const printed = print !== ''
  const { viewing, answers, reload } = useDashboard(base, opened.data, () => void opened.refetch(), printed)
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const title = opened.data ? textOf(opened.data.dashboard.title, language) : ''
  useEffect(() => {
    if (title) document.title = `${title} · DataMeesh`
  }, [title])
  if (opened.isPending) return <Loading />
  if (opened.isError) return <Box p="lg" maw={720} mx="auto"><ProblemView error={opened.error} /></Box>
  const { dashboard, parameters } = opened.data
  return (
    <Stack component="main" gap="sm" p={{ base: 'sm', sm: 'lg' }} maw={1680} mx="auto" className={printed ? classes.paper : undefined}>
      <Group justify="space-between">
        <Title order={1} fz={22}>{title}</Title>
        {!printed && <Group gap="xs">
          <ActionIcon variant="default" size={30} aria-label={t('shell.language')} onClick={() => setLanguage(language === 'fr' ? 'en' : 'fr')}>
            <Text size="xs">{language === 'fr' ? 'EN' : 'FR'}</Text>
          </ActionIcon>
          <ActionIcon variant="default" size={30} aria-label={t('shell.theme')} onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
            {scheme === 'dark' ? <IconSun size={16} /> : <IconMoon size={16} />}
          </ActionIcon>
          <ActionIcon variant="default" size={30} aria-label={t('dashboards.refresh')} onClick={() => reload(undefined, false)}><IconRefresh size={16} /></ActionIcon>
        </Group>}
      </Group>
      {dashboard.description && <Markdown>{textOf(dashboard.description, language)}</Markdown>}
      {printed ? <Chosen dashboard={dashboard} viewing={viewing} fixed={parameters} /> : <Bar base={base} dashboard={dashboard} viewing={viewing} fixed={parameters} />}
      <Board dashboard={dashboard} answers={answers} viewing={viewing} linked={false} />
    </Stack>
  )
}
