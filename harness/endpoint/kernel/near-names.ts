/** Names like a mistyped one, for the sentence that refuses it. */

const MOST = 3;

/** The known names at most a third of whose letters differ: those that come nearest. */
export function nearNames(name: string, known: readonly string[]): string[] {
  const upper = name.toUpperCase();
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(upper, candidate) }))
    .filter(({ candidate, distance }) => distance <= candidate.length / 3)
    .sort((a, b) => a.distance - b.distance);
  const nearest = near[0]?.distance ?? 0;
  return near
    .filter(({ distance }) => distance === nearest)
    .slice(0, MOST)
    .map(({ candidate }) => candidate);
}

/** Letters to insert, delete or replace (Levenshtein), one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
