// A fluid in a closed box: diffusion, transport along its own velocity, and a pressure that keeps its volume.
class Fluid {
  constructor(size) {
    this.size = size;
    this.pitch = size + 2;
    const cells = this.pitch * this.pitch;
    const field = () => new Float64Array(cells);
    [this.u, this.v, this.density] = [field(), field(), field()];
    [this.u0, this.v0, this.density0] = [field(), field(), field()];
  }
  // 1 mirrors the field at the vertical walls, 2 at the horizontal ones, 0 at none.
  walls(kind, field) {
    const { size, pitch } = this;
    for (let i = 1; i <= size; i++) {
      field[i] = kind === 2 ? -field[i + pitch] : field[i + pitch];
      field[i + (size + 1) * pitch] = kind === 2 ? -field[i + size * pitch] : field[i + size * pitch];
      field[i * pitch] = kind === 1 ? -field[1 + i * pitch] : field[1 + i * pitch];
      field[size + 1 + i * pitch] = kind === 1 ? -field[size + i * pitch] : field[size + i * pitch];
    }
    const end = size + 1;
    field[0] = (field[1] + field[pitch]) / 2;
    field[end * pitch] = (field[1 + end * pitch] + field[size * pitch]) / 2;
    field[end] = (field[size] + field[end + pitch]) / 2;
    field[end + end * pitch] = (field[size + end * pitch] + field[end + size * pitch]) / 2;
  }
  solve(kind, field, source, weight, divisor) {
    const { size, pitch } = this;
    for (let pass = 0; pass < 8; pass++) {
      for (let row = 1; row <= size; row++) {
        let at = row * pitch + 1;
        let left = field[at - 1];
        for (let column = 0; column < size; column++, at++) {
          left = (source[at] + weight * (left + field[at + 1] + field[at - pitch] + field[at + pitch])) / divisor;
          field[at] = left;
        }
      }
      this.walls(kind, field);
    }
  }
  diffuse(kind, field, source, rate) {
    const weight = rate * this.size * this.size;
    this.solve(kind, field, source, weight, 1 + 4 * weight);
  }
  advect(kind, field, source, u, v, step) {
    const { size, pitch } = this;
    const reach = step * size;
    for (let row = 1; row <= size; row++) {
      for (let column = 1; column <= size; column++) {
        const at = row * pitch + column;
        const x = Math.min(size + 0.5, Math.max(0.5, column - reach * u[at]));
        const y = Math.min(size + 0.5, Math.max(0.5, row - reach * v[at]));
        const i = Math.floor(x);
        const j = Math.floor(y);
        const s = x - i;
        const t = y - j;
        const corner = i + j * pitch;
        field[at] =
          (1 - s) * ((1 - t) * source[corner] + t * source[corner + pitch]) +
          s * ((1 - t) * source[corner + 1] + t * source[corner + pitch + 1]);
      }
    }
    this.walls(kind, field);
  }
  project(u, v, pressure, divergence) {
    const { size, pitch } = this;
    for (let row = 1; row <= size; row++) {
      for (let column = 1; column <= size; column++) {
        const at = row * pitch + column;
        divergence[at] = (-0.5 * (u[at + 1] - u[at - 1] + v[at + pitch] - v[at - pitch])) / size;
        pressure[at] = 0;
      }
    }
    this.walls(0, divergence);
    this.walls(0, pressure);
    this.solve(0, pressure, divergence, 1, 4);
    for (let row = 1; row <= size; row++) {
      for (let column = 1; column <= size; column++) {
        const at = row * pitch + column;
        u[at] -= 0.5 * size * (pressure[at + 1] - pressure[at - 1]);
        v[at] -= 0.5 * size * (pressure[at + pitch] - pressure[at - pitch]);
      }
    }
    this.walls(1, u);
    this.walls(2, v);
  }
  step(seconds) {
    const { u, v, u0, v0 } = this;
    this.diffuse(1, u0, u, 0.0002 * seconds);
    this.diffuse(2, v0, v, 0.0002 * seconds);
    this.project(u0, v0, u, v);
    this.advect(1, u, u0, u0, v0, seconds);
    this.advect(2, v, v0, u0, v0, seconds);
    this.project(u, v, u0, v0);
    this.diffuse(0, this.density0, this.density, 0.0001 * seconds);
    this.advect(0, this.density, this.density0, u, v, seconds);
  }
}

function run() {
  const fluid = new Fluid(24);
  for (let frame = 0; frame < 3; frame++) {
    for (let i = 5; i < 20; i++) {
      fluid.u[i * fluid.pitch + 6] += i * 0.5;
      fluid.v[8 * fluid.pitch + i] -= 4 - i * 0.25;
      fluid.density[i * fluid.pitch + i] += 20;
    }
    fluid.step(0.1);
  }
  let total = 0;
  for (let at = 0; at < fluid.density.length; at++) {
    total = (total * 3 + Math.floor(fluid.density[at] * 1000) + Math.floor((fluid.u[at] - fluid.v[at]) * 1000)) % 1000000007;
  }
  return Math.abs(total);
}
