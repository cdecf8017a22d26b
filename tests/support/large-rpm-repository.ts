import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { repodataFooter, repodataHeader } from '../../src/ecosystems/rpm/formats/repodata-document.ts'
import { type RepomdRecord, serializeRepomd } from '../../src/ecosystems/rpm/formats/repomd.ts'

const documents = ['primary', 'filelists', 'other'] as const

/**
 * Writes a repository of many packages whose bodies are a line of text each: no client could install them, but everything before that is
 * as with real ones. Packages are numbered from 0.
 * @param options.version of the package with that number: another one makes another package of it
 */
export async function writeLargeRpmRepository(
  folder: string,
  { count, version = () => '1.0' }: { readonly count: number; readonly version?: (index: number) => string },
): Promise<void> {
  const entries: Record<(typeof documents)[number], string[]> = { primary: [], filelists: [], other: [] }
  await mkdir(join(folder, 'Packages'), { recursive: true })
  await mkdir(join(folder, 'repodata'), { recursive: true })
  const bodies: Promise<void>[] = []
  for (let index = 0; index < count; index += 1) {
    const [name, ver] = [`package-${index}`, version(index)]
    const href = `Packages/${name}-${ver}-1.noarch.rpm`
    const body = `The package ${name} of version ${ver}\n`
    bodies.push(writeFile(join(folder, href), body))
    const digest = sha256(Buffer.from(body))
    const owner = `<package pkgid="${digest}" name="${name}" arch="noarch">\n  <version epoch="0" ver="${ver}" rel="1"/>`
    entries.primary.push(
      `<package type="rpm">\n  <name>${name}</name>\n  <arch>noarch</arch>\n  <version epoch="0" ver="${ver}" rel="1"/>
  <checksum type="sha256" pkgid="YES">${digest}</checksum>\n  <summary>One of ${count}</summary>
  <time file="1700000000" build="1700000000"/>\n  <size package="${body.length}" installed="1" archive="1"/>
  <location href="${href}"/>\n  <format>\n    <rpm:license>MIT</rpm:license>
    <rpm:provides>\n      <rpm:entry name="${name}" flags="EQ" epoch="0" ver="${ver}" rel="1"/>\n    </rpm:provides>
  </format>\n</package>`,
    )
    entries.filelists.push(`${owner}\n  <file>/usr/share/${name}</file>\n</package>`)
    entries.other.push(`${owner}\n</package>`)
  }
  await Promise.all(bodies)
  const records: RepomdRecord[] = []
  for (const type of documents) {
    const open = Buffer.from(
      [repodataHeader(type, count), ...entries[type].map((entry) => `${entry}\n`), repodataFooter(type)].join(
        '',
      ),
    )
    const bytes = gzipSync(open)
    const href = `repodata/${sha256(bytes)}-${type}.xml.gz`
    await writeFile(join(folder, href), bytes)
    records.push({
      type,
      href,
      checksum: { algorithm: 'sha256', hex: sha256(bytes) },
      openChecksum: { algorithm: 'sha256', hex: sha256(open) },
      size: bytes.length,
      openSize: open.length,
      timestamp: 1_700_000_000,
      xmlBase: null,
      databaseVersion: null,
      headerChecksum: null,
      headerSize: null,
    })
  }
  const tags = { content: [], repo: [], distro: [] }
  const repomd = serializeRepomd({ revision: String(count), tags, contentHash: null, records })
  await writeFile(join(folder, 'repodata/repomd.xml'), repomd)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
