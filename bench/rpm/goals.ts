import { chantalMeasures, type Measure, type Round } from './round.ts'
import { type Spread, spreadOf } from './spread.ts'

/** What is to be reached, as a ratio of two measures of one round, or in a unit of its own. */
interface Goal {
  readonly title: string
  readonly direction: 'at most' | 'at least' | 'below'
  readonly limit: number
  readonly unit: 'x' | 's' | 'ms' | 'MiB' | 'requests'
  /** `null` where something for it was left out. */
  readonly value: (round: Round) => number | null
}

export interface GoalResult extends Omit<Goal, 'value'> {
  readonly spread: Spread
  readonly isReached: boolean
}

const goals: readonly Goal[] = [
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
    value: ({ samples }) => Math.max(...chantalMeasures.map((name) => samples[name]?.peakRssMiB ?? 0)),
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

/** The goals for which there are figures. The median over the rounds decides; a ratio is taken within each round. */
export function judge(rounds: readonly Round[]): readonly GoalResult[] {
  return goals.flatMap(({ value, ...goal }) => {
    const spread = spreadOf(rounds.map(value).filter((figure) => figure !== null))
    return spread === null ? [] : [{ ...goal, spread, isReached: meets(goal, spread.median) }]
  })
}

function meets({ direction, limit }: Pick<Goal, 'direction' | 'limit'>, figure: number): boolean {
  if (direction === 'at least') return figure >= limit
  return direction === 'at most' ? figure <= limit : figure < limit
}

function wall({ samples }: Round, measure: Measure): number | null {
  return samples[measure]?.wallS ?? null
}

function milliseconds(round: Round, measure: Measure): number | null {
  const seconds = wall(round, measure)
  return seconds === null ? null : seconds * 1000
}

function ratio(round: Round, numerator: Measure, denominator: Measure): number | null {
  const above = wall(round, numerator)
  const below = wall(round, denominator)
  return above === null || below === null ? null : above / below
}
