import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// While developing, `MEESH=http://localhost:8080 npm run dev` asks that server.
const server = process.env.MEESH ?? 'http://localhost:8080'
const proxy = Object.fromEntries(
  ['/api', '/v1', '/iceberg', '/metrics'].map((path) => [
    path,
    // What changes something must come from the server's own pages.
    { target: server, changeOrigin: true, headers: { origin: new URL(server).origin } },
  ]),
)

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  build: {
    target: 'es2022',
    // The content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
})
