import { createTheme, type CSSVariablesResolver } from '@mantine/core'

export const theme = createTheme({
  primaryColor: 'teal',
  // White on it has the contrast that WCAG asks for (5.0).
  primaryShade: { light: 9, dark: 9 },
  autoContrast: true,
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650' },
  components: {
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true, fz: 'xs' } },
    Badge: { defaultProps: { tt: 'none' } },
    Drawer: { defaultProps: { position: 'right' } },
  },
})

// Mantine's own are below the contrast of 4.5 that WCAG AA asks of small text.
const kDarker = {
  teal: '#05563d', green: '#1d5f2d', red: '#a01a1a', orange: '#963a05', yellow: '#7a4300', blue: '#10488a',
  gray: '#343a40', grape: '#70248a', violet: '#4c2bb0', indigo: '#2b46b0', cyan: '#0a5464', lime: '#3c6206', pink: '#951a4c',
}
const kLighter = {
  teal: '#63e6be', green: '#8ce99a', red: '#ffa8a8', orange: '#ffc078', yellow: '#ffe066', blue: '#a5d8ff',
  gray: '#ced4da', grape: '#eebefa', violet: '#d0bfff', indigo: '#bac8ff', cyan: '#99e9f2', lime: '#d8f5a2', pink: '#fcc2d7',
}
const lightColours = (of: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(of).flatMap(([name, colour]) => [
      [`--mantine-color-${name}-light-color`, colour],
      [`--mantine-color-${name}-text`, colour],
    ]),
  )

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5a626a', '--mantine-color-placeholder': '#6b737b', '--mantine-color-anchor': '#08724f',
    '--mantine-color-error': '#c01f1f', ...lightColours(kDarker),
  },
  dark: {
    '--mantine-color-dimmed': '#a6a9ad', '--mantine-color-placeholder': '#a0a3a7', '--mantine-color-anchor': '#4fd9ad',
    '--mantine-color-error': '#ff9a9a', ...lightColours(kLighter),
  },
})
