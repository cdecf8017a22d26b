import { hash } from 'node:crypto'
import * as z from 'zod'
import type { RelativePath } from '../core/path.ts'
import { formatManifest, parseManifest, parseManifestHeader } from './manifest-text.ts'
import type { GenerationName } from './publications.ts'

/**
 * What one generation wants of one repository's shelf. Written before the first link, removed after the generation:
 * so whatever stands on a shelf, and no claim wants, is nobody's.
 */
export interface ShelfClaim {
  readonly publication: string
  readonly generation: GenerationName
  readonly shelf: number
  /** Equal for claims on equal paths. */
  readonly sum: string
  /** Not parsed again: they are only looked up in the shelf's manifest. */
  readonly paths: readonly string[]
  /** What it put there besides, for clients midway: wanted by none, and gone after the grace period. */
  readonly carried: readonly string[]
}

const headerSchema = z.object({
  kind: z.literal('claim'),
  publication: z.string(),
  generation: z.string(),
  shelf: z.int().positive(),
  carried: z.int(),
})

/** File name of a claim: publications' paths are longer than a name may be. */
export function claimName(publication: RelativePath, generation: GenerationName): string {
  return `${hash('sha256', publication, 'hex').slice(0, 24)}@${generation}`
}

export function formatClaim(claim: Omit<ShelfClaim, 'sum'>): Uint8Array {
  const { publication, generation, shelf, paths, carried } = claim
  const header = { kind: 'claim', publication, generation, shelf, carried: carried.length }
  return formatManifest(header, [...paths, ...carried])
}

/** More than the first line of a claim has: a path is 1024 bytes at most, and six times that where it is escaped. */
export const headerBytes = 32 * 1024

/** The number of the shelf that a claim is on. @param start the first {@link headerBytes} of it */
export function shelfOfClaim(start: Uint8Array, file: string): number {
  return parseManifestHeader(start, file, headerSchema).shelf
}

export function parseClaim(bytes: Uint8Array, file: string): ShelfClaim {
  const { header, lines, sum } = parseManifest(bytes, file, headerSchema)
  const end = lines.length - header.carried
  return { ...header, sum, paths: lines.slice(0, end), carried: lines.slice(end) }
}
