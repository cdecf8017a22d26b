import * as fs from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import type { RelativePath } from '../core/path.ts'
import { linkOrCopy } from './copy-blob.ts'
import { fileMode, makeFolders, namesIn, orNull, readOrNull, replaceFile } from './folders.ts'
import { formatGeneration, type GenerationManifest, parseGeneration } from './generation-manifest.ts'
import { formatManifest, parseManifest, unlessDamaged } from './manifest-text.ts'
import type { GenerationName } from './publications.ts'
import { generationNamePattern, timeOfGeneration } from './publish-time.ts'

const stateHeader = z.object({
  kind: z.literal('publication'),
  lastPublishedAt: z.iso.datetime().transform((text) => new Date(text)),
})

const notesHeader = z.object({ kind: z.literal('notes') })

/**
 * The files of one published path. For `repositories/epel9/latest`, in `repositories/epel9`:
 *
 *     latest -> .generations/latest@20261123T101500Z-1
 *     .generations/latest@20261123T101500Z-1/           one finished tree
 *     .generations/latest@20261123T101500Z-1.manifest   what it holds; without it, the folder is an unfinished stage
 *     .generations/latest@20261123T101500Z-1.notes      what its publisher left for the next one's
 *     .generations/latest@20261123T101500Z-1.incoming/  of a stage: files whose name is not known yet
 *     .generations/latest@20261123T101500Z-1.link       of a stage: the symbolic link before it is renamed into place
 *     .generations/latest@state                         the last publish time; outlives the generations
 *
 * The link's name is part of the generation's, so paths that share a folder (`snapshots/a`, `snapshots/b`) never meet.
 */
export class PublicationFolder {
  readonly path: RelativePath
  /** The folder that holds the link. */
  readonly parent: string
  /** The symbolic link that clients follow. */
  readonly link: string
  readonly #name: string
  readonly #generations: string

  /** @throws ChantalError `PATH_UNSAFE` for names that we keep to ourselves */
  constructor(root: string, published: RelativePath) {
    const segments = published.split('/')
    const name = segments.at(-1) ?? ''
    if (segments.some((segment) => segment.startsWith('.')) || Buffer.byteLength(name) > 200) {
      throw new ChantalError('PATH_UNSAFE', `cannot publish at ${JSON.stringify(published)}`, {
        hint: 'Choose a name of at most 200 bytes that does not begin with a dot.',
      })
    }
    this.path = published
    this.link = path.join(root, published)
    this.parent = path.dirname(this.link)
    this.#name = name
    this.#generations = path.join(this.parent, '.generations')
  }

