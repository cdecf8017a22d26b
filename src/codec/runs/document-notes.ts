import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { EarlierTree } from '../../core/publication.ts'
import { EarlierDocument, type NotedDocument } from './earlier-document.ts'
import { EntryIds } from './entry-ids.ts'
import type { RunFormat } from './run-format.ts'

/** Raised when runs are cut, compressed or noted otherwise than before: then nothing is taken from an older tree. */
const notesVersion = 4

const idsKind = 'entries'
const documentKind = 'document'
const runKind = 'run'

/**
 * The documents of the tree before, and notes of those of this one. The lines of a note:
 *
 *     entries   version, recipe, number of the list, ids (see {@link EntryIds.lines}); several for a long list
 *     document  version, recipe, name, number of its list of entries, format, where its first run begins, path
 *     run       of the document before it: see `formatRun`
 */
export class DocumentNotes {
  readonly #recipe: string
  readonly #earlier: ReadonlyMap<string, EarlierDocument>
  readonly #lists: EntryIds[] = []
  readonly #lines: string[] = []

  private constructor(recipe: string, earlier: ReadonlyMap<string, EarlierDocument>) {
    this.#recipe = recipe
    this.#earlier = earlier
  }

  /**
   * @param recipe whatever else than its package decides what an entry is: nothing is taken from a tree of another one. Without a tab
   * @param earlier the tree before; `null` makes everything anew
   */
  static open(recipe: string, earlier: EarlierTree | null): DocumentNotes {
    const opened = new Map<string, EarlierDocument>()
    if (earlier) {
      for (const [name, noted] of parseNotes(earlier.notes, recipe)) {
        const document = EarlierDocument.of(noted, earlier)
        if (document) opened.set(name, document)
      }
    }
    return new DocumentNotes(recipe, opened)
  }

  /** Whether nothing can be taken from the tree before. */
  get hasNone(): boolean {
    return this.#earlier.size === 0
  }

  /** The document of this name in the tree before, where it is of this format. */
  earlier(name: string, format: string): EarlierDocument | null {
    const found = this.#earlier.get(name)
    return found?.format === format ? found : null
  }

  /** Notes a document. @param ids may be that of several */
  add(document: {
    readonly name: string
    readonly format: RunFormat
    readonly ids: EntryIds
    readonly path: RelativePath
    readonly start: number
    readonly notes: readonly string[]
  }): void {
    const { name, format, ids, path, start, notes } = document
    const common = `${notesVersion}\t${this.#recipe}`
    let list = this.#lists.findIndex((each) => each === ids || each.equals(ids))
    if (list < 0) {
      list = this.#lists.push(ids) - 1
      for (const line of ids.lines()) this.#lines.push(`${idsKind}\t${common}\t${list}\t${line}`)
    }
    this.#lines.push(`${documentKind}\t${common}\t${name}\t${list}\t${format}\t${start}\t${path}`)
    for (const line of notes) this.#lines.push(`${runKind}\t${line}`)
  }

  lines(): readonly string[] {
    return this.#lines
  }
}

function parseNotes(lines: readonly string[], recipe: string): ReadonlyMap<string, NotedDocument> {
  const idLines = new Map<string, string[]>()
  const lists = new Map<string, EntryIds>()
  const documents = new Map<string, NotedDocument>()
  let runs: string[] = []
  for (const line of lines) {
    const kind = line.slice(0, line.indexOf('\t'))
    if (kind === runKind) runs.push(line.slice(runKind.length + 1))
    if (kind !== idsKind && kind !== documentKind) continue
    const [, version, madeBy, ...fields] = line.split('\t')
    // Lines of runs after it belong to no document then.
    runs = []
    if (Number(version) !== notesVersion || madeBy !== recipe) continue
    if (kind === idsKind) {
      const [list = '', ids = ''] = fields
      const known = idLines.get(list)
      if (known) known.push(ids)
      else idLines.set(list, [ids])
      continue
    }
    const [name = '', list = '', format, start, path = ''] = fields
    if (format !== 'gzip' && format !== 'zstd') continue
    const ids = lists.get(list) ?? EntryIds.parse(idLines.get(list) ?? [])
    lists.set(list, ids)
    documents.set(name, { path: parseRelativePath(path), format, start: Number(start), ids, runs })
  }
  return documents
}
