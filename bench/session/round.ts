import type { Installation, Program } from './installation.ts'
import type { Sample, Surroundings } from './measured-command.ts'
import type { ServedRepository, ServedUpstream } from './served-upstream.ts'

/** What one comparison of Chantal with its peers measures. */
export interface Comparison {
  /** Everything that is measured, by name, in the order of the table. */
  readonly titles: Readonly<Record<string, string>>
  /** Of the measures, those that are runs of Chantal's program. */
  readonly chantalMeasures: readonly string[]
  readonly goals: readonly Goal[]
  /** A file that every state of the upstream has. */
  readonly rootDocument: string
  /** Programs without which nothing is measured, and what each option asks for besides. */
  readonly programs: readonly string[]
  readonly optionalPrograms: Readonly<Record<string, readonly string[]>>
  /** Options whose programs ask at port 80, whatever the address says. */
  readonly atPort80: readonly string[]
  /** Measures everything once, from empty folders on. */
  run(round: RoundOptions): Promise<void>
}

/** What is to be reached, as a ratio of two measures of one round, or in a unit of its own. */
export interface Goal {
  readonly title: string
  readonly direction: 'at most' | 'at least' | 'below'
  readonly limit: number
  readonly unit: 'x' | 's' | 'ms' | 'MiB' | 'requests'
  /** `null` where something for it was left out. */
  readonly value: (round: Round) => number | null
}

export interface Round {
  /** By measure; what was left out is not in it. */
  readonly samples: Readonly<Record<string, Sample>>
  /** Requests of the unchanged sync, from the server's log. */
  readonly unchangedRequests: number
}

export interface RoundOptions {
  /** Position in the session: decides who begins. */
  readonly index: number
  /** Exists, and is empty. Stays, because removing many files slows down the making of the next ones. */
  readonly folder: string
  readonly upstream: ServedUpstream
  readonly repository: ServedRepository
  readonly states: { readonly v1: string; readonly v2: string }
  /** A repository of few large files, and its folder. */
  readonly large: { readonly repository: ServedRepository; readonly folder: string } | null
  readonly program: Program
  /** Armored public key that signs the upstream. */
  readonly key: string | null
  readonly signingKey: string
  readonly surroundings: Surroundings
  /** Whether a program that is not needed is there. */
  has(program: string): boolean
  /** Whether an option asks for a slower peer. */
  wants(option: string): boolean
  /** A fresh base path. */
  install(name: string, repository: ServedRepository): Installation
  record(measure: string, sample: Sample): void
  recordRequests(count: number): void
}

/** Nobody is always the first, or always after the same other. */
export function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

export function wall({ samples }: Round, measure: string): number | null {
  return samples[measure]?.wallS ?? null
}

export function milliseconds(round: Round, measure: string): number | null {
  const seconds = wall(round, measure)
  return seconds === null ? null : seconds * 1000
}

/** Taken within a round, so that a slow moment of the machine counts for both. */
export function ratio(round: Round, numerator: string, denominator: string): number | null {
  const above = wall(round, numerator)
  const below = wall(round, denominator)
  return above === null || below === null ? null : above / below
}

/** MiB, of the largest run among some. */
export function peakMemory({ samples }: Round, measures: readonly string[]): number {
  return Math.max(...measures.map((name) => samples[name]?.peakRssMiB ?? 0))
}
