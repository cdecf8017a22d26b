import { type ModuleDocument, readModules } from './modulemd.ts'
import { joinDocuments } from './modulemd-prune.ts'
import { readYamlTree, yamlValue } from './yaml-tree.ts'

/**
 * Makes one modules.yaml of several, each document as written. A stream that several have is there once, as the first has it. Of a
 * module's defaults, and of the translations of a stream, those that were modified last count, then the first. Obsoletes add
 * up; what is unknown is there once for each wording. Broken documents are left for pruning to report.
 * @see libmodulemd, `modulemd_module_index_merger`
 */
export function mergeModules(texts: readonly string[]): string {
  const [only] = texts
  if (only !== undefined && texts.length === 1) return only
  const chosen = new Map<string, { readonly text: string; readonly modified: number }>()
  for (const document of texts.flatMap(readModules)) {
    const modified =
      document.kind === 'defaults' || document.kind === 'translations' ? modifiedAt(document) : 0
    const id = idOf(document)
    const known = chosen.get(id)
    if (!known || modified > known.modified) chosen.set(id, { text: document.text, modified })
  }
  return joinDocuments([...chosen.values()].map(({ text }) => text))
}

function idOf(document: ModuleDocument): string {
  switch (document.kind) {
    case 'stream': {
      const { name, stream, version, context, architecture } = document
      // One that does not say which it is cannot be another.
      if (name === null || stream === null) return `stream ${document.text}`
      return `stream ${[name, stream, version, context, architecture].join(':')}`
    }
    case 'defaults':
      return `defaults ${document.module}`
    case 'translations':
      return `translations ${document.module}:${document.stream}`
    default:
      return `${document.kind} ${document.text}`
  }
}

/** `20190329012345`; 0 where it is not said. */
function modifiedAt({ text }: ModuleDocument): number {
  const reading = readYamlTree(text)
  if (reading.state !== 'read') return 0
  const data = yamlValue(reading.root, 'data')
  const modified = data === 'twice' ? null : yamlValue(data, 'modified')
  return modified !== 'twice' && modified?.kind === 'scalar' ? Number(modified.value) || 0 : 0
}
