import { createServer } from 'node:http'
import { portOf } from './upstream.ts'

export interface Gate extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string
}

/** A server that passes all requests on to another, each after `before` is done with its path, which begins with a slash. */
export async function startGate(target: string, before: (path: string) => Promise<void>): Promise<Gate> {
  const gate = createServer((request, response) => {
    const path = request.url ?? '/'
    before(path)
      .then(() => fetch(`${target}${path}`))
      .then(async (answer) => response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer())))
      .catch((error: Error) => response.destroy(error))
  })
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${portOf(gate)}`,
    async [Symbol.asyncDispose]() {
      gate.closeAllConnections()
      gate.close()
    },
  }
}
