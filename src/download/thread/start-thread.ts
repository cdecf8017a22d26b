import type { StartedThread } from './download-thread.ts'

/** What the thread is told when it starts. */
export interface ThreadData {
  readonly poolPath: string
  readonly concurrency: number
  readonly userAgent: string
}

/** @param file an absolute path; it calls `serveDownloads` */
export function startThread(file: string, data: ThreadData): StartedThread {
  // Loaded here, since most syncs start none.
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const worker = new Worker(file, { workerData: data, name: 'download' })
  return {
    port: {
      post: (message) => worker.postMessage(message),
      onMessage: (receive) => worker.on('message', receive),
    },
    onFailure: (fail) => {
      worker.once('error', fail)
      worker.once('exit', (status) => fail(new Error(`the thread that downloads ended with ${status}`)))
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}
