import { Anchor, Box, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api, type Problem, type Session, setCsrf } from '../../api/client'
import { type Language, useLanguage } from '../../i18n'
import { ProblemView } from '../../ui'

const kLanguages: Record<Language, string> = { en: 'English', fr: 'Français' }

/** Where to go afterwards: a page of this console, never another site's. */
export function safeTarget(given: unknown): string {
  const text = typeof given === 'string' ? given : ''
  try {
    const url = new URL(text || '/', location.origin)
    const inside = url.origin === location.origin && text.startsWith('/') && !/^[/\\]{2}/.test(text)
    return inside && url.pathname !== '/sign-in' ? url.pathname + url.search + url.hash : '/'
  } catch {
    return '/'
  }
}

export default function SignIn() {
  const { text: t, language, setLanguage } = useLanguage()
  const search = useSearch({ strict: false }) as Record<string, unknown>
  const target = safeTarget(search.to)
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const here = useQuery<Session, Problem>({
    queryKey: ['/api/v1/session', 'sign-in'],
    queryFn: () => api.get<Session>('/api/v1/session'),
    retry: false,
  })
  const signIn = useMutation<Session, Problem>({
    mutationFn: () => api.post<Session>('/api/v1/session', { user, password }),
    onSuccess: (session) => {
      setCsrf(session.csrf ?? '')
      location.assign(target)
    },
    onError: () => setPassword(''),
  })
  useEffect(() => {
    document.title = `${t('sign_in.title')} · DataMeesh`
  }, [t])
  useEffect(() => {
    if (here.data) location.replace(target)
  }, [here.data, target])
  const other: Language = language === 'en' ? 'fr' : 'en'
  return (
    <Center mih="100vh" p="md" component="main">
      <Box w="100%" maw={380}>
        <Stack align="center" gap={6} mb="lg">
          <img src="/icon.svg" alt="" width={48} height={48} />
          <Title order={1} fz={24}>{t('sign_in.title')}</Title>
          <Text c="dimmed" size="sm">{t('sign_in.subtitle')}</Text>
        </Stack>
        <Paper withBorder p="lg" radius="md">
          <form
            onSubmit={(event) => {
              event.preventDefault()
              signIn.mutate()
            }}
          >
            <Stack gap="sm">
              <TextInput label={t('sign_in.user')} value={user} onChange={(event) => setUser(event.currentTarget.value)}
                autoComplete="username" autoFocus required maxLength={64} />
              <PasswordInput label={t('sign_in.password')} value={password} autoComplete="current-password" required
                onChange={(event) => setPassword(event.currentTarget.value)} maxLength={1024}
                visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show') }} />
              {signIn.error && (
                signIn.error.status === 401
                  ? <Text role="alert" c="red" size="sm">{t('sign_in.wrong')}</Text>
                  : signIn.error.status === 429
                    ? <Text role="alert" c="red" size="sm">{t('sign_in.wait')}</Text>
                    : <ProblemView error={signIn.error} />
              )}
              <Button type="submit" loading={signIn.isPending} fullWidth mt="xs">
                {t('sign_in.submit')}
              </Button>
            </Stack>
          </form>
        </Paper>
        <Group justify="center" mt="md">
          <Anchor component="button" type="button" size="sm" lang={other} onClick={() => setLanguage(other)}>
            {kLanguages[other]}
          </Anchor>
        </Group>
      </Box>
    </Center>
  )
}
