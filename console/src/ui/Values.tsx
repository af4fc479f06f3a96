import { Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useLanguage } from '../i18n'
import { bytesText, durationText, relativeText } from './format'

export function Bytes({ value }: { value: number | null | undefined }) {
  const { language } = useLanguage()
  return <>{value === null || value === undefined ? '–' : bytesText(value, language)}</>
}

export function Count({ value }: { value: number | null | undefined }) {
  const { language } = useLanguage()
  return <>{value === null || value === undefined ? '–' : value.toLocaleString(language)}</>
}

export function Duration({ ms }: { ms: number | null | undefined }) {
  const { language } = useLanguage()
  return <>{ms === null || ms === undefined || ms < 0 ? '–' : durationText(ms, language)}</>
}

/** How long ago (or until) a time is; the time itself stands in the tooltip. */
export function When({ ms }: { ms: number | null | undefined }) {
  const { language, text } = useLanguage()
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 20_000)
    return () => clearInterval(timer)
  }, [])
  if (!ms) return <>{text('ui.never')}</>
  const absolute = new Date(ms).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'medium' })
  return (
    <Tooltip label={absolute}>
      <time dateTime={new Date(ms).toISOString()}>{relativeText(ms, now, language, text('ui.just_now'))}</time>
    </Tooltip>
  )
}
