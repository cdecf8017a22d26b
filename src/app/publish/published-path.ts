import { ChantalError } from '../../core/errors.ts'
import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import { parseSnapshotName, type ResolvedSource } from '../source.ts'

const folders = { repository: 'repositories', view: 'views' } as const

/**
 * `repositories/<id>/latest`, `.../snapshots/<name>`, `.../at/<time>`; of a view the same under `views/<name>`.
 * @param as another name for a snapshot, or for the revisions of a moment
 * @throws ChantalError `USAGE_INVALID`
 */
export function pathOf(source: ResolvedSource, as: string | null): RelativePath {
  const { kind, owner, at, label } = source
  const top = `${folders[kind]}/${owner}`
  if (as !== null) {
    if (at.kind === 'latest') {
      throw new ChantalError(
        'USAGE_INVALID',
        `--as names where a snapshot is published, not what is latest in a ${kind}`,
        { hint: `Make a snapshot first: \`chantal snapshot create ${owner}@NAME\`.` },
      )
    }
    return parseRelativePath(`${top}/snapshots/${parseSnapshotName(as)}`)
  }
  if (at.kind === 'latest') return parseRelativePath(`${top}/latest`)
  if (at.kind === 'snapshot') return parseRelativePath(`${top}/snapshots/${at.name}`)
  return parseRelativePath(`${top}/at/${label.slice(owner.length + 1)}`)
}

/** The repository or view that a path belongs to. */
export function ownerOf(path: RelativePath): string {
  return path.split('/')[1] ?? ''
}

/** Whether it is a view's. */
export function kindOf(path: RelativePath): ResolvedSource['kind'] {
  return path.startsWith(`${folders.view}/`) ? 'view' : 'repository'
}
