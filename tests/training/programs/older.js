// Scripts as they were written before 2015, or come out of tools that turn newer ones into such.

var root = this, undefinedName = void 0;

var Library = (function (global) {
  var version = "1.2", cache = {}, count = 0, last;
  var slice = Array.prototype.slice, has = Object.prototype.hasOwnProperty, kind = Object.prototype.toString;

  function extend(target) {
    for (var i = 1; i < arguments.length; i++) {
      var source = arguments[i];
      for (var key in source) if (has.call(source, key)) target[key] = source[key];
    }
    return target;
  }
  function isArray(value) { return kind.call(value) === "[object Array]"; }
  function each(list, f, context) {
    if (typeof list === "undefined" || list === null || typeof f != "function") return;
    if (isArray(list)) {
      for (var i = 0, length = list.length; i < length; i++) if (f.call(context || list, list[i], i) === false) break;
    } else {
      for (var key in list) has.call(list, key) && f.call(context || list, list[key], key);
    }
  }
  function partial(f) {
    var given = slice.call(arguments, 1);
    return function () { count++; return f.apply(this, given.concat(slice.call(arguments))); };
  }
  function memoize(f) {
    return function (key) { last = key; return has.call(cache, key) ? cache[key] : (cache[key] = f(key)); };
  }
  function define(Child, Parent, methods) {
    function Surrogate() { this.constructor = Child; }
    Surrogate.prototype = Parent.prototype;
    Child.prototype = new Surrogate();
    Child.base = Parent.prototype;
    return extend(Child.prototype, methods), Child;
  }
  function stats() { return version + ":" + count + ":" + last + ":" + typeof global; }
  return { extend: extend, each: each, partial: partial, memoize: memoize, define: define, stats: stats,
    isArray: isArray };
})(this);

var Widget = function Widget(options) {
  if (!(this instanceof Widget)) return new Widget(options);
  var self = this, clicks = 0;
  self.options = Library.extend({}, Widget.defaults, options || {});
  self.handlers = {};
  this.click = function () { clicks++; self.trigger("click", clicks); return self; };
  this.clicks = function () { return clicks; };
};
Widget.defaults = { width: 10, color: "red", deep: null };
Widget.prototype.on = function (name, handler) {
  (this.handlers[name] || (this.handlers[name] = [])).push(handler);
  return this;
};
Widget.prototype.trigger = function (name) {
  var rest = Array.prototype.slice.call(arguments, 1), that = this;
  Library.each(this.handlers[name] || [], function (handler) { handler.apply(that, rest); });
};
var Button = Library.define(function Button(options) { Widget.call(this, options); this.label = "b"; }, Widget, {
  trigger: function (name) {
    this.log = (this.log || "") + name.charAt(0);
    return Button.base.trigger.apply(this, arguments);
  },
  toString: function () { return "[" + this.label + " " + this.options.width + "]"; },
});

function widgets() {
  var total = 0, out = "";
  for (var i = 0; i < 60; i++) {
    var widget = i % 3 ? Widget({ width: i }) : new Button({ color: "c" + i, extra: [i] });
    widget.on("click", function (n) { total += n * this.options.width; });
    widget.on("click", Library.partial(function (a, b) { total += a + b; }, i));
    widget.click().click();
    total += widget.clicks();
    out = String(widget) + (widget.log || "");
    for (var key in widget) if (typeof widget[key] !== "function" && key !== "options") total += key.length;
  }
  return total + out + Library.stats();
}

// What a compiler makes of a generator: a switch in a loop.
function stepper(body, self) {
  var state = { label: 0, sent: undefinedName, done: false };
  function next(value) {
    state.sent = value;
    var result = body.call(self, state);
    return { value: result[1], done: (state.done = result[0] === 2) };
  }
  return { next: next };
}
function countdown(from) {
  var n;
  return stepper(function (_a) {
    switch (_a.label) {
      case 0: n = from; _a.label = 1;
      case 1: if (!(n > 0)) return [3 && 2, n]; return (_a.label = 2), [4, n];
      case 2: n -= _a.sent || 1; _a.label = 1; return [4, "again"];
      default: return [2];
    }
  });
}
function steps() {
  var sum = 0, machine = countdown(40), result;
  while (!(result = machine.next(sum % 3)).done) sum += typeof result.value === "number" ? result.value : 1;
  return sum + ":" + result.value;
}

