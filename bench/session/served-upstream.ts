import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { type Nginx, startNginx } from '../../tests/clients/nginx.ts'

/** A name under which one of several states of a repository is served at a time. */
export interface ServedRepository {
  /** Ends in a slash. */
  readonly url: string
  /** The same at port 80, for programs that know no other; `null` where they are not measured. */
  readonly portlessUrl: string | null
  /** Of every file of the first state. */
  readonly files: readonly ServedFile[]
  /** From now on, this folder is what the URL shows. */
  show(state: string): void
}

interface ServedFile {
  readonly path: string
  readonly url: string
}

/** nginx on the loopback interface, before folders that lie elsewhere. */
export class ServedUpstream implements AsyncDisposable {
  readonly #folder: string
  readonly #nginx: Nginx
  readonly #atPort80: boolean

  /** @param atPort80 whether at that port too */
  static async start(folder: string, atPort80: boolean): Promise<ServedUpstream> {
    mkdirSync(folder)
    return new ServedUpstream(folder, await startNginx(folder, atPort80 ? 80 : null), atPort80)
  }

  private constructor(folder: string, nginx: Nginx, atPort80: boolean) {
    this.#folder = folder
    this.#nginx = nginx
    this.#atPort80 = atPort80
  }

  /**
   * Serves the first of some states, after every file of each was read once so that none is measured with a cold cache.
   * @param rootDocument a file that every state has
   * @throws Error where the server may not read them
   */
  async serve(
    name: string,
    states: readonly [string, ...string[]],
    rootDocument: string,
  ): Promise<ServedRepository> {
    const url = `${this.#nginx.url}/${name}/`
    const show = (state: string): void => {
      const link = join(this.#folder, name)
      symlinkSync(resolve(state), `${link}.next`)
      renameSync(`${link}.next`, link)
    }
    for (const state of states) {
      for (const path of filesOf(state)) readFileSync(join(state, path))
      show(state)
      const { status } = await fetch(`${url}${rootDocument}`, { method: 'HEAD' })
      if (status !== 200)
        throw new Error(
          `nginx answers ${status} for ${rootDocument} of ${state}: other users must be able to read all of it`,
        )
    }
    const [first] = states
    show(first)
    const portlessUrl = this.#atPort80 ? `http://127.0.0.1/${name}/` : null
    return {
      url,
      portlessUrl,
      files: filesOf(first).map((path) => ({ path, url: url + encodePath(path) })),
      show,
    }
  }

  /** Requests answered so far. */
  async requestCount(): Promise<number> {
    return (await this.#nginx.requests()).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nginx.stop()
  }
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

function encodePath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent)
}
