import { type Goal, peakMemory, ratio, wall } from '../session/round.ts'
import { chantalMeasures } from './measures.ts'

export const aptGoals: readonly Goal[] = [
  {
    title: 'first sync against wget x4',
    direction: 'at most',
    limit: 1.2,
    unit: 'x',
    value: (round) => ratio(round, 'syncFirst', 'wgetFirst'),
  },
  {
    title: 'first sync faster than aptly',
    direction: 'at least',
    limit: 3,
    unit: 'x',
    value: (round) => ratio(round, 'aptlyFirst', 'syncFirst'),
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
    limit: 1,
    unit: 'requests',
    value: ({ unchangedRequests }) => unchangedRequests,
  },
  {
    title: '1 % changed',
    direction: 'below',
    limit: 1.5,
    unit: 's',
    value: (round) => wall(round, 'syncChanged'),
  },
  {
    title: 'publication, 1 % changed',
    direction: 'below',
    limit: 1.5,
    unit: 's',
    value: (round) => wall(round, 'publishChanged'),
  },
  {
    title: 'snapshot create faster than aptly',
    direction: 'at least',
    limit: 1,
    unit: 'x',
    value: (round) => ratio(round, 'aptlySnapshotCreate', 'snapshotCreate'),
  },
  {
    title: 'snapshot diff faster than aptly',
    direction: 'at least',
    limit: 1,
    unit: 'x',
    value: (round) => ratio(round, 'aptlySnapshotDiff', 'snapshotDiff'),
  },
  {
    title: 'peak RSS of any command',
    direction: 'below',
    limit: 300,
    unit: 'MiB',
    value: (round) => peakMemory(round, chantalMeasures),
  },
]
