import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useText } from '../i18n'
import { EmptyState } from '../ui/EmptyState'
import { Page } from '../ui/Page'

export function NotFound() {
  const t = useText()
  return (
    <Page title={t('shell.not_found')}>
      <EmptyState title={t('shell.not_found.hint')}
        action={<Button component={Link} to="/" variant="light">{t('shell.to_home')}</Button>} />
    </Page>
  )
}
