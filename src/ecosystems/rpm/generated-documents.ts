import { escapeXmlAttribute } from '../../codec/xml.ts'
import type { ByteSource } from '../../core/bytes.ts'
import type { StoredPackage } from '../../core/model.ts'
import type { RpmAttributes } from './attributes.ts'
import { rewriteChecksum } from './formats/checksum-rewriter.ts'
import { rewriteLocation } from './formats/location-rewriter.ts'
import { repodataFooter, repodataHeader } from './formats/repodata-document.ts'
import type { PackageDocument } from './metadata.ts'
import type { RpmPublishInput } from './publisher.ts'
import { parseEvr } from './version.ts'

type Stored = StoredPackage<RpmAttributes>

/** What a tree will hold, to prune by. */
export interface PublishedPackages {
  /** `name-epoch:version-release.arch` */
  readonly nevras: ReadonlySet<string>
  readonly names: ReadonlySet<string>
}

export async function listPublished(packages: AsyncIterable<Stored>): Promise<PublishedPackages> {
  const nevras = new Set<string>()
  const names = new Set<string>()
  for await (const { name, version, architecture } of packages) {
    nevras.add(`${name}-${version}.${architecture}`)
    names.add(name)
  }
  return { nevras, names }
}

/** Chunks of fewer bytes would cost the compressor more turns than they are worth. */
const chunkSize = 256 * 1024

/**
 * One of the documents that have an entry per package, from native records in key order. An entry is upstream's own, byte for byte,
 * but for where the package lies and for checksums too weak to publish. A package of which upstream had no entry gets an empty one.
 */
export async function* generateDocument(input: RpmPublishInput, document: PackageDocument): ByteSource {
  let pending: Uint8Array[] = [Buffer.from(repodataHeader(document, input.packageCount))]
  let size = 0
  for await (const { pkg, bytes } of withRecords(input, document)) {
    const entry = bytes ? adjust(bytes, pkg, document) : emptyEntry(pkg, document)
    pending.push(entry, lineFeed)
    size += entry.byteLength
    if (size < chunkSize) continue
    yield Buffer.concat(pending)
    pending = []
    size = 0
  }
  pending.push(Buffer.from(repodataFooter(document)))
  yield Buffer.concat(pending)
}

const lineFeed = Buffer.from('\n')

/** Whether any package has this part: filelists-ext is rare, and an empty one is of no use. */
export async function hasRecords(input: RpmPublishInput, document: PackageDocument): Promise<boolean> {
  for await (const _ of input.records(document)) return true
  return false
}

/** Both come in key order; packages without a record stand alone. */
async function* withRecords(input: RpmPublishInput, document: PackageDocument) {
  const records = input.records(document)[Symbol.asyncIterator]()
  try {
    let next = await records.next()
    for await (const pkg of input.packages()) {
      if (!next.done && next.value.package.key === pkg.key) {
        yield { pkg, bytes: next.value.bytes }
        next = await records.next()
      } else yield { pkg, bytes: null }
    }
  } finally {
    await records.return?.()
  }
}

function adjust(bytes: Uint8Array, pkg: Stored, document: PackageDocument): Uint8Array {
  let entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [file] = pkg.files
  if (
    document === 'primary' &&
    (!entry.includes(`href="${escapeXmlAttribute(file.path)}"`) || entry.includes('xml:base'))
  ) {
    entry = rewriteLocation(entry, file.path)
  }
  return isWeak(pkg) ? rewriteChecksum(entry, document, file.digest) : entry
}

/** Clients that follow FIPS refuse these; what they are checked against must not be one. */
function isWeak({ attributes }: Stored): boolean {
  return /^(md5|sha1|sha224):/.test(attributes.checksum)
}

function emptyEntry(pkg: Stored, document: PackageDocument): Buffer {
  if (document === 'primary') throw new Error(`${pkg.key} has no primary record`)
  const { epoch, version, release } = parseEvr(pkg.version)
  const pkgid = isWeak(pkg) ? pkg.files[0].digest : pkg.attributes.checksum.replace(/^.*:/, '')
  const text = (value: string | null) => escapeXmlAttribute(value ?? '')
  return Buffer.from(
    `<package pkgid="${pkgid}" name="${text(pkg.name)}" arch="${text(pkg.architecture)}">\n` +
      `  <version epoch="${text(epoch)}" ver="${text(version)}" rel="${text(release)}"/>\n</package>`,
  )
}
