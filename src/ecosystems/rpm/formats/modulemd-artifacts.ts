import { type ModuleStream, readModules } from './modulemd.ts'
import { readYamlTree, type YamlNode, yamlValue } from './yaml-tree.ts'

/**
 * Has a stream list further artifacts behind its own; every other line stays as it is.
 * @param added NEVRAs that it does not list
 * @returns `null` where there is no list to add to, or none that can be edited without a doubt
 */
export function withArtifacts(stream: ModuleStream, added: readonly string[]): string | null {
  const edited = insert(stream.text, added)
  if (edited === null) return null
  // The edit is judged by what it says, not by how it was made.
  const [after, ...more] = readModules(edited)
  const expected = [...stream.artifacts, ...added]
  const isRight =
    more.length === 0 &&
    after?.kind === 'stream' &&
    after.artifacts.length === expected.length &&
    after.artifacts.every((nevra, index) => nevra === expected[index])
  return isRight ? edited : null
}

function insert(text: string, added: readonly string[]): string | null {
  const reading = readYamlTree(text)
  if (reading.state !== 'read') return null
  const list = child(child(child(reading.root, 'data'), 'artifacts'), 'rpms')
  if (list?.kind !== 'sequence') return null
  const written = added.map((nevra) => JSON.stringify(nevra))
  if (list.flow) {
    const end = list.end - 1
    const own = list.items.length > 0 ? [''] : []
    return `${text.slice(0, end)}${[...own, ...written].join(', ')}${text.slice(end)}`
  }
  const last = list.items.at(-1)
  if (!last) return null
  const start = text.lastIndexOf('\n', last.start - 1) + 1
  const dash = text.slice(start, last.start)
  if (!/^ *-[ \t]+$/.test(dash)) return null
  const lineEnd = text.indexOf('\n', last.end)
  const end = lineEnd < 0 ? text.length : lineEnd + 1
  const before = lineEnd < 0 ? '\n' : ''
  return `${text.slice(0, end)}${before}${written.map((one) => `${dash}${one}\n`).join('')}${text.slice(end)}`
}

function child(node: YamlNode | null, key: string): YamlNode | null {
  const value = yamlValue(node, key)
  return value === 'twice' ? null : value
}
