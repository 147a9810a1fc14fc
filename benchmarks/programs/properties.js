// Properties: fields, methods on a prototype chain, accessors, computed names, objects as dictionaries.
class Shape {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.seen = 0;
  }
  get area() {
    return this.width * this.height;
  }
  grow(by) {
    this.width += by;
    this.height += by & 1;
    this.seen++;
    return this;
  }
}

class Box extends Shape {
  constructor(width, height, depth) {
    super(width, height);
    this.depth = depth;
  }
  get volume() {
    return this.area * this.depth;
  }
}

function run() {
  const boxes = [];
  for (let i = 0; i < 300; i++) boxes.push(new Box(i % 7, i % 5, i % 3));
  const keys = ["red", "green", "blue", "cyan", "white", "black", "grey"];
  const counts = {};
  let total = 0;
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < boxes.length; i++) {
      const box = boxes[i].grow(round & 3);
      const key = keys[(i + round) % keys.length];
      counts[key] = (counts[key] || 0) + box.seen;
      total = (total + box.volume) % 1000003;
    }
  }
  for (const key in counts) total += counts[key];
  return total;
}
