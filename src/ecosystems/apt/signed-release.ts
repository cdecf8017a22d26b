import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import { type PublicationSink, TreeIncomplete } from '../../core/publication.ts'
import type { Signer } from '../../sign/signer.ts'
import type { RenewInput } from '../ecosystem.ts'
import { parseRelease } from './formats/release.ts'
import { formatReleaseDate } from './formats/release-date.ts'
import { replaceField } from './formats/stanza-writer.ts'

const keyPath = parseRelativePath('key.asc')
const noteKind = 'apt-release'

/**
 * Writes a suite's Release file, and where there is a key its two signed forms. Without one there is no InRelease: clients that are
 * told to trust the tree read the Release file.
 */
export async function writeRelease(
  at: (name: string) => RelativePath,
  text: string,
  { signer, now }: { readonly signer: Signer | null; readonly now: Date },
  sink: PublicationSink,
): Promise<void> {
  await sink.write(at('Release'), text, 'entry')
  if (signer?.kind !== 'openpgp') return
  await sink.write(at('Release.gpg'), await signer.detached(Buffer.from(text), now), 'entry')
  await sink.write(at('InRelease'), await signer.cleartext(text, now), 'entry')
  await sink.write(keyPath, signer.publicKey, 'plain')
}

/** For {@link renewReleases} to find the Release files of a tree. */
export function noteOfRelease(path: RelativePath): string {
  return `${noteKind}\t${path}`
}

/** The Release files of an earlier tree with the time of this one, signed anew. They stay valid for as long as before. @throws TreeIncomplete */
export async function renewReleases(input: RenewInput, sink: PublicationSink): Promise<void> {
  const { earlier, now } = input
  const paths = earlier.notes
    .filter((line) => line.startsWith(`${noteKind}\t`))
    .map((line) => line.split('\t'))
  if (paths.length === 0) throw new TreeIncomplete('the tree to renew names no Release file')
  for (const [, path = ''] of paths) {
    const release = parseRelativePath(path)
    const bytes = await earlier.read(release)
    if (!bytes) throw new TreeIncomplete(`the tree to renew has no ${path}`)
    const { date, validUntil } = parseRelease(Buffer.from(bytes).toString('utf8'), path)
    let text = replaceField(bytes, 'Date', formatReleaseDate(now))
    if (date && validUntil) {
      const end = new Date(now.getTime() + validUntil.getTime() - date.getTime())
      text = replaceField(text, 'Valid-Until', formatReleaseDate(end))
    }
    const folder = path.slice(0, -'Release'.length)
    const at = (name: string) => parseRelativePath(`${folder}${name}`)
    await writeRelease(at, Buffer.from(text).toString('utf8'), input, sink)
  }
}
