// JSON whose numbers stay as they were written.

const kTokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const kSafeDigits = 15

/** Whole numbers that JavaScript's cannot hold become texts; what they are, the column's type
 *  tells. */
export function parseExact(text: string): unknown {
  if (!/[0-9]{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(
    text.replace(kTokens, (token) => {
      const first = token.charCodeAt(0)
      if (first === 34 || token.length <= kSafeDigits) return token
      return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token
    }),
  )
}
