import { Anchor, Badge, Group, Paper, Progress, ScrollArea, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useLanguage } from '../../i18n'
import { When } from '../../ui'
import type { Happening } from './types'

/** Pages that are not built for the mesh's own router are not linked to: only paths are. */
const inside = (link: string) => link.startsWith('/') && !link.startsWith('//')

function One({ item }: { item: Happening }) {
  const { language, text: t } = useLanguage()
  const because = item.because_of?.join(', ')
  return (
    <Stack gap={2} py={6} data-happening={item.kind}>
      <Group gap="xs" wrap="nowrap">
        <Badge size="xs" variant="default" tt="none" radius="sm" flex="0 0 auto">{t(`home.kind.${item.kind}`)}</Badge>
        {inside(item.link)
          ? <Anchor component={Link} to={item.link} size="sm" truncate title={item.title}>{item.title}</Anchor>
          : <Text size="sm" truncate>{item.title}</Text>}
        {item.partition && <Text size="xs" c="dimmed" flex="0 0 auto">{item.partition}</Text>}
        <Text size="xs" c="dimmed" ml="auto" flex="0 0 auto">
          {item.messages_per_second !== undefined
            ? t('home.per_second', { rate: item.messages_per_second.toLocaleString(language, { maximumFractionDigits: 1 }) })
            : item.at_ms > 0 && <When ms={item.at_ms} />}
        </Text>
      </Group>
      {item.progress !== undefined && <Progress size="xs" value={100 * item.progress} aria-label={t('home.progress')} />}
      {item.error && <Text size="xs" c="dimmed" lineClamp={2}>{item.error}</Text>}
      {because && <Text size="xs" c="dimmed" lineClamp={1}>{t('home.because_of', { inputs: because })}</Text>}
    </Stack>
  )
}

/** What runs, what failed or what is stale: a few lines, each leading to its page. */
export function Happenings({ title, items, empty }: { title: string; items: Happening[]; empty: string }) {
  return (
    <Paper withBorder p="sm" radius="sm" component="section" aria-label={title}>
      <Group justify="space-between" mb={4}>
        <Text fw={600} size="sm">{title}</Text>
        <Text size="xs" c="dimmed">{items.length}</Text>
      </Group>
      {items.length === 0 ? <Text size="sm" c="dimmed" py="sm">{empty}</Text> : (
        <ScrollArea.Autosize mah={236} type="auto" viewportProps={{ tabIndex: 0 }}>
          {items.map((item) => <One key={`${item.kind}/${item.id}`} item={item} />)}
        </ScrollArea.Autosize>
      )}
    </Paper>
  )
}
