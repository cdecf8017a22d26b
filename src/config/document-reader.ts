import { resolve } from 'node:path'
import { withoutTrailing } from '../core/trailing.ts'
import { type DocumentNode, type DocumentPath, nodeAt, placeOf, showPath } from './document.ts'
import { readBounded } from './files.ts'
import type { Mistake } from './mistakes.ts'
import type { Environment } from './variables.ts'

/** The document with what its paths, files and variables mean. */
export class DocumentReader {
  readonly root: DocumentNode
  readonly environment: Environment
  readonly now: Date
  /** What the document itself has wrong: it does not load. */
  readonly mistakes: Mistake[]
  /** Files that cannot be read: what needs them does not work. */
  readonly unreadable: Mistake[] = []

  constructor(root: DocumentNode, environment: Environment, now: Date, mistakes: Mistake[]) {
    this.root = root
    this.environment = environment
    this.now = now
    this.mistakes = mistakes
  }

  has(path: DocumentPath): boolean {
    return nodeAt(this.root, path) !== null
  }

  wrong(path: DocumentPath, problem: string, hint?: string): void {
    this.mistakes.push(this.mistake(path, problem, hint))
  }

  mistake(path: DocumentPath, problem: string, hint?: string): Mistake {
    return {
      place: placeOf(this.root, path),
      path: showPath(this.root, path),
      problem,
      ...(hint && { hint }),
    }
  }

  /** A file name as an absolute path: relative ones start at the folder of the file that has it. */
  resolve(path: DocumentPath, name: string): string {
    return resolve(placeOf(this.root, path).folder, name)
  }

  /** The bytes of the file named at `path`; `null`, and a line in `unreadable`, where it cannot be read. */
  async bytes(path: DocumentPath, name: string): Promise<Uint8Array | null> {
    const file = this.resolve(path, name)
    const bytes = await readBounded(file)
    if (!('problem' in bytes)) return bytes
    this.unreadable.push(this.mistake(path, `cannot read ${file}: ${bytes.problem}`))
    return null
  }

  async text(path: DocumentPath, name: string): Promise<string | null> {
    const bytes = await this.bytes(path, name)
    return bytes && new TextDecoder().decode(bytes)
  }

  /**
   * A secret that stands under `key`, or in the file named under `key_file`, without its trailing line ends. Both is a mistake.
   * `null` where neither is given or the file cannot be read.
   */
  async secret(section: DocumentPath, key: string, values: SecretValues): Promise<string | null> {
    const { value, file } = values
    if (value !== undefined && file !== undefined) {
      this.wrong([...section, `${key}_file`], `give "${key}" or "${key}_file", not both`)
      return null
    }
    if (file === undefined) return value ?? null
    const text = await this.text([...section, `${key}_file`], file)
    return text === null ? null : withoutTrailing(text, '\r\n')
  }
}

export interface SecretValues {
  readonly value: string | undefined
  readonly file: string | undefined
}
