import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import { MantineProvider, MantineThemeProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import { createRoot } from 'react-dom/client'
import { Problem } from './api/client'
import { LanguageProvider, useText } from './i18n'
import { router } from './shell/router'
import { theme, variables } from './shell/theme'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: false,
      // Only a server that did not answer is asked again.
      retry: (count, error) => error instanceof Problem && error.status === 0 && count < 3,
    },
  },
})
const nonce = () => document.querySelector('meta[name="csp-nonce"]')?.getAttribute('content') ?? ''
// Libraries that make styles of their own (the lock of the scroll behind a dialog, a chart that is
// dragged) look for the nonce under this name.
Object.assign(globalThis, { __webpack_nonce__: nonce() })

/** Words that Mantine's own parts say to screen readers. */
function Spoken({ children }: { children: ReactNode }) {
  const t = useText()
  const own = useMemo(() => {
    const dialog = { defaultProps: { closeButtonProps: { 'aria-label': t('shell.close') } } }
    return { components: { Modal: dialog, Drawer: dialog } }
  }, [t])
  return <MantineThemeProvider theme={own}>{children}</MantineThemeProvider>
}

createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={nonce}>
    <LanguageProvider>
      <Spoken>
        <QueryClientProvider client={queries}>
          <Notifications position="bottom-right" />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </Spoken>
    </LanguageProvider>
  </MantineProvider>,
)
