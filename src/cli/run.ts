import type { Command } from 'commander'
import type { ChantalError } from '../core/errors.ts'
import type { Session } from './session.ts'

/** Runs the work of one command in a session made of its global options, which is closed afterwards. */
export type Run = (command: Command, work: (session: Session) => Promise<void>) => Promise<void>

/** Thrown by a command that has shown its result, errors included: only the exit status is left to give. */
export class ShownFailure extends Error {
  readonly error: ChantalError

  constructor(error: ChantalError) {
    super(error.message)
    this.error = error
  }
}
