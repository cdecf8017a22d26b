/*
 * How far V8 lets the heap grow until it collects all of it. Left to itself it lets the heap of a large sync double: a quarter of the memory,
 * for a twentieth of the time.
 *
 * Whatever V8 has compiled before is refused under other flags than it was compiled with, Node's own modules included; from the command
 * line or at once, this one would cost every short command a tenth. So it is set once a command takes long.
 */

let isChosen = false
let prepare = () => {}

/** Has something done before the first of these flags is set, if one is: what V8 has compiled can be kept until then. */
export function beforeHeapIsBounded(task: () => void): void {
  prepare = task
}

/** Has the heap kept small from half a second on, if the process lives that long. */
export function keepHeapSmall(): void {
  setTimeout(() => {
    if (!isChosen) growBy(60)
  }, 500).unref()
}

/** See `AppContext.expectGarbage`. */
export function expectGarbage(): void {
  growBy(200)
}

function growBy(percent: number): void {
  if (!isChosen) prepare()
  isChosen = true
  // Loaded here, since short commands do without.
  process.getBuiltinModule('node:v8').setFlagsFromString(`--heap-growing-percent=${percent}`)
}
