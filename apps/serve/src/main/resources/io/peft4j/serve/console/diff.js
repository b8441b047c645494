/** Pieces of a text, words and what is between them. */
const pieces = text => text.match(/\s+|[^\s]+/g) || [];
const LONGEST = 600;

/**
 * Which words of two texts are not common to both: two lists of [piece, whether it differs], by the longest common
 * sequence of words.
 */
export function differences(first, second) {
  const a = pieces(first).slice(0, LONGEST);
  const b = pieces(second).slice(0, LONGEST);
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const [left, right] = [[], []];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      left.push([a[i++], false]);
      right.push([b[j++], false]);
    } else if (common[i + 1][j] >= common[i][j + 1]) {
      left.push([a[i++], true]);
    } else {
      right.push([b[j++], true]);
    }
  }
  a.slice(i).forEach(piece => left.push([piece, true]));
  b.slice(j).forEach(piece => right.push([piece, true]));
  return [left, right];
}
