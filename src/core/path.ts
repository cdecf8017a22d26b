import type { Brand } from './brand.ts'
import { ChantalError } from './errors.ts'

/**
 * A `/`-separated path that stays inside its root: no leading `/`, no empty, `.` or `..` segment,
 * no `\`, no control character, no half of a surrogate pair, at most 1024 bytes and 255 a segment: with the folder that it is in a file system takes it, and with
 * the name of a package an index of PostgreSQL (2704 bytes).
 */
export type RelativePath = Brand<string, 'RelativePath'>

const maxBytes = 1024

/** Every path read from upstream passes here before it touches a disk. @throws ChantalError `PATH_UNSAFE` */
export function parseRelativePath(text: string): RelativePath {
  if (text.length <= 255 && plainPath.test(text)) return text as RelativePath
  const segments = text.split('/')
  const unsafe = segments.some((segment) => segment === '' || segment === '.' || segment === '..')
  if (unsafe || /[\u0000-\u001f\u007f\\]/.test(text)) {
    throw new ChantalError('PATH_UNSAFE', `path leaves its root: ${JSON.stringify(text)}`)
  }
  // A half has no UTF-8: two such names would become one file, and neither could be part of a URL.
  if (!text.isWellFormed()) {
    throw new ChantalError('PATH_UNSAFE', `path is no Unicode text: ${JSON.stringify(text)}`)
  }
  if (Buffer.byteLength(text) > maxBytes || segments.some((segment) => Buffer.byteLength(segment) > 255)) {
    throw new ChantalError('PATH_UNSAFE', `path is too long: ${JSON.stringify(text.slice(0, 300))}`)
  }
  return text as RelativePath
}

/** As nearly all paths are: told in a tenth of the time, and no part of a rule. */
const plainPath = /^[\w+~:@%=,-][\w.+~:@%=,-]*(?:\/[\w+~:@%=,-][\w.+~:@%=,-]*)*$/

/** The text without the `./` before it, with however many slashes: it says nothing, and many tools write it. */
export function withoutLeadingDots(text: string): string {
  let start = 0
  while (text.startsWith('./', start)) {
    start += 2
    while (text.startsWith('/', start)) start++
  }
  return text.slice(start)
}

/** The text without `.` and empty segments but at its end: they say nothing, and servers and clients pass them over. */
export function withoutDots(text: string): string {
  return text.replaceAll(/\/\.?(?=\/)/g, '').replace(/^\.\//, '')
}

/** Joins a safe folder with what upstream named in it. @throws ChantalError `PATH_UNSAFE` */
export function joinRelativePath(folder: RelativePath | '', name: string): RelativePath {
  return parseRelativePath(folder === '' ? name : `${folder}/${name}`)
}
