import type { Migration } from './migrations.ts'

/** Names for one revision of every member of a view. */
export const viewSnapshots: Migration = {
  number: 5,
  name: 'snapshots of views',
  statements: ({ key, text, integer, strict, strictByKey }) => [
    `create table view_snapshot (
      pk ${key},
      view ${text} not null,
      name ${text} not null,
      created_at ${integer} not null,
      description ${text},
      labels ${text} not null,
      created_by ${text},
      pinned ${integer} not null,
      unique (view, name)
    ) ${strict}`,

    `create table view_snapshot_member (
      snapshot ${integer} not null references view_snapshot (pk) on delete cascade,
      position ${integer} not null,
      repository ${integer} not null,
      revision ${integer} not null,
      primary key (snapshot, position),
      foreign key (repository, revision) references revision (repository, number)
    ) ${strictByKey}`,
    'create index view_snapshot_member_revision on view_snapshot_member (repository, revision)',
  ],
}
