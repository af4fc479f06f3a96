import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { setNonce } from 'get-nonce'
import { createRoot } from 'react-dom/client'
import { Problem } from './api/client'
import { LanguageProvider } from './i18n'
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
// What locks the scroll behind a dialog makes a style of its own.
setNonce(nonce())

createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={nonce}>
    <LanguageProvider>
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </LanguageProvider>
  </MantineProvider>,
)
