import type { Migration } from './migrations.ts'

/** Numbers come again: whoever was taken over must not mistake another's lease, or revision in the making, for its own. */
export const ownersOfWork: Migration = {
  number: 7,
  name: 'owners of work',
  statements: ({ text }) => [
    `alter table lease add column token ${text}`,
    `alter table revision add column opened_by ${text}`,
  ],
}
