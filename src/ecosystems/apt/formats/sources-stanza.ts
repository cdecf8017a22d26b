import type { Checksum } from '../../../core/digest.ts'
import { ChantalError } from '../../../core/errors.ts'
import { parseRelativePath } from '../../../core/path.ts'
import { mergeChecksumLines } from './checksum-lines.ts'
import { type FoundFields, findFields, wantedFields } from './wanted-fields.ts'

export interface SourceFile {
  /** In the stanza's directory; a safe path of one segment. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** At most one of each algorithm. */
  readonly checksums: readonly Checksum[]
}

/** What is read of every stanza of a Sources index. Absent or empty fields are `null`. */
export interface SourcesStanza {
  /** Like the version one word, without `/`. */
  readonly name: string
  readonly version: string
  /** Relative to the archive's root. As upstream wrote it: not yet checked as a path. Empty where it does not say. */
  readonly directory: string
  /** The `.dsc` first, the others in the order of the index. */
  readonly files: readonly SourceFile[]
  /** Names of the binary packages. */
  readonly binaries: readonly string[]
  /** Those that its binary packages are for, wildcards like `any` among them. */
  readonly architectures: readonly string[]
  readonly section: string | null
  readonly priority: string | null
  /** Of the source package: `3.0 (quilt)`. */
  readonly format: string | null
  /** Kept only because a binary package was built with it. */
  readonly isExtraSourceOnly: boolean
}

/**
 * Reads one stanza of a Sources index.
 * @param what names the index in errors
 * @throws ChantalError `UPSTREAM_INVALID` where name, version or the `.dsc` is missing or unusable, the lines of its files cannot be read or
 * contradict each other, or one of these is given twice with different values; `PATH_UNSAFE` for a file that is not in the
 * directory. The message names index and package.
 */
export function parseSourcesStanza(bytes: Uint8Array, what: string): SourcesStanza {
  const found = findFields(bytes, wanted, what)
  return {
    name: found.token('Package'),
    version: found.token('Version'),
    directory: found.optional('Directory') ?? '',
    files: parseFiles(found),
    binaries: words(found.optional('Binary')),
    architectures: words(found.optional('Architecture')),
    section: found.optional('Section'),
    priority: found.optional('Priority'),
    format: found.optional('Format'),
    isExtraSourceOnly: found.optional('Extra-Source-Only')?.toLowerCase() === 'yes',
  }
}

const fields = [
  'Package',
  'Version',
  'Directory',
  'Files',
  'Checksums-Sha1',
  'Checksums-Sha256',
  'Checksums-Sha512',
  'Binary',
  'Architecture',
  'Section',
  'Priority',
  'Format',
  'Extra-Source-Only',
] as const

const wanted = wantedFields(fields)

function parseFiles(found: FoundFields<(typeof fields)[number]>): readonly SourceFile[] {
  const listed = mergeChecksumLines(
    [
      ['md5', found.optional('Files')],
      ['sha1', found.optional('Checksums-Sha1')],
      ['sha256', found.optional('Checksums-Sha256')],
      ['sha512', found.optional('Checksums-Sha512')],
    ],
    found.describe(),
  )
  const files = [...listed.values()].map(({ path, size, checksums }) => {
    if (path.includes('/')) {
      throw new ChantalError(
        'PATH_UNSAFE',
        `${found.describe()} has a file elsewhere: ${JSON.stringify(path)}`,
      )
    }
    return { name: parseRelativePath(path), size, checksums }
  })
  const description = files.findIndex(({ name }) => name.endsWith('.dsc'))
  if (description < 0) throw found.invalid('no .dsc file')
  return [...files.splice(description, 1), ...files]
}

function words(list: string | null): readonly string[] {
  return list?.split(/[\s,]+/).filter((word) => word !== '') ?? []
}
