import type { SnapshotView } from '../../app/snapshot/list-snapshots.ts'
import type { Column } from '../render/table.ts'
import { formatBytes, formatTime } from '../render/units.ts'

/** Snapshots as lists show them. */
export const snapshotColumns: readonly Column<SnapshotView>[] = [
  { title: 'SOURCE', show: ({ source }) => source },
  {
    title: 'REVISION',
    align: 'right',
    spare: 1,
    show: ({ revision }) => (revision === null ? '' : String(revision)),
  },
  {
    title: 'MEMBERS',
    spare: 3,
    show: ({ members }) => members.map(({ repository, revision }) => `${repository}:${revision}`).join(' '),
  },
  { title: 'PACKAGES', align: 'right', show: ({ packages }) => String(packages) },
  {
    title: 'SIZE',
    align: 'right',
    show: ({ sizeBytes }) => formatBytes(sizeBytes),
    csv: ({ sizeBytes }) => sizeBytes,
  },
  {
    title: 'CREATED',
    show: ({ createdAt }) => formatTime(createdAt),
    csv: ({ createdAt }) => createdAt.toISOString(),
  },
  { title: 'BY', spare: 5, show: ({ createdBy }) => createdBy ?? '' },
  { title: 'PINNED', spare: 2, show: ({ pinned }) => (pinned ? 'yes' : '') },
  { title: 'PUBLISHED', spare: 3, show: ({ published }) => published.join(' ') },
  { title: 'LABELS', spare: 2, show: labelsOf },
  { title: 'DESCRIPTION', spare: 4, show: ({ description }) => description ?? '' },
]

/** `stage=prod ticket=OPS-42` */
export function labelsOf(view: SnapshotView): string {
  return Object.entries(view.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}

/** A snapshot as results for machines have it. Labels are a user's own names: they keep their spelling. */
export function snapshotDocument(view: SnapshotView): object {
  return { ...view, labels: new Map(Object.entries(view.labels)) }
}
