import type { Goal, Round } from './round.ts'
import { type Spread, spreadOf } from './spread.ts'

export interface GoalResult extends Omit<Goal, 'value'> {
  readonly spread: Spread
  readonly isReached: boolean
}

/** The goals for which there are figures. The median over the rounds decides. */
export function judge(goals: readonly Goal[], rounds: readonly Round[]): readonly GoalResult[] {
  return goals.flatMap(({ value, ...goal }) => {
    const spread = spreadOf(rounds.map(value).filter((figure) => figure !== null))
    return spread === null ? [] : [{ ...goal, spread, isReached: meets(goal, spread.median) }]
  })
}

function meets({ direction, limit }: Pick<Goal, 'direction' | 'limit'>, figure: number): boolean {
  if (direction === 'at least') return figure >= limit
  return direction === 'at most' ? figure <= limit : figure < limit
}
