// Every chart kind with its sample, for looking at and for the pictures of docs/charts.md:
//   npx vite --port 5186 and http://localhost:5186/gallery/?theme=dark&language=fr&kinds=line,bar
import '@mantine/core/styles.layer.css'
import { MantineProvider } from '@mantine/core'
import { createRoot } from 'react-dom/client'
import { LanguageProvider } from '../src/i18n'
import { ChartView } from '../src/ui/charts/ChartView'
import { samples } from '../src/ui/charts/samples'
import { theme } from '../src/shell/theme'

const asked = new URLSearchParams(location.search)
localStorage.setItem('meesh.language', asked.get('language') ?? 'en')
const only = asked.get('kinds')?.split(',')
const names = Object.keys(samples).filter((name) => !only || only.includes(name))
const scheme = asked.get('theme') === 'dark' ? 'dark' : 'light'
const [width, height] = (asked.get('size') ?? '480x300').split('x').map(Number)

createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} forceColorScheme={scheme}>
    <LanguageProvider>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 12 }}>
        {names.map((name) => (
          <div key={name}>
            {asked.has('names') && <div style={{ font: '12px system-ui' }}>{name}</div>}
            <div id={`kind-${name}`} style={{ width, height, padding: 10, boxSizing: 'border-box', background: 'var(--mantine-color-body)' }}>
              <ChartView {...samples[name]} />
            </div>
          </div>
        ))}
      </div>
    </LanguageProvider>
  </MantineProvider>,
)
