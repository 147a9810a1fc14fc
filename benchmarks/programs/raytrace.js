// A picture of mirroring balls on a chequered floor, by vectors as objects: shadows, reflections, two lights.
class Vector {
  constructor(x, y, z) {
    this.x = x;
    this.y = y;
    this.z = z;
  }
  plus(other) {
    return new Vector(this.x + other.x, this.y + other.y, this.z + other.z);
  }
  minus(other) {
    return new Vector(this.x - other.x, this.y - other.y, this.z - other.z);
  }
  times(factor) {
    return new Vector(this.x * factor, this.y * factor, this.z * factor);
  }
  dot(other) {
    return this.x * other.x + this.y * other.y + this.z * other.z;
  }
  unit() {
    return this.times(1 / Math.sqrt(this.dot(this)));
  }
  // Bounced off a surface with this normal.
  mirrored(normal) {
    return this.minus(normal.times(2 * this.dot(normal)));
  }
}

class Ball {
  constructor(centre, radius, colour, shine) {
    this.centre = centre;
    this.square = radius * radius;
    this.colour = colour;
    this.shine = shine;
  }
  distance(origin, direction) {
    const to = this.centre.minus(origin);
    const along = to.dot(direction);
    const left = this.square - to.dot(to) + along * along;
    if (left < 0) return Infinity;
    const root = Math.sqrt(left);
    if (along - root > 1e-4) return along - root;
    return along + root > 1e-4 ? along + root : Infinity;
  }
  normal(point) {
    return point.minus(this.centre).unit();
  }
  colourAt() {
    return this.colour;
  }
}

class Floor {
  constructor(height) {
    this.height = height;
    this.shine = 0.2;
    this.up = new Vector(0, 1, 0);
    this.dark = new Vector(0.1, 0.1, 0.1);
    this.light = new Vector(0.9, 0.9, 0.8);
  }
  distance(origin, direction) {
    const distance = (this.height - origin.y) / direction.y;
    return distance > 1e-4 ? distance : Infinity;
  }
  normal() {
    return this.up;
  }
  colourAt(point) {
    return (Math.floor(point.x) + Math.floor(point.z)) & 1 ? this.dark : this.light;
  }
}

class Scene {
  constructor(things, lights) {
    this.things = things;
    this.lights = lights;
    this.rays = 0;
  }
  nearest(origin, direction) {
    this.rays++;
    let found = null;
    let least = Infinity;
    for (const thing of this.things) {
      const distance = thing.distance(origin, direction);
      if (distance < least) {
        least = distance;
        found = thing;
      }
    }
    return found === null ? null : { thing: found, distance: least };
  }
  trace(origin, direction, depth) {
    const hit = this.nearest(origin, direction);
    if (hit === null) return new Vector(0.3, 0.4, 0.6 + 0.3 * direction.y);
    const point = origin.plus(direction.times(hit.distance));
    const normal = hit.thing.normal(point);
    const colour = hit.thing.colourAt(point);
    let shade = colour.times(0.1);
    for (const light of this.lights) {
      const towards = light.minus(point);
      const unit = towards.unit();
      const slope = unit.dot(normal);
      if (slope <= 0) continue;
      const blocker = this.nearest(point, unit);
      if (blocker !== null && blocker.distance * blocker.distance < towards.dot(towards)) continue;
      shade = shade.plus(colour.times(slope * 0.6));
    }
    if (depth === 0 || hit.thing.shine === 0) return shade;
    const mirrored = this.trace(point, direction.mirrored(normal), depth - 1);
    return shade.times(1 - hit.thing.shine).plus(mirrored.times(hit.thing.shine));
  }
}

function run() {
  const scene = new Scene(
    [
      new Floor(-1),
      new Ball(new Vector(0, 0, 6), 1, new Vector(0.9, 0.2, 0.2), 0.3),
      new Ball(new Vector(-2, 0.2, 7), 1.2, new Vector(0.2, 0.8, 0.3), 0.5),
      new Ball(new Vector(1.8, -0.3, 5), 0.7, new Vector(0.2, 0.3, 0.9), 0),
      new Ball(new Vector(0.6, 1.6, 7.5), 0.8, new Vector(0.9, 0.9, 0.9), 0.8),
    ],
    [new Vector(-5, 6, 0), new Vector(4, 8, 2)],
  );
  const width = 28;
  const height = 21;
  const eye = new Vector(0, 0.5, 0);
  const level = (part) => Math.floor(Math.min(1, part) * 255);
  let sum = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const direction = new Vector((column - width / 2) / width, (height / 2 - row) / width, 1).unit();
      const colour = scene.trace(eye, direction, 3);
      sum = (sum * 7 + level(colour.x) * 65536 + level(colour.y) * 256 + level(colour.z)) % 1000000007;
    }
  }
  return sum + scene.rays;
}
