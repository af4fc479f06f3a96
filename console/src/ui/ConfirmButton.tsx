import { Button, type ButtonProps, Group, Popover, Stack, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useText } from '../i18n'

interface Props extends ButtonProps {
  /** What will happen, before it does. */
  question: string
  confirm?: string
  onConfirm: () => unknown
  children: ReactNode
}

/** A button for what cannot be undone: it asks first. */
export function ConfirmButton({ question, confirm, onConfirm, children, ...button }: Props) {
  const t = useText()
  const [asking, setAsking] = useState(false)
  return (
    <Popover opened={asking} onChange={setAsking} withArrow trapFocus shadow="md" width={280}>
      <Popover.Target>
        <Button {...button} onClick={() => setAsking(!asking)}>
          {children}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <Text size="sm">{question}</Text>
          <Group gap="xs" justify="flex-end">
            <Button size="xs" variant="default" onClick={() => setAsking(false)}>
              {t('ui.cancel')}
            </Button>
            <Button
              size="xs"
              color="red"
              onClick={() => {
                setAsking(false)
                onConfirm()
              }}
            >
              {confirm ?? t('ui.confirm')}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
