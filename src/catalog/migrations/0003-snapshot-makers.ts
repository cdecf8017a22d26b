import type { Migration } from './migrations.ts'

/** Who made a snapshot, and whether it is pinned: kept whatever the retention policy says. */
export const snapshotMakers: Migration = {
  number: 3,
  name: 'makers and pins of snapshots',
  statements: ({ text, integer }) => [
    `alter table snapshot add column created_by ${text}`,
    `alter table snapshot add column pinned ${integer} not null default 0`,
  ],
}
