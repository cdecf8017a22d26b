import type { DocumentNode, MappingEntry } from './document.ts'
import type { Mistake } from './mistakes.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text value, and `$$` by a dollar sign. As in a shell, the default also
 * stands in for an empty variable. What is wrong goes to `mistakes`, by the variable's name, never its value.
 */
export function expandVariables(
  node: DocumentNode,
  environment: Environment,
  mistakes: Mistake[],
  path = '',
): DocumentNode {
  switch (node.kind) {
    case 'scalar': {
      if (typeof node.value !== 'string' || !node.value.includes('$')) return node
      const wrong = (problem: string, hint: string) =>
        void mistakes.push({ place: node.place, path, problem, hint })
      return { ...node, value: expand(node.value, environment, wrong) }
    }
    case 'sequence': {
      const items = node.items.map(({ index, node: item }) => ({
        index,
        node: expandVariables(item, environment, mistakes, `${path}[${index}]`),
      }))
      return { ...node, items }
    }
    case 'mapping': {
      const entries = [...node.entries].map(([key, entry]): [string, MappingEntry] => {
        const below = path === '' ? key : `${path}.${key}`
        return [key, { ...entry, node: expandVariables(entry.node, environment, mistakes, below) }]
      })
      return { ...node, entries: new Map(entries) }
    }
  }
}

function expand(
  text: string,
  environment: Environment,
  wrong: (problem: string, hint: string) => void,
): string {
  return text.replaceAll(/\$\$|\$\{([^}]*)\}?/g, (match: string, inside: string | undefined) => {
    if (inside === undefined) return '$'
    const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/.exec(inside) ?? []
    if (name === undefined || !match.endsWith('}')) {
      wrong('a variable is written $\u007bNAME} or $\u007bNAME:-default}', 'Write $$ for a dollar sign.')
      return ''
    }
    const value = environment[name]
    if (fallback !== undefined) return value || fallback
    if (value !== undefined) return value
    wrong(
      `the environment variable ${name} is not set`,
      `Set ${name}, or give a default: \${${name}:-default}.`,
    )
    return ''
  })
}
