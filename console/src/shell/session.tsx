import { useQuery } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext } from 'react'
import { api, type Problem, type Session, setCsrf } from '../api/client'
import { setSqlUser } from '../api/sql'
import { Loading, ProblemView } from '../ui'

const Context = createContext<Session | null>(null)

/** Who is signed in; undefined where nobody is (the sign-in page, shared dashboards). */
export function useSession(): Session | null {
  return useContext(Context)
}
export function mayEdit(session: Session | null): boolean {
  return session !== null && session.role !== 'viewer'
}
export function isAdministrator(session: Session | null): boolean {
  return session?.role === 'administrator'
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const session = useQuery<Session, Problem>({
    queryKey: ['/api/v1/session'],
    queryFn: async () => {
      const told = await api.get<Session>('/api/v1/session')
      setCsrf(told.csrf ?? '')
      setSqlUser(told.user)
      return told
    },
    retry: (count, problem) => problem.status === 0 && count < 30,
    retryDelay: 1000,
    refetchInterval: 5 * 60_000,
  })
  if (session.isPending) return <Loading height="100vh" />
  if (session.isError)
    return session.error.status === 401 ? <Loading height="100vh" /> : <ProblemView error={session.error} onRetry={() => void session.refetch()} />
  return <Context.Provider value={session.data}>{children}</Context.Provider>
}
