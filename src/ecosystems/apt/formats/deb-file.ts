import { decompress } from '../../../codec/compression.ts'
import { readTar } from '../../../codec/tar.ts'
import { type ByteSource, readWhole } from '../../../core/bytes.ts'
import { ChantalError, isChantalError } from '../../../core/errors.ts'
import { type ArMember, readAr } from './ar.ts'

/** The largest of Debian unpack to a few MiB: thousands of checksums and templates. */
const maxControlArchive = 64 * 1024 ** 2
const maxControlFile = 1024 ** 2
const maxFormatFile = 64

/**
 * The control file of a .deb, .udeb or .ddeb: its paragraph as it was built. Reads to the beginning of the data, which has to be there,
 * and no further.
 * @param size of the whole file, in bytes
 * @throws ChantalError `UPSTREAM_INVALID` where it is no binary package, `SIZE_LIMIT` where its control archive unpacks to more than
 *   64 MiB or holds a control file of more than 1 MiB; the source's own error unchanged
 * @see deb(5), whose members come in a fixed order
 */
export async function readDebControl(source: ByteSource, size: number): Promise<Uint8Array> {
  let hasFormat = false
  let control: Uint8Array | null = null
  for await (const member of readAr(source, size)) {
    if (!hasFormat) {
      await checkFormat(member)
      hasFormat = true
    } else if (member.name.startsWith('_')) {
      // Left to other programs, as the format says.
    } else if (control === null) {
      expectMember(member, 'control.tar', controlEndings)
      control = await readControlArchive(member)
    } else {
      expectMember(member, 'data.tar', dataEndings)
      return control
    }
  }
  throw invalidDeb(`it ends before its ${control === null ? 'control.tar' : 'data.tar'}`)
}

const controlEndings = ['', '.gz', '.xz', '.zst', '.bz2']
const dataEndings = [...controlEndings, '.lzma']

async function checkFormat({ name, size, body }: ArMember): Promise<void> {
  if (name !== 'debian-binary') throw invalidDeb(`its first member is ${name}, expected debian-binary`)
  if (size > maxFormatFile) throw invalidDeb(`its debian-binary has ${size} bytes, expected a version`)
  const version = Buffer.from(await readWhole(body)).toString('latin1')
  if (!/^2\.\d+\n/.test(version))
    throw invalidDeb(`it is of format ${JSON.stringify(version.trim())}, expected 2.0`)
}

function expectMember({ name }: ArMember, start: string, endings: readonly string[]): void {
  if (endings.some((ending) => name === start + ending)) return
  throw invalidDeb(`it has a member ${name} where ${start} was expected, with one of the endings of dpkg`)
}

async function readControlArchive({ name, body }: ArMember): Promise<Uint8Array> {
  try {
    let control: Uint8Array | null = null
    for await (const entry of readTar(decompress(body, { maxSize: maxControlArchive }))) {
      if (entry.name !== 'control' && entry.name !== './control') continue
      if (entry.type !== 'file') throw invalidDeb('its control file is no plain file')
      // Which of two counts depends on who unpacks them.
      if (control !== null) throw invalidDeb('it has two control files')
      if (entry.size > maxControlFile)
        throw tooLarge(`its control file has ${entry.size} bytes, allowed are ${maxControlFile}`)
      control = await readWhole(entry.body)
    }
    if (control === null) throw invalidDeb(`its ${name} holds no control file`)
    return control
  } catch (error) {
    if (isChantalError(error, 'SIZE_LIMIT') && 'limit_bytes' in error.details)
      throw tooLarge(`its ${name} unpacks to more than ${maxControlArchive} bytes`, error)
    if (isChantalError(error, 'UPSTREAM_INVALID') && 'fault' in error.details)
      throw invalidDeb(`its ${name} has ${error.message}`, error)
    throw error
  }
}

function invalidDeb(reason: string, cause?: unknown): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `not a sound Debian package: ${reason}`, {
    cause,
    hint: 'Whoever built or copied this package did it wrongly; get it anew.',
  })
}

function tooLarge(reason: string, cause?: unknown): ChantalError {
  return new ChantalError('SIZE_LIMIT', `not a sound Debian package: ${reason}`, {
    cause,
    hint: 'No package needs so much; look at where this one comes from.',
  })
}
