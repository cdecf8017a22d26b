import type { Migration } from './migrations.ts'

/** Whether a revision has native records of its packages: those of mirrors have them where a view needs them. */
export const nativeRecordsOfMirrors: Migration = {
  number: 4,
  name: 'native records of mirrors',
  statements: ({ integer }) =>
    ['repository', 'revision'].flatMap((table) => [
      `alter table ${table} add column has_records ${integer} not null default 1`,
      `update ${table} set has_records = 0 where mode = 'mirror'`,
    ]),
}
