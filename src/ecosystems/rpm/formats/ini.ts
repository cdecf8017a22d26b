/** Sections in file order; keys as written (they are paths, and case counts), values trimmed. Later duplicates of a key win. */
export type IniSections = ReadonlyMap<string, ReadonlyMap<string, string>>

/**
 * Reads what Python's ConfigParser writes: `[section]`, `key = value` or `key: value`, `#` and `;` comments at the start of a
 * line, continuation lines that are indented. Lines that are none of these are passed over.
 */
export function readIni(text: string): IniSections {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | null = null
  let key: string | null = null
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue
    if (/^\s/.test(line) && section !== null && key !== null) {
      section.set(key, `${section.get(key) ?? ''}\n${trimmed}`)
      continue
    }
    if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
      const name = trimmed.slice(1, -1)
      section = sections.get(name) ?? new Map<string, string>()
      sections.set(name, section)
      key = null
      continue
    }
    const delimiter = trimmed.search(/[=:]/)
    if (section === null || delimiter <= 0) continue
    key = trimmed.slice(0, delimiter).trimEnd()
    section.set(key, trimmed.slice(delimiter + 1).trim())
  }
  return sections
}
