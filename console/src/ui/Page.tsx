import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect } from 'react'

export interface Crumb {
  title: string
  to: string
}

/** A page: where it is, what it is called, what can be done, what it shows. */
export function Page({ title, subtitle, crumbs = [], actions, children, tight }: {
  title: string
  subtitle?: ReactNode
  crumbs?: Crumb[]
  actions?: ReactNode
  children: ReactNode
  /** Without space around: for editors that fill the window. */
  tight?: boolean
}) {
  useEffect(() => {
    document.title = `${title} · DataMeesh`
  }, [title])
  return (
    <Stack gap="md" p={tight ? 0 : { base: 'sm', sm: 'lg' }} maw={tight ? undefined : 1680} mx="auto">
      <Group justify="space-between" align="flex-end" gap="sm" px={tight ? 'md' : 0} pt={tight ? 'sm' : 0}>
        <Stack gap={2} miw={0}>
          {crumbs.length > 0 && (
            <Breadcrumbs separatorMargin={6}>
              {crumbs.map((crumb) => (
                <Anchor key={crumb.to} component={Link} to={crumb.to} size="xs">
                  {crumb.title}
                </Anchor>
              ))}
            </Breadcrumbs>
          )}
          <Title order={1} fz={22} style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Title>
          {subtitle && (
            <Text size="sm" c="dimmed" component="div">
              {subtitle}
            </Text>
          )}
        </Stack>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  )
}
