// JSON: writing and reading documents of the usual shape.
function document(size) {
  const people = [];
  for (let i = 0; i < size; i++) {
    people.push({
      id: i,
      name: "Person \"" + i + "\" \u00e9",
      score: i / 8,
      tags: ["a" + (i % 5), "b" + (i % 3)],
      address: { street: i + " Main Street", zip: 10000 + i, verified: i % 2 === 0, note: null },
    });
  }
  return { version: 3, people };
}

function run() {
  let data = document(250);
  let total = 0;
  for (let round = 0; round < 8; round++) {
    const text = JSON.stringify(data);
    total += text.length;
    data = JSON.parse(text);
    data.people[round].score += round;
    total += data.people.reduce((sum, person) => sum + person.score * 8 + person.tags.length, 0);
  }
  const pretty = JSON.stringify(data, (key, value) => (key === "note" ? undefined : value), 2);
  return total + pretty.length;
}
