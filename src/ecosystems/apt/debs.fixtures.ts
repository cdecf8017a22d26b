import { readFileSync } from 'node:fs'

/** A binary package that dpkg-deb made. @see scripts/make-deb-fixtures.sh */
export function debFixture(file: string): Buffer {
  return readFileSync(new URL(`../../../tests/fixtures/deb/${file}`, import.meta.url))
}

/** An ar archive, with members as given: also wrong ones. */
export function arArchive(members: readonly (readonly [name: string, body: string | Buffer])[]): Buffer {
  const parts = members.flatMap(([name, body]) => {
    const bytes = Buffer.from(body)
    return [
      Buffer.from(arHeader(name, `${bytes.byteLength}`)),
      bytes,
      Buffer.alloc(bytes.byteLength % 2, '\n'),
    ]
  })
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts])
}

export function arHeader(name: string, size: string): string {
  return `${name.padEnd(16)}${'1767571200'.padEnd(12)}0     0     100644  ${size.padEnd(10)}\`\n`
}

/** A tar archive of plain files, or of other kinds where the name is preceded by one: `2:link`. */
export function tarArchive(files: readonly (readonly [name: string, body: string])[]): Buffer {
  const blocks = files.flatMap(([given, body]) => {
    const [, flag = '0', name = given] = /^(\d):(.*)$/.exec(given) ?? []
    const bytes = Buffer.from(body)
    const header = Buffer.alloc(512)
    header.write(name)
    header.write(bytes.byteLength.toString(8).padStart(11, '0'), 124)
    header.write(' '.repeat(8), 148)
    header.write(flag, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0`, 148)
    return [header, bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
