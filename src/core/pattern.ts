/**
 * Whether `text` matches a shell pattern as a whole: `*` any text, `?` one character, `[abc]`, `[a-z]`, `[!a]`; case counts.
 * A bracket without its end stands for itself.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  return patternToRegExp(pattern).test(text)
}

/** The pattern as an anchored regular expression. */
export function patternToRegExp(pattern: string): RegExp {
  const source = pattern.replaceAll(
    /\[(!?)([^\]]+)\]|[\s\S]/g,
    (match, not: string | undefined, set: string | undefined) => {
      if (set !== undefined) return `[${not ? '^' : ''}${set.replaceAll(/[\\[^]/g, '\\$&')}]`
      if (match === '*') return '[\\s\\S]*'
      if (match === '?') return '[\\s\\S]'
      return match.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    },
  )
  return new RegExp(`^${source}$`)
}

/** The pattern that matches this text and nothing else. */
export function literalPattern(text: string): string {
  return text.replaceAll(/[*?[]/g, '[$&]')
}
