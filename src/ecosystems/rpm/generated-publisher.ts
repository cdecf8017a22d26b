import { DocumentNotes } from '../../codec/runs/document-notes.ts'
import { readWhole } from '../../core/bytes.ts'
import type { PackageOutline } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import { type PublicationSink, TreeIncomplete } from '../../core/publication.ts'
import type { PublishTerms, RenewInput } from '../ecosystem.ts'
import { Companions, PublishedPackages, readUpstreams } from './companions.ts'
import { parseRepomd, type Repomd, serializeRepomd } from './formats/repomd.ts'
import { writeGeneratedTreeinfo } from './formats/treeinfo-writer.ts'
import {
  generateDocument,
  generatePrimary,
  hasRecords,
  ListedPackages,
  runPackages,
} from './generated-documents.ts'
import {
  findRecord,
  type PackageDocument,
  packageDocuments,
  repomdKeyPath,
  repomdPath,
  signaturePath,
  treeinfoPaths,
  treeKeyPath,
} from './metadata.ts'
import { isMetadata } from './mirror-publisher.ts'
import type { RpmMember, RpmPublishInput, RpmViewInput } from './publisher.ts'
import { RecordWriter } from './record-writer.ts'

/**
 * A tree generated from native records, which say of every package what upstream said; what accompanies them is pruned to what
 * is published. Signed where there is a key.
 */
export async function publishGenerated(input: RpmPublishInput, sink: PublicationSink): Promise<void> {
  await publishMembers([{ ...input, folder: null }], input, input.repository, sink)
  await writeTree(input, sink)
}

/** The same of several repositories, each below its own folder. What boots an installer stays with its repository. */
export async function publishRpmView(input: RpmViewInput, sink: PublicationSink): Promise<void> {
  await publishMembers(input.members, input, input.view, sink)
}

async function publishMembers(
  members: readonly RpmMember[],
  terms: PublishTerms,
  owner: string,
  sink: PublicationSink,
): Promise<void> {
  const [first] = members
  const compression = first?.options.compression ?? 'gzip'
  const upstreams = await readUpstreams(members)
  const published = new PublishedPackages(upstreams)
  const notes = DocumentNotes.open(terms.recipe, terms.earlier)
  const writer = new RecordWriter(notes, sink)
  const listed = new ListedPackages(members)

  const visit = (pkg: PackageOutline) => published.add(pkg)
  const documents: PackageDocument[] = []
  // Clients expect the first three even where they are empty.
  for (const document of packageDocuments)
    if (document !== 'filelists-ext' || (await hasFilelistsExt(members, upstreams))) documents.push(document)
  await writer.writeEntries(
    compression,
    documents.map((type) => ({
      type,
      average: runPackages[type],
      generate: (runs) =>
        type === 'primary' ? generatePrimary(listed, runs, visit) : generateDocument(listed, type, runs),
      fail: (error) => listed.fail(error),
    })),
  )
  await new Companions(upstreams, terms, { owner, published, writer, compression }).write()
  const repomd: Repomd = {
    revision: '',
    tags: upstreams[0]?.upstream.tags ?? { content: [], repo: [], distro: [] },
    contentHash: null,
    records: writer.records,
  }
  await writeRepomd(repomd, terms, sink)
  sink.note(notes.lines())
}

/** It is rare, and an empty one is of no use. */
async function hasFilelistsExt(
  members: readonly RpmMember[],
  upstreams: Awaited<ReturnType<typeof readUpstreams>>,
): Promise<boolean> {
  for (const member of members) {
    const upstream = upstreams.find((each) => each.member === member)?.upstream
    if (upstream && !findRecord(upstream, 'filelists-ext')) continue
    if (await hasRecords(member, 'filelists-ext')) return true
  }
  return false
}

/** The index of an earlier tree with the time of this one, signed anew. @throws TreeIncomplete */
export async function renewGenerated(input: RenewInput, sink: PublicationSink): Promise<void> {
  const bytes = await input.earlier.read(repomdPath)
  if (!bytes) throw new TreeIncomplete('the tree to renew has no repomd.xml')
  await writeRepomd(parseRepomd(bytes), input, sink)
}

/** Says in the index when the tree was published, and signs it where there is a key. */
async function writeRepomd(
  repomd: Repomd,
  { signer, now }: Pick<PublishTerms, 'signer' | 'now'>,
  sink: PublicationSink,
): Promise<void> {
  const timestamp = Math.floor(now.getTime() / 1000)
  const records = repomd.records.map((record) => ({ ...record, timestamp }))
  const text = serializeRepomd({ ...repomd, revision: String(timestamp), records })
  await sink.write(repomdPath, text, 'entry')
  if (signer?.kind !== 'openpgp') return
  await sink.write(signaturePath, await signer.detached(Buffer.from(text), now), 'entry')
  await sink.write(repomdKeyPath, signer.publicKey, 'entry')
  await sink.write(treeKeyPath, signer.publicKey, 'plain')
}

/** Installer images as they are; the treeinfo without what is not upstream's any more, or not in the tree. */
async function writeTree(
  { repository, files, read, signer, reporter }: RpmPublishInput,
  sink: PublicationSink,
): Promise<void> {
  for (const file of files) {
    if (signer && file.path === treeKeyPath) {
      const message = `${file.path} of upstream's tree is left out: the key that this one is signed with has its place`
      reporter.report({ type: 'warning', code: 'METADATA_DROPPED', message, repository })
      continue
    }
    if (!isMetadata(file)) await sink.place(file, repository)
    else if (isTreeinfo(file.path)) {
      const text = Buffer.from(await readWhole(read(file.digest))).toString('utf8')
      await sink.write(file.path, writeGeneratedTreeinfo(text), 'plain')
    } else if (!file.path.startsWith('repodata/')) await sink.copy(file, 'plain')
  }
}

function isTreeinfo(path: RelativePath): boolean {
  return treeinfoPaths.includes(path)
}
