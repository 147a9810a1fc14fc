// Map and Set: filling, looking up by number, string and object, deleting, walking, set algebra by hand.
function run() {
  const numbers = new Map();
  const words = new Map();
  const objects = [];
  const owners = new Map();
  const seen = new Set();
  for (let i = 0; i < 4000; i++) {
    if (i < 1500) numbers.set((i * 7919) % 2003, i);
    const word = "key" + ((i * 31) % 1009);
    words.set(word, (words.get(word) ?? 0) + 1);
    const object = { i };
    objects.push(object);
    owners.set(object, i);
    seen.add(i % 777);
  }
  let total = 0;
  for (let i = 0; i < 2003; i++) {
    if (numbers.has(i)) total += numbers.get(i);
    if (i % 3 === 0) numbers.delete(i);
  }
  for (const object of objects) total += owners.get(object) & 15;
  for (const [word, count] of words) total += word.length * count;
  words.forEach((count, word) => {
    if (seen.has(count * 100)) total += word.charCodeAt(3);
  });
  const both = new Set();
  for (const value of seen) if (numbers.has(value)) both.add(value);
  return total + both.size * 1000 + numbers.size + owners.size;
}
