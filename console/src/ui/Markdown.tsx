import { Typography } from '@mantine/core'
import DOMPurify from 'dompurify'
import { Marked } from 'marked'
import { useMemo } from 'react'
import classes from './ui.module.css'

const kAllowed = {
  ALLOWED_TAGS: [
    'a', 'b', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'li', 'ol', 'p',
    'pre', 's', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
  ],
  ALLOWED_ATTR: ['href', 'title', 'align'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/(?!\/)|#)/i,
}

const kEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
/** HTML inside of Markdown is shown as it is written. */
const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: { html: ({ text }) => text.replace(/[&<>]/g, (sign) => kEscapes[sign]) },
})

/** Markdown that somebody wrote, with nothing in it that could do more than be read. */
export function Markdown({ children }: { children: string }) {
  const html = useMemo(() => {
    const rendered = marked.parse(children, { async: false })
    const clean = DOMPurify.sanitize(rendered, { ...kAllowed, RETURN_DOM: true }) as unknown as HTMLElement
    for (const link of clean.querySelectorAll('a')) {
      link.setAttribute('rel', 'noopener noreferrer nofollow')
      if (/^https?:/i.test(link.getAttribute('href') ?? '')) link.setAttribute('target', '_blank')
    }
    return clean.innerHTML
  }, [children])
  return (
    <Typography className={classes.markdown} p={0}>
      <div dangerouslySetInnerHTML={{ __html: html }} />
    </Typography>
  )
}
