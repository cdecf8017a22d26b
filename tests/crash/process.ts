import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { buildSync } from 'esbuild'

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

/** Of each step of the work: how often it was done, and how often somebody else held what it needs. */
export type StepCounts = Readonly<Record<string, { done: number; held: number }>>

/** Starts work on a site in a process of its own. `at` has it die there. */
export function startProcess(
  folder: string,
  work: string,
  at: { readonly moment: string; readonly nth: number } | null = null,
): WorkingProcess {
  return working(start([folder, work, ...(at ? [at.moment, String(at.nth)] : [])]))
}

/** Starts work that is done again and again for so many seconds. */
export function startRepeating(
  folder: string,
  work: string,
  { seconds, from = 1 }: { readonly seconds: number; readonly from?: number },
): WorkingProcess & { readonly counted: Promise<StepCounts> } {
  const child = start([folder, work, '--seconds', String(seconds), '--from', String(from)])
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const process = working(child)
  const counted = process.ended.then((): StepCounts => JSON.parse(printed.split('\n')[1] || '{}'))
  return { ...process, counted }
}

function start(parameters: readonly string[]) {
  program ??= bundleProgram()
  return spawn(process.execPath, ['--max-semi-space-size=4', program, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function working(child: ReturnType<typeof start>): WorkingProcess {
  const ready = new Promise<void>((resolve) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', () => resolve())
  })
  return { pid: child.pid ?? 0, ready, ended: endOf(child), kill: () => void child.kill('SIGKILL') }
}

const root = path.join(import.meta.dirname, '..', '..')
let program: string | null = null

/** One file starts in a third of the time that two hundred take, and there are many processes to start. */
function bundleProgram(): string {
  // Below the project, so that the packages that are not bundled are found.
  const folder = path.join(root, 'node_modules', '.cache', 'chantal-tests')
  const outfile = path.join(folder, `program-${process.pid}.mjs`)
  mkdirSync(folder, { recursive: true })
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const external = Object.keys(dependencies).filter(
    (name) => !['kysely', 'zod', 'js-yaml', 'saxes'].includes(name),
  )
  buildSync({
    absWorkingDir: root,
    entryPoints: ['tests/crash/program.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24.12',
    external: external.flatMap((name) => [name, `${name}/*`]),
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module';const require=createRequireOfBundle(import.meta.url);",
    },
    logLevel: 'warning',
  })
  process.once('exit', () => rmSync(outfile, { force: true }))
  return outfile
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
