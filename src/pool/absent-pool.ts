import type { ByteSource } from '../core/bytes.ts'
import type { ChantalError } from '../core/errors.ts'
import type {
  BlobHealth,
  BlobInfo,
  HandedOverBlob,
  PartialFile,
  PlacementMethod,
  Pool,
  ReceivedBlob,
  StoredBlob,
} from './pool.ts'

/** Stands where a pool could not be opened, for work that needs none: whatever is asked of it throws why. */
export class AbsentPool implements Pool {
  readonly #reason: ChantalError

  constructor(reason: ChantalError) {
    this.#reason = reason
  }

  async receive(): Promise<ReceivedBlob> {
    throw this.#reason
  }

  receiveWhole(): ReceivedBlob {
    throw this.#reason
  }

  handOver(): HandedOverBlob {
    throw this.#reason
  }

  takeOver(): ReceivedBlob {
    throw this.#reason
  }

  async openPartial(): Promise<PartialFile | null> {
    throw this.#reason
  }

  async keep(): Promise<readonly StoredBlob[]> {
    throw this.#reason
  }

  async has(): Promise<boolean> {
    throw this.#reason
  }

  read(): ByteSource {
    throw this.#reason
  }

  readHead(): Uint8Array {
    throw this.#reason
  }

  async place(): Promise<PlacementMethod> {
    throw this.#reason
  }

  list(): AsyncIterable<BlobInfo> {
    throw this.#reason
  }

  async check(): Promise<BlobHealth> {
    throw this.#reason
  }

  async quarantine(): Promise<void> {
    throw this.#reason
  }

  async remove(): Promise<number> {
    throw this.#reason
  }

  async sweepTemporary(): Promise<number> {
    throw this.#reason
  }

  async freeSpace(): Promise<number> {
    throw this.#reason
  }
}
