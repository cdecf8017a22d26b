import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { runCommand } from '../../../tests/clients/command.ts'
import { DnfClient } from '../../../tests/clients/dnf.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import { recordsAmong } from '../../codec/runs/made-records.test-support.ts'
import { parseSha256 } from '../../core/digest.ts'
import type { PackageKey, RepositoryId, RevisionPackage, StoredPackage } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import { MemorySink } from '../../publish/memory-sink.ts'
import type { RpmAttributes } from './attributes.ts'
import { rpmOptions } from './options.ts'
import { publishRpm, type RpmPublishInput } from './publisher.ts'

/** Enough for a dozen runs in each document. */
const count = 600
const repository = 'runs' as RepositoryId
const emptyAttributes = {
  ...{ summary: null, license: null, vendor: null, group: null, source_rpm: null, url: null },
  installed_bytes: null,
}

describeWith(['dnf', 'rpm'], 'dnf on documents in runs', () => {
  it.each(['gzip', 'zstd'] as const)(
    'reads all of them, copied and compressed anew, in %s',
    async (compression) => {
      await using tree = await writtenTree(compression)

      await using dnf = await DnfClient.create({
        ...{ baseurl: `file://${tree.folder}`, key: null, gpgcheck: false, repoGpgcheck: false },
      })
      await dnf.makecache()

      expect(await dnf.repoquery()).toHaveLength(count)
      expect(await dnf.files('package-00599')).toEqual(['/usr/share/package-00599/second'])
      expect(await dnf.files('package-00300')).toEqual(['/usr/share/package-00300/first'])
    },
  )
})

describeWith(['createrepo_c'], 'mergerepo_c on documents in runs', () => {
  it('finds every package and every file', async () => {
    await using tree = await writtenTree('gzip')
    const merged = join(tree.folder, 'merged')

    await runCommand('mergerepo_c', [
      '--repo',
      `file://${tree.folder}`,
      '--outputdir',
      merged,
      '--omit-baseurl',
    ])

    const names = await readdir(join(merged, 'repodata'))
    const text = async (document: string) => {
      const name = names.find((each) => each.endsWith(`-${document}.xml.gz`)) ?? document
      return gunzipSync(await readFile(join(merged, 'repodata', name))).toString()
    }
    for (const document of ['primary', 'filelists', 'other'])
      expect((await text(document)).match(/<package /g)).toHaveLength(count)
    expect((await text('filelists')).match(/\/first<\/file>/g)).toHaveLength(count - 1)
    expect(await text('filelists')).toContain('<file>/usr/share/package-00599/second</file>')
  })
})

/** A tree that was published, and then again with one package changed: it has runs of both kinds. */
async function writtenTree(compression: 'gzip' | 'zstd') {
  const folder = await mkdtemp(join(tmpdir(), 'chantal-runs-'))
  const first = await published(compression, 'first', null)
  const tree = await published(compression, 'second', first)
  const runs = first.notes.filter((note) => note.startsWith('run\t'))
  const repeated = runs.filter((note) => tree.notes.includes(note)).length
  expect(repeated).toBeGreaterThan(30)
  expect(repeated).toBeLessThan(runs.length)
  for (const path of tree.paths()) {
    if (!path.startsWith('repodata/')) continue
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), tree.bytes(path))
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

async function published(compression: 'gzip' | 'zstd', lastFile: string, earlier: MemorySink | null) {
  const packages = Array.from({ length: count }, (_, index) => packageAt(index, lastFile))
  const input: RpmPublishInput = {
    ...{ repository, mode: 'filtered', packageCount: count, files: [], signer: null },
    now: new Date('2026-01-01T00:00:00Z'),
    reporter: { report: () => {} },
    options: rpmOptions.parse({ compression }),
    limits: { rootDocument: 1, metadata: 1, decompressedRatio: 1, decompressedMinimum: 1, package: 1 },
    earlier: earlier && {
      notes: earlier.notes,
      read: async (path, range) =>
        earlier.bytes(path).subarray(range?.start, range && range.start + range.size),
    },
    recipe: 'recipe',
    outlines: () => each([packages]),
    packages: (among) => each(packages.filter(({ key }) => !among || among.includes(key))),
    records: (part, terms) =>
      recordsAmong(
        packages.map((pkg) => recordOf(pkg, part, lastFile)),
        terms,
      ),
    read: () => {
      throw new Error('nothing is read')
    },
  }
  const sink = new MemorySink()
  await publishRpm(input, sink)
  return sink
}

function packageAt(index: number, lastFile: string): RevisionPackage<RpmAttributes> {
  const name = `package-${String(index).padStart(5, '0')}`
  const digest = parseSha256(index.toString(16).padStart(64, '0'))
  return {
    ...{
      repository,
      key: `${name}-1-1.noarch` as PackageKey,
      name,
      version: '0:1-1',
      architecture: 'noarch',
    },
    ...{ builtAt: null, signature: null, identity: `${name}-${fileOf(index, lastFile)}`, addedIn: 1 },
    attributes: { ...emptyAttributes, checksum: `sha256:${digest}` },
    files: [{ path: parseRelativePath(`Packages/${name}.rpm`), digest, size: 1000 + index }],
  }
}

/** The last package is the one that changes. */
function fileOf(index: number, lastFile: string): string {
  return index === count - 1 ? lastFile : 'first'
}

function recordOf(
  { key, name, files: [file] }: StoredPackage<RpmAttributes>,
  part: string,
  lastFile: string,
) {
  if (part === 'filelists-ext') return { key, bytes: null }
  const { digest, path, size } = file
  const start = `<package pkgid="${digest}" name="${name}" arch="noarch">\n  <version epoch="0" ver="1" rel="1"/>\n`
  const listed = `/usr/share/${name}/${fileOf(size - 1000, lastFile)}`
  const records: Readonly<Record<string, string>> = {
    filelists: `${start}  <file>${listed}</file>\n</package>`,
    other: `${start}  <changelog author="Nobody &lt;n@example.com&gt;" date="1700000000">- of ${name}</changelog>\n</package>`,
    primary: `<package type="rpm">
  <name>${name}</name>
  <arch>noarch</arch>
  <version epoch="0" ver="1" rel="1"/>
  <checksum type="sha256" pkgid="YES">${digest}</checksum>
  <summary>Of ${name}</summary>
  <description>What ${name} is.</description>
  <packager></packager>
  <url></url>
  <time file="1700000000" build="1700000000"/>
  <size package="${size}" installed="1" archive="100"/>
  <location href="${path}"/>
  <format>
    <rpm:license>MIT</rpm:license>
    <rpm:vendor></rpm:vendor>
    <rpm:group>Unspecified</rpm:group>
    <rpm:buildhost>localhost</rpm:buildhost>
    <rpm:sourcerpm>${name}-1-1.src.rpm</rpm:sourcerpm>
    <rpm:header-range start="100" end="200"/>
    <rpm:provides>
      <rpm:entry name="${name}" flags="EQ" epoch="0" ver="1" rel="1"/>
    </rpm:provides>
  </format>
</package>`,
  }
  return { key, bytes: Buffer.from(records[part] ?? '') }
}

async function* each<T>(items: readonly T[]) {
  yield* items
}
