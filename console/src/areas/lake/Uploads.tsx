import { ActionIcon, Button, Card, Group, Progress, ScrollArea, Stack, Text } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useText } from '../../i18n'
import { Bytes } from '../../ui'
import classes from './lake.module.css'
import { shown } from './names'
import { again, cancel, cancelAll, clear, type Upload, useUploads } from './uploads'

const kShown = 100
const kColours: Record<string, string> = { done: 'teal', failed: 'red', exists: 'orange', canceled: 'gray' }

function Line({ upload }: { upload: Upload }) {
  const t = useText()
  const percent = upload.size === 0 ? (upload.state === 'done' ? 100 : 0) : Math.round((upload.sent / upload.size) * 100)
  const active = upload.state === 'sending' || upload.state === 'waiting'
  return (
    <Group gap="sm" wrap="nowrap" data-testid="upload" data-state={upload.state}>
      <Text size="sm" className={classes.name} style={{ flex: 1, minWidth: 0 }}>{shown(upload.key)}</Text>
      <Progress value={percent} w={110} size="sm" color={kColours[upload.state]} aria-label={t('lake.upload_progress', { name: shown(upload.key) })} />
      <Text size="xs" c="dimmed" w={130} ta="right" truncate>
        {upload.state === 'sending' ? `${percent} %` : upload.message ?? t(`lake.upload_${upload.state}`)}
      </Text>
      {upload.state === 'exists' && <Button size="compact-xs" variant="light" color="orange" onClick={() => again(upload.id, true)}>{t('lake.replace')}</Button>}
      {upload.state === 'failed' && <Button size="compact-xs" variant="light" onClick={() => again(upload.id, upload.overwrite)}>{t('lake.retry')}</Button>}
      {active && (
        <ActionIcon size="sm" variant="subtle" color="gray" aria-label={t('lake.cancel_upload', { name: shown(upload.key) })} onClick={() => cancel(upload.id)}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </Group>
  )
}

/** What goes up to a bucket, and what went. */
export function Uploads({ bucket }: { bucket: string }) {
  const t = useText()
  const all = useUploads().filter((one) => one.bucket === bucket)
  if (all.length === 0) return null
  const active = all.filter((one) => one.state === 'sending' || one.state === 'waiting')
  const there = all.filter((one) => one.state === 'exists')
  const total = all.reduce((sum, one) => sum + one.size, 0)
  const sent = all.reduce((sum, one) => sum + (one.state === 'done' ? one.size : one.sent), 0)
  // Those that wait for a person come first, then those under way.
  const order = (one: Upload) => ['exists', 'failed', 'sending', 'waiting', 'done', 'canceled'].indexOf(one.state)
  const first = [...all].sort((a, b) => order(a) - order(b)).slice(0, kShown)
  return (
    <Card withBorder padding="sm" role="region" aria-label={t('lake.uploads')}>
      <Stack gap={6}>
        <Group justify="space-between" gap="xs">
          <Text size="sm" fw={600} role="status">
            {t('lake.uploads_done', { done: all.filter((one) => one.state === 'done').length, all: all.length })}
            {' · '}<Bytes value={sent} />{' / '}<Bytes value={total} />
          </Text>
          <Group gap={6}>
            {there.length > 1 && (
              <Button size="compact-xs" variant="light" color="orange" onClick={() => there.forEach((one) => again(one.id, true))}>
                {t('lake.replace_all', { count: there.length })}
              </Button>
            )}
            {active.length > 0
              ? <Button size="compact-xs" variant="default" onClick={cancelAll}>{t('lake.cancel_all')}</Button>
              : <Button size="compact-xs" variant="default" onClick={clear}>{t('lake.close')}</Button>}
          </Group>
        </Group>
        <ScrollArea.Autosize mah={220}>
          <Stack gap={4}>{first.map((one) => <Line key={one.id} upload={one} />)}</Stack>
        </ScrollArea.Autosize>
        {all.length > kShown && <Text size="xs" c="dimmed">{t('lake.more_uploads', { count: all.length - kShown })}</Text>}
      </Stack>
    </Card>
  )
}