  /** The folder of a generation's tree. */
  folderOf(name: GenerationName): string {
    return path.join(this.#generations, `${this.#name}@${name}`)
  }

  incomingOf(name: GenerationName): string {
    return `${this.folderOf(name)}.incoming`
  }

  /** Makes the folder that holds generations. @throws ChantalError `ALREADY_EXISTS` where something else is in the way */
  async prepare(root: string): Promise<void> {
    const above = path.relative(root, this.parent).split('/')
    for (let count = 1; count <= above.length; count++) {
      const folder = path.join(root, ...above.slice(0, count))
      if ((await orNull(fs.lstat(folder)))?.isDirectory() === false) throw inTheWay(folder)
    }
    const link = await orNull(fs.lstat(this.link))
    if (link && (!link.isSymbolicLink() || (await this.currentName()) === null)) throw inTheWay(this.link)
    await makeFolders(this.#generations)
  }

  /** What the link points at; `null` where there is no link of ours. */
  async currentName(): Promise<GenerationName | null> {
    try {
      return generationOf(await fs.readlink(this.link), this.#name)
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT', 'EINVAL', 'ENOTDIR')) return null
      throw error
    }
  }

  /** Every generation that has anything on disk, finished or not. */
  async namesOnDisk(): Promise<ReadonlySet<GenerationName>> {
    const prefix = `${this.#name}@`
    const names = new Set<GenerationName>()
    for (const file of await namesIn(this.#generations)) {
      const name = file.startsWith(prefix) ? partOfGeneration.exec(file.slice(prefix.length))?.[1] : undefined
      if (name !== undefined) names.add(name)
    }
    return names
  }

  /** @throws ChantalError `CATALOG_CORRUPT` */
  async readManifest(name: GenerationName): Promise<GenerationManifest | null> {
    const file = this.#manifestOf(name)
    const bytes = await readOrNull(file)
    return bytes === null ? null : parseGeneration(bytes, file)
  }

  async writeManifest(manifest: GenerationManifest): Promise<void> {
    await replaceFile(this.#manifestOf(manifest.name), formatGeneration(manifest))
  }

  /** What the generation's publisher noted; nothing where it noted nothing, or where that is damaged: notes save work and say nothing else. */
  async readNotes(name: GenerationName): Promise<readonly string[]> {
    const file = this.#notes(name)
    const bytes = await readOrNull(file)
    if (bytes === null) return []
    return unlessDamaged(() => parseManifest(bytes, file, notesHeader).lines, [])
  }

  /** Not flushed: notes that are lost, or damaged, only save no work. */
  async writeNotes(name: GenerationName, lines: readonly string[]): Promise<void> {
    const temporary = `${this.#notes(name)}.new`
    await fs.writeFile(temporary, formatManifest({ kind: 'notes' }, lines), { mode: fileMode })
    await fs.rename(temporary, this.#notes(name))
  }

  /** Gives a generation the notes that another one has, of this publication or another. */
  async repeatNotes(folder: PublicationFolder, from: GenerationName, to: GenerationName): Promise<void> {
    await orNull(linkOrCopy(folder.#notes(from), this.#notes(to)))
  }

  /** The latest publish time of this path ever; where the file that says so is damaged, the latest that a generation on disk has. */
  async lastPublishedAt(): Promise<Date | null> {
    const file = this.#state()
    const bytes = await readOrNull(file)
    if (bytes === null) return null
    const state = await unlessDamaged(() => parseManifest(bytes, file, stateHeader), null)
    if (state !== null) return state.header.lastPublishedAt
    const times = [...(await this.namesOnDisk())].map((name) => timeOfGeneration(name).getTime())
    return times.length === 0 ? null : new Date(Math.max(...times))
  }

  async notePublishTime(lastPublishedAt: Date): Promise<void> {
    await replaceFile(this.#state(), formatManifest({ kind: 'publication', lastPublishedAt }, []))
  }

  /** One `rename`: clients see the old tree or the new one. */
  async switchTo(name: GenerationName): Promise<void> {
    const temporary = `${this.folderOf(name)}.link`
    await fs.rm(temporary, { force: true })
    await fs.symlink(`.generations/${this.#name}@${name}`, temporary)
    await fs.rename(temporary, this.link)
  }

  /** From now on the generation is none, only a folder to be cleaned up: whatever happens, it is found and removed. */
  async unlist(name: GenerationName): Promise<void> {
    await fs.rm(this.#manifestOf(name), { force: true })
  }

  async removeTree(name: GenerationName): Promise<void> {
    const folder = this.folderOf(name)
    for (const suffix of ['.manifest.new', '.link', '.notes', '.notes.new'])
      await fs.rm(folder + suffix, { force: true })
    for (const each of [`${folder}.incoming`, folder]) await fs.rm(each, { force: true, recursive: true })
  }

  #manifestOf(name: GenerationName): string {
    return `${this.folderOf(name)}.manifest`
  }

  #notes(name: GenerationName): string {
    return `${this.folderOf(name)}.notes`
  }

  #state(): string {
    return path.join(this.#generations, `${this.#name}@state`)
  }
}

const wholeName = new RegExp(`^${generationNamePattern.source}$`)
const partOfGeneration = new RegExp(
  `^(${generationNamePattern.source})(\\.manifest|\\.manifest\\.new|\\.notes|\\.notes\\.new|\\.incoming|\\.link)?$`,
)

/** The generation that a link named `linkName` with this target shows; `null` where the link is not one of ours. */
export function generationOf(target: string, linkName: string): GenerationName | null {
  const prefix = `.generations/${linkName}@`
  const name = target.startsWith(prefix) ? target.slice(prefix.length) : ''
  return wholeName.test(name) ? name : null
}

function inTheWay(file: string): ChantalError {
  return new ChantalError('ALREADY_EXISTS', `something that was not published by Chantal is at ${file}`, {
    hint: 'Move it away, or choose another published path.',
    details: { path: file },
  })
}
