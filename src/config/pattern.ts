/** What a pattern of another dialect says, and how it is written here. */
const otherDialects: readonly [RegExp, string][] = [
  [/\(\?P</, 'a named group is written (?<name>...) here, not (?P<name>...)'],
  [/\(\?P=/, 'a reference to a named group is written \\k<name> here, not (?P=name)'],
  [/(?<!\\)(?:\\\\)*\\A/, 'the start of the name is written ^ here, not \\A'],
  [/(?<!\\)(?:\\\\)*\\[Zz]/, 'the end of the name is written $ here, not \\Z'],
  [/\(\?#/, 'comments, (?#...), are not known here'],
  [
    /\(\?[aiLmsux]*[aLux][aiLmsux]*\)/,
    'of the flags in front of a pattern only (?i), (?m) and (?s) are known here',
  ],
]

/**
 * Compiles a pattern in the JavaScript dialect, to be searched for in a name. The flags `(?i)`, `(?m)` and `(?s)` in front, as other
 * dialects write them, work.
 * @returns the pattern, or what is wrong with it
 */
export function compilePattern(source: string): RegExp | { readonly problem: string } {
  const other = otherDialects.find(([construct]) => construct.test(source))
  if (other) return { problem: `not a valid regular expression: ${other[1]}` }
  const [, flags = '', body = source] = /^\(\?([ims]+)\)([\s\S]*)$/.exec(source) ?? []
  try {
    return new RegExp(body, [...new Set(flags)].join(''))
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : 'unreadable'
    return { problem: `not a valid regular expression: ${reason}` }
  }
}
