import { createGunzip, createGzip } from 'node:zlib'
import type { ByteSource } from '../core/bytes.ts'
import { invalidData } from './invalid-data.ts'
import { ZlibDriver, zlibBuffering } from './zlib-transform.ts'

/**
 * Decompresses gzip members, one after another. Zero bytes after the last one are padding, as for `gzip`.
 * @throws ChantalError `UPSTREAM_INVALID`
 * @see RFC 1952
 */
export async function* decompressGzip(source: ByteSource): ByteSource {
  const gunzip = new ZlibDriver(createGunzip(zlibBuffering), 'gzip')
  try {
    let given = 0
    for await (const chunk of source) {
      if (chunk.byteLength === 0) continue
      const before = given
      given += chunk.byteLength
      if (!gunzip.ended) yield* gunzip.write(chunk)
      // The decoder stops at a zero byte between members and says nothing about what follows.
      if (gunzip.consumed < given) requirePadding(chunk.subarray(Math.max(0, gunzip.consumed - before)))
    }
    if (!gunzip.ended) yield* gunzip.end()
  } finally {
    gunzip.destroy()
  }
}

function requirePadding(bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) throw invalidData('gzip', 'trailing')
}

/** Compresses into one gzip member without name or time: equal input and level give equal bytes. */
export async function* compressGzip(source: ByteSource | Iterable<Uint8Array>, level: number): ByteSource {
  const gzip = new ZlibDriver(createGzip({ ...zlibBuffering, level }), 'gzip')
  try {
    for await (const chunk of source) yield* gzip.write(chunk)
    yield* gzip.end()
  } finally {
    gzip.destroy()
  }
}
