import type { Migration } from './migrations.ts'

/** History tells of uploads and removals too. */
export const kindsOfChanges: Migration = {
  number: 6,
  name: 'kinds of changes',
  statements: ({ text }) => [`alter table sync add column kind ${text} not null default 'sync'`],
}
