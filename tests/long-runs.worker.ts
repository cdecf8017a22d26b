import { isMainThread, parentPort } from 'node:worker_threads'
import { isSameText, splitCleartextMessage } from '../src/codec/cleartext-message.ts'
import { readXmlDocument } from '../src/codec/xml.ts'
import { toAsciiXml } from '../src/codec/xml-encoding.ts'
import { readWhole } from '../src/core/bytes.ts'
import { isChantalError } from '../src/core/errors.ts'
import { parseRelativePath } from '../src/core/path.ts'
import { withoutTrailing } from '../src/core/trailing.ts'
import { parseMetalink } from '../src/download/metalink.ts'
import { parseMirrorlist } from '../src/download/mirrorlist.ts'
import { pruneAppstream } from '../src/ecosystems/apt/formats/appstream-prune.ts'
import { pruneCommands } from '../src/ecosystems/apt/formats/commands-prune.ts'
import { mergeContents } from '../src/ecosystems/apt/formats/contents-merge.ts'
import { pruneContents } from '../src/ecosystems/apt/formats/contents-prune.ts'
import { parseControl, sourceOf } from '../src/ecosystems/apt/formats/hosted-stanza.ts'
import { classifyIndexPath } from '../src/ecosystems/apt/formats/index-path.ts'
import { parseInstallerSums } from '../src/ecosystems/apt/formats/installer-sums.ts'
import { parsePackagesStanza } from '../src/ecosystems/apt/formats/packages-stanza.ts'
import { parsePdiffIndex } from '../src/ecosystems/apt/formats/pdiff-index.ts'
import { parseRelease } from '../src/ecosystems/apt/formats/release.ts'
import { parseReleaseDate } from '../src/ecosystems/apt/formats/release-date.ts'
import { parseSourcesStanza } from '../src/ecosystems/apt/formats/sources-stanza.ts'
import { pruneTranslation } from '../src/ecosystems/apt/formats/translation-prune.ts'
import { upstreamPath as aptPath } from '../src/ecosystems/apt/index-reader.ts'
import { parseComps, pruneComps } from '../src/ecosystems/rpm/formats/comps.ts'
import { mergeComps } from '../src/ecosystems/rpm/formats/comps-merge.ts'
import { readDeltas } from '../src/ecosystems/rpm/formats/deltainfo.ts'
import { parseExtraFiles } from '../src/ecosystems/rpm/formats/extra-files.ts'
import { rewriteLocation } from '../src/ecosystems/rpm/formats/location-rewriter.ts'
import { mergeModules } from '../src/ecosystems/rpm/formats/modulemd-merge.ts'
import { joinDocuments, pruneModules } from '../src/ecosystems/rpm/formats/modulemd-prune.ts'
import { scanPackages } from '../src/ecosystems/rpm/formats/package-scanner.ts'
import { parsePrimaryPackage } from '../src/ecosystems/rpm/formats/primary.ts'
import { parseRepomd } from '../src/ecosystems/rpm/formats/repomd.ts'
import { readRpmPackage } from '../src/ecosystems/rpm/formats/rpm-package.ts'
import { looksLikeTreeinfo, parseTreeinfo } from '../src/ecosystems/rpm/formats/treeinfo.ts'
import { writeGeneratedTreeinfo } from '../src/ecosystems/rpm/formats/treeinfo-writer.ts'
import { readAdvisories } from '../src/ecosystems/rpm/formats/updateinfo.ts'
import { upstreamPath as rpmPath } from '../src/ecosystems/rpm/metadata.ts'

/** What reads text of upstream, and texts with a long run in the places that its rules look at. */
interface Reader {
  readonly read: (text: string) => unknown
  readonly texts: (run: string) => readonly string[]
}

