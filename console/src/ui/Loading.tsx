import { Center, Loader } from '@mantine/core'
import { useText } from '../i18n'

export function Loading({ height = 160 }: { height?: number | string }) {
  const t = useText()
  return (
    <Center mih={height}>
      <Loader size="sm" role="status" aria-label={t('ui.loading')} />
    </Center>
  )
}
