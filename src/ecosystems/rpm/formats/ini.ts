/** Sections in file order; keys as written (they are paths, and case counts), values trimmed. Later duplicates of a key win. */
export type IniSections = ReadonlyMap<string, ReadonlyMap<string, string>>

export interface IniLine {
  /** As written, its line feed included. */
  readonly text: string
  /** The section that it begins or lies in; `null` before the first. */
  readonly section: string | null
  /** Of the entry that it begins or goes on with; `null` for all other lines. */
  readonly key: string | null
  /** Of this line alone, trimmed; empty for lines of no entry. */
  readonly value: string
  /** Whether it goes on with the entry of a line before it. */
  readonly isContinued: boolean
}

/**
 * Reads what Python's ConfigParser writes: `[section]`, `key = value` or `key: value`, `#` and `;` comments at the start of a
 * line, continuation lines that are indented. Lines that are none of these are passed over.
 */
export function readIni(text: string): IniSections {
  const sections = new Map<string, Map<string, string>>()
  for (const { section, key, value, isContinued } of iniLines(text)) {
    if (section === null) continue
    const values = sections.get(section) ?? new Map<string, string>()
    sections.set(section, values)
    if (key !== null) values.set(key, isContinued ? `${values.get(key) ?? ''}\n${value}` : value)
  }
  return sections
}

/** The lines of such a file, each with what {@link readIni} takes it for. Together their texts are the file. */
export function* iniLines(text: string): Generator<IniLine> {
  let section: string | null = null
  let key: string | null = null
  for (const line of text.split(/(?<=\n)/)) {
    // A byte order mark goes too.
    const trimmed = line.trim()
    const other = { text: line, section, key: null, value: '', isContinued: false }
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) {
      yield other
    } else if (/^\s/.test(line) && key !== null) {
      yield { text: line, section, key, value: trimmed, isContinued: true }
    } else if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
      section = trimmed.slice(1, -1)
      key = null
      yield { ...other, section }
    } else {
      const delimiter = trimmed.search(/[=:]/)
      if (section === null || delimiter <= 0) {
        yield other
        continue
      }
      key = trimmed.slice(0, delimiter).trimEnd()
      yield { text: line, section, key, value: trimmed.slice(delimiter + 1).trim(), isContinued: false }
    }
  }
}
