import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Who holds a lease, and how to tell whether another holder on this machine still lives. */
export interface HostFacts {
  readonly host: string
  /** The same until the machine is installed anew; `''` where it is not known. */
  readonly machine: string
  /** Another one after each start of the machine. */
  readonly boot: string
  /** Process ids are comparable within one: a container has its own. */
  readonly namespace: string
  readonly pid: number
  /** Tells this process from an earlier one with the same id; `''` where it is not known. */
  readonly processStart: string
  /** When a process of this namespace started, as `processStart` says it; `null` where there is none. */
  startOf(pid: number): string | null
}

/** Facts of this process, from Linux's `/proc`. Elsewhere holders are never known to be dead, and leases end by their time. */
export function readHostFacts(): HostFacts {
  const pid = process.pid
  return {
    host: hostname(),
    machine: readFact('/etc/machine-id') ?? '',
    boot: readFact('/proc/sys/kernel/random/boot_id') ?? randomUUID(),
    namespace: readNamespace(),
    pid,
    processStart: startOf(pid) ?? '',
    startOf,
  }
}

/** @see proc_pid_stat(5): field 22, counted after the command's closing bracket since a command may hold blanks and brackets */
function startOf(pid: number): string | null {
  const stat = readFact(`/proc/${pid}/stat`)
  if (stat === null) return null
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie does no work any more.
  return state === 'Z' ? null : (fields[18] ?? null)
}

function readFact(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

function readNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}
