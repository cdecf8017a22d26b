import { ChantalError } from '../core/errors.ts'

/** The halves of `ID@NAME`, as options give them. */
export interface SnapshotOptions {
  readonly repository: string | undefined
  readonly view: string | undefined
  readonly name: string | undefined
}

/**
 * A snapshot as commands take it: `ID@NAME`, or its two halves as options.
 * @throws ChantalError `USAGE_INVALID` where neither names one, or both do
 */
export function snapshotSource(
  source: string | undefined,
  { repository, view, name }: SnapshotOptions,
  nameOption: string,
): string {
  const ways = `Write ID@NAME, or --repo-id ID ${nameOption} NAME, or --view NAME ${nameOption} NAME.`
  if (source !== undefined) {
    if (repository === undefined && view === undefined && name === undefined) return source
    throw new ChantalError('USAGE_INVALID', `${source} and options name a snapshot twice`, { hint: ways })
  }
  const owner = repository ?? view
  if (repository !== undefined && view !== undefined)
    throw new ChantalError('USAGE_INVALID', 'a snapshot is of a repository or of a view', { hint: ways })
  if (owner === undefined || name === undefined)
    throw new ChantalError('USAGE_INVALID', 'no snapshot named', { hint: ways })
  return `${owner}@${name}`
}
