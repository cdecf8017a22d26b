import { type ExpressionBuilder, type Selectable, type SqlBool, sql } from 'kysely'
import type {
  PackageKey,
  RepositoryId,
  Revision,
  RevisionPackage,
  StoredFile,
  StoredPackage,
} from '../../core/model.ts'
import { patternToRegExp } from '../../core/pattern.ts'
import type { HeldPackage } from '../../core/plan.ts'
import type { PackageQuery } from '../catalog-reader.ts'
import type { Session, SqlEngine } from '../engine.ts'
import { signatureOf, startOfGood } from '../package-signature.ts'
import type { Tables } from '../schema.ts'
import { repositoryKey } from './repository-key.ts'

/** Rows read at a time: enough to be quick, few enough to be a few megabytes. */
export const pageRows = 1000

/** In key order. */
export async function* streamPackages(
  session: Session,
  revision: Revision,
  query: PackageQuery = {},
): AsyncGenerator<RevisionPackage> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return
  const matches = matcher(query.pattern)
  let after: PackageKey | null = null
  while (true) {
    const last: PackageKey | null = after
    const rows = await session.db
      .selectFrom((from) =>
        from
          .selectFrom('package')
          .select(packageColumns)
          .where('repository', '=', repository)
          .where(visibleIn(revision.number))
          .$if(last !== null, (page) => page.where('key', '>', last))
          .where(maybeMatches(query, session.engine))
          .orderBy('key')
          .limit(pageRows)
          .as('page'),
      )
      .leftJoin('package_file', 'package_file.package', 'page.pk')
      .leftJoin('blob', 'blob.pk', 'package_file.blob')
      .select([
        'page.pk',
        'added_in',
        'key',
        'name',
        'version',
        'architecture',
        'built_at',
        'identity',
        'attributes',
        'signature',
        'signature_policy',
        'path',
        'digest',
        'size',
      ])
      .orderBy('key')
      .orderBy('position')
      .execute()
    let count = 0
    for (let start = 0, end = 0; start < rows.length; start = end) {
      const row = known(rows[start])
      while (rows[end]?.pk === row.pk) end++
      count += 1
      if (matches(row)) yield revisionPackage(revision.repository, row, filesOf(rows.slice(start, end)))
    }
    const end = rows.at(-1)
    if (!end || count < pageRows) return
    after = end.key
  }
}

export async function heldPackages(
  session: Session,
  revision: Revision,
): Promise<ReadonlyMap<PackageKey, HeldPackage>> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return new Map()
  const rows = await session.db
    .selectFrom('package')
    .select(['key', 'identity'])
    .where('repository', '=', repository)
    .where(visibleIn(revision.number))
    .execute()
  return new Map(rows.map(({ key, identity }) => [key, { key, identity }]))
}

export async function revisionFiles(session: Session, revision: Revision): Promise<readonly StoredFile[]> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return []
  const rows = await session.db
    .selectFrom('repository_file')
    .innerJoin('blob', 'blob.pk', 'repository_file.blob')
    .select(['path', 'digest', 'size'])
    .where('repository', '=', repository)
    .where(visibleIn(revision.number))
    .orderBy('path')
    .execute()
  return rows.map(({ path, digest, size }) => ({ path, digest, size }))
}

/** Whole packages with their files, for at most a page of rows. */
export async function packagesByRow(
  session: Session,
  rows: readonly number[],
): Promise<ReadonlyMap<number, StoredPackage>> {
  if (rows.length === 0) return new Map()
  const { db, engine } = session
  const wanted = engine.rows(
    rows.map((pk) => ({ pk })),
    { pk: 'bigint' },
    'wanted',
  )
  const packages = await db
    .selectFrom(wanted)
    .innerJoin('package', 'package.pk', 'wanted.pk')
    .innerJoin('repository', 'repository.pk', 'package.repository')
    .select(['repository.id', ...packageColumns])
    .execute()
  const files = await filesByPackage(session, rows)
  return new Map(packages.map((row) => [row.pk, revisionPackage(row.id, row, files.get(row.pk) ?? [])]))
}

const packageColumns = [
  'package.pk',
  'key',
  'name',
  'version',
  'architecture',
  'built_at',
  'identity',
  'attributes',
  'signature',
  'signature_policy',
  'added_in',
] as const

