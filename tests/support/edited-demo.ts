import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'

const repomd = 'repodata/repomd.xml'

/** The demonstration upstream's files by path, to be changed as whoever controls it can. */
export type DemoFiles = Record<string, Uint8Array>

export function editRepomd(files: DemoFiles, edit: (text: string) => string): void {
  files[repomd] = Buffer.from(edit(Buffer.from(files[repomd] ?? '').toString()))
}

export function editPrimary(files: DemoFiles, edit: (text: string) => string): void {
  editDocument(files, 'primary', edit)
}

/** @param type of one of the documents that list every package */
export function editDocument(
  files: DemoFiles,
  type: 'primary' | 'filelists',
  edit: (text: string) => string,
): void {
  const name = Object.keys(files).find((file) => file.endsWith(`-${type}.xml.gz`)) ?? ''
  replaceDocument(files, type, gzipSync(edit(gunzipSync(files[name] ?? Buffer.of()).toString())))
}

/** Other bytes, under a name and with checksums of their own, as whoever controls upstream can make them. */
export function replacePrimary(files: DemoFiles, compressed: Uint8Array): void {
  replaceDocument(files, 'primary', compressed)
}

function replaceDocument(files: DemoFiles, type: string, compressed: Uint8Array): void {
  const hex = createHash('sha256').update(compressed).digest('hex')
  const path = `repodata/${hex}-${type}.xml.gz`
  files[path] = compressed
  editRepomd(files, (text) =>
    text.replace(
      new RegExp(`<data type="${type}">[\\s\\S]*?</data>`),
      `<data type="${type}"><checksum type="sha256">${hex}</checksum><location href="${path}"/>` +
        `<size>${compressed.byteLength}</size></data>`,
    ),
  )
}