const digest = 'a'.repeat(64)
const bytes = (text: string) => Buffer.from(text)
async function* source(text: string) {
  yield bytes(text)
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Within, before and behind a value, and as the whole of a text. */
const anywhere = (run: string) => [run, `${run}x`, `x${run}`, `x${run}x`]

/** In a field of a stanza whose other fields are in order. */
const inStanza = (run: string) =>
  [
    'Package',
    'Version',
    'Filename',
    'Size',
    'Source',
    'Depends',
    'Binary',
    'Directory',
    'Files',
    'Installed-Size',
  ].flatMap((name) =>
    anywhere(run).map((value) =>
      [
        `${name}: ${value}`,
        'Package: a',
        'Version: 1',
        'Architecture: all',
        'Filename: a.deb',
        'Size: 1',
        `SHA256: ${digest}`,
        '',
      ]
        .filter((line, index) => index === 0 || !line.startsWith(`${name}:`))
        .join('\n'),
    ),
  )

const inPackage = (run: string) => {
  const pkg = (place: string) =>
    `<package type="rpm"${place === 'tag' ? run : ''}><name>${place === 'name' ? run : 'a'}</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/><checksum type="sha256" pkgid="YES">${digest}</checksum><summary>${place === 'summary' ? `x${run}x` : ''}</summary><description/><packager/><url/><time file="1" build="1"/><size package="1" installed="1" archive="1"/><location href="${place === 'href' ? `.${run}x` : 'a.rpm'}"${place === 'location' ? run : ''}/></package>`
  return ['tag', 'name', 'summary', 'href', 'location'].map(pkg)
}

const inPrimary = (run: string) =>
  inPackage(run).flatMap((pkg) => [
    `<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">${run}${pkg}${run}</metadata>`,
    `<?xml version="1.0"${run}?>${run}<metadata${run}xmlns="http://linux.duke.edu/metadata/common"${run}packages="1">${pkg}</metadata>`,
  ])

const comps = (run: string) => [
  `<comps>${run}<group><id>g${run}</id><packagelist>${run}<packagereq${run}>a</packagereq>${run}<packagereq>b</packagereq></packagelist></group></comps>`,
  `<?xml version="1.0"${run}?>${run}<comps/>`,
]

const modules = (run: string) => [
  ...anywhere(run),
  `${run}document: modulemd-packager\nversion: 2\ndata: {}\n---\n${moduleStream}`,
  `---\n${run}${moduleStream}${run}`,
  `${moduleStream}...${run}\n${run}---${run}\n${moduleStream}`,
  moduleStream.replace('    - a-', `    -${run} a-`),
  moduleStream.replace('.noarch\n', `.noarch ${run}\n`),
]
const moduleStream =
  'document: modulemd\nversion: 2\ndata:\n  name: a\n  stream: b\n  artifacts:\n    rpms:\n    - a-0:1-1.noarch\n    - b-0:1-1.noarch\n'

const treeinfo = (run: string) => [
  ...anywhere(run),
  `${run}[general]${run}\n${run}variant = a\nrepository = a${run}b\npackagedir =${run}\n`,
  `[checksums]\n.${run}a = sha256:${digest}\n${run}repodata/repomd.xml = sha256:${run}\n`,
  `[${run}`,
]

const release = (run: string) => [
  ...anywhere(run).map(
    (value) => `Suite: a\nDate: ${value}\nComponents: ${value}\nArchitectures: ${value}\nSHA256:\n`,
  ),
  `Suite: a\nSHA256:\n ${digest}${run}1${run}main/binary-amd64/Packages\n`,
  `Suite: a\nSHA256:\n ${digest} 1 main${run}x\n`,
  `${run}Suite: a${run}\n`,
]

/** The parts of a header of rpm that a changelog is in. */
function changelogHeader(author: string): Buffer {
  const strings = { 1000: 'a', 1001: '1', 1002: '1', 1022: 'noarch' }
  const entries: (readonly [tag: number, type: number, data: Buffer])[] = [
    ...Object.entries(strings).map(([tag, text]) => [Number(tag), 6, bytes(`${text}\0`)] as const),
    [1081, 8, bytes(`${author}\0`)],
    [1082, 8, bytes('x\0')],
  ]
  const time = Buffer.from([0, 0, 0, 1])
  const all = [[1080, 4, time] as const, ...entries]
  const intro = Buffer.from('8eade80100000000'.padEnd(32, '0'), 'hex')
  intro.writeUInt32BE(all.length, 8)
  intro.writeUInt32BE(
    all.reduce((sum, [, , data]) => sum + data.length, 0),
    12,
  )
  let offset = 0
  const index = all.map(([tag, type, data]) => {
    const entry = Buffer.alloc(16)
    for (const [at, value] of [tag, type, offset, 1].entries()) entry.writeUInt32BE(value, at * 4)
    offset += data.length
    return entry
  })
  return Buffer.concat([intro, ...index, ...all.map(([, , data]) => data)])
}

export const readers = {
  splitCleartextMessage: {
    read: (text) => splitCleartextMessage(bytes(text)),
    texts: (run) => [
      ...anywhere(run),
      `-----BEGIN PGP SIGNED MESSAGE-----${run}\nHash: ${run}x\n\n${run}x\n`,
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nx${run}x${run}\n-----BEGIN PGP SIGNATURE-----\n${run}x`,
    ],
  },
  isSameText: { read: (text) => isSameText(text, text), texts: anywhere },
  withoutTrailing: { read: (text) => withoutTrailing(text, ' \t\r\n'), texts: anywhere },
  parseRelativePath: { read: parseRelativePath, texts: anywhere },
  readXmlDocument: { read: (text) => readXmlDocument(bytes(text)), texts: comps },
  'toAsciiXml, of UTF-16': {
    read: (text) =>
      toAsciiXml(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])).length,
    texts: (run) => [`<?xml version="1.0"${run}?><a/>`, `<?xml ${run}`, `<?xml${run}encoding${run}=${run}"a`],
  },
  parseMirrorlist: { read: parseMirrorlist, texts: (run) => [...anywhere(run), `url${run}=${run}x`] },
  parseMetalink: {
    read: parseMetalink,
    texts: (run) => [
      `<metalink>${run}<files><file name="a"><size>${run}1</size><resources><url>${run}</url></resources></file></files></metalink>`,
    ],
  },
  pruneAppstream: {
    read: (text) => readWhole(pruneAppstream(source(text), () => true)),
    texts: (run) => [
      ...anywhere(run),
      `---${run}\nFile:${run}DEP-11${run}x\n---\nPackage:${run}a${run}x\n`,
      `---\nPackage: a${run}#${run}\n...${run}x\n${run}`,
    ],
  },
  pruneCommands: { read: (text) => readWhole(pruneCommands(source(text), () => true)), texts: inStanza },
  pruneContents: {
    read: (text) => readWhole(pruneContents(source(text), () => true)),
    texts: (run) => [...anywhere(run), `FILE${run}LOCATION${run}x\na${run}b/c${run}\n`],
  },
  mergeContents: {
    read: (text) => readWhole(mergeContents([source(text), source(text)])),
    texts: (run) => [...anywhere(run), `FILE${run}LOCATION${run}x\na${run}b/c${run}\n`],
  },
  'parseControl and sourceOf': {
    read: (text) => sourceOf(parseControl(bytes(text))),
    texts: (run) => [...inStanza(run), `Source: a${run}(1${run}x\n`, `Source: a${run}b${run}c\n`],
  },
  classifyIndexPath: {
    read: classifyIndexPath,
    texts: (run) => [
      ...anywhere(run),
      `main/binary-${run}/Packages`,
      `main/installer-a/${run}`,
      `main/installer-a/${'installer-a/'.repeat(20_000)}\n`,
    ],
  },
  parseInstallerSums: {
    read: (text) => parseInstallerSums(text, 'SHA256SUMS'),
    texts: (run) => [
      ...anywhere(run),
      `${digest}  .${run}x`,
      `${digest}  .${run}\rx`,
      `${digest}  ${run}\rx`,
      `${digest}  x${run}\r`,
      `${digest}${run}x`,
    ],
  },
  parsePackagesStanza: { read: (text) => parsePackagesStanza(bytes(text), 'Packages'), texts: inStanza },
  parseSourcesStanza: { read: (text) => parseSourcesStanza(bytes(text), 'Sources'), texts: inStanza },
  parsePdiffIndex: {
    read: (text) => parsePdiffIndex(text, 'Index'),
    texts: (run) => [
      ...anywhere(run),
      `SHA256-Patches:\n ${digest}${run}1${run}x\n`,
      `SHA256-History:${run}x\n`,
    ],
  },
  parseRelease: { read: (text) => parseRelease(text, 'Release'), texts: release },
  parseReleaseDate: {
    read: parseReleaseDate,
    texts: (run) => [...anywhere(run), `${run}Sat,${run}21${run}Nov${run}2026${run}00:53:02${run}UTC${run}x`],
  },
  pruneTranslation: {
    read: (text) => readWhole(pruneTranslation(source(text), () => true)),
    texts: inStanza,
  },
  'upstreamPath of apt': { read: aptPath, texts: (run) => [...anywhere(run), `.${run}x`] },
  'upstreamPath of rpm': { read: rpmPath, texts: (run) => [...anywhere(run), `.${run}x`] },
  parseComps: { read: (text) => parseComps(bytes(text)), texts: comps },
  pruneComps: { read: (text) => pruneComps(bytes(text), new Set(['a'])), texts: comps },
  mergeComps: { read: (text) => mergeComps([bytes(text), bytes(text)]), texts: comps },
  readDeltas: {
    read: (text) => collect(readDeltas(source(text))),
    texts: (run) => [
      `<prestodelta>${run}<newpackage${run}name="a"><delta><filename>${run}a</filename><size>1${run}</size></delta></newpackage></prestodelta>`,
    ],
  },
  parseExtraFiles: {
    read: parseExtraFiles,
    texts: (run) => [...anywhere(run), `{${run}"data": [{"file": ${JSON.stringify(run)}}]}`],
  },
  rewriteLocation: {
    read: (text) => rewriteLocation(bytes(text), parseRelativePath('b.rpm')),
    texts: inPackage,
  },
  joinDocuments: { read: (text) => joinDocuments([text, text, 'a: b\n']), texts: modules },
  pruneModules: { read: (text) => pruneModules(text, (nevra) => nevra.startsWith('a-')), texts: modules },
  mergeModules: { read: (text) => mergeModules([text, text]), texts: modules },
  scanPackages: { read: (text) => collect(scanPackages(source(text), 'primary')), texts: inPrimary },
  parsePrimaryPackage: { read: (text) => parsePrimaryPackage(bytes(text)), texts: inPackage },
  parseRepomd: {
    read: (text) => parseRepomd(bytes(text)),
    texts: (run) => [
      `<repomd xmlns="http://linux.duke.edu/metadata/repo">${run}<revision>${run}1</revision><data type="primary"><location href=".${run}a"/><timestamp>1${run}</timestamp><size>${run}</size></data></repomd>`,
    ],
  },
  readRpmPackage: {
    read: (author) =>
      readRpmPackage({
        isSource: false,
        signature: { number: () => null } as never,
        mainBytes: changelogHeader(author),
        mainOffset: 0,
        payloadOffset: 0,
      }),
    texts: anywhere,
  },
  looksLikeTreeinfo: { read: looksLikeTreeinfo, texts: treeinfo },
  parseTreeinfo: { read: parseTreeinfo, texts: treeinfo },
  writeGeneratedTreeinfo: { read: writeGeneratedTreeinfo, texts: treeinfo },
  readAdvisories: {
    read: (text) => collect(readAdvisories(source(text))),
    texts: (run) => [
      `<updates>${run}<update type="security"${run}><id>a${run}</id><title>${run}CVE-2026-${run}</title><issued date="2026-01-01"/></update></updates>`,
    ],
  },
} satisfies Readonly<Record<string, Reader>>

export type ReaderName = keyof typeof readers

/** Answers with what was thrown, unless it was an error of the texts. */
if (!isMainThread) {
  parentPort?.on('message', async ({ name, run }: { readonly name: ReaderName; readonly run: string }) => {
    const { read, texts }: Reader = readers[name]
    const thrown: string[] = []
    for (const text of texts(run)) {
      try {
        await read(text)
      } catch (error) {
        if (!isChantalError(error)) thrown.push(String(error))
      }
    }
    parentPort?.postMessage(thrown)
  })
}
