import type { ByteSource } from '../core/bytes.ts'
import { invalidData } from './invalid-data.ts'

// The module is a native addon: whoever meets no xz does not pay for loading it. Of its interfaces only the web streams
// are bounded; the classes hold everything that a small chunk expands to until their `finish`.
const load = () => import('@napi-rs/lzma')

/** Input bytes for one step of the decoder: a chunk of a bomb expands some thousand times. */
const inputSize = 64 * 1024

/**
 * Decompresses xz streams, one after another, with or without stream padding.
 * @throws ChantalError `UPSTREAM_INVALID`
 * @see The .xz File Format 1.2
 */
export async function* decompressXz(source: ByteSource): ByteSource {
  const { xz } = await load()
  yield* throughNative(source, xz.decompressStream, (error) => decodingError('xz', error))
}

/**
 * Decompresses one `.lzma` file (LZMA_Alone). The decoder reads ahead and tells nothing of what follows the end marker:
 * garbage there is ignored, which no other format allows.
 * @throws ChantalError `UPSTREAM_INVALID`
 */
export async function* decompressLzma(source: ByteSource): ByteSource {
  const { lzma } = await load()
  yield* throughNative(source, lzma.decompressStream, (error) => decodingError('lzma', error))
}

/** Compresses into one xz stream: equal input and level give equal bytes. */
export async function* compressXz(source: ByteSource | Iterable<Uint8Array>, level: number): ByteSource {
  const { xz } = await load()
  yield* throughNative(
    source,
    (input) => xz.compressStream(input, { preset: level }),
    (error) => error,
  )
}

function decodingError(format: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const isTruncated = /failed to fill whole buffer|unexpected eof|unexpected end/i.test(error.message)
  if (isTruncated) return invalidData(format, 'truncated', undefined, error)
  const isTrailing = /after stream|stream padding/i.test(error.message)
  return invalidData(format, isTrailing ? 'trailing' : 'corrupt', error.message, error)
}

/** Runs `source` through a native web stream and keeps the source's own errors as they are. */
async function* throughNative(
  source: ByteSource | Iterable<Uint8Array>,
  transform: (input: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>,
  describe: (error: unknown) => unknown,
): ByteSource {
  let sourceFailure: { readonly error: unknown } | undefined
  const pieces = smallPieces(source)
  const input = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next()
          if (done === true) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          sourceFailure = { error }
          controller.error(error)
        }
      },
    },
    { highWaterMark: 0 },
  )
  const reader = transform(input).getReader()
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } catch (error) {
    throw sourceFailure === undefined ? describe(error) : sourceFailure.error
  } finally {
    // First the input, then the output: a decoder that is cancelled while it waits for input keeps its thread.
    await pieces.return()
    await reader.cancel().catch(() => {})
  }
}

async function* smallPieces(
  source: ByteSource | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  for await (const chunk of source) {
    for (let start = 0; start < chunk.byteLength; start += inputSize) {
      // The decoder reads on another thread, after the source may have reused its buffer.
      yield new Uint8Array(chunk.subarray(start, start + inputSize))
    }
  }
}
