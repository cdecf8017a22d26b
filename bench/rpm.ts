// rpm.ts --v1 FOLDER --v2 FOLDER   - measures Chantal and its peers in turns on one large RPM repository. See README.md beside it.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../tests/clients/command.ts'
import { judge } from './rpm/goals.ts'
import { copyProgram, generateSigningKey } from './rpm/installation.ts'
import { requireGnuTime } from './rpm/measured-command.ts'
import { reportText, summarize } from './rpm/report.ts'
import { type Round, runRound, titles } from './rpm/round.ts'
import { ServedUpstream } from './rpm/served-upstream.ts'

const usage = `Usage: npm run bench -- --v1 FOLDER --v2 FOLDER [options]

  --v1, --v2 FOLDER   two states of one RPM repository
  -n, --rounds N      how often everything is measured (3)
  --key FILE          armored public key that signs repomd.xml in both; without it nobody checks
  --reposync          measure dnf reposync as well, which is slow
  --large FOLDER      an RPM repository of few large files
  --work FOLDER       where everything is written: on the file system to measure (the system's temporary folder)
  --json FILE         write all figures there
`

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})

async function main(): Promise<number> {
  const { values } = parseArgs({
    // npm and the script in package.json may each have put a "--" before them.
    args: process.argv.slice(2).filter((word) => word !== '--'),
    options: {
      v1: { type: 'string' },
      v2: { type: 'string' },
      rounds: { type: 'string', short: 'n', default: '3' },
      key: { type: 'string' },
      reposync: { type: 'boolean', default: false },
      large: { type: 'string' },
      work: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const count = Number(values.rounds)
  if (values.help || values.v1 === undefined || values.v2 === undefined || !(count >= 1)) {
    process.stderr.write(usage)
    return values.help ? 0 : 2
  }
  const key = values.key === undefined ? null : resolve(values.key)
  const states = { v1: resolve(values.v1), v2: resolve(values.v2) }
  const largeFolder = values.large === undefined ? null : resolve(values.large)
  requireGnuTime()
  await requirePrograms(['nginx', 'setpriv', 'wget', 'curl', ...(values.reposync ? ['dnf'] : [])])
  const hasCreaterepo = largeFolder !== null && (await isInstalled('createrepo_c'))

  mkdirSync(values.work, { recursive: true })
  const folder = mkdtempSync(join(resolve(values.work), 'chantal-bench-'))
  // nginx's workers are another user, and come through here.
  chmodSync(folder, 0o755)
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort(new Error('interrupted')))
  process.once('SIGTERM', () => interruption.abort(new Error('interrupted')))
  try {
    const program = copyProgram(join(folder, 'program'))
    if (program.isStale) note('warning: the sources are newer than dist/; npm run build measures them')
    const signingKey = await generateSigningKey(folder)
    await using upstream = await ServedUpstream.start(join(folder, 'served'))
    note('reading every file of the upstream once')
    const repository = await upstream.serve('upstream', [states.v1, states.v2])
    const large =
      largeFolder === null
        ? null
        : { folder: largeFolder, repository: await upstream.serve('large', [largeFolder]) }
    const rounds: Round[] = []
    for (let index = 0; index < count; index++) {
      const round = await runRound({
        index,
        folder: join(folder, `round-${index + 1}`),
        upstream,
        repository,
        states,
        large,
        program,
        key,
        signingKey,
        hasReposync: values.reposync,
        hasCreaterepo,
        signal: interruption.signal,
        onSample: (measure, { wallS, cpuS, peakRssMiB }) =>
          note(
            `${index + 1}/${count} ${titles[measure].padEnd(46)} ${wallS.toFixed(3)} s` +
              (cpuS === null || peakRssMiB === null
                ? ''
                : `, CPU ${cpuS.toFixed(2)} s, ${peakRssMiB.toFixed(0)} MiB`),
          ),
      })
      rounds.push(round)
    }
    const results = summarize(rounds)
    const goals = judge(rounds)
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
    if (values.json !== undefined) {
      const document = { at: new Date().toISOString(), machine, files, results, goals, rounds }
      writeFileSync(values.json, `${JSON.stringify(document, null, 2)}\n`)
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
