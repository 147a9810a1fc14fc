// Tight loops over integers: arithmetic, shifts, branches, nothing allocated.
function run() {
  let state = 2463534242;
  let hash = 0;
  for (let outer = 0; outer < 200; outer++) {
    let inner = 0;
    while (inner < 1000) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      if (state & 1) hash = (hash + (state >>> 3)) | 0;
      else hash = (hash ^ inner) | 0;
      inner++;
    }
  }
  return hash & 0x3fffffff;
}
