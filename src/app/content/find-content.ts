import { parseSha256 } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import type { StoredPackage } from '../../core/model.ts'
import { literalPattern } from '../../core/pattern.ts'
import type { UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'

/** A package, and where it is. */
export interface FoundPackage {
  readonly package: StoredPackage
  /** Sources given, or revisions of its repository that are kept. */
  readonly in: readonly string[]
}

/** Matches shown at most: a pattern such as `*` over all repositories is a mistake. */
const limit = 10_000

/** The packages of a source, in key order, a view's members one after the other. @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` */
export const listContent: UseCase<
  { readonly source: string; readonly pattern: string | null },
  readonly StoredPackage[]
> = async ({ catalog, settings }, { source, pattern }) =>
  catalog.read(async (reader) => {
    const { revisions } = await resolveSource(reader, settings, source)
    const packages: StoredPackage[] = []
    for (const revision of revisions)
      for await (const pkg of reader.packages(revision, pattern === null ? {} : { pattern }))
        packages.push(pkg)
    return packages
  })

/**
 * Finds packages by name or key.
 * @param input.pattern a shell pattern; without `*`, `?` or `[` a text that the name contains
 * @param input.sources where to look; none means everything that is kept
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID`
 */
export const searchContent: UseCase<
  { readonly pattern: string; readonly sources: readonly string[] },
  readonly FoundPackage[]
> = async ({ catalog, settings }, input) => {
  const pattern = /[*?[]/.test(input.pattern) ? input.pattern : `*${input.pattern}*`
  return catalog.read(async (reader) => {
    if (input.sources.length === 0) {
      const found = await reader.searchPackages({ pattern }, limit)
      return found.map((match) => ({
        package: match.package,
        in: match.revisions.map((number) => `revision ${number}`),
      }))
    }
    const found: FoundPackage[] = []
    for (const source of input.sources) {
      const { label, revisions } = await resolveSource(reader, settings, source)
      for (const revision of revisions)
        for await (const pkg of reader.packages(revision, { pattern }))
          found.push({ package: pkg, in: [label] })
    }
    return found
  })
}

/**
 * Everything that is known of one package.
 * @param input.package its key, its file name, or the SHA-256 of a file of its
 * @throws ChantalError `NOT_FOUND`
 */
export const showPackage: UseCase<{ readonly package: string }, readonly FoundPackage[]> = async (
  { catalog },
  input,
) => {
  const text = input.package
  return catalog.read(async (reader) => {
    const query = /^[0-9a-f]{64}$/.test(text)
      ? { digest: parseSha256(text) }
      : { pattern: literalPattern(text) }
    const found = await reader.searchPackages(query, limit)
    if (found.length === 0) {
      throw new ChantalError('NOT_FOUND', `no package ${JSON.stringify(text)} is kept`, {
        hint: 'Give a key as `chantal content list` shows it, a name, or the SHA-256 of a file.',
        details: { package: text },
      })
    }
    return found.map((match) => ({
      package: match.package,
      in: match.revisions.map((number) => `revision ${number}`),
    }))
  })
}
