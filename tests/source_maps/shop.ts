import { total } from "./cart";

export const checkout = (names: string[]): number => {
  return total(names.map((name) => ({ price: name.length })), "€");
};

console.log(checkout(["tea"]));
checkout([]);
