// The kernel of a small operating system: tasks with priorities pass packets through queues until all work is done.
const IDLE = 0;
const WORKER = 1;
const FIRST_HANDLER = 2;
const FIRST_DEVICE = 4;
const BUFFER = 4;

class Packet {
  constructor(owner, forDevice) {
    this.next = null;
    this.owner = owner;
    this.forDevice = forDevice;
    this.cursor = 0;
    this.letters = [0, 0, 0, 0];
  }
}

function append(packet, queue) {
  packet.next = null;
  if (queue === null) return packet;
  let last = queue;
  while (last.next !== null) last = last.next;
  last.next = packet;
  return queue;
}

class Task {
  constructor(kernel, id, priority) {
    this.kernel = kernel;
    this.id = id;
    this.priority = priority;
    this.inbox = null;
    this.held = false;
    this.waiting = true;
  }
  get runnable() {
    return !this.held && (!this.waiting || this.inbox !== null);
  }
  turn() {
    let packet = null;
    if (this.inbox !== null) {
      packet = this.inbox;
      this.inbox = packet.next;
      packet.next = null;
    }
    this.waiting = false;
    this.work(packet);
  }
}

class IdleTask extends Task {
  constructor(kernel, left) {
    super(kernel, IDLE, 0);
    this.left = left;
    this.state = 1;
    this.waiting = false;
  }
  work() {
    if (--this.left === 0) {
      this.held = true;
      return;
    }
    this.state = (this.state * 75 + 74) % 65537;
    this.kernel.release(FIRST_DEVICE + ((this.state >> 7) & 1));
  }
}

class WorkerTask extends Task {
  constructor(kernel) {
    super(kernel, WORKER, 1000);
    this.letter = 0;
    this.target = FIRST_HANDLER;
  }
  work(packet) {
    if (packet === null) {
      this.waiting = true;
      return;
    }
    this.target = this.target === FIRST_HANDLER ? FIRST_HANDLER + 1 : FIRST_HANDLER;
    packet.cursor = 0;
    for (let i = 0; i < BUFFER; i++) {
      this.letter = (this.letter % 26) + 1;
      packet.letters[i] = this.letter;
    }
    this.kernel.send(packet, this.target, this);
  }
}

class HandlerTask extends Task {
  constructor(kernel, id, priority) {
    super(kernel, id, priority);
    this.filled = null;
    this.devices = null;
  }
  work(packet) {
    if (packet !== null) {
      if (packet.forDevice) this.devices = append(packet, this.devices);
      else this.filled = append(packet, this.filled);
    }
    const work = this.filled;
    if (work !== null && work.cursor >= BUFFER) {
      this.filled = work.next;
      this.kernel.send(work, WORKER, this);
    } else if (work !== null && this.devices !== null) {
      const carrier = this.devices;
      this.devices = carrier.next;
      carrier.letters[0] = work.letters[work.cursor++];
      this.kernel.send(carrier, this.id + FIRST_DEVICE - FIRST_HANDLER, this);
    } else {
      this.waiting = true;
    }
  }
}

class DeviceTask extends Task {
  constructor(kernel, id, priority) {
    super(kernel, id, priority);
    this.pending = null;
  }
  work(packet) {
    if (packet !== null) {
      this.pending = packet;
      this.kernel.printed = (this.kernel.printed * 31 + packet.letters[0]) % 1000003;
      this.held = true;
      this.kernel.holds++;
    } else if (this.pending !== null) {
      const done = this.pending;
      this.pending = null;
      this.kernel.send(done, done.owner, this);
    } else {
      this.waiting = true;
    }
  }
}

class Kernel {
  constructor() {
    this.tasks = [];
    this.sent = 0;
    this.holds = 0;
    this.printed = 0;
  }
  send(packet, target, sender) {
    const task = this.tasks[target];
    packet.owner = sender.id;
    task.inbox = append(packet, task.inbox);
    this.sent++;
  }
  release(id) {
    this.tasks[id].held = false;
  }
  run() {
    const order = [...this.tasks].sort((a, b) => b.priority - a.priority);
    let turns = 0;
    let at = 0;
    while (at < order.length) {
      const task = order[at];
      if (task.runnable) {
        task.turn();
        turns++;
        at = 0;
      } else {
        at++;
      }
    }
    return turns;
  }
}

function run() {
  const kernel = new Kernel();
  const tasks = [
    new IdleTask(kernel, 1500),
    new WorkerTask(kernel),
    new HandlerTask(kernel, FIRST_HANDLER, 2000),
    new HandlerTask(kernel, FIRST_HANDLER + 1, 3000),
    new DeviceTask(kernel, FIRST_DEVICE, 4000),
    new DeviceTask(kernel, FIRST_DEVICE + 1, 5000),
  ];
  kernel.tasks = tasks;
  for (let i = 0; i < 2; i++) tasks[WORKER].inbox = append(new Packet(WORKER, false), tasks[WORKER].inbox);
  for (let handler = FIRST_HANDLER; handler < FIRST_DEVICE; handler++) {
    for (let i = 0; i < 3; i++) tasks[handler].inbox = append(new Packet(handler, true), tasks[handler].inbox);
  }
  const turns = kernel.run();
  return turns * 1000 + kernel.sent * 10 + kernel.holds + kernel.printed;
}
