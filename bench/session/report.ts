import type { GoalResult } from './judge.ts'
import type { Sample } from './measured-command.ts'
import type { Comparison, Round } from './round.ts'
import { type Spread, spreadOf } from './spread.ts'

/** One measure over all rounds. */
export interface MeasureResult {
  readonly measure: string
  readonly title: string
  readonly wallS: Spread
  /** Median. */
  readonly cpuS: number | null
  /** Median. */
  readonly peakRssMiB: number | null
}

/** What was measured at all, in the order of the titles. */
export function summarize(titles: Comparison['titles'], rounds: readonly Round[]): readonly MeasureResult[] {
  return Object.entries(titles).flatMap(([measure, title]) => {
    const samples = rounds.flatMap((round) => round.samples[measure] ?? [])
    const wallS = spreadOf(samples.map((sample) => sample.wallS))
    if (wallS === null) return []
    const cpuS = medianOf(samples, 'cpuS')
    return [{ measure, title, wallS, cpuS, peakRssMiB: medianOf(samples, 'peakRssMiB') }]
  })
}

function medianOf(samples: readonly Sample[], figure: 'cpuS' | 'peakRssMiB'): number | null {
  const spread = spreadOf(samples.map((sample) => sample[figure]).filter((value) => value !== null))
  return spread?.median ?? null
}

/** Both tables in Markdown, ready for a page. */
export function reportText(results: readonly MeasureResult[], goals: readonly GoalResult[]): string {
  const figures = results.map(({ title, wallS, cpuS, peakRssMiB }) => [
    title,
    seconds(wallS.median),
    `${seconds(wallS.min)}–${seconds(wallS.max)}`,
    cpuS === null ? '' : cpuS.toFixed(2),
    peakRssMiB === null ? '' : peakRssMiB.toFixed(0),
  ])
  const judged = goals.map(({ title, direction, limit, unit, spread, isReached }) => [
    title,
    `${direction} ${limit} ${unit}`,
    `${figure(spread.median)} ${unit}`,
    `${figure(spread.min)}–${figure(spread.max)}`,
    isReached ? 'yes' : 'NO',
  ])
  const head = ['', 'wall s, median', 'min–max', 'CPU s', 'peak RSS MiB']
  return `${table(head, figures)}\n\n${table(['goal', 'wanted', 'median', 'min–max', 'reached'], judged)}\n`
}

function seconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2)
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, index) =>
    Math.max(3, cell.length, ...rows.map((row) => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
