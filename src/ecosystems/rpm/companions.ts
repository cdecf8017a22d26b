import { decompress } from '../../codec/compression.ts'
import { type ByteSource, readWhole } from '../../core/bytes.ts'
import { ChantalError } from '../../core/errors.ts'
import type { WarningCode } from '../../core/events.ts'
import type { PackageOutline, StoredFile } from '../../core/model.ts'
import type { PublishTerms } from '../ecosystem.ts'
import { isUnreadable } from './companion-check.ts'
import { checkComps, pruneComps } from './formats/comps.ts'
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
  wholeLimit,
} from './metadata.ts'
import type { RpmMember } from './publisher.ts'
import type { RecordWriter } from './record-writer.ts'

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

  /** Without what cannot be read: groups are a convenience, and packages that need an update must not wait for it. */
  async #writeComps(): Promise<void> {
    const documents: Uint8Array[] = []
    for (const document of this.#open(...compsTypes)) {
      try {
        const bytes = await readWhole(document.open(wholeLimit))
        checkComps(bytes)
        documents.push(bytes)
      } catch (error) {
        this.#leaveOut(document, error)
      }
    }
    if (documents.length === 0) return
    const pruned = pruneComps(mergeComps(documents), this.#published.names)
    // Not compressed, as the oldest clients want it; it is small.
    await this.#writer.write('group', 'none', once(pruned))
  }

  async #writeModules(): Promise<void> {
    const texts: string[] = []
    for (const { open, name } of this.#open('modules')) {
      // Never left out as a whole: packages of modules would pass for packages of none.
      const bytes = await readWhole(open(wholeLimit)).catch((error) => {
        throw isUnreadable(error) ? withName(error, name) : error
      })
      texts.push(Buffer.from(bytes).toString('utf8'))
    }
    if (texts.length === 0) return
    const { nevras } = this.#published
    const { text, warnings } = pruneModules(mergeModules(texts), (nevra) => nevras.has(nevra))
    for (const { index, message } of warnings)
      this.#warn('METADATA_DROPPED', `modules: document ${index + 1} is left out: ${message}`)
    if (text !== null) await this.#writer.write('modules', this.#compression, once(Buffer.from(text)))
  }

  /** Without what cannot be read, said each time: whoever asks for security updates alone gets none of that document. */
  async #writeUpdateinfo(): Promise<void> {
    const documents = this.#open('updateinfo')
    const [only, ...others] = documents
    if (!only) return
    const merged = mergeUpdateinfo(documents, (document, error) => this.#leaveOut(document, error))
    try {
      await this.#writePruned(merged)
    } catch (error) {
      // A single one is read while it is written: to read it twice would cost seconds, and what was written is not in the tree.
      if (others.length > 0) throw error
      this.#leaveOut(only, error)
    }
  }

  async #writePruned(updateinfo: ByteSource): Promise<void> {
    const { nevras } = this.#published
    const pruned = pruneUpdateinfo(updateinfo, (nevra) => nevras.has(nevra))
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
            'METADATA_DROPPED',
            `${record.type} is that of ${known.repository} alone, without that of ${member.repository}`,
          )
        }
      }
    }
  }

  /** @throws what is no defect of the document */
  #leaveOut({ name }: MemberDocument, error: unknown): void {
    if (!isUnreadable(error)) throw error
    this.#warn('METADATA_MALFORMED', `${name} is left out of this tree: ${error.message}`)
  }

  #warn(code: WarningCode, message: string): void {
    const { reporter } = this.#terms
    reporter.report({ type: 'warning', code, message, repository: this.#owner })
  }

  /** Each member's document of a type, decompressed. None where upstream did not have it and the repository does without. */
  #open(...types: readonly string[]): readonly MemberDocument[] {
    return this.#upstreams.flatMap(({ member, upstream }) => {
      const record = findRecord(upstream, ...types)
      const file = record && storedFileOf(member.files, record)
      if (!file) return []
      const limit = openLimit(record, file.size, this.#terms.limits)
      const open = (most = limit) => decompress(member.read(file.digest), { maxSize: Math.min(limit, most) })
      return [{ name: `${record.type} of ${member.repository}`, open }]
    })
  }
}

interface MemberDocument {
  /** For messages: `updateinfo of epel9`. */
  readonly name: string
  readonly open: (limit?: number) => ByteSource
}

function withName(error: ChantalError, name: string): ChantalError {
  const { code, message, hint, details } = error
  return new ChantalError(code, `${name}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    details,
  })
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
