/**
 * The text without the characters of `unwanted` at its end. A regular expression for it (`/ +$/`) begins anew at each character
 * of each run: time that grows with the square of what upstream writes.
 */
export function withoutTrailing(text: string, unwanted: string): string {
  let end = text.length
  while (end > 0 && unwanted.includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}
