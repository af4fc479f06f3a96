import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

/** A piece of a page's state that stands in the address (`?key=value`), so that a link shows the
 *  same. The default is left out. */
export function useUrlState(key: string, otherwise = ''): [string, (value: string) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>
  const navigate = useNavigate()
  const value = search[key] === undefined ? otherwise : String(search[key])
  const set = useCallback(
    (next: string) => {
      void navigate({
        to: '.',
        search: ((before: Record<string, unknown>) => ({
          ...before,
          [key]: next === otherwise ? undefined : next,
        })) as never,
        replace: true,
      })
    },
    [key, otherwise, navigate],
  )
  return [value, set]
}
