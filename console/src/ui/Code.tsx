import { ActionIcon, Box, CopyButton, ScrollArea, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useText } from '../i18n'
import classes from './ui.module.css'

/** Text to read and copy, as it is. */
export function Code({ children, maxHeight = 420 }: { children: string; maxHeight?: number }) {
  const t = useText()
  return (
    <Box className={classes.code}>
      <CopyButton value={children}>
        {({ copied, copy }) => (
          <Tooltip label={t(copied ? 'ui.copied' : 'ui.copy')}>
            <ActionIcon className={classes.copy} variant="subtle" color="gray" onClick={copy} aria-label={t('ui.copy')}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
      <ScrollArea.Autosize mah={maxHeight} type="auto" viewportProps={{ tabIndex: 0 }}>
        <pre className={classes.pre}>{children}</pre>
      </ScrollArea.Autosize>
    </Box>
  )
}
