import type { Command } from 'commander'
import type { LeaseHealth } from '../../catalog/lease.ts'
import type { Column } from '../render/table.ts'
import { formatTime } from '../render/units.ts'
import type { Run } from '../run.ts'

export function registerLease(program: Command, run: Run): void {
  program
    .command('lease')
    .description('leases: who is at work on what')
    .command('list')
    .description('list the leases that are held or waited for')
    .addHelpText('after', '\nExample: chantal lease list\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { leases } = await (await session.database()).status()
        session.output.list(leases, { columns, empty: 'Nobody is at work.' })
      }),
    )
}

/** Whether it is held or waited for, and what is wrong with that. */
export function describeLeaseState({ state, health }: LeaseHealth): string {
  return health === 'alive' ? state : `${state}, ${health}`
}

const columns: readonly Column<LeaseHealth>[] = [
  { title: 'RESOURCE', show: ({ resource }) => resource },
  { title: 'MODE', spare: 3, show: ({ mode }) => mode },
  { title: 'STATE', show: describeLeaseState },
  { title: 'PURPOSE', spare: 4, show: ({ purpose }) => purpose },
  { title: 'HOST', show: ({ host }) => host },
  { title: 'PID', align: 'right', show: ({ pid }) => String(pid) },
  {
    title: 'SINCE',
    spare: 1,
    show: ({ acquiredAt }) => formatTime(acquiredAt),
    csv: ({ acquiredAt }) => acquiredAt.toISOString(),
  },
  {
    title: 'UNTIL',
    spare: 2,
    show: ({ expiresAt }) => formatTime(expiresAt),
    csv: ({ expiresAt }) => expiresAt.toISOString(),
  },
]
