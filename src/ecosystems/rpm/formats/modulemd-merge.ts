import { type ModuleDocument, type ModuleStream, readModules } from './modulemd.ts'
import { withArtifacts } from './modulemd-artifacts.ts'
import { joinDocuments } from './modulemd-prune.ts'
import { readYamlTree, yamlValue } from './yaml-tree.ts'

/**
 * Makes one modules.yaml of several, each document as written. A stream that several have is there once, as the first has it, with
 * the artifacts of all: what a stream does not list passes for a package of no module. Of a module's defaults, and of the translations of a
 * stream, those that were modified last count, then the first. Obsoletes add up; what is unknown is there once for each wording.
 * Broken documents are left for pruning to report.
 * @see libmodulemd, `modulemd_module_index_merger`
 */
export function mergeModules(texts: readonly string[]): string {
  const [only] = texts
  if (only !== undefined && texts.length === 1) return only
  const groups = Map.groupBy(texts.flatMap(readModules), idOf)
  return joinDocuments([...groups.values()].map(united))
}

/** Of documents that are the same thing. */
function united(documents: readonly ModuleDocument[]): string {
  const streams = documents.filter((document) => document.kind === 'stream')
  if (streams.length > 1) return unitedStream(streams)
  const [first, ...others] = documents.map((document) => ({
    text: document.text,
    modified: modifiedAt(document),
  }))
  if (!first) throw new Error('no document to unite')
  return others.reduce((best, other) => (other.modified > best.modified ? other : best), first).text
}

function unitedStream(streams: readonly ModuleStream[]): string {
  // One that lists none cannot be given any.
  const first = streams.find(({ artifacts }) => artifacts.length > 0) ?? streams[0]
  if (!first) throw new Error('no stream to unite')
  const known = new Set(first.artifacts)
  const added = new Set(streams.flatMap(({ artifacts }) => artifacts).filter((nevra) => !known.has(nevra)))
  return added.size === 0 ? first.text : (withArtifacts(first, [...added]) ?? first.text)
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
function modifiedAt({ kind, text }: ModuleDocument): number {
  if (kind !== 'defaults' && kind !== 'translations') return 0
  const reading = readYamlTree(text)
  if (reading.state !== 'read') return 0
  const data = yamlValue(reading.root, 'data')
  const modified = data === 'twice' ? null : yamlValue(data, 'modified')
  return modified !== 'twice' && modified?.kind === 'scalar' ? Number(modified.value) || 0 : 0
}
