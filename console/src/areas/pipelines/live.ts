import { useEffect, useRef, useState } from 'react'
import { ask, lines, Problem } from '../../api/client'

/** How long a broken connection waits before it is tried again. */
const kAgain = 2000

const wait = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      done()
    })
  })

/** The newest of the lines that a path answers as something changes. The connection is made again
 *  until `isLast` is true of a line. */
export function useLatestLine<T>(path: string, isLast: (line: T) => boolean): { value?: T; error?: Problem } {
  const [told, setTold] = useState<{ value?: T; error?: Problem }>({})
  const last = useRef(isLast)
  last.current = isLast
  useEffect(() => {
    const stop = new AbortController()
    const follow = async () => {
      let over = false
      while (!over && !stop.signal.aborted) {
        try {
          const answer = await ask('GET', path, undefined, { signal: stop.signal })
          await lines<T>(answer, (value) => {
            over = last.current(value)
            setTold({ value })
          })
        } catch (error) {
          if (stop.signal.aborted) return
          const problem = error instanceof Problem ? error : new Problem(0, { detail: String(error) })
          // What a connection that broke had told stays on the screen.
          if (problem.status !== 0) {
            setTold((before) => ({ ...before, error: problem }))
            return
          }
        }
        if (!over) await wait(kAgain, stop.signal)
      }
    }
    setTold({})
    void follow()
    return () => stop.abort()
  }, [path])
  return told
}

/** The end of a text that grows, at most `most` characters of it; the rest can be downloaded. */
export function useGrowingText(path: string, most = 300_000): { text: string; cut: boolean; error?: Problem } {
  const [told, setTold] = useState<{ text: string; cut: boolean; error?: Problem }>({ text: '', cut: false })
  useEffect(() => {
    const stop = new AbortController()
    let text = ''
    let cut = false
    let shown = true
    const show = () => {
      if (shown || stop.signal.aborted) return
      shown = true
      setTold({ text, cut })
    }
    // Many pieces in a moment are drawn once.
    const timer = setInterval(show, 150)
    const follow = async () => {
      try {
        const answer = await ask('GET', path, undefined, { signal: stop.signal, headers: { Accept: 'text/plain' } })
        const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
        for (;;) {
          const { done, value } = await reader.read()
          if (done) break
          text += value
          if (text.length > most) {
            cut = true
            text = text.slice(text.indexOf('\n', text.length - most) + 1)
          }
          shown = false
        }
      } catch (error) {
        if (!stop.signal.aborted && error instanceof Problem) setTold({ text, cut, error })
      }
      show()
      clearInterval(timer)
    }
    setTold({ text: '', cut: false })
    void follow()
    return () => {
      stop.abort()
      clearInterval(timer)
    }
  }, [path, most])
  return told
}

/** What went wrong, where a line of an answer or an event tells of it. */
export function problemIn(told: { error?: unknown }): Problem | undefined {
  if (told.error === null || typeof told.error !== 'object') return undefined
  const problem = told.error as Record<string, unknown>
  return new Problem(Number(problem.status ?? 500), problem)
}

/** A clock for what is drawn while it goes on. */
export function useNow(running: boolean, every = 500): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(Date.now()), every)
    return () => clearInterval(timer)
  }, [running, every])
  return now
}
