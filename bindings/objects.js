/** Objects of the host: the members it has chosen, in an object that no program can change. */

import { tag } from "sandbox:abi.js";
import { opOf } from "sandbox:native";
import { crossing } from "./crossing.js";
import {
  ObjectDefineProperty, ObjectHasOwn, ObjectKeys, ObjectPreventExtensions, WeakMap, WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} from "./primordials.js";

/** The function of the host that stands for an object, and keeps it there. @type {WeakMap<object, Function>} */
const anchors = new WeakMap();

function make(parts) {
  const values = parts[0];
  const getters = parts[1];
  const setters = parts[2];
  const object = {};
  const valueNames = ObjectKeys(values);
  for (let i = 0; i < valueNames.length; i++) {
    const name = valueNames[i];
    ObjectDefineProperty(object, name, { __proto__: null, value: values[name], enumerable: true });
  }
  const getterNames = ObjectKeys(getters);
  for (let i = 0; i < getterNames.length; i++) {
    const name = getterNames[i];
    const set = ObjectHasOwn(setters, name) ? setters[name] : undefined;
    ObjectDefineProperty(object, name, { __proto__: null, get: getters[name], set, enumerable: true });
  }
  WeakMapPrototypeSet(anchors, object, parts[3]);
  cross(object);
  return ObjectPreventExtensions(object);
}

const cross = crossing(tag.hostObject, (object) => opOf(WeakMapPrototypeGet(anchors, object)), make);
