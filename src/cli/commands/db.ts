import type { Command } from 'commander'
import type { Run } from '../run.ts'
import { registerTransfer } from './db-transfer.ts'

export function registerDb(program: Command, run: Run): void {
  const db = program.command('db').description("the catalog's database")
  registerTransfer(db, run)
}
