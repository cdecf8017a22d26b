import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { standardOutput, WholeFile } from './standard-output.ts'

const stream = { write: () => true, isTTY: false }

describe('standard output', () => {
  it('is written whole where it is a file', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'chantal-stdout-'))
    const file = openSync(path.join(folder, 'result'), 'w')
    try {
      const output = standardOutput(stream, file)

      output.write('one\n')
      output.write(Buffer.from('two\n'.repeat(100_000)))

      expect(output).toBeInstanceOf(WholeFile)
      expect(readFileSync(path.join(folder, 'result'), 'utf8')).toBe(`one\n${'two\n'.repeat(100_000)}`)
    } finally {
      closeSync(file)
      rmSync(folder, { recursive: true })
    }
  })

  it('that has no room is an error', () => {
    const full = openSync('/dev/full', 'w')
    try {
      const output = standardOutput(stream, full)

      expect(() => output.write('a result')).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    } finally {
      closeSync(full)
    }
  })

  it('is what it was where a person reads it', () => {
    const terminal = { ...stream, isTTY: true }

    expect(standardOutput(terminal, 1)).toBe(terminal)
  })
})
