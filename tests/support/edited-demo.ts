import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'

const repomd = 'repodata/repomd.xml'

/** The demonstration upstream's files by path, to be changed as whoever controls it can. */
export type DemoFiles = Record<string, Uint8Array>

export function editRepomd(files: DemoFiles, edit: (text: string) => string): void {
  files[repomd] = Buffer.from(edit(Buffer.from(files[repomd] ?? '').toString()))
}

export function editPrimary(files: DemoFiles, edit: (text: string) => string): void {
  const name = Object.keys(files).find((file) => file.endsWith('-primary.xml.gz')) ?? ''
  replacePrimary(files, gzipSync(edit(gunzipSync(files[name] ?? Buffer.of()).toString())))
}

/** Other bytes, under a name and with checksums of their own, as whoever controls upstream can make them. */
export function replacePrimary(files: DemoFiles, compressed: Uint8Array): void {
  const hex = createHash('sha256').update(compressed).digest('hex')
  const path = `repodata/${hex}-primary.xml.gz`
  files[path] = compressed
  editRepomd(files, (text) =>
    text.replace(
      /<data type="primary">[\s\S]*?<\/data>/,
      `<data type="primary"><checksum type="sha256">${hex}</checksum><location href="${path}"/>` +
        `<size>${compressed.byteLength}</size></data>`,
    ),
  )
}
