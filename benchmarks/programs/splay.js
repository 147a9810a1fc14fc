// A splay tree whose nodes own small trees of arrays and strings: memory that is taken and given back all the time.
class Node {
  constructor(key, payload) {
    this.key = key;
    this.payload = payload;
    this.left = null;
    this.right = null;
  }
}

class SplayTree {
  constructor() {
    this.root = null;
    this.size = 0;
  }
  // Brings the node with this key, or a neighbour of it, to the top.
  splay(key) {
    const anchor = new Node(0, null);
    let less = anchor;
    let more = anchor;
    let at = this.root;
    for (;;) {
      if (key < at.key) {
        if (at.left === null) break;
        if (key < at.left.key) {
          const turned = at.left;
          at.left = turned.right;
          turned.right = at;
          at = turned;
          if (at.left === null) break;
        }
        more.left = at;
        more = at;
        at = at.left;
      } else if (key > at.key) {
        if (at.right === null) break;
        if (key > at.right.key) {
          const turned = at.right;
          at.right = turned.left;
          turned.left = at;
          at = turned;
          if (at.right === null) break;
        }
        less.right = at;
        less = at;
        at = at.right;
      } else break;
    }
    less.right = at.left;
    more.left = at.right;
    at.left = anchor.right;
    at.right = anchor.left;
    this.root = at;
  }
  insert(key, payload) {
    const node = new Node(key, payload);
    if (this.root !== null) {
      this.splay(key);
      const top = this.root;
      if (top.key === key) return false;
      if (key > top.key) {
        node.left = top;
        node.right = top.right;
        top.right = null;
      } else {
        node.right = top;
        node.left = top.left;
        top.left = null;
      }
    }
    this.root = node;
    this.size++;
    return true;
  }
  remove(key) {
    this.splay(key);
    const removed = this.root;
    if (removed.key !== key) return null;
    if (removed.left === null) {
      this.root = removed.right;
    } else {
      const right = removed.right;
      this.root = removed.left;
      this.splay(key);
      this.root.right = right;
    }
    this.size--;
    return removed;
  }
  greatestBelow(key) {
    this.splay(key);
    if (this.root.key < key) return this.root;
    let at = this.root.left;
    while (at !== null && at.right !== null) at = at.right;
    return at;
  }
  *keys() {
    const path = [];
    let at = this.root;
    while (at !== null || path.length > 0) {
      while (at !== null) {
        path.push(at);
        at = at.left;
      }
      at = path.pop();
      yield at.key;
      at = at.right;
    }
  }
}

function payload(depth, tag) {
  if (depth === 0) return { sizes: [tag, 640, 480, 24], name: "picture " + tag + ".png" };
  return { left: payload(depth - 1, tag), right: payload(depth - 1, tag) };
}

function run() {
  let state = 987654321;
  const random = () => {
    state ^= state << 7;
    state ^= state >>> 9;
    return state >>> 0;
  };
  const tree = new SplayTree();
  const add = () => {
    let key = random();
    while (!tree.insert(key, payload(2, key))) key = random();
    return key;
  };
  for (let i = 0; i < 700; i++) add();
  let total = 0;
  for (let i = 0; i < 900; i++) {
    const key = add();
    const below = tree.greatestBelow(key);
    const gone = tree.remove(below === null ? key : below.key);
    total = (total + gone.payload.left.right.name.length + (gone.key % 1000)) % 1000003;
  }
  let before = -1;
  for (const key of tree.keys()) {
    if (key <= before) throw new Error("out of order");
    before = key;
    total = (total * 5 + (key % 97)) % 1000003;
  }
  return total + tree.size;
}
