import { decompress } from '../../codec/compression.ts'
import { type ByteSource, readWhole } from '../../core/bytes.ts'
import type { PackageOutline, StoredFile } from '../../core/model.ts'
import type { PublishTerms } from '../ecosystem.ts'
import { pruneComps } from './formats/comps.ts'
import { mergeComps } from './formats/comps-merge.ts'
import { mergeModules } from './formats/modulemd-merge.ts'
import { pruneModules } from './formats/modulemd-prune.ts'
import { parseRepomd, type Repomd, type RepomdRecord } from './formats/repomd.ts'
import { mergeUpdateinfo } from './formats/updateinfo-merge.ts'
import { pruneUpdateinfo } from './formats/updateinfo-prune.ts'
import {
  compsTypes,
  deltaTypes,
  findRecord,
  isCopyOfAnother,
  openLimit,
  packageDocuments,
  recordPath,
  repomdPath,
} from './metadata.ts'
import type { RpmMember } from './publisher.ts'
import type { RecordWriter } from './record-writer.ts'

/** Metadata that is read whole: modules and comps of the largest distributions are a tenth of it. */
const wholeLimit = 256 * 1024 ** 2

/** A member, and upstream's own index, kept with the revision: what else came along. A hosted repository has none. */
export interface UpstreamMember {
  readonly member: RpmMember
  readonly upstream: Repomd
}

export async function readUpstreams(members: readonly RpmMember[]): Promise<readonly UpstreamMember[]> {
  const found: UpstreamMember[] = []
  for (const member of members) {
    const file = member.files.find(({ path }) => path === repomdPath)
    if (file) found.push({ member, upstream: parseRepomd(await readWhole(member.read(file.digest))) })
  }
  return found
}

/** What the tree holds, to prune what accompanies the packages. Collected only as far as something is to be pruned. */
export class PublishedPackages {
  /** `name-epoch:version-release.arch` */
  readonly nevras = new Set<string>()
  readonly names = new Set<string>()
  readonly #needsNevras: boolean
  readonly #needsNames: boolean

  constructor(upstreams: readonly UpstreamMember[]) {
    const has = (...types: readonly string[]) =>
      upstreams.some(({ upstream }) => findRecord(upstream, ...types) !== null)
    this.#needsNevras = has('modules', 'updateinfo')
    this.#needsNames = has(...compsTypes)
  }

  add({ name, version, architecture }: PackageOutline): void {
    if (this.#needsNevras) this.nevras.add(`${name}-${version}.${architecture}`)
    if (this.#needsNames) this.names.add(name)
  }
}

/** What accompanies packages: of several repositories made one, pruned to what is published, or carried along as it is. */
export class Companions {
  readonly #upstreams: readonly UpstreamMember[]
  readonly #terms: PublishTerms
  readonly #published: PublishedPackages
  readonly #writer: RecordWriter
  readonly #compression: RpmMember['options']['compression']
  /** Whose tree it is, for warnings. */
  readonly #owner: string

  constructor(
    upstreams: readonly UpstreamMember[],
    terms: PublishTerms,
    tree: {
      readonly owner: string
      readonly published: PublishedPackages
      readonly writer: RecordWriter
      readonly compression: RpmMember['options']['compression']
    },
  ) {
    this.#upstreams = upstreams
    this.#terms = terms
    this.#owner = tree.owner
    this.#published = tree.published
    this.#writer = tree.writer
    this.#compression = tree.compression
  }

  async write(): Promise<void> {
    await this.#writeComps()
    await this.#writeModules()
    await this.#writeUpdateinfo()
    await this.#carryOthers()
  }

  async #writeComps(): Promise<void> {
    const documents = await this.#readAll(...compsTypes)
    if (documents.length === 0) return
    const pruned = pruneComps(mergeComps(documents), this.#published.names)
    // Not compressed, as the oldest clients want it; it is small.
    await this.#writer.write('group', 'none', once(pruned))
  }

  async #writeModules(): Promise<void> {
    const texts = (await this.#readAll('modules')).map((bytes) => Buffer.from(bytes).toString('utf8'))
    if (texts.length === 0) return
    const { nevras } = this.#published
    const { text, warnings } = pruneModules(mergeModules(texts), (nevra) => nevras.has(nevra))
    for (const { index, message } of warnings)
      this.#warn(`modules: document ${index + 1} is left out: ${message}`)
    if (text !== null) await this.#writer.write('modules', this.#compression, once(Buffer.from(text)))
  }

  async #writeUpdateinfo(): Promise<void> {
    const sources = this.#open('updateinfo').map(({ open }) => open)
    if (sources.length === 0) return
    const { nevras } = this.#published
    const pruned = pruneUpdateinfo(mergeUpdateinfo(sources), (nevra) => nevras.has(nevra))
    const first = await pruned.next()
    // It gives nothing at all where no advisory is left: an empty updateinfo is not published.
    if (first.done) return
    const { value } = first
    const all = async function* (): ByteSource {
      yield value
      yield* pruned
    }
    await this.#writer.write('updateinfo', this.#compression, all())
  }

  /** Of a type that several have the first counts: nobody knows how to make one of them. */
  async #carryOthers(): Promise<void> {
    const carried = new Map<string, { readonly repository: string; readonly digest: string }>()
    for (const { member, upstream } of this.#upstreams) {
      for (const record of upstream.records.filter(isCarried)) {
        const file = storedFileOf(member.files, record)
        if (!file) continue
        const known = carried.get(record.type)
        if (!known || known.repository === member.repository) {
          carried.set(record.type, { repository: member.repository, digest: file.digest })
          await this.#writer.carry(record, file)
        } else if (known.digest !== file.digest) {
          this.#warn(
            `${record.type} is that of ${known.repository} alone, without that of ${member.repository}`,
          )
        }
      }
    }
  }

  #warn(message: string): void {
    const { reporter } = this.#terms
    reporter.report({ type: 'warning', code: 'METADATA_DROPPED', message, repository: this.#owner })
  }

  async #readAll(...types: readonly string[]): Promise<readonly Uint8Array[]> {
    const documents: Uint8Array[] = []
    for (const { open } of this.#open(...types)) documents.push(await readWhole(open(wholeLimit)))
    return documents
  }

  /** Each member's document of a type, decompressed. None where upstream did not have it and the repository does without. */
  #open(...types: readonly string[]): readonly { readonly open: (limit?: number) => ByteSource }[] {
    return this.#upstreams.flatMap(({ member, upstream }) => {
      const record = findRecord(upstream, ...types)
      const file = record && storedFileOf(member.files, record)
      if (!file) return []
      const limit = openLimit(record, file.size, this.#terms.limits)
      const open = (most = limit) => decompress(member.read(file.digest), { maxSize: Math.min(limit, most) })
      return [{ open }]
    })
  }
}

/** Types that say nothing which pruning would change: productid, and what is not known. Copied, file and record. */
function isCarried({ type }: RepomdRecord): boolean {
  const isOurs =
    (packageDocuments as readonly string[]).includes(type) || type === 'modules' || type === 'updateinfo'
  return (
    !isOurs &&
    !isCopyOfAnother(type) &&
    !deltaTypes.has(type) &&
    !(compsTypes as readonly string[]).includes(type)
  )
}

function storedFileOf(files: readonly StoredFile[], record: RepomdRecord): StoredFile | null {
  const path = recordPath(record)
  return files.find((file) => file.path === path) ?? null
}

async function* once(bytes: Uint8Array): ByteSource {
  yield bytes
}
