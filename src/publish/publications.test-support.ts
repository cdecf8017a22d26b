import { createHash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Sha256 } from '../core/digest.ts'
import type { RepositoryId, StoredFile } from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import { FilesystemPool } from '../pool/filesystem-pool.ts'
import type { Pool } from '../pool/pool.ts'
import { openPublications, type PublicationsOptions } from './directory-publications.ts'
import type { Generation, PublicationStage, Publications } from './publications.ts'

export const epel = 'epel9' as RepositoryId
export const latest = parseRelativePath('repositories/epel9/latest')
export const hour = 3_600_000
export const bash = 'Packages/b/bash-5.1.rpm'
export const zsh = 'Packages/z/zsh-5.8.rpm'

/** A pool and a published folder in a temporary one; everything goes with it. */
export class Site implements AsyncDisposable {
  readonly folder: string
  readonly root: string
  readonly pool: Pool
  readonly publications: Publications

  private constructor(folder: string, root: string, pool: Pool, publications: Publications) {
    this.folder = folder
    this.root = root
    this.pool = pool
    this.publications = publications
  }

  static async create(options: Partial<PublicationsOptions> & { wrap?: (pool: Pool) => Pool } = {}) {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'chantal-publish-'))
    const root = path.join(folder, 'published')
    const real = await FilesystemPool.create(path.join(folder, 'pool'))
    const pool = options.wrap?.(real) ?? real
    const publications = await openPublications({ graceMs: hour, ...options, root, pool })
    return new Site(folder, root, pool, publications)
  }

  /** The same folders, as another process sees them. */
  async reopened(options: Partial<PublicationsOptions> = {}): Promise<Publications> {
    return openPublications({ graceMs: hour, ...options, root: this.root, pool: this.pool })
  }

  /** A file with this text, in the pool. */
  async stored(file: string, text: string): Promise<StoredFile> {
    const blob = this.pool.receiveWhole(Buffer.from(text), { checksums: [], maxSize: 1 << 20 })
    await this.pool.keep([blob])
    return { path: parseRelativePath(file), digest: blob.digest, size: blob.size }
  }

  /** Publishes packages (path to text) of one repository, and metadata that lists them. */
  async publish(
    now: Date,
    packages: Readonly<Record<string, string>>,
    more: { at?: string; repository?: RepositoryId; metadata?: string; publications?: Publications } = {},
  ): Promise<Generation & { packageLinks: number }> {
    const publications = more.publications ?? this.publications
    await using stage = await publications.begin(parseRelativePath(more.at ?? latest), now)
    for (const [file, text] of Object.entries(packages)) {
      await stage.place(await this.stored(file, text), more.repository ?? epel)
    }
    await writeMetadata(stage, Object.keys(packages), more.metadata ?? 'repodata')
    const generation = await stage.commit()
    return { ...generation, packageLinks: stage.packageLinks }
  }

  absolute(file: string): string {
    return path.join(this.root, file)
  }

  /** What a client reads below `repositories/epel9/latest`. */
  async read(file: string, at: string = latest): Promise<string> {
    return fs.readFile(path.join(this.root, at, file), 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true })
  }
}

async function writeMetadata(stage: PublicationStage, packages: readonly string[], folder: string) {
  const list = await stage.write(
    (written) =>
      parseRelativePath(
        `${folder}/${written.checksums.find(({ algorithm }) => algorithm === 'sha256')?.hex}-primary.txt`,
      ),
    packages.join('\n'),
    'addressed',
  )
  await stage.write(parseRelativePath(`${folder}/repomd.xml`), `${list.path}\n`, 'entry')
}

/** Every file below a folder, links followed, as `path` to content. */
export async function treeOf(folder: string, below = ''): Promise<Record<string, string>> {
  const tree: Record<string, string> = {}
  for (const name of (await fs.readdir(path.join(folder, below))).sort()) {
    const file = below === '' ? name : `${below}/${name}`
    if ((await fs.stat(path.join(folder, file))).isDirectory())
      Object.assign(tree, await treeOf(folder, file))
    else tree[file] = await fs.readFile(path.join(folder, file), 'utf8')
  }
  return tree
}

/** Every path below a folder, links not followed: to see what a failure leaves. */
export async function pathsBelow(folder: string): Promise<readonly string[]> {
  return (await fs.readdir(folder, { recursive: true })).sort()
}

export async function exists(file: string): Promise<boolean> {
  return fs.lstat(file).then(
    () => true,
    () => false,
  )
}

export function at(text: string): Date {
  return new Date(`2026-11-23T${text}Z`)
}

export function sha256(text: string): Sha256 {
  return createHash('sha256').update(text).digest('hex') as Sha256
}
