import { InvalidArgumentError } from 'commander'

/** Makes a parser of values, which gives `null` for what it does not know, a parser of an option. */
export function optionValue<T>(parse: (text: string) => T | null, expected: string): (text: string) => T {
  return (text) => {
    const value = parse(text)
    if (value === null) throw new InvalidArgumentError(`It has to be ${expected}.`)
    return value
  }
}
