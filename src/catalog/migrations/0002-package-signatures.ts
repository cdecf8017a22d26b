import type { Migration } from './migrations.ts'

/** What checking each package's signature came to, and under which keys and rules. */
export const packageSignatures: Migration = {
  number: 2,
  name: 'package signatures',
  statements: ({ text }) => [
    `alter table package add column signature ${text}`,
    `alter table package add column signature_policy ${text}`,
  ],
}
