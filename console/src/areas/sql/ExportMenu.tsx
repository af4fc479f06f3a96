import { Button, Checkbox, Menu } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import { Problem } from '../../api/client'
import { useLanguage } from '../../i18n'
import { bytesText } from '../../ui/format'
import { type ExportFormat, exportRows } from './exporting'
import { allOf, asCsv, asJson, download, fileName } from './files'
import type { StatementRun, Tab } from './lab'

const kFormats: ExportFormat[] = ['csv', 'json', 'parquet', 'xlsx']

/** What is loaded goes out of the browser; all rows come from the server, which runs the statement
 *  again. */
export function ExportMenu({ tab, run, title, order }: { tab: Tab; run: StatementRun; title: string; order: Uint32Array | null }) {
  const { text: t, language } = useLanguage()
  const [guard, setGuard] = useState(true)
  const rows = run.progress?.rows
  const name = fileName(title)

  const loaded = (format: 'csv' | 'json') => {
    const part = allOf(rows!, order)
    if (format === 'csv') download(asCsv(rows!, part, guard), `${name}.csv`, 'text/csv;charset=utf-8')
    else download(asJson(rows!, part), `${name}.json`, 'application/json')
  }
  const all = async (format: ExportFormat) => {
    const file = `${name}.${format}`
    const id = notifications.show({ message: t('sql.export.running', { name: file }), loading: true, autoClose: false, withCloseButton: true, onClose: () => abort.abort() })
    const abort = new AbortController()
    let told = 0
    try {
      const blob = await exportRows(
        {
          statement: run.text, catalog: tab.catalog || undefined, schema: tab.schema || undefined, format, name, guard_formulas: guard,
          time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        },
        abort.signal,
        (bytes) => {
          if (Date.now() - told < 300) return
          told = Date.now()
          notifications.update({ id, message: `${t('sql.export.running', { name: file })} ${t('sql.export.bytes', { bytes: bytesText(bytes, language) })}` })
        },
      )
      download(blob, file, blob.type)
      const message = t('sql.export.done', { name: file, bytes: bytesText(blob.size, language) })
      notifications.update({ id, message, color: 'teal', loading: false, autoClose: 5000 })
    } catch (error) {
      if (abort.signal.aborted) return
      const problem = error instanceof Problem ? error : null
      const message = [problem?.detail ?? (error as Error).message, problem?.hint].filter(Boolean).join(' – ')
      notifications.update({ id, title: t('sql.export.failed'), message, color: 'red', loading: false, autoClose: false })
    }
  }

  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<IconDownload size={15} />}>{t('sql.export')}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {rows && rows.count > 0 && (
          <>
            <Menu.Label>{t('sql.export.loaded', { count: rows.count })}</Menu.Label>
            <Menu.Item onClick={() => loaded('csv')}>{t('sql.export.csv')}</Menu.Item>
            <Menu.Item onClick={() => loaded('json')}>{t('sql.export.json')}</Menu.Item>
            <Menu.Divider />
          </>
        )}
        <Menu.Label>{t('sql.export.all')}</Menu.Label>
        {kFormats.map((format) => (
          <Menu.Item key={format} data-testid={`export-${format}`} onClick={() => void all(format)}>{t(`sql.export.${format}`)}</Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item closeMenuOnClick={false} component="div">
          <Checkbox size="xs" checked={guard} onChange={(event) => setGuard(event.currentTarget.checked)} label={t('sql.export.guard')} />
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
