/** One of undici's parts, which it has no types for. */
declare module 'undici/lib/dispatcher/agent.js' {
  import type { Agent } from 'undici'

  const DirectAgent: typeof Agent
  export default DirectAgent
}
