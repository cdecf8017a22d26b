import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'

/** Ends of a process: its exit status, or the signal that ended it. */
export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** A program of `tests/crash/program.ts` at work. */
export interface WorkingProcess {
  readonly pid: number
  /** Once everything is open. */
  readonly ready: Promise<void>
  readonly ended: Promise<Ended>
  kill(): void
}

/** Starts work on a site in a process of its own. `at` has it die there. */
export function startProcess(
  folder: string,
  work: string,
  at: { readonly moment: string; readonly nth: number } | null = null,
): WorkingProcess {
  const program = path.join(import.meta.dirname, 'program.ts')
  const parameters = at ? [work, at.moment, String(at.nth)] : [work]
  const child = spawn(process.execPath, ['--max-semi-space-size=4', program, folder, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ready = new Promise<void>((resolve) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', () => resolve())
  })
  return { pid: child.pid ?? 0, ready, ended: endOf(child), kill: () => void child.kill('SIGKILL') }
}

function endOf(child: ChildProcess): Promise<Ended> {
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, stderr }))
  })
}
