import { spawn } from 'node:child_process'

export interface CommandOptions {
  /** The whole environment beside `PATH`: nothing of the developer's own settings reaches a client. */
  readonly environment?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
}

/** A command ended badly. The message holds all that it wrote, for that is what one wants to read in a test report. */
class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly output: CommandOutput

  constructor(command: string, ending: string, output: CommandOutput) {
    super(`${command}\n${ending}\n--- stdout\n${output.stdout}\n--- stderr\n${output.stderr}`)
    this.output = output
  }
}

/** @throws CommandFailed for any exit status but 0, a signal, or a timeout (default: two minutes) */
export function runCommand(
  command: string,
  args: readonly string[],
  { environment = {}, timeoutMs = 120_000 }: CommandOptions = {},
): Promise<CommandOutput> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandOutput>()
  const child = spawn(command, args, {
    env: { PATH: systemPath, LC_ALL: 'C.UTF-8', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.on('error', reject)
  child.on('close', (status, signal) => {
    const output = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
    if (status === 0) resolve(output)
    else reject(new CommandFailed([command, ...args].join(' '), `ended with ${signal ?? status}`, output))
  })
  return promise
}

/** Servers live in `sbin`, which a user's PATH may lack. */
export const systemPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`

/** Lines that hold something. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}
