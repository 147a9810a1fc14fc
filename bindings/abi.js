// Generated from wasm/abi.toml by wasm/generate.py. DO NOT EDIT.

const freeze = Object.freeze;

export const op = freeze({
  __proto__: null,
  console: freeze({
    __proto__: null,
    // send: one entry: an object with `type` and its fields
    write: 16,
  }),
  timers: freeze({
    __proto__: null,
    // queue: milliseconds since time origin; answered (undefined) when that time has come
    sleep: 24,
  }),
  random: freeze({
    __proto__: null,
    // call: byte count; answers that many random bytes
    fill: 32,
  }),
});

export const element = freeze({
  __proto__: null,
  uint8Clamped: 0,
  int8: 1,
  uint8: 2,
  int16: 3,
  uint16: 4,
  int32: 5,
  uint32: 6,
  bigint64: 7,
  biguint64: 8,
  float16: 9,
  float32: 10,
  float64: 11,
  dataView: 12,
});

export const hook = freeze({
  __proto__: null,
  step: 0,
  hostIterator: 1,
  hostStream: 2,
  hostObject: 3,
  dynamicImport: 4,
  importEntry: 5,
});
