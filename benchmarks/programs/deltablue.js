// An incremental solver of one-way constraints with strengths: chains and projections, edited and read again.
const REQUIRED = 0;
const STRONG = 1;
const NORMAL = 2;
const WEAK = 3;
const WEAKEST = 4;

class Variable {
  constructor(value) {
    this.value = value;
    this.constraints = [];
    this.determinedBy = null;
    this.strength = WEAKEST; // of what holds it where it is
    this.stays = true;
    this.mark = 0;
  }
}

class Constraint {
  constructor(strength) {
    this.strength = strength;
    this.output = null;
  }
  get satisfied() {
    return this.output !== null;
  }
  // The weakest variable that may be overridden, or null.
  choose(mark) {
    let best = null;
    for (const variable of this.targets()) {
      if (variable.mark === mark || variable.strength <= this.strength) continue;
      if (best === null || variable.strength > best.strength) best = variable;
    }
    return best;
  }
  targets() {
    return this.variables;
  }
  inputs() {
    return this.variables.filter((variable) => variable !== this.output);
  }
  propagate() {
    const output = this.output;
    output.strength = this.strength;
    output.stays = true;
    for (const input of this.inputs()) {
      if (input.strength > output.strength) output.strength = input.strength;
      output.stays = output.stays && input.stays;
    }
    if (output.stays) this.execute();
  }
  execute() {}
}

class Stay extends Constraint {
  constructor(variable, strength) {
    super(strength);
    this.variables = [variable];
  }
}

class Edit extends Constraint {
  constructor(variable, strength) {
    super(strength);
    this.variables = [variable];
  }
  propagate() {
    super.propagate();
    this.output.stays = false;
  }
}

class Equal extends Constraint {
  constructor(a, b, strength) {
    super(strength);
    this.variables = [a, b];
  }
  execute() {
    const [a, b] = this.variables;
    this.output.value = this.output === a ? b.value : a.value;
  }
}

class Scale extends Constraint {
  constructor(source, factor, offset, result, strength) {
    super(strength);
    this.variables = [source, result, factor, offset];
  }
  targets() {
    return [this.variables[0], this.variables[1]];
  }
  execute() {
    const [source, result, factor, offset] = this.variables;
    if (this.output === result) result.value = source.value * factor.value + offset.value;
    else source.value = Math.trunc((result.value - offset.value) / factor.value);
  }
}

class Planner {
  constructor() {
    this.mark = 0;
  }
  add(constraint) {
    for (const variable of constraint.variables) variable.constraints.push(constraint);
    const mark = ++this.mark;
    let next = constraint;
    while (next !== null) next = this.satisfy(next, mark);
    return constraint;
  }
  // Satisfies one constraint and gives the one it has overridden, or null.
  satisfy(constraint, mark) {
    const output = constraint.choose(mark);
    constraint.output = output;
    if (output === null) {
      if (constraint.strength === REQUIRED) throw new Error("a required constraint does not hold");
      return null;
    }
    for (const input of constraint.inputs()) input.mark = mark;
    const overridden = output.determinedBy;
    if (overridden !== null) overridden.output = null;
    output.determinedBy = constraint;
    output.mark = mark;
    this.spread(constraint);
    return overridden;
  }
  spread(first) {
    const todo = [first];
    while (todo.length > 0) {
      const constraint = todo.pop();
      constraint.propagate();
      for (const user of constraint.output.constraints) if (user !== constraint && user.satisfied) todo.push(user);
    }
  }
  remove(constraint) {
    const output = constraint.output;
    for (const variable of constraint.variables) {
      variable.constraints.splice(variable.constraints.indexOf(constraint), 1);
    }
    if (output === null) return;
    constraint.output = null;
    output.determinedBy = null;
    output.strength = WEAKEST;
    output.stays = true;
    const free = [];
    const todo = [output];
    while (todo.length > 0) {
      const variable = todo.pop();
      for (const user of variable.constraints) {
        if (!user.satisfied) {
          if (!free.includes(user)) free.push(user);
        } else if (user.output !== variable) {
          user.propagate();
          todo.push(user.output);
        }
      }
    }
    free.sort((a, b) => a.strength - b.strength);
    for (const user of free) {
      const mark = ++this.mark;
      let next = user;
      while (next !== null && !next.satisfied) next = this.satisfy(next, mark);
    }
  }
  // What has to be computed, in order, when these edits change their variables.
  plan(edits) {
    const mark = ++this.mark;
    const steps = [];
    const todo = [...edits];
    while (todo.length > 0) {
      const constraint = todo.pop();
      if (constraint.output.mark === mark) continue;
      if (!constraint.inputs().every((input) => input.mark === mark || input.stays || input.determinedBy === null)) continue;
      steps.push(constraint);
      constraint.output.mark = mark;
      for (const user of constraint.output.constraints) if (user !== constraint && user.satisfied) todo.push(user);
    }
    return steps;
  }
  change(variable, values) {
    const edit = this.add(new Edit(variable, STRONG));
    const steps = this.plan([edit]);
    for (const value of values) {
      variable.value = value;
      for (const step of steps) step.execute();
    }
    this.remove(edit);
    return steps.length;
  }
}

function chain(length) {
  const planner = new Planner();
  const variables = Array.from({ length: length + 1 }, () => new Variable(0));
  for (let i = 0; i < length; i++) planner.add(new Equal(variables[i], variables[i + 1], REQUIRED));
  planner.add(new Stay(variables[length], NORMAL));
  let total = 0;
  const steps = planner.change(variables[0], [1, 2, 3, 5, 8, 13, 21]);
  for (const variable of variables) total += variable.value;
  planner.change(variables[length], [34]);
  return total + steps + variables[0].value;
}

function projection(size) {
  const planner = new Planner();
  const factor = new Variable(3);
  const offset = new Variable(50);
  planner.add(new Stay(factor, REQUIRED));
  planner.add(new Stay(offset, NORMAL));
  const sources = [];
  const results = [];
  for (let i = 0; i < size; i++) {
    sources.push(new Variable(i));
    results.push(new Variable(i));
    planner.add(new Stay(sources[i], NORMAL));
    planner.add(new Scale(sources[i], factor, offset, results[i], REQUIRED));
  }
  planner.change(sources[0], [11]);
  if (results[0].value !== 83) throw new Error("forwards");
  planner.change(results[1], [71]);
  if (sources[1].value !== 7) throw new Error("backwards");
  let total = 0;
  planner.change(offset, [60, 70]);
  for (const result of results) total += result.value;
  for (const source of sources) total += source.value;
  return total;
}

function run() {
  let total = 0;
  for (let round = 0; round < 2; round++) total += chain(60) + projection(40 + round);
  return total;
}
