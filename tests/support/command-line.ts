import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openDatabase } from '../../src/catalog/catalog-database.ts'
import { runCli } from '../../src/cli/cli.ts'
import type { CliServices, Terminal } from '../../src/cli/services.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { openContext } from '../../src/open-context.ts'
import { openDoctor } from '../../src/open-doctor.ts'
import { openImportContext } from '../../src/open-import-context.ts'
import { signingKey } from './site.ts'

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** Questions that were asked. */
  readonly questions: readonly string[]
  /** What was written to standard output as a file. */
  readonly bytes: Buffer
}

export interface RunOptions {
  readonly terminal?: Partial<Pick<Terminal, 'isInteractive' | 'columns' | 'resultColumns' | 'useColor'>>
  /** What a person answers; without it nobody is there. */
  readonly answer?: boolean
  readonly signal?: AbortSignal
  /** Standard input. */
  readonly input?: Uint8Array
}

/** A folder with a configuration and the demonstration's repository as upstream, for the program itself to be run in. */
export class CommandLine implements AsyncDisposable {
  readonly folder: string
  /** Whom keys were made for. */
  readonly keyOwners: { readonly name: string; readonly email: string }[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Repositories: `demo`, signed; `empty`, whose upstream is not there; `off` and the hosted `tools` and `spare`, not enabled. View: `both`, of `demo` and `tools`. */
  static async open(): Promise<CommandLine> {
    const line = new CommandLine(await realpath(await mkdtemp(join(tmpdir(), 'chantal-cli-'))))
    await line.showUpstream('v1')
    await cp('assets/demo/RPM-GPG-KEY-demo', join(line.folder, 'key.asc'))
    await line.configure({
      storage: { base_path: 'data' },
      repositories: [
        {
          id: 'demo',
          name: 'Demonstration',
          type: 'rpm',
          feed: `${pathToFileURL(join(line.folder, 'upstream'))}/`,
          verify: { keys: ['key.asc'] },
        },
        { id: 'empty', type: 'rpm', feed: `${pathToFileURL(join(line.folder, 'nowhere'))}/` },
        {
          id: 'off',
          type: 'rpm',
          enabled: false,
          feed: `${pathToFileURL(join(line.folder, 'upstream'))}/`,
        },
        { id: 'tools', type: 'rpm', enabled: false, mode: 'hosted' },
        { id: 'spare', type: 'rpm', enabled: false, mode: 'hosted' },
      ],
      views: [{ name: 'both', repos: ['demo', 'tools'] }],
    })
    return line
  }

  async configure(document: object | string): Promise<void> {
    const text = typeof document === 'string' ? document : JSON.stringify(document, null, 2)
    await writeFile(join(this.folder, 'config.yaml'), text)
  }

  async showUpstream(state: 'v1' | 'v2'): Promise<void> {
    const upstream = join(this.folder, 'upstream')
    await rm(upstream, { recursive: true, force: true })
    await cp(join('assets/demo', state), upstream, { recursive: true })
  }

  /** @param words as typed: split at blanks */
  run(words: string | readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.runBare(
      ['--config', 'config.yaml', ...(typeof words === 'string' ? words.split(' ').filter(Boolean) : words)],
      options,
    )
  }

  async runBare(
    args: readonly string[],
    { terminal = {}, answer, signal = new AbortController().signal, input }: RunOptions = {},
  ): Promise<Ran> {
    let stdout = ''
    let stderr = ''
    const written: Uint8Array[] = []
    const questions: string[] = []
    const status = await runCli(
      args,
      this.#services(),
      {
        stdout: { write: (text) => void (stdout += text) },
        stderr: { write: (text) => void (stderr += text) },
        async *readBytes() {
          if (input) yield input
        },
        async writeBytes(bytes) {
          for await (const chunk of bytes) written.push(chunk)
        },
        isInteractive: false,
        columns: 80,
        useColor: false,
        confirm: async (question) => {
          questions.push(question)
          return answer ?? null
        },
        ...terminal,
      },
      signal,
    )
    return { status, stdout, stderr, questions, bytes: Buffer.concat(written) }
  }

  #services(): CliServices {
    const workingFolder = this.folder
    return {
      version: '1.2.3',
      now: () => new Date(),
      workingFolder,
      host: 'mirror.example.org',
      newSigningKey: (owner) => {
        this.keyOwners.push(owner)
        return signingKey()
      },
      loadConfiguration: (file) =>
        loadConfiguration({ file, environment: {}, home: null, workingFolder, ecosystems, now: new Date() }),
      ecosystems: async () => ecosystems,
      openDatabase: async (settings) => openDatabase({ url: settings.database, now: () => new Date() }),
      openDoctor: (settings, reporter) =>
        openDoctor(settings, { reporter, now: () => new Date(), version: '1.2.3' }),
      openContext: (settings, reporter, needs) =>
        openContext(settings, { reporter, now: () => new Date(), version: '1.2.3', needs }),
      openImport: (settings) => openImportContext(settings, { now: () => new Date() }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** The rows of a CSV by their titles. */
export function parseCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
  }
  const [titles = [], ...records] = rows.slice(0, -1)
  return records.map((record) =>
    Object.fromEntries(titles.map((title, index) => [title, record[index] ?? ''])),
  )
}
