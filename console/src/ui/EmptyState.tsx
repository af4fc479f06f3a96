import { Center, Stack, Text, ThemeIcon } from '@mantine/core'
import { IconInbox } from '@tabler/icons-react'
import type { ReactNode } from 'react'

/** Nothing to show, and what to do about it. */
export function EmptyState({ title, hint, icon, action }: {
  title: string
  hint?: ReactNode
  icon?: ReactNode
  action?: ReactNode
}) {
  return (
    <Center py="xl" px="md">
      <Stack align="center" gap="xs" maw={460}>
        <ThemeIcon size={44} radius="xl" variant="light" color="gray">
          {icon ?? <IconInbox size={24} />}
        </ThemeIcon>
        <Text fw={600}>{title}</Text>
        {hint && (
          <Text size="sm" c="dimmed" ta="center" component="div">
            {hint}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  )
}
