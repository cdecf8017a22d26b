import * as z from 'zod'
import type { RetentionPolicy } from '../core/retention.ts'
import { duration, durationOf } from './values.ts'

const count = (what: string) => z.int().min(1).max(100_000).optional().describe(what)

export const retentionSchema = z
  .strictObject({
    keep_last: count('The newest snapshots.'),
    keep_daily: count('The newest of each day that has one, for so many days.'),
    keep_weekly: count('The newest of each ISO week that has one, for so many weeks.'),
    keep_monthly: count('The newest of each month that has one, for so many months.'),
    keep_within: duration.optional().describe('All within this time before the newest, such as 30d.'),
  })
  .refine(
    (rules) => Object.values(rules).some((value) => value !== undefined),
    'expected at least one rule, such as "keep_last: 5": without any every snapshot would go',
  )
  .describe(
    'Which snapshots `chantal snapshot prune` keeps: those that any rule keeps, counted in UTC. Without it all stay.',
  )

export function buildRetention(
  document: z.infer<typeof retentionSchema> | undefined,
): RetentionPolicy | null {
  if (!document) return null
  const { keep_last, keep_daily, keep_weekly, keep_monthly, keep_within } = document
  return {
    keepLast: keep_last ?? null,
    keepDaily: keep_daily ?? null,
    keepWeekly: keep_weekly ?? null,
    keepMonthly: keep_monthly ?? null,
    keepWithin: keep_within === undefined ? null : durationOf(keep_within),
  }
}
