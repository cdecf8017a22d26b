import type { ErrorCode } from '../../core/errors.ts'

/**
 * - `notice`: worth knowing; nothing has to be done.
 * - `warning`: will be trouble, or costs more than it must.
 * - `problem`: something does not work.
 */
export type Severity = 'notice' | 'warning' | 'problem'

/** Something that a check found. */
export interface Finding {
  readonly severity: Severity
  /** What it is about: a repository, a key, a folder. */
  readonly subject: string
  /** The error that it leads to, and whose exit status counts; `null` for a notice. */
  readonly code: ErrorCode | null
  readonly message: string
  /** What to do about it. */
  readonly hint: string | null
}

/** What one check came to. */
export interface Examined {
  /** What was looked at, in a line. */
  readonly summary: string
  readonly findings: readonly Finding[]
}

export function notice(subject: string, message: string, hint: string | null = null): Finding {
  return { severity: 'notice', subject, code: null, message, hint }
}

export function warning(subject: string, code: ErrorCode, message: string, hint: string): Finding {
  return { severity: 'warning', subject, code, message, hint }
}

export function problem(subject: string, code: ErrorCode, message: string, hint: string | null): Finding {
  return { severity: 'problem', subject, code, message, hint }
}

/** An end that is nearer than this is told. */
export const soonMs = 30 * 86_400_000

/** `2026-11-24` */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
