import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../../tests/clients/command.ts'
import { copyProgram, generateSigningKey, Installation } from './installation.ts'
import { judge } from './judge.ts'
import { requireGnuTime, type Sample } from './measured-command.ts'
import { reportText, summarize } from './report.ts'
import type { Comparison, Round } from './round.ts'
import { type ServedRepository, ServedUpstream } from './served-upstream.ts'

export interface SessionTerms {
  readonly comparison: Comparison
  /** The name of the ecosystem, and its options of the benchmarked repositories. */
  readonly type: string
  readonly options: object
  /** Options of the command line that ask for slower peers, with what they do. */
  readonly slowPeers: Readonly<Record<string, string>>
}

/** Measures Chantal's program and its peers in turns, as the command line says. @returns an exit status */
export async function runSession(terms: SessionTerms): Promise<number> {
  try {
    return await session(terms)
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

function usageOf({ type, slowPeers }: SessionTerms): string {
  const peers = Object.entries(slowPeers).map(([name, what]) => `  ${`--${name}`.padEnd(19)} ${what}\n`)
  return `Usage: node bench/${type}.ts --v1 FOLDER --v2 FOLDER [options]

  --v1, --v2 FOLDER   two states of one repository
  -n, --rounds N      how often everything is measured (3)
  --key FILE          armored public key that signs both; without it nobody checks
${peers.join('')}  --large FOLDER      a repository of few large files
  --work FOLDER       where everything is written: on the file system to measure (the system's temporary folder)
  --json FILE         write all figures there
`
}

async function session(terms: SessionTerms): Promise<number> {
  const { comparison, type, options, slowPeers } = terms
  const peers = Object.keys(slowPeers)
  const { values } = parseArgs({
    // npm and the script in package.json may each have put a "--" before them.
    args: process.argv.slice(2).filter((word) => word !== '--'),
    options: {
      v1: { type: 'string' },
      v2: { type: 'string' },
      rounds: { type: 'string', short: 'n', default: '3' },
      key: { type: 'string' },
      large: { type: 'string' },
      work: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      ...Object.fromEntries(peers.map((name) => [name, { type: 'boolean' as const, default: false }])),
    },
  })
  const text = (name: string) => {
    const value = Object.entries(values).find(([key]) => key === name)?.[1]
    return typeof value === 'string' ? value : undefined
  }
  const isSet = (name: string) =>
    Object.entries(values).some(([key, value]) => key === name && value === true)
  const [v1, v2, largeFolder, json] = ['v1', 'v2', 'large', 'json'].map(text)
  const count = Number(text('rounds'))
  if (isSet('help') || v1 === undefined || v2 === undefined || !(count >= 1)) {
    process.stderr.write(usageOf(terms))
    return isSet('help') ? 0 : 2
  }
  const keyFile = text('key')
  const key = keyFile === undefined ? null : resolve(keyFile)
  const states = { v1: resolve(v1), v2: resolve(v2) }
  requireGnuTime()
  const asked = peers.filter(isSet).flatMap((name) => comparison.optionalPrograms[name] ?? [])
  await requirePrograms(['nginx', 'setpriv', ...comparison.programs, ...asked])
  const installed = new Set<string>()
  for (const name of Object.values(comparison.optionalPrograms).flat())
    if (await isInstalled(name)) installed.add(name)

  const work = resolve(text('work') ?? tmpdir())
  mkdirSync(work, { recursive: true })
  const folder = mkdtempSync(join(work, 'chantal-bench-'))
  // nginx's workers are another user, and come through here.
  chmodSync(folder, 0o755)
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort(new Error('interrupted')))
  process.once('SIGTERM', () => interruption.abort(new Error('interrupted')))
  try {
    const program = copyProgram(join(folder, 'program'))
    if (program.isStale) note('warning: the sources are newer than dist/; npm run build measures them')
    const signingKey = await generateSigningKey(folder)
    await using upstream = await ServedUpstream.start(join(folder, 'served'), comparison.atPort80.some(isSet))
    note('reading every file of the upstream once')
    const { rootDocument } = comparison
    const repository = await upstream.serve('upstream', [states.v1, states.v2], rootDocument)
    const large =
      largeFolder === undefined
        ? null
        : {
            folder: resolve(largeFolder),
            repository: await upstream.serve('large', [resolve(largeFolder)], rootDocument),
          }
    const rounds: Round[] = []
    for (let index = 0; index < count; index++) {
      const roundFolder = join(folder, `round-${index + 1}`)
      mkdirSync(join(roundFolder, 'home'), { recursive: true })
      const samples: Record<string, Sample> = {}
      let unchangedRequests = 0
      const install = (name: string, { url }: ServedRepository, signedBy = key) =>
        new Installation(join(roundFolder, name), {
          program,
          feed: url,
          type,
          options,
          key: signedBy,
          signingKey,
        })
      await comparison.run({
        index,
        folder: roundFolder,
        upstream,
        repository,
        states,
        large,
        program,
        key,
        signingKey,
        surroundings: { folder: roundFolder, caches: join(folder, 'caches'), signal: interruption.signal },
        has: (name) => installed.has(name),
        wants: isSet,
        install: (name, served) => install(name, served, served === large?.repository ? null : key),
        record(name, sample) {
          samples[name] = sample
          const { wallS, cpuS, peakRssMiB } = sample
          const rest =
            cpuS === null || peakRssMiB === null
              ? ''
              : `, CPU ${cpuS.toFixed(2)} s, ${peakRssMiB.toFixed(0)} MiB`
          note(
            `${index + 1}/${count} ${(comparison.titles[name] ?? name).padEnd(46)} ${wallS.toFixed(3)} s${rest}`,
          )
        },
        recordRequests: (requests) => {
          unchangedRequests = requests
        },
      })
      rounds.push({ samples, unchangedRequests })
    }
    const results = summarize(comparison.titles, rounds)
    const goals = judge(comparison.goals, rounds)
    const machine = {
      processor: cpus()[0]?.model ?? 'unknown',
      processors: cpus().length,
      memoryMiB: Math.round(totalmem() / 1024 ** 2),
      node: process.version,
    }
    const files = repository.files.length
    process.stdout.write(
      `${files} files, ${count} rounds, ${machine.processors} x ${machine.processor}, Node ${machine.node}\n\n`,
    )
    process.stdout.write(reportText(results, goals))
    if (json !== undefined) {
      const document = { at: new Date().toISOString(), machine, files, results, goals, rounds }
      writeFileSync(json, `${JSON.stringify(document, null, 2)}\n`)
    }
    return 0
  } finally {
    note('removing what was made')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function requirePrograms(names: readonly string[]): Promise<void> {
  for (const name of names)
    if (!(await isInstalled(name))) throw new Error(`${name} is missing; see bench/README.md`)
}

async function isInstalled(name: string): Promise<boolean> {
  return await runCommand('sh', ['-c', 'command -v "$1"', 'sh', name]).then(
    () => true,
    () => false,
  )
}

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}
