/** Of gzip and zlib, with the bits of each number in reverse: the highest power last. @see RFC 1952, 8 */
const polynomial = 0xedb88320
const one = 0x80000000

/**
 * The CRC-32 of two byte sequences, one after the other, from the CRC-32 of each: none of their bytes is read again.
 * @param size of the second, in bytes
 */
export function combineCrc32(first: number, second: number, size: number): number {
  return (multiply(powerOfX(size * 8), first) ^ second) >>> 0
}

/** The product of two polynomials over the two numbers 0 and 1, modulo that of the CRC. */
function multiply(left: number, right: number): number {
  let product = 0
  let shifted = right
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((left & bit) !== 0) product ^= shifted
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ polynomial
  }
  return product
}

/** x to the power `exponent`, by squaring. */
function powerOfX(exponent: number): number {
  let power = one
  for (let rest = exponent, index = 0; rest > 0; rest = Math.floor(rest / 2), index++) {
    if (rest % 2 === 1) power = multiply(squares[index] ?? square(index), power)
  }
  return power
}

/** x to the power of 1, 2, 4, 8 and so on, as far as they were needed. */
const squares: number[] = [one >>> 1]

function square(index: number): number {
  for (let known = squares.length; known <= index; known++) {
    const last = squares[known - 1] ?? one
    squares.push(multiply(last, last))
  }
  return squares[index] ?? one
}
