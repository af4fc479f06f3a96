import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { areaText } from '../areas'
import { shellText } from './shell'

export type Language = 'en' | 'fr'
type Values = Record<string, string | number>
export type Text = (key: string, values?: Values) => string

const all: Record<Language, Record<string, string>> = { en: {}, fr: {} }
for (const part of [shellText, ...areaText]) {
  Object.assign(all.en, part.en)
  Object.assign(all.fr, part.fr)
}

const kStored = 'meesh.language'

/** `?lang=fr` in the address counts for this visit alone. */
function firstLanguage(): Language {
  const asked = new URLSearchParams(location.search).get('lang')
  if (asked === 'en' || asked === 'fr') return asked
  const stored = localStorage.getItem(kStored)
  if (stored === 'en' || stored === 'fr') return stored
  return navigator.language.startsWith('fr') ? 'fr' : 'en'
}

/** Whether there is such a text: of names that a server tells, which may be newer than this page. */
export const hasText = (key: string) => key in all.en

/** The text of a key; `{name}` stands for a value, numbers are written as the language does. */
export function textOf(language: Language, key: string, values: Values = {}): string {
  const template = all[language][key] ?? all.en[key] ?? `⟦${key}⟧`
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? value.toLocaleString(language) : value
  })
}

interface Spoken {
  language: Language
  setLanguage: (language: Language) => void
  text: Text
}
const Context = createContext<Spoken | null>(null)

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState<Language>(firstLanguage)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const spoken = useMemo<Spoken>(
    () => ({
      language,
      setLanguage: (chosen) => {
        localStorage.setItem(kStored, chosen)
        choose(chosen)
      },
      text: (key, values) => textOf(language, key, values),
    }),
    [language],
  )
  return <Context.Provider value={spoken}>{children}</Context.Provider>
}

export function useLanguage(): Spoken {
  const spoken = useContext(Context)
  if (!spoken) throw new Error('outside of LanguageProvider')
  return spoken
}

export function useText(): Text {
  return useLanguage().text
}
