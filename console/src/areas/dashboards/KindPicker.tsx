// All kinds of chart by what they are good for, each with a picture of itself.
import { Stack, Text, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useText } from '../../i18n'
import { ChartView } from '../../ui/charts/ChartView'
import { kinds } from '../../ui/charts/kinds'
import { samples } from '../../ui/charts/samples'
import type { Family } from '../../ui/charts/types'
import classes from './dashboards.module.css'
import { useSeen } from './Tile'

const kFamilies: Family[] = ['single', 'trend', 'compare', 'share', 'spread', 'relation', 'flow', 'matrix', 'list']

function Picture({ name }: { name: string }) {
  const { ref, seen } = useSeen()
  return (
    <div className={classes.picture} ref={ref} aria-hidden inert>
      {seen && <div><ChartView {...samples[name]} /></div>}
    </div>
  )
}

export function KindPicker({ value, onChange }: { value: string; onChange: (kind: string) => void }) {
  const t = useText()
  const [query, setQuery] = useState('')
  const found = kinds.filter((kind) => `${kind.name} ${t(`charts.kind.${kind.name}`)} ${t(`charts.family.${kind.family}`)}`.toLowerCase().includes(query.toLowerCase()))
  return (
    <Stack gap="sm">
      <TextInput size="xs" value={query} onChange={(event) => setQuery(event.currentTarget.value)} aria-label={t('ui.search')} placeholder={t('ui.search')} leftSection={<IconSearch size={15} />} />
      {kFamilies.map((family) => {
        const list = found.filter((kind) => kind.family === family)
        if (list.length === 0) return null
        return (
          <div key={family}>
            <Text size="xs" c="dimmed" fw={600} mb={4}>{t(`charts.family.${family}`)}</Text>
            <div className={classes.kinds}>
              {list.map((kind) => (
                <button key={kind.name} type="button" className={classes.kind} aria-pressed={kind.name === value} onClick={() => onChange(kind.name)}>
                  <Picture name={kind.name} />
                  <div className={classes.name}>{t(`charts.kind.${kind.name}`)}</div>
                </button>
              ))}
            </div>
          </div>
        )
      })}
    </Stack>
  )
}
