import { compareDebVersions } from '../version.ts'

/** What a condition asks of a value. */
export type Operator =
  | { readonly kind: 'equal'; readonly value: string }
  | { readonly kind: 'order'; readonly value: string; readonly holds: (order: number) => boolean }
  | { readonly kind: 'pattern'; readonly pattern: RegExp }

/** How two values of a field compare: as versions of packages, or as text. */
export type Comparison = 'version' | 'text'

/** Longer ones first, so that the first that fits is the one. As in relations of packages, `<` means `<=`, and `>` means `>=`. */
export const operatorSigns = ['<<', '<=', '>>', '>=', '<', '>', '=', '%', '~'] as const

export type OperatorSign = (typeof operatorSigns)[number]

/** @returns the operator, or what is wrong with the value */
export function compileOperator(sign: OperatorSign, value: string): Operator | { readonly problem: string } {
  switch (sign) {
    case '=':
      return { kind: 'equal', value }
    case '<<':
      return { kind: 'order', value, holds: (order) => order < 0 }
    case '<=':
    case '<':
      return { kind: 'order', value, holds: (order) => order <= 0 }
    case '>>':
      return { kind: 'order', value, holds: (order) => order > 0 }
    case '>=':
    case '>':
      return { kind: 'order', value, holds: (order) => order >= 0 }
    case '%':
      return compileGlob(value)
    case '~':
      return compileRegExp(value)
  }
}

/** A field that is not there has the value of an empty one, as in aptly. */
export function operatorHolds(operator: Operator, value: string, comparison: Comparison): boolean {
  switch (operator.kind) {
    case 'pattern':
      return operator.pattern.test(value)
    case 'order':
      return operator.holds(compare(value, operator.value, comparison))
    case 'equal':
      return comparison === 'version'
        ? compareDebVersions(value, operator.value) === 0
        : value === operator.value
  }
}

/** Numbers compare as numbers: nobody means that a size of 90 is more than one of 1000. */
function compare(a: string, b: string, comparison: Comparison): number {
  if (comparison === 'version') return compareDebVersions(a, b)
  if (/^\d{1,15}$/.test(a) && /^\d{1,15}$/.test(b)) return Number(a) - Number(b)
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * A shell pattern that fits the whole value: `*` any text without a `/`, `?` one character but `/`, `[ab]`, `[a-z]`, `[^a]`,
 * `\` before a character that stands for itself.
 * @see https://pkg.go.dev/path/filepath#Match, which aptly has
 */
function compileGlob(glob: string): Operator | { readonly problem: string } {
  let source = ''
  for (const [part, escaped, not, set] of glob.matchAll(
    /\\([\s\S])|\[(\^?)((?:[^\]\\]|\\[\s\S])+)\]|[\s\S]/gu,
  )) {
    if (escaped !== undefined) source += literal(escaped)
    else if (set !== undefined) source += `[${not}${classOf(set)}]`
    else if (part === '*') source += '[^/]*'
    else if (part === '?') source += '[^/]'
    else if (part === '[' || part === '\\') return { problem: `nothing ends the "${part}"` }
    else source += literal(part)
  }
  try {
    return { kind: 'pattern', pattern: new RegExp(`^${source}$`, 'u') }
  } catch {
    return { problem: 'a range in brackets runs backwards' }
  }
}

function literal(character: string): string {
  return character.replace(/[\^$\\.*+?()[\]{}|/]/, '\\$&')
}

/** The inside of brackets: what has no backslash before it and is not the `-` of a range stands for itself. */
function classOf(set: string): string {
  return set.replaceAll(/\\([\s\S])|[\^$.*+?()[{}|/]/gu, (part, escaped: string | undefined) =>
    escaped === undefined ? `\\${part}` : escaped === '-' ? '\\-' : literal(escaped),
  )
}

/** In the JavaScript dialect, found anywhere in the value. `(?i)`, `(?m)` and `(?s)` in front work, as where aptly reads it. */
function compileRegExp(source: string): Operator | { readonly problem: string } {
  const [, flags = '', body = source] = /^\(\?([ims]+)\)([\s\S]*)$/.exec(source) ?? []
  try {
    return { kind: 'pattern', pattern: new RegExp(body, [...new Set(flags)].join('')) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'it cannot be read' }
  }
}
