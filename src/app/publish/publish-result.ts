import type { GenerationRecord } from '../../catalog/catalog-records.ts'
import type { AppContext } from '../context.ts'

/** The shape of `publish ... --json`. */
export interface PublishResult {
  readonly path: string
  readonly generation: string
  readonly sources: readonly string[]
  readonly packages: number
  readonly files: number
  readonly signedBy: string | null
  /** Equal input was published already, and no generation was made. */
  readonly unchanged: boolean
  /** Hard links made for package files: what this publication added to the shelves. */
  readonly packageLinks: number
  readonly durationMs: number
}

/** A generation as the catalog has it, and what making it took. */
export interface PublishedGeneration {
  readonly record: GenerationRecord
  readonly unchanged: boolean
  readonly packageLinks: number
}

export function resultOf(
  { now }: Pick<AppContext, 'now'>,
  { record, unchanged, packageLinks }: PublishedGeneration,
  startedAt: Date,
): PublishResult {
  return {
    path: record.path,
    generation: record.generation,
    sources: sourcesOf(record),
    packages: record.packages,
    files: record.files,
    signedBy: record.signedBy,
    unchanged,
    packageLinks,
    durationMs: now().getTime() - startedAt.getTime(),
  }
}

/** As users named them: members of a view have one source. */
export function sourcesOf({ sources }: GenerationRecord): readonly string[] {
  return [...new Set(sources.map(({ source }) => source))]
}