var _classes = (function () {
  function _create(constructor, members) {
    for (var i = 0; i < members.length; i++) {
      var member = members[i];
      member.enumerable = member.enumerable || false;
      member.configurable = true;
      if ("value" in member) member.writable = true;
      Object.defineProperty(constructor.prototype, member.key, member);
    }
    return constructor;
  }
  var Point = function Point(x, y) {
    if (!(this instanceof Point)) throw new TypeError("Cannot call a class as a function");
    this.x = x === void 0 ? 0 : x;
    this.y = y !== null && y !== void 0 ? y : 0;
  };
  _create(Point, [
    { key: "plus", value: function plus(_ref) {
      var x = _ref.x, y = _ref.y;
      return new Point(this.x + x, this.y + y);
    } },
    { key: "norm", get: function () { return Math.sqrt(this.x * this.x + this.y * this.y); } },
  ]);
  return { Point: Point };
})();
var _super = Object.setPrototypeOf ? Object.setPrototypeOf : function (o, p) { o.__proto__ = p; return o; };

function points() {
  var p = new _classes.Point(), failed = 0, list = [];
  for (var i = 0; i < 120; i++) { p = p.plus({ x: i % 5, y: -(i % 3) }); list[list.length] = p.norm | 0; }
  try { _classes.Point(1); } catch (e) { failed += e.message.length; } finally { failed++; }
  var base = _super({ own: 1, __proto__: { inherited: 2 } }, { inherited: 3 }), seen = [];
  for (var name in base) seen.push(name + base[name]);
  base.__proto__ = null;
  list.sort(function (a, b) { return a < b ? -1 : a > b ? 1 : 0; });
  return list.slice(-3) + failed + seen + ("inherited" in base)
    + (_classes.Point.prototype.propertyIsEnumerable("plus"));
}

!function (n, t) {
  typeof exports === "object" && typeof module !== "undefined" ? module.exports = t() :
  typeof define == "function" && define.amd ? define(t) : n.mini = t();
}(root, function () {
  function r(n, t, e) { return t = t || [], e = e || 0, n ? (t.push(n % 7), r(n - 1 >> 0, t, ++e)) : (t.total = e, t); }
  var i, u = {}, o = function (n) {
    var t = "";
    do t = "0123456789abcdef".charAt(15 & n) + t;
    while (n >>>= 4);
    return t;
  };
  for (i = 0; i < 16; i += 1) u["k" + i] = o(i * i), i & 1 || delete u["k" + (i - 2)];
  return { r: r, hex: o, table: u, is: function (n) { return void 0 === n || null === n || n !== n; } };
});

var pad = function (n, width) { for (var text = n + ""; text.length < width;) text = "0" + text; return text; };
function dates() {
  var day = new Date(2015, 1, 27, 22, 59, 58), out = [];
  for (var i = 0; i < 30; i++) {
    day.setDate(day.getDate() + 1), day.setHours(i), day.setMinutes(day.getMinutes() + 90, 5);
    out.push(day.getFullYear() + "-" + pad(day.getMonth() + 1, 2) + "-" + pad(day.getDate(), 2) + "T"
      + pad(day.getHours(), 2));
  }
  return out[29] + day.getTime() + new Date("Mar 3, 2014 10:05 GMT").valueOf() + day.toString().slice(0, 24)
    + day.getDay() +
    +new Date(day) + day.toUTCString() + new Date("2012/02/29").getDate() + (new Date() - 0 > 0) + escape("é b")
      + unescape("%u6771");
}

var square = Library.memoize(function (key) { return key * key; });
function run() {
  var all = [], hash = 0, i;
  Library.each(new Array(33).join("x").split(""), function (_, round) {
    var sum = 0;
    for (i = 0; i < 200; i++) sum += square(i % 50), sum = sum % 10007, root.mini.is(i) || sum++;
    var deep = root.mini.r(120);
    all.push(sum, deep.total, root.mini.hex(sum * 99), root.mini.table.k15, widgets().replace(/:\d+:/, ":"), steps(),
      points(), dates());
    if (round > 30) return false;
  });
  for (i = 0, all = all.join("|"); i < all.length; ++i) hash = ((hash << 5) - hash + all.charCodeAt(i)) & 0x7fffffff;
  return hash;
}
