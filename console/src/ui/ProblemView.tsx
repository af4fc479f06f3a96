import { Alert, Button, Code, Group, List, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { Problem } from '../api/client'
import { useText } from '../i18n'

/** What went wrong, where, and how to mend it. */
export function ProblemView({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useText()
  const problem = error instanceof Problem ? error : null
  const at = problem?.line ? t('ui.at_line', { line: problem.line, column: problem.column ?? 1 }) : ''
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={problem?.code || t('ui.failed')} role="alert">
      <Stack gap={6}>
        <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {problem ? problem.detail : String((error as Error)?.message ?? error)}
        </Text>
        {(problem?.file || at) && <Code>{[problem?.file, at].filter(Boolean).join(' · ')}</Code>}
        {problem && problem.errors.length > 1 && (
          <List size="sm">
            {problem.errors.map((one, index) => (
              <List.Item key={index}>{one.message}</List.Item>
            ))}
          </List>
        )}
        {problem?.hint && (
          <Text size="sm" c="dimmed">
            {problem.hint}
          </Text>
        )}
        {onRetry && (
          <Group>
            <Button size="xs" variant="light" color="red" onClick={onRetry}>
              {t('ui.retry')}
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  )
}
