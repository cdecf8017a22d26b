import * as z from 'zod'
import { parseSha256, type Sha256 } from '../core/digest.ts'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import type { PublishedRole } from '../core/publication.ts'
import { damaged, formatManifest, parseManifest } from './manifest-text.ts'
import type { GenerationName } from './publications.ts'

/** What a generation holds besides the packages on shelves, which its claims list. */
export interface GenerationManifest {
  readonly publication: RelativePath
  readonly name: GenerationName
  readonly publishedAt: Date
  /** Its own: packages and metadata, without what it carries along for clients of the generation before. */
  readonly files: number
  /** Repositories on whose shelves its packages stand. */
  readonly repositories: readonly RepositoryId[]
  readonly metadata: readonly MetadataEntry[]
  /** Packages linked into the generation itself. */
  readonly direct: readonly DirectEntry[]
  /** It was damaged, and tells what looking at the tree tells. */
  readonly isRebuilt?: true | undefined
}

export interface MetadataEntry {
  readonly path: RelativePath
  readonly role: PublishedRole
  readonly size: number
  /** `null` where the version that published it kept none: such a file is not repeated. */
  readonly digest: Sha256 | null
  /** When it stopped being current, for a file carried along; `null` for a generation's own. */
  readonly supersededAt: Date | null
}

export interface DirectEntry {
  readonly path: RelativePath
  readonly digest: Sha256
  readonly size: number
  readonly repository: RepositoryId
  /** As for metadata. */
  readonly supersededAt: Date | null
}

const roles = z.enum(['entry', 'addressed', 'plain'])
const header = z.object({
  kind: z.literal('generation'),
  publication: z.string().transform(parseRelativePath),
  name: z.string(),
  publishedAt: z.iso.datetime().transform((text) => new Date(text)),
  files: z.int(),
  repositories: z.array(z.string().transform((text) => text as RepositoryId)),
  isRebuilt: z.literal(true).optional(),
})

/**
 * One line a file: role (or `package`), superseded at (`-`: own), size, digest (`-`: not known), repository (`-` for metadata), path.
 */
export function formatGeneration(manifest: GenerationManifest): Uint8Array {
  const { metadata, direct, ...first } = manifest
  const lines: string[] = []
  for (const { path, digest, size, repository, supersededAt } of direct) {
    lines.push(`package\t${formatTime(supersededAt)}\t${size}\t${digest}\t${repository}\t${path}`)
  }
  for (const { path, role, size, digest, supersededAt } of metadata) {
    lines.push(`${role}\t${formatTime(supersededAt)}\t${size}\t${digest ?? '-'}\t-\t${path}`)
  }
  return formatManifest({ kind: 'generation', ...first }, lines)
}

export function parseGeneration(bytes: Uint8Array, file: string): GenerationManifest {
  const parsed = parseManifest(bytes, file, header)
  const metadata: MetadataEntry[] = []
  const direct: DirectEntry[] = []
  for (const line of parsed.lines) {
    const [kind, time, size, digest, repository, last] = line.split('\t')
    if (digest === undefined || repository === undefined || last === undefined) throw damaged(file)
    const entry = {
      path: parseRelativePath(last),
      size: Number(size),
      supersededAt: time === undefined || time === '-' ? null : new Date(time),
    }
    if (kind === 'package') {
      direct.push({ ...entry, digest: parseSha256(digest), repository: repository as RepositoryId })
    } else {
      metadata.push({
        ...entry,
        role: roles.parse(kind),
        digest: digest === '-' ? null : parseSha256(digest),
      })
    }
  }
  return { ...parsed.header, metadata, direct }
}

function formatTime(time: Date | null): string {
  return time?.toISOString() ?? '-'
}
