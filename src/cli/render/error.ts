import { styleText } from 'node:util'
import { type ChantalError, isChantalError } from '../../core/errors.ts'
import { firstOf } from './first-of.ts'
import type { MachineValue } from './machine.ts'
import { printable } from './table.ts'

/**
 * An error as people read it: what, where, expected and actual; then what to do; then the code to search for.
 */
export function renderError(error: ChantalError, useColor: boolean, subject: string | null = null): string {
  const label = useColor ? styleText(['bold', 'red'], 'error:', { validateStream: false }) : 'error:'
  const [first = '', ...rest] = error.message.split('\n')
  const lines = [
    `${label} ${subject === null ? '' : `${subject}: `}${printable(first)}`,
    ...rest.map((line) => `  ${printable(line.trimStart())}`),
  ]
  for (const item of list(error.details['problems'])) lines.push(`  ${item}`)
  if (error.hint) lines.push(`hint: ${printable(error.hint)}`)
  return `${[...lines, error.code].join('\n')}\n`
}

function list(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return []
  return firstOf(
    value.map((item) => {
      const [first = '', ...rest] = String(item).split('\n')
      return [printable(first), ...rest.map((line) => `  ${printable(line.trimStart())}`)]
    }),
  ).flat()
}

/** The shape of any error for machines. */
export function errorDocument(error: ChantalError): MachineValue {
  return {
    error: {
      code: error.code,
      message: error.message,
      hint: error.hint ?? null,
      details: { ...error.details },
    },
  }
}

/** A bug, with how to report it. */
export function renderBug(error: unknown, version: string): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const causes: string[] = []
  for (
    let cause = error instanceof Error ? error.cause : undefined;
    cause instanceof Error;
    cause = cause.cause
  ) {
    causes.push(`caused by ${cause.stack ?? cause.message}`)
  }
  return [
    `error: this is a bug in Chantal ${version}`,
    stack,
    ...causes,
    'hint: Report it with the command you ran and the lines above. Nothing that was published has changed unless a line before says so.',
    'INTERNAL',
    '',
  ].join('\n')
}

/** The hidden detail of a user's error: what the system or the server said. */
export function renderCauses(error: ChantalError): string {
  const lines: string[] = []
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    lines.push(`  because: ${printable(cause.message)}${isChantalError(cause) ? ` (${cause.code})` : ''}`)
  }
  return lines.length > 0 ? `${lines.join('\n')}\n` : ''
}
