import type { DocumentNode, MappingNode, Place } from './document.ts'
import { at } from './mistakes.ts'
import { type Rule, rules, valueUnder } from './python-chantal-rules.ts'

/**
 * Rewrites the spellings of the Python Chantal in place, before anything is checked.
 * @param isKnown whether today's schema of a repository has a key at this path
 * @returns a notice for each, naming today's key
 */
export function translatePythonChantal(
  root: DocumentNode,
  isKnown: (path: readonly string[]) => boolean,
): readonly string[] {
  if (root.kind !== 'mapping') return []
  const notices: string[] = []
  const repositories = mappingsUnder(root, 'repositories')
  const views = mappingsUnder(root, 'views')
  for (const rule of rules) {
    const scopes = {
      document: [root],
      repository: repositories,
      shared: [root, ...repositories],
      view: views,
    }
    for (const mapping of scopes[rule.scope]) apply(rule, mapping, isKnown, notices)
  }
  return notices
}

function apply(
  rule: Rule,
  mapping: MappingNode,
  isKnown: (path: readonly string[]) => boolean,
  notices: string[],
): void {
  const path = rule.from.split('.')
  const key = path.pop() ?? ''
  const holder = descend(mapping, path)
  const entry = holder?.entries.get(key)
  if (!holder || !entry) return
  if (rule.when && !rule.when(entry.node)) return
  if (rule.ofType && !(valueUnder(mapping, 'type') === rule.ofType && isKnown(rule.to?.split('.') ?? [])))
    return
  if (rule.whereGenerated && isMirror(mapping)) return
  if (rule.unlessKnown && isKnown([...path, key])) return
  if (!rule.keeps) holder.entries.delete(key)
  if (holder.entries.size === 0 && path.length > 0) removeEmpty(mapping, path)
  const say = (text: string) => notices.push(`${at(entry.keyPlace)}: ${text}`)
  if (rule.to === null) {
    say(`"${rule.from}" is not used: ${rule.notice}`)
    return
  }
  const kept = put(mapping, rule.to.split('.'), rule.value?.(entry.node) ?? entry.node, entry.keyPlace)
  say(
    kept
      ? (rule.notice ?? `"${rule.from}" is now "${rule.to}"`)
      : `"${rule.from}" is not used: "${rule.to}" is given`,
  )
}

function isMirror(repository: MappingNode): boolean {
  const mode = valueUnder(repository, 'mode')
  return mode === undefined ? !repository.entries.has('filters') : mode === 'mirror'
}

/** A section of which nothing is left was the old one. */
function removeEmpty(mapping: MappingNode, path: readonly string[]): void {
  const above = descend(mapping, path.slice(0, -1))
  above?.entries.delete(path.at(-1) ?? '')
}

/** Two lists become one; any other value that is there stays, and the answer is `false`. */
function put(mapping: MappingNode, path: readonly string[], node: DocumentNode, place: Place): boolean {
  const [step = '', ...rest] = path
  const there = mapping.entries.get(step)
  if (rest.length > 0) {
    if (there && there.node.kind !== 'mapping') return false
    const below: MappingNode =
      there?.node.kind === 'mapping' ? there.node : { kind: 'mapping', place, entries: new Map() }
    if (!there) mapping.entries.set(step, { keyPlace: place, node: below })
    return put(below, rest, node, place)
  }
  if (!there) {
    mapping.entries.set(step, { keyPlace: place, node })
    return true
  }
  if (there.node.kind !== 'sequence' || node.kind !== 'sequence') return false
  there.node.items.push(...node.items)
  return true
}

function descend(mapping: MappingNode, path: readonly string[]): MappingNode | null {
  let current: MappingNode = mapping
  for (const step of path) {
    const next = current.entries.get(step)?.node
    if (next?.kind !== 'mapping') return null
    current = next
  }
  return current
}

function mappingsUnder(root: MappingNode, key: string): readonly MappingNode[] {
  const list = root.entries.get(key)?.node
  return list?.kind === 'sequence'
    ? list.items.map(({ node }) => node).filter((node) => node.kind === 'mapping')
    : []
}
