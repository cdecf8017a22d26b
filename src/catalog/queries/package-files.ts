import type { Revision, StoredFile } from '../../core/model.ts'
import type { FileChanges } from '../catalog-records.ts'
import type { Session } from '../engine.ts'
import { keyPages } from './key-pages.ts'
import { pageRows, revisionFiles, visibleIn } from './packages.ts'
import { repositoryKey } from './repository-key.ts'

/** Of packages in key order, a page at a time. */
export async function* streamPackageFiles(
  session: Session,
  revision: Revision,
): AsyncGenerator<readonly StoredFile[]> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return
  yield* keyPages((after) =>
    session.db
      .selectFrom((from) =>
        from
          .selectFrom('package')
          .select(['package.pk', 'key'])
          .where('repository', '=', repository)
          .where(visibleIn(revision.number))
          .$if(after !== null, (page) => page.where('key', '>', after))
          .orderBy('key')
          .limit(pageRows)
          .as('page'),
      )
      .innerJoin('package_file', 'package_file.package', 'page.pk')
      .innerJoin('blob', 'blob.pk', 'package_file.blob')
      .select(['key', 'path', 'digest', 'size'])
      .orderBy('key')
      .orderBy('position')
      .execute(),
  )
}

/**
 * What stands elsewhere, or not at all, in another revision of the same repository. By rows, not by identities: a package that went and
 * came back may lie under another path.
 */
export async function changedFiles(
  session: Session,
  before: Revision,
  after: Revision,
): Promise<FileChanges> {
  const repository = await repositoryKey(session, before.repository)
  if (repository === null) return { gone: [], came: [] }
  const gone = await filesOnlyIn(session, repository, before.number, after.number)
  gone.push(...(await revisionFiles(session, before)))
  const came = await filesOnlyIn(session, repository, after.number, before.number)
  const still = await packageFilesAmong(session, { repository, number: after.number }, gone)
  return { gone: gone.filter(({ path }) => !still.has(path)), came }
}

/** Of packages whose rows belong to revision `number`, and not to `other`. */
function filesOnlyIn({ db }: Session, repository: number, number: number, other: number) {
  const rows = db
    .selectFrom('package')
    .innerJoin('package_file', 'package_file.package', 'package.pk')
    .innerJoin('blob', 'blob.pk', 'package_file.blob')
    .select(['path', 'digest', 'size'])
    .where('repository', '=', repository)
    .where(visibleIn(number))
  // An index finds what was added or removed between the two.
  return number > other
    ? rows.where('added_in', '>', other).execute()
    : rows.where('removed_in', '<=', other).execute()
}

/** The paths of `files` under which packages of the revision have these bytes. */
async function packageFilesAmong(
  session: Session,
  { repository, number }: { readonly repository: number; readonly number: number },
  files: readonly StoredFile[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let start = 0; start < files.length; start += pageRows) {
    const wanted = session.engine.rows(
      files.slice(start, start + pageRows).map(({ path, digest }) => ({ path, digest })),
      { path: 'text', digest: 'text' },
      'wanted',
    )
    const rows = await session.db
      .selectFrom(wanted)
      .innerJoin('blob', 'blob.digest', 'wanted.digest')
      .innerJoin('package_file', (join) =>
        join.onRef('package_file.blob', '=', 'blob.pk').onRef('package_file.path', '=', 'wanted.path'),
      )
      .innerJoin('package', 'package.pk', 'package_file.package')
      .select('package_file.path')
      .where('package.repository', '=', repository)
      .where(visibleIn(number))
      .execute()
    for (const { path } of rows) found.add(path)
  }
  return found
}
