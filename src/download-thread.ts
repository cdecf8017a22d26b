import { parentPort, workerData } from 'node:worker_threads'
import { serveDownloads } from './download/thread/serve-downloads.ts'
import type { ThreadData } from './download/thread/start-thread.ts'
import { FilesystemPool } from './pool/filesystem-pool.ts'

// The second thread of the program. open-context.ts starts it for long lists of files.
const { poolPath, concurrency, userAgent }: ThreadData = workerData
const port = parentPort
if (!port) throw new Error('this is no program of its own')
serveDownloads({
  port: {
    post: (message) => port.postMessage(message),
    onMessage: (receive) => port.on('message', receive),
  },
  pool: FilesystemPool.at(poolPath),
  concurrency,
  userAgent,
})
