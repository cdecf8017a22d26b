import { hash } from 'node:crypto'
import * as z from 'zod'
import type { RelativePath } from '../core/path.ts'
import {
  formatManifest,
  type ManifestBody,
  parseManifest,
  parseManifestHeader,
  repeatManifest,
} from './manifest-text.ts'
import type { GenerationName } from './publications.ts'

/**
 * What one generation wants of one repository's shelf. Written before the first link, removed after the generation:
 * so whatever stands on a shelf, and no claim wants, is nobody's.
 */
export interface ShelfClaim extends ManifestBody {
  readonly publication: string
  readonly generation: GenerationName
  readonly shelf: number
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

/** A claim that is to be written. */
export type NewClaim = Omit<ShelfClaim, keyof ManifestBody>

export function formatClaim(claim: NewClaim): Uint8Array {
  return formatManifest(headerOf(claim), [...claim.paths, ...claim.carried])
}

/** Wants what another claim wants, but not what that one carried along. */
export function repeatClaim(
  claim: Pick<ShelfClaim, 'publication' | 'generation'>,
  like: ShelfClaim,
): Uint8Array {
  const { shelf, paths, carried } = like
  const repeated = { ...claim, shelf, paths, carried: [] }
  return carried.length > 0 ? formatClaim(repeated) : repeatManifest(headerOf(repeated), like)
}

function headerOf({ publication, generation, shelf, carried }: NewClaim) {
  return { kind: 'claim', publication, generation, shelf, carried: carried.length }
}

/** More than the first line of a claim has: a path is 1024 bytes at most, and six times that where it is escaped. */
export const headerBytes = 32 * 1024

/** The number of the shelf that a claim is on. @param start the first {@link headerBytes} of it */
export function shelfOfClaim(start: Uint8Array, file: string): number {
  return parseManifestHeader(start, file, headerSchema).shelf
}

export function parseClaim(bytes: Uint8Array, file: string): ShelfClaim {
  const { header, lines, body, sum } = parseManifest(bytes, file, headerSchema)
  const end = lines.length - header.carried
  return { ...header, body, sum, paths: lines.slice(0, end), carried: lines.slice(end) }
}
