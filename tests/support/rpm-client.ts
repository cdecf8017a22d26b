import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { decompress } from '../../src/codec/compression.ts'
import { readWhole } from '../../src/core/bytes.ts'
import { hasSystemCode } from '../../src/core/errors.ts'
import { parseRepomd } from '../../src/ecosystems/rpm/formats/repomd.ts'

/**
 * Reads a published RPM tree as a client does: repomd.xml, every file it lists, every package that those list; one after another, so that
 * a switch may come between any two.
 * @param folder the published path; resolved anew for each file, as a web server does
 * @returns what a client would have stumbled over, and how many packages it got
 */
export async function readAsClient(
  folder: string,
): Promise<{ readonly trouble: readonly string[]; readonly packages: readonly string[] }> {
  const trouble: string[] = []
  const packages: string[] = []
  const get = async (file: string, checksum: { readonly algorithm: string; readonly hex: string }) => {
    const bytes = await readFile(path.join(folder, file)).catch((error: unknown) => {
      if (!hasSystemCode(error, 'ENOENT')) throw error
      trouble.push(`404: ${file}`)
      return null
    })
    if (bytes && createHash(checksum.algorithm).update(bytes).digest('hex') !== checksum.hex) {
      trouble.push(`wrong bytes: ${file}`)
    }
    return bytes
  }
  const { records } = parseRepomd(await readFile(path.join(folder, 'repodata/repomd.xml')))
  for (const { href, checksum, type } of records) {
    const bytes = await get(href, checksum)
    if (type !== 'primary' || !bytes) continue
    const source = (async function* () {
      yield bytes
    })()
    const primary = Buffer.from(await readWhole(decompress(source, { maxSize: 2 ** 24 }))).toString()
    for (const [listed] of primary.matchAll(/<package [\s\S]*?<\/package>/g)) {
      const [, algorithm = '', hex = ''] = /<checksum type="(\w+)" pkgid="YES">(\w+)</.exec(listed) ?? []
      const [, location = ''] = /<location href="([^"]+)"/.exec(listed) ?? []
      await get(location, { algorithm, hex })
      packages.push(location)
    }
  }
  return { trouble, packages }
}
