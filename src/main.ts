import { once } from 'node:events'
import { hostname } from 'node:os'
import packageJson from '../package.json' with { type: 'json' }
import { runCli } from './cli/cli.ts'
import type { CliServices, Terminal } from './cli/services.ts'
import { ChantalError, hasSystemCode } from './core/errors.ts'
import { keepHeapSmall } from './heap-growth.ts'
import { standardOutput } from './standard-output.ts'

export { beforeHeapIsBounded } from './heap-growth.ts'

const stdout = standardOutput(process.stdout, 1)

/** The process around the command line: its streams, its environment, its signals. */
const terminal: Terminal = {
  stdout,
  stderr: process.stderr,
  readBytes: () => process.stdin,
  async writeBytes(bytes) {
    for await (const chunk of bytes) {
      if (!process.stdout.writable) return
      if (!stdout.write(chunk)) await drained()
    }
  },
  isInteractive: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
  columns: process.stderr.columns ?? 80,
  resultColumns: process.stdout.isTTY ? process.stdout.columns : undefined,
  useColor: process.stderr.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb',
  async confirm(question) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return null
    const { createInterface } = await import('node:readline/promises')
    const prompt = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return /^y(es)?$/i.test((await prompt.question(`${question}? [y/N] `)).trim())
    } finally {
      prompt.close()
    }
  },
}

async function drained(): Promise<void> {
  try {
    await once(process.stdout, 'drain')
  } catch (error) {
    // The reader has gone; the next look at the stream finds that out.
    if (!hasSystemCode(error, 'EPIPE')) throw error
  }
}

const services: CliServices = {
  version: packageJson.version,
  now: () => new Date(),
  workingFolder: process.cwd(),
  host: hostname(),
  async newSigningKey(owner) {
    const { generateSigningKey } = await import('./sign/openpgp.ts')
    return generateSigningKey({ ...owner, now: new Date() })
  },
  async loadConfiguration(file) {
    const { loadConfiguration } = await import('./config/load.ts')
    const { ecosystems } = await import('./ecosystems/registry.ts')
    return loadConfiguration({
      file,
      environment: process.env,
      home: process.env['HOME'] ?? null,
      workingFolder: process.cwd(),
      ecosystems,
      now: new Date(),
    })
  },
  async ecosystems() {
    const { ecosystems } = await import('./ecosystems/registry.ts')
    return ecosystems
  },
  async openDatabase(settings) {
    const { openDatabase } = await import('./catalog/catalog-database.ts')
    return openDatabase({ url: settings.database, now: () => new Date() })
  },
  async openDoctor(settings, reporter) {
    const { openDoctor } = await import('./open-doctor.ts')
    return openDoctor(settings, { reporter, now: () => new Date(), version: packageJson.version })
  },
  async openContext(settings, reporter, needs) {
    const { openContext } = await import('./open-context.ts')
    return openContext(settings, { reporter, now: () => new Date(), version: packageJson.version, needs })
  },
  async openImport(settings) {
    const { openImportContext } = await import('./open-import-context.ts')
    return openImportContext(settings, { now: () => new Date() })
  },
}

// What is published and pooled sets its own modes; everything else is readable as usual, whatever cron's umask is.
process.umask(0o022)
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => {
    interruption.abort(
      new ChantalError('INTERRUPTED', `interrupted by ${name}`, {
        hint: 'Everything is consistent; run the command again to go on.',
      }),
    )
    // The second one does not wait for the tidying up.
    process.once(name, () => process.exit(130))
  })
}
// A reader that has seen enough (`| head`) is no error, and the work is brought to its end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
// Nor is a full disk for what is told meanwhile: it decides nothing, and nobody could be told of it.
process.stderr.on('error', () => {})

keepHeapSmall()
// As Node has it for a module that never comes to its end: a command that nothing is left to wait for, and that has not said how it went, has failed.
process.exitCode = 13
// Not awaited here: what is built of this is a script.
void runCli(process.argv.slice(2), services, terminal, interruption.signal).then((status) => {
  process.exitCode = status
})
