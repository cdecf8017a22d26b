import type { MemberDiff, PackageChanges, SourceDiff } from '../../app/snapshot/diff-sources.ts'
import { packageDocument } from './package-rows.ts'

/** A difference as results for machines have it. */
export function diffDocument({ from, to, members, ...changes }: SourceDiff): object {
  return {
    from,
    to,
    ...changesDocument(changes),
    members: members.map(({ repository, ...own }) => ({ repository, ...changesDocument(own) })),
  }
}

function changesDocument({ added, removed, updated, replaced }: PackageChanges) {
  return {
    added: added.map(packageDocument),
    removed: removed.map(packageDocument),
    updated: updated.map((change) => ({
      ...change,
      from: packageDocument(change.from),
      to: packageDocument(change.to),
    })),
    replaced: replaced.map(packageDocument),
  }
}

/** For CSV: one change a row. */
export function diffRows({ added, removed, updated, replaced }: SourceDiff): readonly object[] {
  const row = (
    change: string,
    name: string,
    architecture: string | null,
    from: string | null,
    to: string | null,
  ) => ({ change, name, architecture, from, to })
  return [
    ...added.map((pkg) => row('added', pkg.name, pkg.architecture, null, pkg.version)),
    ...removed.map((pkg) => row('removed', pkg.name, pkg.architecture, pkg.version, null)),
    ...updated.map(({ name, architecture, from, to }) =>
      row('updated', name, architecture, from.version, to.version),
    ),
    ...replaced.map((pkg) => row('replaced', pkg.name, pkg.architecture, pkg.version, pkg.version)),
  ]
}

export function diffLines({ from, to, members, ...changes }: SourceDiff): readonly string[] {
  if (isEmpty(changes) && members.every(isEmpty)) return [`${from} and ${to} hold the same packages.`]
  const { added, removed, updated, replaced } = changes
  return [
    `${from} -> ${to}: ${figures(changes)}`,
    ...members.map(memberLine),
    ...added.map(({ key }) => `+ ${key}`),
    ...removed.map(({ key }) => `- ${key}`),
    ...updated.map(
      (change) =>
        `^ ${change.name}${change.architecture ? `.${change.architecture}` : ''}  ${change.from.version} -> ${change.to.version}`,
    ),
    ...replaced.map(({ key }) => `~ ${key}`),
  ]
}

function memberLine(member: MemberDiff): string {
  return `  ${member.repository}: ${isEmpty(member) ? 'the same' : figures(member)}`
}

function figures({ added, removed, updated, replaced }: PackageChanges): string {
  return `${added.length} added, ${removed.length} removed, ${updated.length} updated, ${replaced.length} replaced`
}

function isEmpty({ added, removed, updated, replaced }: PackageChanges): boolean {
  return added.length + removed.length + updated.length + replaced.length === 0
}