type PackageRow = Pick<
  Selectable<Tables['package']>,
  | 'key'
  | 'name'
  | 'version'
  | 'architecture'
  | 'built_at'
  | 'identity'
  | 'attributes'
  | 'signature'
  | 'signature_policy'
  | 'added_in'
>

function revisionPackage(
  repository: RepositoryId,
  row: PackageRow,
  [first, ...rest]: readonly StoredFile[],
): RevisionPackage {
  if (!first) throw new Error(`package ${row.key} of ${repository} has no file`)
  return {
    repository,
    key: row.key,
    name: row.name,
    version: row.version,
    architecture: row.architecture,
    builtAt: row.built_at === null ? null : new Date(row.built_at),
    attributes: JSON.parse(row.attributes),
    identity: row.identity,
    signature: signatureOf(row),
    files: [first, ...rest],
    addedIn: row.added_in,
  }
}

/** Of the rows of one package. One without a file has nothing in its row. */
function filesOf(rows: readonly { readonly [Column in keyof StoredFile]: StoredFile[Column] | null }[]) {
  return rows.flatMap(({ path, digest, size }) =>
    path === null || digest === null || size === null ? [] : [{ path, digest, size }],
  )
}

async function filesByPackage({ db, engine }: Session, rows: readonly number[]) {
  const files = await db
    .selectFrom(
      engine.rows(
        rows.map((pk) => ({ pk })),
        { pk: 'bigint' },
        'wanted',
      ),
    )
    .innerJoin('package_file', 'package_file.package', 'wanted.pk')
    .innerJoin('blob', 'blob.pk', 'package_file.blob')
    .select(['package', 'path', 'digest', 'size'])
    .orderBy('package')
    .orderBy('position')
    .execute()
  const grouped = new Map<number, StoredFile[]>()
  for (const { package: owner, path, digest, size } of files) {
    const file = { path, digest, size }
    const group = grouped.get(owner)
    if (group) group.push(file)
    else grouped.set(owner, [file])
  }
  return grouped
}

/** Of interval rows: those that belong to revision `number`. */
export function visibleIn(number: number) {
  return sql<SqlBool>`(added_in <= ${number} and (removed_in is null or removed_in > ${number}))`
}

/** Narrows to what may match, on names alone for the database; {@link matcher} decides. */
export function maybeMatches(query: PackageQuery, engine: SqlEngine) {
  return ({ eb, and, or, selectFrom }: ExpressionBuilder<Tables, 'package'>) => {
    const conditions = []
    if (query.pattern !== undefined) {
      const like = likePattern(query.pattern)
      const matches = (column: 'name' | 'key') =>
        sql<boolean>`${sql.ref(`package.${column}`)} like ${like} escape '\\'`
      conditions.push(or([matches('name'), matches('key')]))
    }
    if (query.notGoodUnder !== undefined) {
      conditions.push(
        or([
          eb('package.signature_policy', 'is', null),
          eb('package.signature_policy', '!=', query.notGoodUnder),
          eb('package.signature', 'not like', `${startOfGood}%`),
        ]),
      )
    }
    if (query.among !== undefined) {
      const wanted = engine.rows(
        query.among.map((key) => ({ key })),
        { key: 'text' },
        'wanted',
      )
      conditions.push(eb('package.key', 'in', selectFrom(wanted).select('wanted.key')))
    }
    if (query.digest !== undefined) {
      conditions.push(
        eb(
          'package.pk',
          'in',
          selectFrom('package_file')
            .innerJoin('blob', 'blob.pk', 'package_file.blob')
            .select('package_file.package')
            .where('blob.digest', '=', query.digest),
        ),
      )
    }
    return and(conditions)
  }
}

/** The same pattern on both engines: neither's own patterns are a shell's. */
export function matcher(
  pattern: string | undefined,
): (row: { readonly name: string; readonly key: string }) => boolean {
  if (pattern === undefined) return () => true
  const expression = patternToRegExp(pattern)
  return ({ name, key }) => expression.test(name) || expression.test(key)
}

/** A `like` pattern that everything matches which the shell pattern does, and more. */
function likePattern(pattern: string): string {
  return pattern.replaceAll(/\[!?[^\]]+\]|[\s\S]/g, (token) => {
    if (token === '*') return '%'
    if (token === '?' || token.length > 1) return '_'
    return token.replaceAll(/[\\%_]/g, '\\$&')
  })
}

export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a row is gone within its own transaction')
  return value
}
