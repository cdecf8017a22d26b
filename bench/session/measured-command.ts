import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand, systemPath } from '../../tests/clients/command.ts'

/** What one run of a command took. */
export interface Sample {
  readonly wallS: number
  /** User and system time of the command and of all that it started; `null` for what ran inside this process. */
  readonly cpuS: number | null
  /** Of the largest single process among them. */
  readonly peakRssMiB: number | null
}

/** Where commands are measured. */
export interface Surroundings {
  /** Scratch: logs, the home of what runs. On the file system that is measured. */
  readonly folder: string
  /** The user's cache folder: what programs keep there is there for all rounds, as for a user. */
  readonly caches: string
  readonly signal: AbortSignal
}

/** The shell's word `time` measures less, and says it in each shell's own way. */
const timeProgram = '/usr/bin/time'

/** @throws Error that says how to install it */
export function requireGnuTime(): void {
  try {
    accessSync(timeProgram, constants.X_OK)
  } catch {
    throw new Error(`${timeProgram} is missing: install GNU time (Debian: apt-get install time)`)
  }
}

/**
 * Runs a command once, after what is still to be written has reached the disk. Nothing of the user's own settings reaches it, proxies
 * included.
 * @throws Error with the end of what the command wrote, where it fails; the reason of the signal, after all of it was killed
 */
export async function measure(
  command: readonly string[],
  { folder, caches, signal }: Surroundings,
): Promise<Sample> {
  await runCommand('sync', ['-f', folder])
  signal.throwIfAborted()
  const figures = join(folder, 'time')
  const log = join(folder, 'log')
  const output = openSync(log, 'w')
  const { promise, resolve, reject } = Promise.withResolvers<number | string>()
  const started = performance.now()
  // Peak memory would count this process's own where it forked the command itself; time is small.
  const child = spawn(timeProgram, ['--quiet', '--output', figures, '--format', '%U %S %M', ...command], {
    env: { PATH: systemPath, HOME: join(folder, 'home'), XDG_CACHE_HOME: caches, LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', output, output],
    // A process group of its own, so that an interruption reaches all that the command started.
    detached: true,
  })
  const killAll = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }
  signal.addEventListener('abort', killAll)
  child.on('error', reject)
  child.on('exit', (status, killer) => resolve(status ?? killer ?? 'nothing'))
  const ending = await promise.finally(() => {
    signal.removeEventListener('abort', killAll)
    closeSync(output)
  })
  const wallS = (performance.now() - started) / 1000
  signal.throwIfAborted()
  if (ending !== 0) {
    const written = readFileSync(log, 'utf8').slice(-2000)
    throw new Error(`${command.join(' ').slice(0, 300)}\nended with ${ending}\n${written}`)
  }
  const [user = Number.NaN, system = Number.NaN, kilobytes = Number.NaN] = readFileSync(figures, 'utf8')
    .trim()
    .split(' ')
    .map(Number)
  return { wallS, cpuS: user + system, peakRssMiB: kilobytes / 1024 }
}
