import { type Goal, milliseconds, peakMemory, ratio, wall } from '../session/round.ts'
import { chantalMeasures } from './measures.ts'

export const rpmGoals: readonly Goal[] = [
  {
    title: 'first sync against wget x4',
    direction: 'at most',
    limit: 1.2,
    unit: 'x',
    value: (round) => ratio(round, 'syncFirst', 'wgetFirst'),
  },
  {
    title: 'first sync faster than reposync',
    direction: 'at least',
    limit: 8,
    unit: 'x',
    value: (round) => ratio(round, 'reposyncFirst', 'syncFirst'),
  },
  {
    title: 'unchanged sync',
    direction: 'below',
    limit: 0.2,
    unit: 's',
    value: (round) => wall(round, 'syncUnchanged'),
  },
  {
    title: 'unchanged sync, requests',
    direction: 'at most',
    limit: 2,
    unit: 'requests',
    value: ({ unchangedRequests }) => unchangedRequests,
  },
  {
    title: '1 % changed faster than reposync',
    direction: 'at least',
    limit: 10,
    unit: 'x',
    value: (round) => ratio(round, 'reposyncChanged', 'syncChanged'),
  },
  {
    title: 'peak RSS of any command',
    direction: 'below',
    limit: 300,
    unit: 'MiB',
    value: (round) => peakMemory(round, chantalMeasures),
  },
  {
    title: 'filtered publication, 1 % changed',
    direction: 'below',
    limit: 3,
    unit: 's',
    value: (round) => wall(round, 'publishChanged'),
  },
  {
    title: 'second snapshot of it published',
    direction: 'below',
    limit: 0.5,
    unit: 's',
    value: (round) => wall(round, 'publishSnapshot'),
  },
  {
    title: 'snapshot create, in process',
    direction: 'below',
    limit: 50,
    unit: 'ms',
    value: (round) => milliseconds(round, 'snapshotCreateInProcess'),
  },
  {
    title: 'snapshot copy, in process',
    direction: 'below',
    limit: 50,
    unit: 'ms',
    value: (round) => milliseconds(round, 'snapshotCopyInProcess'),
  },
  {
    title: '--help',
    direction: 'below',
    limit: 120,
    unit: 'ms',
    value: (round) => milliseconds(round, 'help'),
  },
  {
    title: 'large files against curl and sha256sum',
    direction: 'below',
    limit: 1,
    unit: 'x',
    value: (round) => ratio(round, 'largeSync', 'largeCurl'),
  },
]
