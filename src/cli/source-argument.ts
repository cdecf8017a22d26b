import { ChantalError } from '../core/errors.ts'

/**
 * A snapshot as commands take it: `ID@NAME`, or its two halves as options.
 * @throws ChantalError `USAGE_INVALID` where neither names one, or both do
 */
export function snapshotSource(
  source: string | undefined,
  { repository, name }: { readonly repository: string | undefined; readonly name: string | undefined },
  nameOption: string,
): string {
  const both = `Write ID@NAME, or --repo-id ID ${nameOption} NAME.`
  if (source !== undefined) {
    if (repository === undefined && name === undefined) return source
    throw new ChantalError('USAGE_INVALID', `${source} and options name a snapshot twice`, { hint: both })
  }
  if (repository === undefined || name === undefined)
    throw new ChantalError('USAGE_INVALID', 'no snapshot named', { hint: both })
  return `${repository}@${name}`
}
